#!/bin/sh
# Usage: sh scripts/fuzz.sh [SECONDS]     (600)
# Fuzzes every reader of files from the corpus in tests/fuzz/corpus, with clang's libFuzzer and sanitizers. What it finds lies in
# build/fuzz afterwards, as crash-*, and is an input of `build/fuzz/readers FILE`.
set -eu
cd "$(dirname "$0")/.."

if ! command -v clang++ >/dev/null; then
  echo "fuzz.sh: no clang++ (Debian: clang libclang-rt-dev)" >&2
  exit 77
fi
eigen=$(pkg-config --cflags-only-I eigen3 2>/dev/null || echo -I/usr/include/eigen3)
mkdir -p build/fuzz/found
# shellcheck disable=SC2086  # flags are words
clang++ -std=c++20 -O1 -g1 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined -Iinclude $eigen \
  tests/fuzz/readers.cpp -o build/fuzz/readers
UBSAN_OPTIONS=print_stacktrace=1 build/fuzz/readers -max_total_time="${1:-600}" -max_len=4096 -timeout=10 \
  -artifact_prefix=build/fuzz/ -print_final_stats=1 build/fuzz/found tests/fuzz/corpus
