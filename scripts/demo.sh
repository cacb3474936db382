#!/bin/sh
# Usage: sh scripts/demo.sh
# Installs what is missing, runs the example programs, and says where their pictures and pages are.
set -eu
cd "$(dirname "$0")/.."

sh scripts/install_packages.sh
cmake --preset release
cmake --build --preset release --parallel "$(getconf _NPROCESSORS_ONLN)" --target toy3d regression images boxes

examples=build/release/examples
out=build/demo
mkdir -p "$out"
"$examples/toy3d" --optimizer all --preset recommended --seeds 20 --out "$out/toy3d" --json "$out/toy3d.json"
for dataset in boston diabetes; do
  "$examples/regression" --dataset "$dataset" --json "$out/$dataset.json" --report "$out/$dataset.html"
done
"$examples/images" --out "$out/images" --json "$out/images.json"
"$examples/boxes" --seeds 2 --out "$out/boxes" --json "$out/boxes.json"

echo
echo "Pictures and pages:"
find "$PWD/$out" -name '*.png' -o -name '*.html' | sort
