// gal/loss/detail/batch_checks.hpp: targets as matrices, and the sizes of a batch.
#pragma once

#include <gal/core/concepts.hpp>
#include <gal/core/error.hpp>
#include <gal/core/view.hpp>

#include <concepts>
#include <string_view>

namespace gal::inline GAL_ABI::detail {

template <class Target>
concept matrix_target = viewable<const Target>;

template <matrix_target Target>
using target_scalar = scalar_of<const Target>;

// The integers that are numbers: no bool, no character.
template <class U>
concept label_number =
    std::integral<U> && !std::same_as<U, bool> && !std::same_as<U, char> && !std::same_as<U, wchar_t> &&
    !std::same_as<U, char8_t> && !std::same_as<U, char16_t> && !std::same_as<U, char32_t>;

// The targets as a matrix of the features' size. A vector of n numbers is a row or a column, as its owner likes.
template <class T, class Memory, matrix_target Target>
auto targets_like(matrix_view<const T, Memory> features, const Target& targets, std::string_view loss) {
  const auto given = gal::view(targets);
  const auto y = features.rows() == 1 ? as_row(given, features.columns()) : given;
  require(y.shape() == features.shape(), error_code::shape_mismatch, loss, ": targets are ", y.shape(),
          "; expected the features' size ", features.shape());
  return y;
}

template <class T, class Memory>
void check_batch(matrix_view<const T, Memory> features, matrix_view<double, Memory> values,
                 matrix_view<T, Memory> gradient, std::string_view loss) {
  require(!features.empty(), error_code::shape_mismatch, loss, ": features are ", features.shape(),
          "; expected at least one row and one sample");
  require(values.size() == features.columns(), error_code::shape_mismatch, loss, ": room for ", values.size(),
          " sample values; expected ", features.columns());
  require(gradient.empty() || gradient.shape() == features.shape(), error_code::shape_mismatch, loss,
          ": the gradient is ", gradient.shape(), "; expected ", features.shape());
}

template <class T, class Memory>
void check_displacement(matrix_view<const T, Memory> features, matrix_view<const T, Memory> displacement,
                        std::string_view loss) {
  require(displacement.shape() == features.shape(), error_code::shape_mismatch, loss,
          ": the displacement is ", displacement.shape(), "; expected ", features.shape());
}

template <class T, class Memory>
void check_tangent(matrix_view<const T, Memory> features, matrix_view<const T, Memory> tangent,
                   matrix_view<double, Memory> values, std::string_view loss) {
  check_batch(features, values, matrix_view<T, Memory>(), loss);
  require(tangent.shape() == features.shape(), error_code::shape_mismatch, loss, ": the tangent is ",
          tangent.shape(), "; expected ", features.shape());
}

}  // namespace gal::detail
