// The same convolutional networks and steps in libtorch's C++ frontend.
#include "networks.hpp"

#include <benchmark/benchmark.h>
#include <torch/torch.h>

#include <string>
#include <utility>

namespace {

namespace nn = torch::nn;
using torch::Tensor;

nn::Conv2d convolution(long from, long to, long kernel, long stride, long padding, bool bias = false,
                       long groups = 1) {
  return nn::Conv2d(
      nn::Conv2dOptions(from, to, kernel).stride(stride).padding(padding).bias(bias).groups(groups));
}

nn::Sequential lenet(long channels, long side) {
  const long last = side / 4 - 2;
  return nn::Sequential(convolution(channels, 6, 5, 1, 2, true), nn::ReLU(), nn::MaxPool2d(2),
                        convolution(6, 16, 5, 1, 0, true), nn::ReLU(), nn::MaxPool2d(2), nn::Flatten(),
                        nn::Linear(16 * last * last, 120), nn::ReLU(), nn::Linear(120, 84), nn::ReLU(),
                        nn::Linear(84, 10));
}

// A body, and a shortcut around it.
struct residual_module : nn::Module {
  residual_module(nn::Sequential inner, nn::Sequential around) {
    body = register_module("body", std::move(inner));
    shortcut = around->is_empty() ? around : register_module("shortcut", std::move(around));
  }
  Tensor forward(Tensor x) { return body->forward(x) + (shortcut->is_empty() ? x : shortcut->forward(x)); }
  nn::Sequential body{nullptr}, shortcut{nullptr};
};
TORCH_MODULE_IMPL(residual, residual_module);

nn::Sequential resnet8() {
  nn::Sequential net(convolution(3, 16, 3, 1, 1));
  long before = 16;
  for (const long channels : {16, 32, 64}) {
    const long stride = channels == before ? 1 : 2;
    nn::Sequential body(nn::BatchNorm2d(before), nn::ReLU(), convolution(before, channels, 3, stride, 1),
                        nn::BatchNorm2d(channels), nn::ReLU(), convolution(channels, channels, 3, 1, 1));
    nn::Sequential shortcut;
    if (stride != 1) {
      shortcut->push_back(convolution(before, channels, 1, stride, 0));
    }
    net->push_back(residual(body, shortcut));
    before = channels;
  }
  net->push_back(nn::BatchNorm2d(64));
  net->push_back(nn::ReLU());
  net->push_back(nn::AdaptiveAvgPool2d(1));
  net->push_back(nn::Flatten());
  net->push_back(nn::Linear(64, 10));
  return net;
}

// Squeeze and excitation.
struct channel_gate_module : nn::Module {
  channel_gate_module(long channels, long squeezed) {
    body = register_module(
        "body", nn::Sequential(nn::AdaptiveAvgPool2d(1), nn::Flatten(), nn::Linear(channels, squeezed),
                               nn::SiLU(), nn::Linear(squeezed, channels), nn::Sigmoid()));
  }
  Tensor forward(Tensor x) { return x * body->forward(x).unsqueeze(2).unsqueeze(3); }
  nn::Sequential body{nullptr};
};
TORCH_MODULE_IMPL(channel_gate, channel_gate_module);

nn::Sequential efficientnet() {
  nn::Sequential net(convolution(3, 16, 3, 1, 1), nn::BatchNorm2d(16), nn::SiLU());
  long before = 16;
  const long blocks[][4] = {{16, 1, 3, 1}, {24, 4, 3, 2}, {24, 4, 3, 1}, {40, 4, 5, 2}, {40, 4, 5, 1}};
  for (const auto& [channels, expansion, kernel, stride] : blocks) {
    const long inner = before * expansion;
    nn::Sequential body;
    if (expansion > 1) {
      body->push_back(convolution(before, inner, 1, 1, 0));
      body->push_back(nn::BatchNorm2d(inner));
      body->push_back(nn::SiLU());
    }
    body->push_back(convolution(inner, inner, kernel, stride, kernel / 2, false, inner));
    body->push_back(nn::BatchNorm2d(inner));
    body->push_back(nn::SiLU());
    body->push_back(channel_gate(inner, before / 4));
    body->push_back(convolution(inner, channels, 1, 1, 0));
    body->push_back(nn::BatchNorm2d(channels));
    if (stride == 1 && channels == before) {
      net->push_back(residual(body, nn::Sequential()));
    } else {
      net->extend(*body);
    }
    before = channels;
  }
  net->push_back(convolution(before, 128, 1, 1, 0));
  net->push_back(nn::BatchNorm2d(128));
  net->push_back(nn::SiLU());
  net->push_back(nn::AdaptiveAvgPool2d(1));
  net->push_back(nn::Flatten());
  net->push_back(nn::Dropout(0.2));
  net->push_back(nn::Linear(128, 10));
  return net;
}

void step(benchmark::State& state, const bench::image_step& s) {
  torch::set_num_threads(s.threads);
  torch::manual_seed(1);
  const bool small = s.network == bench::small_lenet;
  const long channels = small ? 1 : 3;
  const long side = small ? 28 : 32;
  auto model = s.network.starts_with("lenet") ? lenet(channels, side)
               : s.network == "resnet8"       ? resnet8()
                                              : efficientnet();
  torch::optim::SGD optimizer(model->parameters(),
                              torch::optim::SGDOptions(bench::learning_rate).momentum(0.9));
  const auto images = torch::randn({s.batch, channels, side, side});
  const auto labels = torch::arange(s.batch) % 10;
  const auto train = [&] {
    optimizer.zero_grad();
    torch::nn::functional::cross_entropy(model->forward(images), labels).backward();
    optimizer.step();
  };
  train();
  for (auto _ : state) {
    train();
  }
}

// All images scaled before, a new order, and a step each batch.
void epoch(benchmark::State& state, int threads) {
  torch::set_num_threads(threads);
  torch::manual_seed(1);
  auto model = lenet(1, 28);
  torch::optim::SGD optimizer(model->parameters(),
                              torch::optim::SGDOptions(bench::learning_rate).momentum(0.9));
  const auto images = torch::rand({bench::images_of_epoch, 1, 28, 28});
  const auto labels = torch::arange(bench::images_of_epoch) % 10;
  for (auto _ : state) {
    for (const Tensor& chosen : torch::randperm(bench::images_of_epoch).split(bench::small_lenet_batch)) {
      optimizer.zero_grad();
      torch::nn::functional::cross_entropy(model->forward(images.index_select(0, chosen)),
                                           labels.index_select(0, chosen))
          .backward();
      optimizer.step();
    }
  }
}

const bool registered = [] {
  for (const bench::image_step& s : bench::image_steps()) {
    benchmark::RegisterBenchmark(("torch/" + s.name()).c_str(),
                                 [s](benchmark::State& state) { step(state, s); })
        ->UseRealTime()
        ->Unit(benchmark::kMicrosecond);
  }
  for (const int threads : {1, 2}) {
    benchmark::RegisterBenchmark(("torch/" + bench::epoch_name(threads)).c_str(),
                                 [threads](benchmark::State& state) { epoch(state, threads); })
        ->UseRealTime()
        ->Iterations(1)
        ->Unit(benchmark::kMicrosecond);
  }
  return true;
}();

}  // namespace
