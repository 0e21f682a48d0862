#!/usr/bin/env bash
# Builds the fuzz targets (all, or the ones named) with the stable toolchain and prints the folder they are in.
# The flags are what cargo-fuzz passes when it is told to use no sanitizer: coverage and nothing else, so that
# neither cargo-fuzz nor a nightly compiler is needed. Of the address sanitizer there would be little use:
# the gateway's own crates forbid unsafe code.
set -euo pipefail
cd "$(dirname "$0")/.."

if ! command -v "${CXX:-c++}" >/dev/null; then
  echo "fuzz: there is no C++ compiler, which libFuzzer is built with. Install g++ or clang, or name one in CXX." >&2
  exit 1
fi
flags=(
  -Cpasses=sancov-module
  -Cllvm-args=-sanitizer-coverage-level=4
  -Cllvm-args=-sanitizer-coverage-inline-8bit-counters
  -Cllvm-args=-sanitizer-coverage-pc-table
  -Cllvm-args=-sanitizer-coverage-trace-compares
  --cfg fuzzing
  -Ccodegen-units=1
  -Cdebug-assertions
)
host=$(rustc -vV | sed -n 's/^host: //p')
bins=()
for target in "$@"; do bins+=(--bin "$target"); done
[ ${#bins[@]} -gt 0 ] || bins=(--bins)
# With a target named, build scripts and procedural macros are built without the flags.
RUSTFLAGS="${flags[*]}" cargo build --quiet --release ${CI:+--locked} --manifest-path fuzz/Cargo.toml \
  --target-dir target/fuzz --target "$host" "${bins[@]}" >&2
echo "target/fuzz/$host/release"
