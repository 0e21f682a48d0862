#!/usr/bin/env bash
# Black-box tests: the real binary and the provider simulator against the published client SDKs.
# Called by `make test`. TOLLGATE_BIN names another binary; E2E_CRASH_ROUNDS the length of the crash test.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(dirname "$here")
work="$root/.test/e2e"
binary=${TOLLGATE_BIN:-$root/target/release/tollgate}

if [ ! -x "$binary" ]; then
  echo "e2e: $binary is missing. Run: cargo build --release -p tollgate" >&2
  exit 1
fi
for tool in python3 node npm; do
  command -v "$tool" >/dev/null || { echo "e2e: $tool is not installed" >&2; exit 1; }
done
TOLLGATE_BIN=$(cd "$(dirname "$binary")" && pwd)/$(basename "$binary")
export TOLLGATE_BIN PYTHONDONTWRITEBYTECODE=1
# The clients obey proxy variables; everything here is on loopback.
export NO_PROXY=127.0.0.1 no_proxy=127.0.0.1
mkdir -p "$work"

# Installs again only when the pinned versions changed.
stamp() { cat "$@" | cksum; }
python="$work/venv/bin/python"
wanted=$(stamp "$here/python/requirements.txt")
if [ ! -x "$python" ] || [ "$(cat "$work/python.stamp" 2>/dev/null)" != "$wanted" ]; then
  rm -rf "$work/venv"
  python3 -m venv "$work/venv"
  "$python" -m pip install --quiet --disable-pip-version-check --no-deps -r "$here/python/requirements.txt"
  echo "$wanted" >"$work/python.stamp"
fi
wanted=$(stamp "$here/node/package-lock.json")
if [ ! -d "$here/node/node_modules" ] || [ "$(cat "$work/node.stamp" 2>/dev/null)" != "$wanted" ]; then
  (cd "$here/node" && npm ci --silent)
  echo "$wanted" >"$work/node.stamp"
fi

failed=()
(cd "$here/python" && "$python" -m pytest) || failed+=(python)
(cd "$here/node" && npm test --silent) || failed+=(node)
"$python" "$here/crash.py" --rounds "${E2E_CRASH_ROUNDS:-5}" || failed+=(crash)

if [ ${#failed[@]} -gt 0 ]; then
  echo "e2e: FAILED: ${failed[*]}"
  exit 1
fi
echo "e2e: python, node and crash passed"
