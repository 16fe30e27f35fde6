#!/usr/bin/env bash
# Runs everything that CTest gives a label, "fault" or "load": tools/run_faults.sh BUILD-FOLDER LABEL.
# It shows a line for each kind of test with its counts, and the seed, which HANGAR_SEED gives back.
# All that the tests wrote is in BUILD-FOLDER/LABEL.log.
set -euo pipefail
build=${1:?usage: tools/run_faults.sh BUILD-FOLDER LABEL}
label=${2:?usage: tools/run_faults.sh BUILD-FOLDER LABEL}
log=$build/$label.log
export HANGAR_SEED=${HANGAR_SEED:-$((RANDOM << 15 | RANDOM))}

echo "HANGAR_SEED=$HANGAR_SEED"
code=0
ctest --test-dir "$build" --label-regex "^$label\$" --no-tests=error --verbose 2>&1 | tee "$log" |
  sed -n --unbuffered -e "s/^[0-9]*: \\($label: \\)/\\1/p" -e '/^ *[0-9]*\/[0-9]* Test /p' \
    -e '/^[0-9]*% tests passed/p' || code=$?
if [[ $code -ne 0 ]]; then
  grep -aE '^[0-9]+: (FAILED|ERROR) ' "$log" >&2 || true
  echo "something was violated; $log has everything" >&2
fi
exit "$code"
