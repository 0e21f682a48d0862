#!/usr/bin/env bash
# The property tests once more with PROPTEST_CASES (2000) cases each: what fuzzing can be had on the stable toolchain.
set -euo pipefail
cd "$(dirname "$0")/.."

# The names of the functions inside proptest! blocks; the blocks end at the indentation they begin with.
mapfile -t names < <(
  git ls-files --cached --others --exclude-standard 'crates/*.rs' | xargs -r grep -ls 'proptest!' | xargs -r awk '
    FNR == 1 { inside = 0 }
    match($0, /^ *(proptest::)?proptest! *[{(]/) { inside = 1; indent = match($0, /[^ ]/) }
    inside && match($0, /^ *fn +[a-z0-9_]+ *\(/) { name = $0; sub(/^ *fn +/, "", name); sub(/ *\(.*/, "", name); print name }
    inside && match($0, /^ *}/) && match($0, /[^ ]/) == indent { inside = 0 }
  ' | sort -u
)
if [ ${#names[@]} -eq 0 ]; then
  echo "fuzz-smoke: found no property tests under crates/" >&2
  exit 1
fi
echo "fuzz-smoke: ${#names[@]} property tests, ${PROPTEST_CASES:=2000} cases each"
export PROPTEST_CASES
# A fresh build is not needed: these are the test programs of `cargo test --workspace`.
cargo test --workspace --quiet --tests -- "${names[@]}" |
  { grep -v -E '^(running 0 tests|)$|0 passed; 0 failed' || true; }
