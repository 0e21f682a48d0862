#!/usr/bin/env bash
# Black-box tests: the real binary and the provider simulator against the published client SDKs and coding agents.
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
# environment NAME REQUIREMENTS: a virtual environment of exactly these versions.
environment() {
  local venv="$work/$1" list="$here/python/$2" wanted
  wanted=$(stamp "$list")
  if [ ! -x "$venv/bin/python" ] || [ "$(cat "$work/$1.stamp" 2>/dev/null)" != "$wanted" ]; then
    rm -rf "$venv"
    python3 -m venv "$venv"
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps -r "$list"
    echo "$wanted" >"$work/$1.stamp"
  fi
}

# packages FOLDER [OPTION…]: the Node packages of its lock file.
packages() {
  local folder=$1 wanted
  shift
  wanted=$(stamp "$here/$folder/package-lock.json")
  if [ ! -d "$here/$folder/node_modules" ] || [ "$(cat "$work/$folder.stamp" 2>/dev/null)" != "$wanted" ]; then
    (cd "$here/$folder" && npm ci --silent "$@")
    echo "$wanted" >"$work/$folder.stamp"
  fi
}

environment venv requirements.txt
environment frameworks requirements-frameworks.txt
packages node
# Their install scripts only copy a program that is found without them.
packages agents --ignore-scripts
python="$work/venv/bin/python"
frameworks="$work/frameworks/bin/python"

failed=()
(cd "$here/python" && "$python" -m pytest) || failed+=(python)
(cd "$here/python" && "$frameworks" -m pytest frameworks) || failed+=(frameworks)
(cd "$here/node" && npm test --silent) || failed+=(node)
(cd "$here/agents" && npm test --silent) || failed+=(agents)
"$python" "$here/crash.py" --rounds "${E2E_CRASH_ROUNDS:-5}" || failed+=(crash)

if [ ${#failed[@]} -gt 0 ]; then
  echo "e2e: FAILED: ${failed[*]}"
  exit 1
fi
echo "e2e: python, frameworks, node, agents and crash passed"
