// Training steps of convolutional networks on images of 3 x 32 x 32: SGD with momentum on the cross-entropy.
#include "networks.hpp"

#include <gal/gal.hpp>
#ifdef GAL_BENCH_ONEDNN
#include <gal/adapters/onednn.hpp>
#endif

#include <benchmark/benchmark.h>

#include <cstdint>
#include <string>
#include <vector>

namespace {

template <class Backend>
void step(benchmark::State& state, const std::string& network, gal::index_type batch, int threads) {
  const Backend backend(threads);
  const gal::nn::image_shape shape{3, 32, 32};
  gal::nn::cnn<float, Backend> model(shape,
                                     network == "lenet"     ? gal::nn::lenet(shape, 10)
                                     : network == "resnet8" ? gal::nn::resnet(8, 10)
                                                            : gal::nn::efficientnet(10),
                                     {.seed = 1}, backend);
  gal::sgd<float, Backend> optimizer({.learning_rate = bench::learning_rate, .momentum = 0.9}, backend);
  const gal::softmax_cross_entropy loss;
  gal::matrix<float> images(shape.size(), batch);
  gal::random_stream random{1};
  for (gal::index_type i = 0; i < images.size(); ++i) {
    images.data()[i] = static_cast<float>(random.normal());
  }
  std::vector<int> labels(static_cast<std::size_t>(batch));
  for (std::size_t i = 0; i < labels.size(); ++i) {
    labels[i] = static_cast<int>(i % 10);
  }
  gal::matrix<double, Backend> losses(1, batch);
  gal::matrix<float, Backend> gradient(10, batch);
  const auto train = [&] {
    const auto& features = model.forward(images.view());
    loss.evaluate(backend, features.view(), labels, losses.view(), gradient.view());
    backend.fill(model.gradients().data(), model.gradients().size(), 0.0f);
    model.backward(gradient.view());
    optimizer.step(model.parameters());
  };
  train();
  for (auto _ : state) {
    train();
  }
}

template <class Backend>
bool register_steps(const std::string& library) {
  for (const bench::image_step& s : bench::image_steps()) {
    benchmark::RegisterBenchmark(
        (library + s.name()).c_str(),
        [s](benchmark::State& state) { step<Backend>(state, s.network, s.batch, s.threads); })
        ->UseRealTime()
        ->Unit(benchmark::kMicrosecond);
  }
  return true;
}

const bool registered = register_steps<gal::eigen_backend>("gal/");
#ifdef GAL_BENCH_ONEDNN
const bool registered_onednn = register_steps<gal::onednn_backend>("onednn/");
#endif

}  // namespace
