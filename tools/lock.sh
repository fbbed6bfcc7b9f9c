#!/usr/bin/env bash
# usage: lock.sh [--upgrade]: resolves the two lock files, for every platform, with hashes and no index address.
# Without --upgrade what is locked stays, as far as pyproject.toml still allows it.
set -euo pipefail
cd "$(dirname "$0")/.."
UV_VERSION=0.13.9
tool=.venv-lock  # an environment of its own: the resolver is no part of what it resolves

[ -x "$tool/bin/uv" ] || { "${PYTHON:-python3}" -m venv "$tool" && "$tool/bin/pip" --quiet install "uv==$UV_VERSION"; }
compile() {
  "$tool/bin/uv" pip compile --quiet --python-version 3.11 --universal --generate-hashes --no-emit-index-url --no-header \
    "$@" pyproject.toml
}
compile "$@" --extra postgres -o requirements.lock  # the image serves several replicas too
compile "$@" --group dev --extra postgres --extra grafana -o requirements-dev.lock
