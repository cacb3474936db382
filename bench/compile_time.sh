#!/bin/sh
# Usage: sh bench/compile_time.sh [COMPILER]
# Compiles, three times each, a unit that trains an MLP with gal and one that multiplies two matrices with Eigen, and
# prints the shortest processor time of each and their ratio.
set -eu
cd "$(dirname "$0")/.."

compiler=${1:-c++}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat >"$folder/eigen.cpp" <<'CODE'
#include <Eigen/Dense>
int main() {
  const Eigen::MatrixXf a = Eigen::MatrixXf::Random(32, 32);
  const Eigen::MatrixXf b = a * a;
  return b(0, 0) > 0.0f;
}
CODE
cat >"$folder/gal.cpp" <<'CODE'
#include <gal/gal.hpp>
int main() {
  gal::nn::mlp<float> model({13, 100, 50, 1}, {.seed = 1});
  gal::adam<float> optimizer({.learning_rate = 1e-3});
  gal::adjust trainer(model, optimizer, gal::mse());
  const gal::matrix<float> x(13, 32, 0.5f);
  const gal::matrix<float> y(1, 32, 1.0f);
  for (int step = 0; step < 10; ++step) {
    trainer.step(x, y);
  }
}
CODE

milliseconds() {  # of the processor, by all compilers so far: sets now
  times >"$folder/times"
  now=$(tail -n 1 "$folder/times" | tr 'ms' '  ' | awk '{ printf "%d", 1000 * (60 * ($1 + $3) + $2 + $4) }')
}
shortest() {  # UNIT OPTIONS: sets best
  best=
  for run in 1 2 3; do
    milliseconds; start=$now
    "$compiler" -std=c++20 $2 -Iinclude -isystem /usr/include/eigen3 -c "$folder/$1.cpp" -o "$folder/$1.o"
    milliseconds; took=$((now - start))
    if [ -z "$best" ] || [ "$took" -lt "$best" ]; then best=$took; fi
  done
}
for options in -O0 -O2 -O3; do
  shortest eigen $options; eigen=$best
  shortest gal $options; gal=$best
  echo "$options: gal $gal ms, Eigen $eigen ms, ratio $(echo "$gal $eigen" | awk '{ printf "%.2f", $1 / $2 }')"
done
