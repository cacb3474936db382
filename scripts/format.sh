#!/bin/sh
# Usage: sh scripts/format.sh [--check]
# Formats our C++ files with clang-format 14; with --check, only says which are not formatted.
set -eu
cd "$(dirname "$0")/.."

case "${1:-}" in
  "") options=-i ;;
  --check) options="--dry-run --Werror" ;;
  *) sed -n 2,3p "$0" >&2; exit 2 ;;
esac
# Other versions format some lines differently.
clang_format=$(command -v clang-format-14 || command -v clang-format)
git ls-files -z --cached --others --exclude-standard -- '*.hpp' '*.cpp' '*.cu' | xargs -0 "$clang_format" $options
