#!/usr/bin/env bash
# Builds the rig and the gateway, runs them against each other and leaves the tables in bench/results/.
# Arguments go to run.py: bench/run.sh --quick, bench/run.sh --only direct,nginx --rounds 5
set -euo pipefail
cd "$(dirname "$0")/.."

target=${CARGO_TARGET_DIR:-target}
mkdir -p "$target"
target=$(cd "$target" && pwd)
rig=$target/bench-rig

if ! command -v nginx >/dev/null; then
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "bench: installing nginx-light, the yardstick of every ratio" >&2
    apt-get update -q >&2
    DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends nginx-light >&2
    # The package starts a server of its own; the rig needs the program only.
    service nginx stop >&2 || true
  else
    echo "bench: nginx is missing; it is the yardstick of every ratio. Install it (Debian: apt-get install nginx-light) and run again." >&2
    exit 1
  fi
fi
if ! python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
  echo "bench: run.py needs Python 3.11 or later; python3 is $(python3 --version)." >&2
  exit 1
fi

cargo build --release --locked --manifest-path bench/Cargo.toml --target-dir "$rig"

# A run that leaves the gateway out (--only direct,nginx) needs no gateway.
only=
previous=
for word in "$@"; do
  case $word in --only=*) only=${word#--only=} ;; esac
  [ "$previous" = --only ] && only=$word
  previous=$word
done
case ",$only," in
  ,, | *,gateway,*) cargo build --profile dist --locked -p tollgate ;;
esac
export GATEWAY_BIN=$target/dist/tollgate

run=bench/results/$(date -u +%Y%m%d-%H%M%S)
mkdir -p "$run"
status=0
python3 bench/run.py --bin "$rig/release" --targets bench/targets.toml \
  --out "$run/results.json" --markdown "$run/results.md" --logs "$run/logs" "$@" </dev/null || status=$?
# What the gateway stored is large and worth nothing without its run.
rm -rf "$run/logs/gateway-data"
[ -f "$run/results.md" ] && echo "bench: tables in $run/results.md, raw figures in $run/results.json" >&2
exit "$status"
