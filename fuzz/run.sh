#!/usr/bin/env bash
# Lets each fuzzer look for inputs that do harm: fuzz/run.sh BUILD SECONDS_EACH [FUZZER...]. What it
# finds is written to BUILD/findings, and the exit code is 1. Inputs that reach new code are kept in
# BUILD/corpus, where the next run goes on.
set -euo pipefail

build=$1 seconds_each=$2
shift 2
folder=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)
fuzzers=("$@")
if [[ ${#fuzzers[@]} -eq 0 ]]; then
  for path in "$folder"/corpus/*; do fuzzers+=("$(basename -- "$path")"); done
fi

# Files with which Arrow's implementations and their fuzzers are tested, where they are installed.
samples=/usr/share/apache/arrow-testing
declare -A more=(
  [parquet]="$samples/parquet/fuzzing $samples/parquet/encoding-fuzzing"
  [upload]="$samples/arrow-ipc-stream $samples/arrow-ipc-stream/integration/0.14.1"
)

# Buffers from the allocator that the sanitizers watch, and no single one of more than this.
export ARROW_DEFAULT_MEMORY_POOL=system UBSAN_OPTIONS=print_stacktrace=1
# Leaks are looked for at the end: after every input it would take more than all else.
readonly malloc_limit_mb=256 rss_limit_mb=2048 timeout_seconds=20 input_bytes_max=32768

failed=0
for fuzzer in "${fuzzers[@]}"; do
  corpora=("$build/corpus/$fuzzer" "$folder/corpus/$fuzzer")
  mkdir -p -- "$build/corpus/$fuzzer" "$build/findings"
  for path in "$folder/regressions/$fuzzer" ${more[$fuzzer]:-}; do
    if [[ -d $path ]]; then corpora+=("$path"); fi
  done
  log=$build/findings/$fuzzer.log
  if "$build/fuzz/hangar_${fuzzer}_fuzz" -max_total_time="$seconds_each" -timeout="$timeout_seconds" \
    -rss_limit_mb="$rss_limit_mb" -malloc_limit_mb="$malloc_limit_mb" -print_final_stats=1 \
    -max_len="$input_bytes_max" -detect_leaks=0 \
    -artifact_prefix="$build/findings/$fuzzer-" "${corpora[@]}" >"$log" 2>&1; then
    echo "$fuzzer: $(sed -n 's/^stat::number_of_executed_units: *//p' "$log") inputs in $seconds_each s, nothing found"
  else
    echo "$fuzzer: found something; $log ends with" >&2
    tail -n 40 "$log" >&2
    failed=1
  fi
done
exit "$failed"
