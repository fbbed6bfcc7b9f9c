#!/usr/bin/env bash
# usage: servers.sh [--if-possible] [VERSION ...]: fetches Cassandra (Maven artifacts) into .servers/cassandra/lib-VERSION, once.
# PostgreSQL, Prometheus and Chromium come from the system's own packages; this says which of them are missing.
# --if-possible: without Maven or the network, say so and go on; the tests then say what they could not run.
set -euo pipefail
cd "$(dirname "$0")/.."
lenient=no
if [ "${1:-}" = --if-possible ]; then lenient=yes; shift; fi
versions=("$@")
[ ${#versions[@]} -gt 0 ] || versions=(5.0.9)

fetch() {
  local version=$1 target=.servers/cassandra/lib-$1
  [ -e "$target/cassandra-all-$version.jar" ] && return
  command -v mvn >/dev/null || { echo "Cassandra $version: Maven is missing (Debian: apt-get install maven)." >&2; return 1; }
  echo "fetching Cassandra $version (about 70 MB) ..." >&2
  rm -rf "$target.part"
  mvn -q -B -f tools/cassandra.pom.xml -Dcassandra.version="$version" -DoutputDirectory="$PWD/$target.part" \
    dependency:copy-dependencies >&2 || { echo "Cassandra $version: Maven could not fetch it." >&2; return 1; }
  rm -rf "$target" && mv "$target.part" "$target"  # a fetch cut short never looks complete
}

failed=0
for version in "${versions[@]}"; do fetch "$version" || failed=1; done
if [ "$lenient" = yes ]; then exit 0; fi
command -v java >/dev/null || { echo "Cassandra: a JDK 17 is missing (Debian: apt-get install openjdk-17-jre-headless)." >&2; failed=1; }
for package in prometheus promtool chromium; do
  command -v "$package" >/dev/null || echo "optional, from the system's packages: $package" >&2
done
compgen -G '/usr/lib/postgresql/*/bin/postgres' >/dev/null || command -v postgres >/dev/null \
  || echo "optional, from the system's packages: postgresql" >&2
exit $failed
