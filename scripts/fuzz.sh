#!/usr/bin/env bash
# Runs every target of fuzz/ for the given seconds each (600). Uses cargo-fuzz and the nightly toolchain,
# and installs what is missing of the two. Corpora stay in fuzz/corpus, findings in fuzz/artifacts.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-600}

if [ ! -f fuzz/Cargo.toml ]; then
  echo "fuzz: there is no fuzz/Cargo.toml, so there is nothing to run. Create it with: cargo fuzz init" >&2
  exit 1
fi
rustup run nightly rustc --version >/dev/null 2>&1 || rustup toolchain install nightly --profile minimal
cargo fuzz --version >/dev/null 2>&1 || cargo install cargo-fuzz --locked

mapfile -t targets < <(cargo +nightly fuzz list)
failed=()
for target in "${targets[@]}"; do
  echo "== fuzz $target, $seconds s"
  cargo +nightly fuzz run "$target" --target-dir target/fuzz -- -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 ||
    failed+=("$target")
done
if [ ${#failed[@]} -gt 0 ]; then
  echo "fuzz: FAILED: ${failed[*]}; the inputs are in fuzz/artifacts/. Turn each into a unit test before mending it." >&2
  exit 1
fi
echo "fuzz: ${#targets[@]} targets, nothing found"
