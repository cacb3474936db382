#!/bin/sh
# Usage: sh scripts/single_header.sh [FILE]     (build/gal_single.hpp)
# Writes gal/gal.hpp and all of the library that it includes as one header, which needs Eigen alone. What other libraries or POSIX
# come with (readers of gzip and safetensors, fit, compare, adapters, devices) is not in it.
set -eu
cd "$(dirname "$0")/.."

out=${1:-build/gal_single.hpp}
mkdir -p "$(dirname "$out")"
version=$(awk '/^#define GAL_VERSION_/ { print $3 }' include/gal/core/version.hpp | paste -s -d .)

# A header with `#pragma once` comes where it is first included; one without, each time.
{
  printf '// gal %s in one header: made by scripts/single_header.sh, and not to be edited. Needs Eigen 3.4.\n//\n' "$version"
  sed 's|^|// |; s| *$||' LICENSE
  printf '#pragma once\n'
  awk -v root=include/ '
    function fail(why) {
      print "single_header.sh: " why > "/dev/stderr"
      failed = 1
      exit 1
    }
    function inline_file(name, line, path, state, included) {
      path = root name
      if (path in once) return
      while ((state = (getline line < path)) > 0) {
        if (line ~ /^#pragma once/) {
          once[path] = 1
        } else if (line ~ /^ *#include <gal\//) {
          included = line
          sub(/^[^<]*</, "", included)
          sub(/>.*$/, "", included)
          inline_file(included)
        } else {
          print line
        }
      }
      if (state < 0) fail("cannot read " path)
      close(path)
    }
    BEGIN { inline_file("gal/gal.hpp"); exit failed }'
} > "$out.part"
mv "$out.part" "$out"
echo "$out"
