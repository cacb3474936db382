// support/fashion_mnist.hpp: pictures of clothes. Needs zlib.
// Provides: fashion_shape, read_fashion_mnist.
#pragma once

#include "support/data_files.hpp"

#include <gal/backends/eigen.hpp>
#include <gal/data/dataset.hpp>
#include <gal/data/gzip.hpp>
#include <gal/nn/image_shape.hpp>

#include <algorithm>
#include <cstdint>
#include <string>

namespace support {

inline constexpr gal::nn::image_shape fashion_shape{1, 28, 28};

/// The part `train` (60,000 samples) or `t10k` (10,000) of Fashion-MNIST, brightness in [0, 1]. Throws `gal::error` where
/// there are no such files, or another's data.
[[nodiscard]] inline gal::dataset<float, int> read_fashion_mnist(const std::string& part) {
  const auto [images, labels] = fashion_mnist_files(part);
  const gal::image_data data = gal::read_idx_gzip(images, labels);
  require(data.shape == fashion_shape, gal::error_code::malformed_data, images, ": images of ",
          data.shape.height, " x ", data.shape.width, "; expected 28 x 28");
  gal::dataset<float, int> result{gal::matrix<float>(data.shape.size(), data.size()),
                                  gal::matrix<int>(1, data.size())};
  std::ranges::transform(data.pixels, result.features.data(),
                         [](std::uint8_t pixel) { return static_cast<float>(pixel) / 255.0f; });
  std::ranges::copy(data.labels, result.targets.data());
  return result;
}

}  // namespace support
