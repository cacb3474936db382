// What is measured: networks, batches and adjusters, the same for gal and its peers.
#pragma once

#include <array>
#include <string>
#include <vector>

namespace bench {

struct network {
  std::string name;
  std::vector<long> widths;           // inputs, hidden layers, features
  long batch;                         // samples a step
  std::vector<long> adjuster_hidden;  // hidden widths of the adjuster

  /// Floating-point operations of the model's products in a step: forward, gradients of weights, gradients of inputs of
  /// all layers but the first.
  [[nodiscard]] double operations() const {
    double sum = 0.0;
    for (std::size_t l = 0; l + 1 < widths.size(); ++l) {
      sum += (l == 0 ? 4.0 : 6.0) * static_cast<double>(widths[l] * widths[l + 1] * batch);
    }
    return sum;
  }
};

/// The regressions of arXiv 2201.09193 (Table V), with its adjusters.
inline const std::array<network, 3> regressions = {
    network{"boston", {13, 100, 50, 1}, 32, {16, 4}},
    network{"diabetes", {10, 64, 32, 1}, 32, {128, 4}},
    network{"california", {8, 256, 64, 1}, 128, {128, 2}},
};

inline const network wide = {"wide", {1024, 1024, 1024, 10}, 512, {64, 16}};

/// A training step of a convolutional network on images of 3 x 32 x 32, or of `small_lenet`.
struct image_step {
  std::string network;  // lenet, resnet8 or efficientnet: the lists of gal/nn/cnn.hpp
  long batch;
  int threads;

  [[nodiscard]] std::string name() const {
    return network + "/batch:" + std::to_string(batch) + "/threads:" + std::to_string(threads);
  }
};

/// LeNet on images of 1 x 28 x 28, as those of Fashion-MNIST: a step, and an epoch of 60,000 images in a new order.
inline constexpr const char* small_lenet = "lenet-28";
inline constexpr long small_lenet_batch = 64;
inline constexpr long images_of_epoch = 60'000;

inline std::string epoch_name(int threads) {
  return std::string(small_lenet) + "/epoch/threads:" + std::to_string(threads);
}

inline std::vector<image_step> image_steps() {
  std::vector<image_step> steps = {{small_lenet, small_lenet_batch, 1}, {small_lenet, small_lenet_batch, 2}};
  for (const char* network : {"lenet", "resnet8", "efficientnet"}) {
    for (const long batch : {1, 8, 32}) {
      for (const int threads : {1, 2}) {
        steps.push_back({network, batch, threads});
      }
    }
  }
  return steps;
}

inline constexpr double learning_rate = 1e-3;
inline constexpr double epsilon = 0.1;  // strength of the adjustment, tau is 1

}  // namespace bench
