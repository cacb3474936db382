// support/problems.hpp: what the networks learn: the regressions of arXiv 2201.09193 (Table V), and the digits.
// Provides: estimate, estimates, published_rows, regression_problem, regression_problems, read_regression; digit_classes,
// digit_shape, read_digits; parts, divide, standardise.
#pragma once

#include "support/data_files.hpp"
#include "support/housing.hpp"
#include "support/text.hpp"

#include <gal/backends/eigen.hpp>
#include <gal/data/csv.hpp>
#include <gal/data/dataset.hpp>
#include <gal/data/split.hpp>
#include <gal/data/standardizer.hpp>
#include <gal/nn/layers.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace support {

struct estimate {
  std::optional<double> mean, deviation;  ///< deviation: none for one run
};
using estimates = std::array<estimate, 3>;  ///< MAE, MSE, R2

struct published_rows {
  estimates baseline, gal;
};

/// A data set, its networks, and what is published about it.
struct regression_problem {
  std::string_view name;
  std::string_view title;
  std::vector<gal::index_type> hidden;           ///< of the model
  std::vector<gal::index_type> adjuster_hidden;  ///< of the paper's adjuster
  published_rows published;
};

[[nodiscard]] inline std::vector<regression_problem> regression_problems() {
  return {
      {"boston",
       "Boston housing",
       {100, 50},
       {16, 4},
       {{{{3.9535, 0.4307}, {23.0956, 4.1695}, {0.7668, 0.0420}}},
        {{{2.8079, 0.2720}, {12.8808, 2.0446}, {0.8699, 0.0206}}}}},
      {"diabetes",
       "Diabetes",
       {64, 32},
       {128, 4},
       {{{{44.3832, 0.7752}, {3226.02, 38.83}, {0.3821, 0.0074}}},
        {{{41.6186, 0.2989}, {2961.55, 29.45}, {0.4327, 0.0056}}}}},
      {"california",
       "California housing",
       {256, 64},
       {128, 2},
       {{{{1.0910, 0.1297}, {2.1168, 0.3629}, {-0.6084, 0.2757}}},
        {{{0.7780, 0.0262}, {1.1635, 0.0655}, {0.1158, 0.0498}}}}},
  };
}

/// The samples of a regression problem from its file. Throws `gal::error` as `gal::read_csv` and `gal::make_dataset`.
[[nodiscard]] inline gal::dataset<float> read_regression(std::string_view problem, const std::string& file) {
  const gal::table table = gal::read_csv(file);
  return gal::make_dataset<float>(problem == "california" ? california_features(table, file) : table);
}

inline constexpr int digit_classes = 10;
inline constexpr gal::nn::image_shape digit_shape{1, 8, 8};

/// The handwritten digits, brightness in [0, 1]. Throws `gal::error` where there is no such file, or another's data.
[[nodiscard]] inline gal::dataset<float, int> read_digits() {
  const std::string name = "digits.csv";
  const std::optional<std::string> file = data_file(name);
  require(file.has_value(), gal::error_code::unreadable_file, no_data_file(name));
  gal::dataset<float, int> data = gal::make_dataset<float, int>(gal::read_csv(*file));
  require(data.features.rows() == digit_shape.size(), gal::error_code::malformed_data, *file, ": ",
          data.features.rows(), " pixels; expected ", digit_shape.size());
  for (float& pixel : std::span(data.features.data(), static_cast<std::size_t>(data.features.size()))) {
    pixel /= 16.0f;  // the brightest
  }
  return data;
}

template <class Target>
struct parts {
  gal::dataset<float, Target> train, test;
};

/// A quarter of the samples for testing: with seed 1 the published split.
template <class Target>
[[nodiscard]] parts<Target> divide(const gal::dataset<float, Target>& data, std::uint32_t seed = 1) {
  const auto [train, test] = gal::train_test_split(data.size(), {.test_fraction = 0.25, .seed = seed});
  return {gal::take(data, train), gal::take(data, test)};
}

/// Standardises the features of both parts, as those for training are.
template <class Target>
void standardise(parts<Target>& data) {
  gal::standardizer<float> scale;
  scale.fit(data.train.features);
  scale.apply(data.train.features);
  scale.apply(data.test.features);
}

}  // namespace support
