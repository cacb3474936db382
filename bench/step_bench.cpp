// Training steps of gal, with the rate of the matrix product beside them as the limit.
#include "networks.hpp"
#include "random_matrix.hpp"

#include <gal/gal.hpp>

#include <benchmark/benchmark.h>
#include <Eigen/Core>

#include <atomic>
#include <cmath>
#include <cstddef>
#include <cstdlib>
#include <functional>
#include <new>
#include <string>
#include <utility>
#include <vector>

namespace {
std::atomic<std::size_t> allocated_bytes{0};
}  // namespace

void* operator new(std::size_t size) {
  allocated_bytes += size;
  void* const memory = std::malloc(size == 0 ? 1 : size);
  return memory != nullptr ? memory : throw std::bad_alloc();
}
void* operator new(std::size_t size, std::align_val_t alignment) {
  allocated_bytes += size;
  const auto boundary = static_cast<std::size_t>(alignment);
  void* const memory = std::aligned_alloc(boundary, (size + boundary - 1) / boundary * boundary);
  return memory != nullptr ? memory : throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }

namespace {

using benchmark::Counter;
using benchmark::State;

enum class method { vanilla, plain, paper, recommended };

gal::adjust_options options_of(method which, const bench::network& net) {
  if (which != method::paper) {
    return gal::recommended();
  }
  gal::adjust_options options = gal::paper();
  options.epsilon = bench::epsilon;
  options.normalisation = gal::normalisation::per_batch;  // that per sample cannot learn with one feature
  options.hidden.assign(net.adjuster_hidden.begin(), net.adjuster_hidden.end());
  return options;
}

// Times `step` after one that sizes the buffers, and counts operations and what is allocated.
template <class Step>
void measure(State& state, double operations, Step step) {
  const std::size_t before_first = allocated_bytes;
  step();
  const std::size_t before = allocated_bytes;
  for (auto _ : state) {
    step();
  }
  const std::size_t after = allocated_bytes;
  if (operations > 0.0) {
    state.counters["GFLOP/s"] = Counter(1e-9 * operations, Counter::kIsIterationInvariantRate);
  }
  state.counters["bytes_allocated"] = static_cast<double>(after - before);
  state.counters["bytes_of_first_step"] = static_cast<double>(before - before_first);
}

// A step without adjustment, as one would write it, or of `gal::plain`; or one of `gal::adjust`.
template <class T>
void step(State& state, const bench::network& net, method which, int threads = 1) {
  const gal::eigen_backend backend(threads);
  gal::nn::mlp<T> model(std::vector<gal::index_type>(net.widths.begin(), net.widths.end()), {.seed = 1},
                        backend);
  gal::adam<T> optimizer({.learning_rate = bench::learning_rate}, backend);
  const auto x = bench::random_matrix<T>(net.widths.front(), net.batch, 1);
  const auto y = bench::random_matrix<T>(net.widths.back(), net.batch, 2);
  if (which == method::vanilla) {
    const gal::mse loss;
    gal::matrix<double> losses(1, net.batch);
    gal::matrix<T> gradient(net.widths.back(), net.batch);
    measure(state, net.operations(), [&] {
      const auto& features = model.forward(x.view());
      loss.evaluate(backend, features.view(), y, losses.view(), gradient.view());
      for (const auto& block : model.parameters()) {
        backend.fill(block.gradient.data(), static_cast<gal::index_type>(block.gradient.size()), T(0));
      }
      model.backward(gradient);
      optimizer.step(model.parameters());
    });
  } else if (which == method::plain) {
    gal::plain trainer(model, optimizer, gal::mse(), {}, backend);
    measure(state, net.operations(), [&] { benchmark::DoNotOptimize(trainer.step(x, y)); });
  } else {
    gal::adjust trainer(model, optimizer, gal::mse(), options_of(which, net), backend);
    measure(state, net.operations(), [&] { benchmark::DoNotOptimize(trainer.step(x, y)); });
  }
}

// The paper's 3D problem: the parameters are the features.
template <class Optimizer>
void toy(State& state, method which, Optimizer optimizer) {
  gal::nn::point<double> point({0.75, 1.0});
  const gal::sample_loss surface([](auto p, auto gradient) {
    const double x = p[0];
    const double y = p[1];
    const double sine = std::sin(x * x);
    const double cosine = std::cos(3 * y * y);
    const double ridge = std::exp(-x * x * y * y);
    const double valley = std::exp(-(x + y) * (x + y));
    const double slope = 2 * (x + y) * valley;
    gradient[0] = -cosine * ridge * (2 * x * std::cos(x * x) - 2 * x * y * y * sine) + slope;
    gradient[1] = sine * ridge * (6 * y * std::sin(3 * y * y) + 2 * x * x * y * cosine) + slope;
    return -sine * cosine * ridge - valley;
  });
  gal::adjust_options options = which == method::paper ? gal::paper() : gal::recommended();
  if (which == method::paper) {
    options.normalisation = gal::normalisation::per_batch;
  }
  gal::adjust trainer(point, optimizer, surface, options);
  measure(state, 0.0, [&] { benchmark::DoNotOptimize(trainer.step()); });
}

template <class T>
void product(State& state, bool ours) {
  constexpr gal::index_type n = 1024;
  const auto a = bench::random_matrix<T>(n, n, 1);
  const auto b = bench::random_matrix<T>(n, n, 2);
  gal::matrix<T> c(n, n);
  if (ours) {
    const gal::eigen_backend backend;
    measure(state, 2.0 * n * n * n, [&] {
      backend.product(gal::transpose::no, gal::transpose::no, T(1), a.view(), b.view(), T(0), c.view());
    });
  } else {
    using matrix = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic>;
    const Eigen::Map<const matrix> left(a.data(), n, n);
    const Eigen::Map<const matrix> right(b.data(), n, n);
    Eigen::Map<matrix> result(c.data(), n, n);
    measure(state, 2.0 * n * n * n, [&] { result.noalias() = left * right; });
  }
}

// ---- What is run -----------------------------------------------------------------------------------------------------

// On one thread the processor's time counts, from which other programs take nothing.
auto add(const std::string& name, std::function<void(State&)> run) {
  return benchmark::RegisterBenchmark(name.c_str(), std::move(run))
      ->MeasureProcessCPUTime()
      ->Unit(benchmark::kMicrosecond);
}

template <class T>
void add_methods(const bench::network& net, const std::string& scalar) {
  for (const auto& [which, name] :
       {std::pair(method::vanilla, "vanilla"), std::pair(method::plain, "plain"),
        std::pair(method::paper, "paper"), std::pair(method::recommended, "recommended")}) {
    add("gal/" + net.name + "/" + name + "/" + scalar,
        [net, which = which](State& state) { step<T>(state, net, which); });
  }
}

bench::network with_batch(bench::network net, long batch) {
  net.batch = batch;
  return net;
}

const bool registered = [] {
  add("peak/gal/product/float", [](State& state) { product<float>(state, true); });
  add("peak/eigen/product/float", [](State& state) { product<float>(state, false); });
  add("peak/gal/product/double", [](State& state) { product<double>(state, true); });
  add("peak/eigen/product/double", [](State& state) { product<double>(state, false); });

  for (const bench::network& net : bench::regressions) {
    add_methods<float>(net, "float");
    add_methods<double>(net, "double");
  }
  add_methods<float>(bench::wide, "float");
  for (const auto& [which, name] :
       {std::pair(method::paper, "paper"), std::pair(method::recommended, "recommended")}) {
    add(std::string("gal/toy3d-gd/") + name + "/double",
        [which = which](State& state) { toy(state, which, gal::sgd<double>({.learning_rate = 0.1})); });
    add(std::string("gal/toy3d-adam/") + name + "/double",
        [which = which](State& state) { toy(state, which, gal::adam<double>({.learning_rate = 0.02})); });
  }

  // Two threads inside a step.
  add("gal/wide/paper/float/threads:2", [](State& state) {
    step<float>(state, bench::wide, method::paper, 2);
  })->UseRealTime();

  // Cost against batch, width and depth.
  for (const long batch : {1, 4, 16, 64, 256, 512, 1024, 4096}) {
    const bench::network net = with_batch(bench::regressions[2], batch);
    for (const auto& [which, name] :
         {std::pair(method::vanilla, "vanilla"), std::pair(method::paper, "paper")}) {
      add("size/california-batch:" + std::to_string(batch) + "/" + name + "/float",
          [net, which = which](State& state) { step<float>(state, net, which); });
    }
  }
  for (const long width : {16, 32, 64, 128, 256, 512, 1024}) {
    const bench::network net{"", {width, width, width, 1}, 128, {16, 4}};
    add("size/width:" + std::to_string(width) + "/vanilla/float",
        [net](State& state) { step<float>(state, net, method::vanilla); });
  }
  for (const long depth : {1, 2, 4, 8, 16}) {
    bench::network net{"", std::vector<long>(static_cast<std::size_t>(depth) + 1, 128), 128, {16, 4}};
    net.widths.back() = 1;
    add("size/depth:" + std::to_string(depth) + "/vanilla/float",
        [net](State& state) { step<float>(state, net, method::vanilla); });
  }
  for (const long width : {4, 16, 64, 256}) {
    bench::network net = bench::regressions[0];
    net.adjuster_hidden = {width, width / 4};
    add("size/boston-adjuster:" + std::to_string(width) + "/paper/float",
        [net](State& state) { step<float>(state, net, method::paper); });
  }
  return true;
}();

}  // namespace
