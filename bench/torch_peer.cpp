// The same steps in libtorch's C++ frontend, on one thread.
#include "networks.hpp"

#include <benchmark/benchmark.h>
#include <torch/torch.h>

#include <string>

namespace {

torch::nn::Sequential perceptron(const std::vector<long>& widths, bool activate) {
  torch::nn::Sequential result;
  for (std::size_t l = 0; l + 1 < widths.size(); ++l) {
    result->push_back(torch::nn::Linear(widths[l], widths[l + 1]));
    if (activate && l + 2 < widths.size()) {
      result->push_back(torch::nn::ReLU());
    }
  }
  return result;
}

void step(benchmark::State& state, const bench::network& net, bool adjusted) {
  torch::set_num_threads(1);
  torch::manual_seed(1);
  auto model = perceptron(net.widths, true);
  torch::optim::Adam optimizer(model->parameters(), torch::optim::AdamOptions(bench::learning_rate));
  std::vector<long> adjuster_widths = net.adjuster_hidden;
  adjuster_widths.insert(adjuster_widths.begin(), net.widths.back());
  adjuster_widths.push_back(net.widths.back());
  auto adjuster = perceptron(adjuster_widths, false);
  torch::optim::Adam adjuster_optimizer(adjuster->parameters(),
                                        torch::optim::AdamOptions(bench::learning_rate));
  const auto x = torch::randn({net.batch, net.widths.front()});
  const auto y = torch::randn({net.batch, net.widths.back()});

  const auto vanilla_step = [&] {
    optimizer.zero_grad();
    torch::mse_loss(model->forward(x), y).backward();
    optimizer.step();
  };
  // Remainder, objective abs(R), decision per batch, normalisation per batch: what gal::paper() does here.
  const auto adjusted_step = [&] {
    const auto features = model->forward(x);
    const auto leaf = features.detach().requires_grad_();
    const auto loss = torch::mse_loss(leaf, y);
    const auto g = torch::autograd::grad({loss}, {leaf})[0];
    const auto fixed = leaf.detach();
    const auto h = adjuster->forward(fixed);
    const auto a = bench::epsilon * h / h.norm() * g.norm();
    const auto d = bench::learning_rate * (g + a);
    const auto tentative = torch::mse_loss(fixed - d, y);
    const auto remainder = tentative - loss.detach() + (d * g).sum();
    adjuster_optimizer.zero_grad();
    remainder.abs().backward();
    const bool accepted = tentative.item<float>() <= loss.item<float>();
    optimizer.zero_grad();
    features.backward(accepted ? g + a.detach() : g);
    optimizer.step();
    adjuster_optimizer.step();
  };

  adjusted ? adjusted_step() : vanilla_step();
  for (auto _ : state) {
    adjusted ? adjusted_step() : vanilla_step();
  }
}

const bool registered = [] {
  for (const bench::network& net : bench::regressions) {
    for (const bool adjusted : {false, true}) {
      const std::string name = "torch/" + net.name + (adjusted ? "/paper/float" : "/vanilla/float");
      benchmark::RegisterBenchmark(name.c_str(),
                                   [net, adjusted](benchmark::State& state) { step(state, net, adjusted); })
          ->MeasureProcessCPUTime()
          ->Unit(benchmark::kMicrosecond);
    }
  }
  return true;
}();

}  // namespace
