#!/usr/bin/env bash
# The tests that must be seen from outside the toolchain: tests/setup/on_host.sh BUNDLE.tar.gz. CTest
# runs the others, inside.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.."

tests/setup/test_dev.sh
tests/setup/test_bundle.sh "$1"
tests/setup/test_make.sh "$1"
