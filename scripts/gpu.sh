#!/bin/sh
# Usage: sh scripts/gpu.sh
# Everything about the device backend that needs a GPU, in one command: builds for CUDA, runs the tests there, again
# under compute-sanitizer, and the benchmarks. Needs nvcc (CUDA 12 or 13) and the packages of install_packages.sh.
# Results: build/gpu/*.json and the tables it prints.
set -eu
cd "$(dirname "$0")/.."

command -v nvcc >/dev/null 2>&1 || PATH=$PATH:/usr/local/cuda/bin
command -v nvcc >/dev/null 2>&1 || { echo "gpu.sh: no nvcc; install the CUDA Toolkit, 12 or newer" >&2; exit 1; }
nvidia-smi -L || { echo "gpu.sh: no GPU; the build alone: cmake --preset cuda && cmake --build --preset cuda" >&2; exit 1; }

sh scripts/install_packages.sh
cmake --preset cuda -D CMAKE_CUDA_ARCHITECTURES=native -D GAL_BUILD_BENCH=ON
cmake --build --preset cuda --parallel "$(getconf _NPROCESSORS_ONLN)" \
  --target device_test_cuda gal_golden_cuda device_bench gpu_regression
ctest --preset cuda

tests=build/cuda/tests/backends/device
for tool in memcheck racecheck; do
  compute-sanitizer --tool "$tool" --error-exitcode 1 "$tests/device_test_cuda"
done

mkdir -p build/gpu
for dataset in boston diabetes; do
  build/cuda/examples/gpu_regression --dataset "$dataset"
  build/cuda/examples/gpu_regression --dataset "$dataset" --eager
done
for precision in float tf32 bf16; do
  build/cuda/bench/device_bench --precision "$precision" --json "build/gpu/$precision.json"
done
if python3 -c 'import torch' 2>/dev/null; then
  python3 bench/device_peer.py
else
  echo "No PyTorch: its eager step was not measured"
fi
