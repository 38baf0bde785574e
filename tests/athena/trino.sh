#!/usr/bin/env bash
# Runs compare.py on Trino 435 itself: the engine's own code in one process (Java 17), the memory connector under it.
# The jars come from Maven Central through mvn; where they cannot be had this says so and is no failure (exit 0), unless
# TRINO_REQUIRED is set. Arguments go to compare.py. What was answered is kept (trino_engine.py): a run that was cut short goes on.
set -euo pipefail
cd "$(dirname "$0")"
work=${TRINO_WORK:-../../target/trino}
mkdir -p "$work"

skip() {
  echo "SKIPPED: Trino was not run: $1" >&2
  [ -z "${TRINO_REQUIRED:-}" ] || exit 1
  exit 0
}

command -v mvn >/dev/null && command -v javac >/dev/null || skip "mvn and a JDK 17 are needed"
if [ ! -e "$work/complete" ]; then
  mvn -q -B -f trino/pom.xml dependency:copy-dependencies -DoutputDirectory="$(realpath "$work")/jars" \
    || skip "its jars could not be fetched"
  touch "$work/complete"
fi
javac -cp "$work/jars/*" -d "$work" trino/Runner.java || skip "its runner does not compile"
exec "${PYTHON:-python3}" compare.py --trino "$(realpath "$work"):$(realpath "$work")/jars/*" "$@"
