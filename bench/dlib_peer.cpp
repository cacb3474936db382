// The steps without adjustment in dlib, on one thread: it has no access to a gradient between loss and network.
#include "networks.hpp"

#include <benchmark/benchmark.h>
#include <dlib/dnn.h>

#include <random>
#include <string>
#include <vector>

namespace {

template <long First, long Second>
using regression = dlib::loss_mean_squared<
    dlib::fc<1, dlib::relu<dlib::fc<Second, dlib::relu<dlib::fc<First, dlib::input<dlib::matrix<float>>>>>>>>;

template <long First, long Second>
void step(benchmark::State& state, const bench::network& net) {
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  std::vector<dlib::matrix<float>> x(static_cast<std::size_t>(net.batch),
                                     dlib::matrix<float>(net.widths.front(), 1));
  std::vector<float> y(x.size());
  for (std::size_t j = 0; j < x.size(); ++j) {
    for (float& value : x[j]) {
      value = normal(random);
    }
    y[j] = normal(random);
  }
  regression<First, Second> model;
  std::vector<dlib::adam> solvers(model.num_computational_layers, dlib::adam(0, 0.9f, 0.999f));
  dlib::resizable_tensor input;
  model.to_tensor(x.begin(), x.end(), input);
  const auto run = [&] {
    model.compute_parameter_gradients(input, y.begin());
    model.update_parameters(solvers, bench::learning_rate);
  };
  run();
  for (auto _ : state) {
    run();
  }
}

void add(const bench::network& net, void (*run)(benchmark::State&, const bench::network&)) {
  benchmark::RegisterBenchmark(("dlib/" + net.name + "/vanilla/float").c_str(),
                               [net, run](benchmark::State& state) { run(state, net); })
      ->MeasureProcessCPUTime()
      ->Unit(benchmark::kMicrosecond);
}

const bool registered = [] {
  add(bench::regressions[0], step<100, 50>);
  add(bench::regressions[1], step<64, 32>);
  add(bench::regressions[2], step<256, 64>);
  return true;
}();

}  // namespace
