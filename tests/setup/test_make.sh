#!/usr/bin/env bash
# What "make" offers around the program, once it is built:
# tests/setup/test_make.sh BUNDLE.tar.gz.
set -euo pipefail
project=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd -P)
bundle=$(realpath -- "${1:?usage: tests/setup/test_make.sh BUNDLE.tar.gz}")
scratch=$(mktemp -d)
trap 'rm -rf -- "$scratch"' EXIT
fail() {
  printf 'FAILED: %s\n' "$*" >&2
  exit 1
}

cd "$scratch"
listed=$(make --no-print-directory -C "$project")
for target in build run test lint bench asan tsan dist install clean; do
  [[ $listed == *"make $target "* ]] || fail "make does not list the target $target"
done
echo "ok: make lists the targets"

"$project/dev" python3 "$project/tools/make_sample.py" "$scratch/datasets" >/dev/null
cp datasets/planets.parquet first
rm datasets/planets.parquet
"$project/dev" python3 "$project/tools/make_sample.py" "$scratch/datasets" >/dev/null
cmp first datasets/planets.parquet || fail "the sample dataset is not always the same"
mv datasets/planets.parquet datasets/mine.parquet
"$project/dev" python3 "$project/tools/make_sample.py" "$scratch/datasets"
[[ $(ls -A datasets) == mine.parquet ]] || fail "a folder with a dataset gets the sample as well"
echo "ok: the sample dataset is made only where there is none"

make --no-print-directory -C "$project" install DESTDIR="$scratch/a stage" PREFIX=/usr/local >/dev/null
"$project/tools/install.sh" "$bundle" "$scratch/a stage/usr/local" >/dev/null # over an older one
mv "a stage" moved
[[ $(moved/usr/local/bin/hangar --version) == hangar* ]] || fail "the installed program does not run"
echo "ok: the installed program runs, also from another place"
