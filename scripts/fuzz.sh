#!/usr/bin/env bash
# Runs the fuzz targets for the given seconds each (600): fuzz.sh [SECONDS] [TARGET…]. Needs the stable
# toolchain and a C++ compiler. New inputs stay in fuzz/grown, findings in fuzz/artifacts.
# FUZZ_FLAGS: further options of libFuzzer; FUZZ_GROWN: another folder for new inputs.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-600}
targets=("${@:2}")
mapfile -t all < <(cd fuzz/fuzz_targets && ls -- *.rs | sed 's/\.rs$//')
[ ${#targets[@]} -gt 0 ] || targets=("${all[@]}")
for target in "${targets[@]}"; do
  if [ ! -f "fuzz/fuzz_targets/$target.rs" ]; then
    echo "fuzz: there is no target '$target'; there are: ${all[*]}" >&2
    exit 2
  fi
done

began=$SECONDS
folder=$(fuzz/build.sh "${targets[@]}")
echo "fuzz: ${#targets[@]} targets built in $((SECONDS - began)) s; $seconds s each"
seeds=target/fuzz/seeds
rm -rf "$seeds"
fuzz/seeds.py "$seeds"

# Targets that read what another one reads begin from its seeds too.
family() {
  case $1 in
    chat_adapt | chat_encode | json_object) echo "$1" chat_request ;;
    chat_tap | chat_splice) echo "$1" chat_decoder ;;
    *) echo "$1" ;;
  esac
}
dictionary() {
  case $1 in
    chat_request | chat_adapt | chat_encode) echo chat_request ;;
    chat_decoder | chat_tap | chat_splice) echo chat_reply ;;
    anthropic_decoder | native_splice) echo anthropic_reply ;;
    json_object | gemini_decoder | responses_decoder | native_adapt | dialect_request | task_request | task_answer) echo json ;;
    *) echo "$1" ;;
  esac
}

failed=()
for target in "${targets[@]}"; do
  grown=${FUZZ_GROWN:-fuzz/grown}/$target
  found=fuzz/artifacts/$target
  mkdir -p "$grown" "$found"
  args=("$grown")
  for name in $(family "$target"); do
    for from in "fuzz/corpus/$name" "$seeds/$name"; do
      [ -d "$from" ] && args+=("$from")
    done
  done
  words=fuzz/dictionaries/$(dictionary "$target").dict
  [ -f "$words" ] && args+=("-dict=$words")
  log=$found/log
  # shellcheck disable=SC2086
  if "$folder/$target" "${args[@]}" -max_total_time="$seconds" -max_len=16384 -timeout=10 -rss_limit_mb=2048 \
    -print_final_stats=1 -artifact_prefix="$found/" ${FUZZ_FLAGS:-} >"$log" 2>&1; then
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    covered=$(grep -o 'cov: [0-9]*' "$log" | tail -1)
    printf '  %-20s %10s runs  %s\n' "$target" "$runs" "$covered"
  else
    failed+=("$target")
    printf '  %-20s FAILED\n' "$target"
    grep -E -A3 'panicked at|ERROR: libFuzzer' "$log" | cut -c1-400 || true
    grep 'Test unit written' "$log" || true
  fi
done
if [ ${#failed[@]} -gt 0 ]; then
  echo "fuzz: FAILED: ${failed[*]}" >&2
  echo "fuzz: run one input again with $folder/TARGET FILE. Make it a unit test, mend it, and keep the input in fuzz/corpus/TARGET." >&2
  exit 1
fi
echo "fuzz: ${#targets[@]} targets, nothing found, $((SECONDS - began)) s"
