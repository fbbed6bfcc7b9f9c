#!/usr/bin/env bash
# usage: venv.sh FOLDER LOCK: a virtual environment with exactly the packages of LOCK, by hash, and this project in place.
set -euo pipefail
cd "$(dirname "$0")/.."
folder=$1 lock=$2

recent_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

find_python() {
  local candidate
  for candidate in ${PYTHON:-python3 python3.13 python3.12 python3.11 python3.14}; do
    if recent_enough "$candidate"; then echo "$candidate"; return; fi
  done
  echo "stillfit needs Python 3.11 or newer; found: $("${PYTHON:-python3}" --version 2>&1 || true)." >&2
  echo "Install one, or name it: make PYTHON=/path/to/python3.13 ..." >&2
  return 1
}

create() {
  local python
  python=$(find_python)
  "$python" -m venv "$folder" && return
  rm -rf "$folder"
  echo "$python cannot make a virtual environment: on Debian and Ubuntu, apt-get install python3-venv." >&2
  return 1
}

echo "setting up $folder from $lock (once, about a minute) ..." >&2
recent_enough "$folder/bin/python" || { rm -rf "$folder"; create; }
pip=("$folder/bin/python" -m pip --quiet --disable-pip-version-check install)
"${pip[@]}" --require-hashes -r "$lock"
# The development lock holds the build backend, by hash; the shorter one leaves it to pip.
if grep -q '^hatchling==' "$lock"; then pip+=(--no-build-isolation); fi
"${pip[@]}" --no-deps -e .
touch "$folder/.ready"
