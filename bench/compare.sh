#!/bin/sh
# Usage: sh bench/compare.sh
# Measures gal, with oneDNN too, beside libtorch and dlib in one program and run (Debian: libdnnl-dev, libtorch-dev,
# libdlib-dev, with OpenBLAS), then PyTorch (python3-torch), prints the tables and writes them to docs/benchmarks.md.
set -eu
cd "$(dirname "$0")/.."

sh scripts/install_packages.sh libbenchmark-dev libdnnl-dev libtorch-dev libdlib-dev libopenblas0-pthread python3-torch
cmake --preset bench -D GAL_ONEDNN=ON -D GAL_BENCH_TORCH=ON -D GAL_BENCH_DLIB=ON
cmake --build --preset bench --parallel "$(getconf _NPROCESSORS_ONLN)" --target gal_bench bench_report
# One thread for every library's BLAS too.
OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MKL_NUM_THREADS=1 BLIS_NUM_THREADS=1 \
  build/bench/bench/gal_bench --benchmark_repetitions=9 --benchmark_min_time=0.05 \
  --benchmark_enable_random_interleaving=true --benchmark_report_aggregates_only=true \
  --benchmark_out=build/bench/results.json --benchmark_out_format=json >&2
/usr/bin/python3 bench/lenet_peer.py build/bench/pytorch.json  # Debian's, for which the package is
build/bench/bench/bench_report build/bench/results.json docs/benchmarks.md build/bench/pytorch.json
