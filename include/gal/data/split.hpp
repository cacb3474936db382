// gal/data/split.hpp: a part to train on, and a part to test on.
// Provides: train_test_split, split_options, split_indices.
#pragma once

#include <gal/core/error.hpp>
#include <gal/core/view.hpp>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <random>
#include <utility>
#include <vector>

namespace gal::inline GAL_ABI {

/// Settings of `train_test_split`.
struct split_options {
  double test_fraction = 0.25;  ///< in (0, 1)
  std::uint32_t seed = 1;
};

/// Positions of the samples of both parts.
struct split_indices {
  std::vector<index_type> train;
  std::vector<index_type> test;
};

/// Divides the samples 0 to n - 1 at random: ceil(test_fraction * n) for testing, the others for training.
/// These are the parts of scikit-learn's `train_test_split(numpy.arange(n), test_size=test_fraction,
/// random_state=seed)`, in the same order.
///
///     auto [train, test] = gal::train_test_split(data.size(), {.test_fraction = 0.2, .seed = 7});
///     auto train_data = gal::take(data, train);
///
/// Throws for fewer than two samples, a fraction outside (0, 1), and one that leaves nothing for training.
[[nodiscard]] inline split_indices train_test_split(index_type n, split_options options = {}) {
  detail::require(n >= 2 && static_cast<std::uint64_t>(n) - 1 <= 0xffffffffU, error_code::invalid_option,
                  "gal::train_test_split: ", n, " samples; expected 2 to 2^32");
  detail::require(options.test_fraction > 0.0 && options.test_fraction < 1.0, error_code::invalid_option,
                  "gal::train_test_split: test_fraction ", options.test_fraction,
                  "; expected a number in (0, 1)");
  const auto test_count = static_cast<index_type>(std::ceil(options.test_fraction * static_cast<double>(n)));
  detail::require(test_count < n, error_code::invalid_option, "gal::train_test_split: test_fraction ",
                  options.test_fraction, " of ", n,
                  " samples leaves none for training; expected a smaller fraction");

  // NumPy's legacy permutation: Fisher-Yates from the end, each position drawn by rejection under a bit mask.
  std::vector<index_type> order(static_cast<std::size_t>(n));
  std::iota(order.begin(), order.end(), index_type{0});
  std::mt19937 engine(options.seed);
  for (std::size_t i = order.size() - 1; i > 0; --i) {
    std::size_t mask = i;
    for (int shift = 1; shift <= 16; shift *= 2) {
      mask |= mask >> shift;
    }
    std::size_t j = engine() & mask;
    while (j > i) {
      j = engine() & mask;
    }
    std::swap(order[i], order[j]);
  }
  return {{order.begin() + test_count, order.end()}, {order.begin(), order.begin() + test_count}};
}

}  // namespace gal
