#!/usr/bin/env bash
# Every check and test, cheapest first; stops at the first that fails. Called by `make test`.
# Ends with the wall time of each step.
set -euo pipefail
cd "$(dirname "$0")/.."

steps=()
seconds=()
child=
began=$SECONDS

summary() {
  echo
  echo "wall time per step:"
  local i
  for i in "${!steps[@]}"; do
    printf '  %6d s  %s\n' "${seconds[$i]}" "${steps[$i]}"
  done
  printf '  %6d s  all\n' $((SECONDS - began))
}

stop() {
  trap - INT TERM
  [ -n "$child" ] && kill -TERM "$child" 2>/dev/null
  wait 2>/dev/null || true
  exit 130
}
trap stop INT TERM

# step NAME MINUTES COMMAND…: a step that takes longer than MINUTES hangs, and is ended.
step() {
  local name=$1 minutes=$2 start=$SECONDS status=0
  shift 2
  echo
  echo "== $name: $*"
  timeout --kill-after=30 "${minutes}m" "$@" </dev/null &
  child=$!
  wait "$child" || status=$?
  child=
  steps+=("$name")
  seconds+=($((SECONDS - start)))
  if [ "$status" -ne 0 ]; then
    [ "$status" -eq 124 ] && echo "== $name: took longer than $minutes minutes"
    summary
    echo "FAILED: $name (exit code $status). To run it alone: $*"
    exit 1
  fi
}

# rust-toolchain.toml names the toolchain; where rustup does not install it by itself, do it here.
toolchain() {
  if ! cargo fmt --version >/dev/null 2>&1 || ! cargo clippy --version >/dev/null 2>&1; then
    local channel
    channel=$(sed -n 's/^channel *= *"\(.*\)"/\1/p' rust-toolchain.toml)
    rustup toolchain install "$channel" --profile minimal --component clippy --component rustfmt
  fi
}
toolchain

# CI builds what is committed; at the desk a changed manifest may still change the lock file.
locked=()
if [ -n "${CI:-}" ]; then
  locked=(--locked)
  step "lock file" 10 cargo fetch --locked
fi

step "format" 2 cargo fmt --all --check
step "format of the rig" 2 cargo fmt --all --check --manifest-path bench/Cargo.toml
step "format of the fuzz targets" 2 cargo fmt --all --check --manifest-path fuzz/Cargo.toml
step "tidy" 10 cargo xtask tidy
step "clippy" 30 cargo clippy --workspace --all-targets "${locked[@]}" -- -D warnings
step "tests" 40 cargo test --workspace "${locked[@]}"
step "fuzz smoke" 15 scripts/fuzz-smoke.sh
step "clippy of the rig" 15 cargo clippy "${locked[@]}" --manifest-path bench/Cargo.toml --target-dir target/bench-rig -- -D warnings
step "client SDKs" 40 make --no-print-directory e2e
summary
echo "all passed"
