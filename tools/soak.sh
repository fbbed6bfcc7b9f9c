#!/usr/bin/env bash
# usage: soak.sh [PYTEST ARGUMENTS]: runs the tests marked soak and keeps what they printed in soak/DATE.txt.
set -euo pipefail
cd "$(dirname "$0")/.."
mkdir -p soak
report=soak/$(date -u +%Y-%m-%dT%H%MZ).txt
{
  echo "stillfit soak, $(date -u '+%Y-%m-%d %H:%M UTC'), $(git describe --always --dirty 2>/dev/null || echo 'not a clone')"
  echo "$(uname -sm), $(getconf _NPROCESSORS_ONLN) cores, $(.venv/bin/python -V)"
  .venv/bin/pytest -m soak -n 0 --durations=0 -rA "$@"
} 2>&1 | tee "$report"
echo "report: $report"
