#!/bin/sh
# Usage: sh scripts/format.sh [--check]
# Formats our C++ files with clang-format 16 (Debian 12: clang-format-16); with --check, only says which are not formatted.
set -eu
cd "$(dirname "$0")/.."

case "${1:-}" in
  "") options=-i ;;
  --check) options="--dry-run --Werror" ;;
  *) sed -n 2,3p "$0" >&2; exit 2 ;;
esac
git ls-files -z --cached --others --exclude-standard -- '*.hpp' '*.cpp' '*.cu' | xargs -0 clang-format-16 $options
