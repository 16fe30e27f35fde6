#!/usr/bin/env bash
# Installs what "make dist" made below a folder: tools/install.sh BUNDLE PREFIX.
#
# The bundle goes to PREFIX/lib/hangar and PREFIX/bin/hangar leads there, so that the program runs
# whichever libraries the system has. The client library's headers and CMake package go beside it.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."
bundle=${1:?usage: tools/install.sh BUNDLE PREFIX}
prefix=${2:?usage: tools/install.sh BUNDLE PREFIX}

unset DESTDIR # it is part of PREFIX here; CMake would add it to the stage
stage=$(mktemp -d build/install.XXXXXX)
trap 'rm -rf -- "$stage"' EXIT
./dev cmake --install build/release --prefix "$PWD/$stage/cmake" >/dev/null
rm -f -- "$stage/cmake/bin/hangar" # the bundle's launcher takes its place
mkdir -p "$stage/cmake/lib/hangar" "$stage/cmake/bin"
tar -xzf "$bundle" -C "$stage/cmake/lib/hangar" --strip-components=1 --no-same-owner
ln -s ../lib/hangar/bin/hangar "$stage/cmake/bin/hangar"

mkdir -p -- "$prefix"
rm -rf -- "$prefix/lib/hangar" # an older version's libraries must not stay behind
# tar, since cp would give the folders that exist already the modes of those in the stage.
tar -C "$stage/cmake" -c . | tar -C "$prefix" -x --no-same-owner --no-overwrite-dir
echo "installed $prefix/bin/hangar"
