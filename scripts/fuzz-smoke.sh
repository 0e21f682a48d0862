#!/usr/bin/env bash
# Every fuzz target for FUZZ_SMOKE_SECONDS (5) from the seeds: about two minutes once they are built. The
# generator begins the same each time; nothing is kept, so that a run does not depend on the ones before.
set -euo pipefail
cd "$(dirname "$0")/.."
rm -rf target/fuzz/grown-smoke
export FUZZ_GROWN=target/fuzz/grown-smoke FUZZ_FLAGS="-seed=1 ${FUZZ_FLAGS:-}"
status=0
scripts/fuzz.sh "${FUZZ_SMOKE_SECONDS:-5}" "$@" || status=$?
rm -rf target/fuzz/grown-smoke
exit "$status"
