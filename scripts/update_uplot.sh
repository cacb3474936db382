#!/bin/sh
# Usage: sh scripts/update_uplot.sh [--check]
#
# Makes include/gal/third_party/uplot.hpp of the chart library uPlot in the version below, which npm fetches; with --check
# only says whether it is the same. Nothing else needs npm: the header is part of the repository.
#
# For another version: change both lines, run it, put the new numbers into tests/fit/html_page_test.cpp.
set -eu
cd "$(dirname "$0")/.."

version=1.6.32
sha256=4b8a8191e425658e3ea8c8c1314b0fc679c861ee3a1af2b20c7b16ba50b5133d

header=include/gal/third_party/uplot.hpp
case "${1:-}" in
  "" | --check) ;;
  *) sed -n 2p "$0" >&2; exit 2 ;;
esac
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
(cd "$directory" && npm pack --silent "uplot@$version" >/dev/null)
echo "$sha256  $directory/uplot-$version.tgz" | sha256sum --check --quiet
tar -xzf "$directory/uplot-$version.tgz" -C "$directory"
package=$directory/package

# constant NAME FILE: the file as a constant, in raw literals that are short enough for any compiler.
constant() {
  if grep -q ')_"' "$2"; then
    echo "$2 holds the end of a raw literal; take another delimiter" >&2
    exit 1
  fi
  printf 'inline constexpr std::string_view %s =' "$1"
  awk -v width=90 '{
    for (at = 1; at == 1 || at <= length($0); at += width)
      printf "\n    R\"_(%s)_\"", substr($0, at, width)
    printf " \"\\n\""
  }' "$2"
  printf ';\n'
}

LC_ALL=C
export LC_ALL
{
  cat <<TEXT
// gal/third_party/uplot.hpp: the chart library uPlot $version as text, under the licence below. Made by
// scripts/update_uplot.sh, and not to be edited.
// Provides: detail::uplot_version, detail::uplot_licence, detail::uplot_style, detail::uplot_script.
#pragma once

#include <gal/core/detail/abi.hpp>

#include <string_view>

namespace gal::inline GAL_ABI::detail {

// clang-format off
inline constexpr std::string_view uplot_version = "$version";
TEXT
  constant uplot_licence "$package/LICENSE"
  constant uplot_style "$package/dist/uPlot.min.css"
  constant uplot_script "$package/dist/uPlot.iife.min.js"
  cat <<TEXT
// clang-format on

}  // namespace gal::detail
TEXT
} >"$directory/uplot.hpp"

if [ "${1:-}" = --check ]; then
  cmp "$directory/uplot.hpp" "$header"
  echo "$header is uPlot $version"
else
  mkdir -p "$(dirname "$header")"
  mv "$directory/uplot.hpp" "$header"
  chmod 644 "$header"
fi
