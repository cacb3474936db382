// gal/nn/image_shape.hpp: the size of an image, for networks and for what reads images.
// Provides: nn::image_shape.
#pragma once

#include <gal/core/error.hpp>
#include <gal/core/view.hpp>

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

namespace gal::inline GAL_ABI::nn {

/// Size of an image. A sample's column holds its channels one after the other, each row by row: a batch is the memory
/// of a C-order (samples, channels, height, width) array.
struct image_shape {
  index_type channels = 1;
  index_type height = 1;
  index_type width = 1;

  [[nodiscard]] constexpr index_type area() const { return height * width; }
  [[nodiscard]] constexpr index_type size() const { return channels * area(); }
  friend bool operator==(const image_shape&, const image_shape&) = default;
};

[[nodiscard]] inline std::string to_string(image_shape s) {
  return gal::detail::text(s.channels, " x ", s.height, " x ", s.width);
}

namespace detail {

// The longest side: products of two sides are numbers still.
inline constexpr index_type largest_side = std::numeric_limits<std::int32_t>::max();

// The shape, which has to be one of an image whose numbers can be counted. `what` says whose it is.
[[nodiscard]] inline image_shape checked_image(image_shape s, std::string_view what) {
  gal::detail::require(s.channels >= 1 && s.height >= 1 && s.width >= 1, error_code::invalid_option, what,
                       " is ", s, "; expected positive numbers");
  const bool countable = s.channels <= largest_side && s.height <= largest_side && s.width <= largest_side &&
                         gal::detail::product_of({s.channels, s.height, s.width});
  gal::detail::require(countable, error_code::invalid_option, what, " is ", s, "; expected numbers up to ",
                       largest_side, " and a product below 2^63");
  return s;
}

}  // namespace detail

}  // namespace gal::nn
