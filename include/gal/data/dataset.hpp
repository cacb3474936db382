// gal/data/dataset.hpp: samples and targets, from the columns of a table.
// Provides: dataset, make_dataset, labels, take. Includes gal/data/csv.hpp.
#pragma once

#include <gal/core/backend.hpp>
#include <gal/core/error.hpp>
#include <gal/core/view.hpp>
#include <gal/data/csv.hpp>

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace gal::inline GAL_ABI {

/// Samples and what is to be predicted for them: n columns each. For classification `Target` is an integer
/// and `targets` one row of labels.
template <class T, class Target = T>
struct dataset {
  matrix<T> features{};      ///< d x n
  matrix<Target> targets{};  ///< m x n

  /// Number of samples.
  [[nodiscard]] index_type size() const { return features.columns(); }

  friend bool operator==(const dataset&, const dataset&) = default;
};

namespace detail {

// A value of the table as a T, which must be able to hold it.
template <class T>
T table_value(const table& source, index_type row, index_type column) {
  const double value = source(row, column);
  const auto fail = [&](std::string_view expected) {
    throw error(error_code::malformed_data, text("gal::table: row ", row + 1, ", column \"",
                                                 source.names[static_cast<std::size_t>(column)], "\": value ",
                                                 value, "; expected ", expected));
  };
  if constexpr (std::integral<T>) {
    // Both bounds are powers of two (or 0), so they are exact as doubles; the upper one is the first value
    // too large.
    constexpr double lowest = static_cast<double>(std::numeric_limits<T>::min());
    constexpr double beyond = 2.0 * static_cast<double>(std::numeric_limits<T>::max() / 2 + 1);
    if (std::trunc(value) != value || value < lowest || value >= beyond) {
      fail("an integer in the range of the label type");
    }
  } else if (!(std::abs(value) <= static_cast<double>(std::numeric_limits<T>::max()))) {
    fail("a finite number in the range of the scalar type");
  }
  return static_cast<T>(value);
}

template <class T>
void copy_columns(matrix_view<const T> from, std::span<const index_type> columns, matrix_view<T> to) {
  for (std::size_t j = 0; j < columns.size(); ++j) {
    std::ranges::copy(from.column(columns[j]), to.column(static_cast<index_type>(j)).begin());
  }
}

}  // namespace detail

/// The columns of a table called `targets` (in that order; by default the last column) and, as features, all
/// others.
///
///     auto houses = gal::make_dataset<float>(gal::read_csv("boston.csv"), {"medv"});  // 13 x 506, 1 x 506
///     auto digits = gal::make_dataset<float, int>(gal::read_csv("digits.csv"));       // targets: labels
///
/// Throws for an unknown or repeated name, where no column is left for the features, for a value that is not
/// finite or that its type cannot hold, as a label that is no integer, and for an incomplete last row.
template <class T, class Target = T>
[[nodiscard]] dataset<T, Target> make_dataset(const table& source,
                                              const std::vector<std::string>& targets = {}) {
  std::vector<index_type> target_columns;
  for (const std::string& name : targets) {
    const index_type column = source.column_index(name);
    detail::require(std::ranges::find(target_columns, column) == target_columns.end(),
                    error_code::invalid_option, "gal::make_dataset: target \"", name,
                    "\" named twice; expected different columns");
    target_columns.push_back(column);
  }
  if (targets.empty()) {
    target_columns.push_back(source.columns() - 1);
  }
  const index_type target_count = static_cast<index_type>(target_columns.size());
  detail::require(target_count < source.columns(), error_code::invalid_option,
                  "gal::make_dataset: ", target_count, " targets in a table of ", source.columns(),
                  " columns; expected at least one column of features");
  std::vector<index_type> feature_columns;
  for (index_type column = 0; column < source.columns(); ++column) {
    if (std::ranges::find(target_columns, column) == target_columns.end()) {
      feature_columns.push_back(column);
    }
  }

  const auto columns = [&]<class Value>(const std::vector<index_type>& chosen, matrix<Value>& to) {
    to.resize(static_cast<index_type>(chosen.size()), source.rows());
    for (index_type row = 0; row < source.rows(); ++row) {
      std::ranges::transform(chosen, to.view().column(row).begin(), [&](index_type column) {
        return detail::table_value<Value>(source, row, column);
      });
    }
  };
  dataset<T, Target> result;
  columns(feature_columns, result.features);
  columns(target_columns, result.targets);
  return result;
}

/// The column called `column` as class labels. Throws for a value that is no integer.
[[nodiscard]] inline std::vector<int> labels(const table& source, std::string_view column) {
  const index_type position = source.column_index(column);
  std::vector<int> result(static_cast<std::size_t>(source.rows()));
  for (index_type row = 0; row < source.rows(); ++row) {
    result[static_cast<std::size_t>(row)] = detail::table_value<int>(source, row, position);
  }
  return result;
}

/// The last column as class labels.
[[nodiscard]] inline std::vector<int> labels(const table& source) {
  detail::require(source.columns() > 0, error_code::invalid_option,
                  "gal::labels: a table of 0 columns; expected at least one");
  return labels(source, source.names.back());
}

/// A copy of the chosen columns, in the order of `columns`, which may repeat. Throws for one outside [0, n).
///
///     auto x = gal::take(features, std::vector<gal::index_type>{4, 0});   // the fifth and the first sample
template <viewable X>
[[nodiscard]] matrix<scalar_of<X>> take(const X& x, std::span<const index_type> columns) {
  const auto from = gal::view(x).as_const();
  for (const index_type column : columns) {
    detail::require(column >= 0 && column < from.columns(), error_code::shape_mismatch, "gal::take: column ",
                    column, " of ", from.columns(), "; expected 0 to ", from.columns() - 1);
  }
  matrix<scalar_of<X>> result;
  result.resize(from.rows(), static_cast<index_type>(columns.size()));
  detail::copy_columns(from, columns, result.view());
  return result;
}

/// The chosen samples, features and targets.
template <class T, class Target>
[[nodiscard]] dataset<T, Target> take(const dataset<T, Target>& data, std::span<const index_type> samples) {
  return {take(data.features, samples), take(data.targets, samples)};
}

}  // namespace gal
