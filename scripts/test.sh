#!/bin/sh
# Usage: sh scripts/test.sh [CMAKE_OPTION...]
# Installs what is missing, builds everything and runs all tests.
set -eu
cd "$(dirname "$0")/.."

sh scripts/install_packages.sh
jobs=$(getconf _NPROCESSORS_ONLN)
cmake --preset release "$@"
cmake --build --preset release --parallel "$jobs"
ctest --preset release --parallel "$jobs"
