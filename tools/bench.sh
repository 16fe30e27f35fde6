#!/usr/bin/env bash
# Builds and runs the benchmarks: tools/bench.sh JOBS [CASE...] [-- FLAG...]. The cases and flags are
# those of benchmarks/bench.py; the case `micro` is the micro-benchmarks beside the code
# (src/*/x_benchmark.cc). Without a case everything runs. With BASE=REVISION in the environment
# Hangar is compared with itself of that revision.
set -euo pipefail
shopt -s nullglob
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."
jobs=${1:-$(nproc)}
shift $(($# > 0))

build() {
  cmake -S "$1" --preset release -B "$2" -DHANGAR_BUILD_BENCHMARKS="$3" -DHANGAR_BUILD_TESTS=OFF >"$2.configure.log" 2>&1 ||
    { cat "$2.configure.log" && return 1; }
  cmake --build "$2" --parallel "$jobs" --target "$4"
}

run_micro_benchmarks() {
  local benchmark
  for benchmark in build/bench/src/*/hangar_*_benchmark; do
    echo "== ${benchmark##*/}"
    "$benchmark"
  done
}

mkdir -p build
build . build/bench ON all
compared=()
if [[ -n ${BASE:-} ]]; then
  rm -rf build/base-source
  mkdir build/base-source
  git -c safe.directory="$PWD" archive "$BASE" | tar -x -C build/base-source
  build build/base-source build/base OFF hangar
  compared=(--base build/base/hangar --contenders hangar)
fi

micro=0
cases=()
while [[ $# -gt 0 && $1 != -- ]]; do
  if [[ $1 == micro ]]; then micro=1; else cases+=("$1"); fi
  shift
done
shift $(($# > 0))
if [[ -z ${BASE:-} ]] && [[ $micro -eq 1 || ${#cases[@]} -eq 0 ]]; then run_micro_benchmarks; fi
if [[ $micro -eq 1 && ${#cases[@]} -eq 0 ]]; then exit; fi
# The case `s3` has a Ceph of its own.
start=()
if [[ " ${cases[*]} " == *" s3"* ]]; then start=(tests/s3/ceph.sh run); fi
exec "${start[@]}" python3 -B benchmarks/bench.py --hangar build/bench/hangar --clients-from build/bench/benchmarks \
  --json build/bench/bench.json "${compared[@]}" "${cases[@]}" "$@"
