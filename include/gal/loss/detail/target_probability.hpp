// gal/loss/detail/target_probability.hpp: the target probability of a class.
// Provides: nothing public; detail::target_probability.
#pragma once

#include <gal/core/view.hpp>

#include <concepts>
#include <limits>

namespace gal::inline GAL_ABI::detail {

// The target probability of a class, from labels or from a matrix of probabilities, smoothed.
template <class U>
struct target_probability {
  const U* data;
  index_type classes;
  double kept;
  double spread;

  GAL_HOST_DEVICE double operator()(index_type k, index_type j) const {
    if constexpr (std::integral<U>) {
      const auto label = static_cast<index_type>(data[j]);
      if (label < 0 || label >= classes) {  // which the host refuses, and the device cannot
        return std::numeric_limits<double>::quiet_NaN();
      }
      return (label == k ? kept : 0.0) + spread;
    } else {
      return kept * static_cast<double>(data[j * classes + k]) + spread;
    }
  }
};

}  // namespace gal::detail
