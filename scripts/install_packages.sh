#!/bin/sh
# Usage: sh scripts/install_packages.sh [DEBIAN_PACKAGE...]
#
# Installs what building, testing and the demo need, and the packages named in addition. On Debian
# and Ubuntu this takes root or sudo; where nothing is missing, nothing is run. On other systems it
# only checks, and says what to install. GAL_SKIP_INSTALL=1 skips all of it.
set -eu

if [ "${GAL_SKIP_INSTALL:-0}" = 1 ]; then
  exit 0
fi

packages="g++ cmake ninja-build libeigen3-dev doctest-dev libcli11-dev nlohmann-json3-dev
  libboost-math-dev libthrust-dev libxtensor-dev zlib1g-dev gnuplot-nox python3 ca-certificates"

is_installed() {
  [ "$(dpkg-query --show --showformat='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

install_on_debian() {
  missing=
  for package in $packages "$@"; do
    is_installed "$package" || missing="$missing $package"
  done
  if [ -z "$missing" ]; then
    return 0
  fi

  if [ "$(id -u)" -eq 0 ]; then
    as_root=
  elif command -v sudo >/dev/null 2>&1; then
    as_root=sudo
  else
    echo "These packages are missing, and installing them needs root:$missing" >&2
    echo "Install them with: apt-get install --no-install-recommends$missing" >&2
    echo "or set GAL_SKIP_INSTALL=1 where the tools are there without the packages." >&2
    return 1
  fi
  echo "Installing:$missing"
  # An unreachable third-party source must not stop us: the installation says if a package is not to
  # be had.
  $as_root apt-get update -qq || echo "apt-get update failed, installing all the same" >&2
  $as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -qq --no-install-recommends -o DPkg::Lock::Timeout=300 $missing </dev/null >/dev/null
}

# has_header HEADER: whether the compiler finds it by itself or where libraries are usually installed.
has_header() {
  include_options=
  for prefix in $(echo "${CMAKE_PREFIX_PATH:-}" | tr ':;' '  ') /usr /usr/local /opt/homebrew; do
    include_options="$include_options -I$prefix/include -I$prefix/include/eigen3"
  done
  echo "#include <$1>" | c++ -std=c++20 -E -x c++ $include_options - >/dev/null 2>&1
}

check_elsewhere() {
  missing=
  for tool in c++ cmake ninja gnuplot; do
    command -v "$tool" >/dev/null 2>&1 || missing="$missing $tool"
  done
  if command -v c++ >/dev/null 2>&1; then
    for header in Eigen/Core doctest/doctest.h CLI/CLI.hpp nlohmann/json.hpp boost/math/distributions.hpp zlib.h; do
      has_header "$header" || missing="$missing <$header>"
    done
  fi
  if [ -z "$missing" ]; then
    return 0
  fi
  cat >&2 <<TEXT
Not found:$missing
Please install, then try again:
  Debian, Ubuntu: $(echo $packages)
  Fedora:         gcc-c++ cmake ninja-build eigen3-devel doctest-devel cli11-devel json-devel boost-devel zlib-devel gnuplot
  Arch:           gcc cmake ninja eigen doctest cli11 nlohmann-json boost zlib gnuplot
  Homebrew:       cmake ninja eigen doctest cli11 nlohmann-json boost gnuplot
or set GAL_SKIP_INSTALL=1 to go on without this check.
TEXT
  return 1
}

if command -v apt-get >/dev/null 2>&1 && command -v dpkg-query >/dev/null 2>&1; then
  install_on_debian "$@"
else
  check_elsewhere
fi
