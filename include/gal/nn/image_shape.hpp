// gal/nn/image_shape.hpp: the size of an image, for networks and for what reads images.
// Provides: nn::image_shape.
#pragma once

#include <gal/core/error.hpp>
#include <gal/core/view.hpp>

#include <string>

namespace gal::nn {

/// Size of an image. A sample's column holds its channels one after the other, each row by row: a batch is the memory
/// of a C-order (samples, channels, height, width) array.
struct image_shape {
  index channels = 1;
  index height = 1;
  index width = 1;

  [[nodiscard]] constexpr index area() const { return height * width; }
  [[nodiscard]] constexpr index size() const { return channels * area(); }
  friend bool operator==(const image_shape&, const image_shape&) = default;
};

[[nodiscard]] inline std::string to_string(image_shape s) {
  return gal::detail::text(s.channels, " x ", s.height, " x ", s.width);
}

}  // namespace gal::nn
