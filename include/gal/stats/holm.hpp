// gal/stats/holm.hpp: several tests at once.
// Provides: holm.
#pragma once

#include <gal/core/error.hpp>

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <span>
#include <vector>

namespace gal::inline GAL_ABI {

/// p-values of several tests, corrected by Holm's step-down method (Scandinavian Journal of Statistics 6, 1979), in the order
/// of those given: the smallest of m times m, the next times m - 1 and so on, none smaller than the one before nor greater
/// than 1. Whoever calls those below 0.05 discoveries makes a false one in at most 5 % of such families of tests, whatever
/// depends on what. Throws for a p outside [0, 1].
[[nodiscard]] inline std::vector<double> holm(std::span<const double> p_values) {
  for (std::size_t i = 0; i < p_values.size(); ++i) {
    detail::require(p_values[i] >= 0.0 && p_values[i] <= 1.0, error_code::invalid_option, "gal::holm: p is ",
                    p_values[i], " at position ", i, "; expected a number in [0, 1]");
  }
  std::vector<std::size_t> order(p_values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, {}, [&](std::size_t i) { return p_values[i]; });
  std::vector<double> corrected(p_values.size());
  double least = 0.0;
  for (std::size_t k = 0; k < order.size(); ++k) {
    const auto others = static_cast<double>(order.size() - k);
    least = std::max(least, std::min(1.0, others * p_values[order[k]]));
    corrected[order[k]] = least;
  }
  return corrected;
}

}  // namespace gal
