// Training steps of convolutional networks: SGD with momentum on the cross-entropy; and an epoch of LeNet.
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
  const gal::nn::image_shape shape =
      network == bench::small_lenet ? gal::nn::image_shape{1, 28, 28} : gal::nn::image_shape{3, 32, 32};
  gal::nn::cnn<float, Backend> model(shape,
                                     network.starts_with("lenet") ? gal::nn::lenet(shape, 10)
                                     : network == "resnet8"       ? gal::nn::resnet(8, 10)
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

// From bytes in memory, as a program trains: gathered in a new order, scaled, and a step each batch.
template <class Backend>
void epoch(benchmark::State& state, int threads) {
  const Backend backend(threads);
  const gal::nn::image_shape shape{1, 28, 28};
  gal::image_data images{.shape = shape};
  gal::random_stream random{1};
  for (gal::index_type i = 0; i < bench::images_of_epoch * shape.size(); ++i) {
    images.pixels.push_back(static_cast<std::uint8_t>(random.below(256)));
  }
  for (long i = 0; i < bench::images_of_epoch; ++i) {
    images.labels.push_back(static_cast<int>(i % 10));
  }
  gal::nn::cnn<float, Backend> model(shape, gal::nn::lenet(shape, 10), {.seed = 1}, backend);
  gal::sgd<float, Backend> optimizer({.learning_rate = bench::learning_rate, .momentum = 0.9}, backend);
  gal::plain trainer(model, optimizer, gal::softmax_cross_entropy());
  gal::augmentation<float, Backend> scale(shape, {}, backend);
  gal::batches batches(images.view(), images.labels, bench::small_lenet_batch, 1);
  for (auto _ : state) {
    for (auto [x, y] : batches) {
      trainer.step(scale.normalise(x), y);
    }
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
  for (const int threads : {1, 2}) {
    benchmark::RegisterBenchmark((library + bench::epoch_name(threads)).c_str(),
                                 [threads](benchmark::State& state) { epoch<Backend>(state, threads); })
        ->UseRealTime()
        ->Iterations(1)
        ->Unit(benchmark::kMicrosecond);
  }
  return true;
}

const bool registered = register_steps<gal::eigen_backend>("gal/");
#ifdef GAL_BENCH_ONEDNN
const bool registered_onednn = register_steps<gal::onednn_backend>("onednn/");
#endif

}  // namespace
