// gal/adapters/xtensor.hpp: arrays of xtensor where data, features and parameters cross the border. Needs xtensor, which
// nothing else does (CMake: gal::xtensor).
// Provides: view_of for xtensor's arrays, as_xtensor.
#pragma once

#include <gal/core/error.hpp>
#include <gal/core/view.hpp>

#include <xtensor/xadapt.hpp>
#include <xtensor/xarray.hpp>
#include <xtensor/xshape.hpp>
#include <xtensor/xtensor.hpp>

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <type_traits>

namespace gal::inline GAL_ABI {

namespace detail {

// An array of numbers that lies in memory: xarray, xtensor, fixed shapes, adapted memory, and strided views of these.
template <class X>
concept xtensor_array = xt::is_xexpression<X>::value && xt::has_data_interface<X>::value &&
                        std::is_arithmetic_v<typename X::value_type>;

// Whether the type alone says that the memory is in the order of Fortran; in one dimension both orders are the same.
template <class X>
constexpr bool is_column_major_array = (X::static_layout == xt::layout_type::column_major) &&
                                       (xt::static_dimension<typename X::shape_type>::value != 1);

[[nodiscard]] constexpr std::string_view name_of(xt::layout_type layout) {
  switch (layout) {
    case xt::layout_type::row_major:
      return "row-major";
    case xt::layout_type::column_major:
      return "column-major";
    default:
      return "strided";
  }
}

}  // namespace detail

/// An array of xtensor, of any rank, as a matrix: the first dimension counts the samples, one per column, and the rows are
/// all others in C order, so that an array of shape (n, d) is `d x n`, one of (n, c, h, w) is `(c h w) x n`, and one of (n)
/// is a number per sample. Nothing is copied; a const array gives a view of const numbers.
///
///     xt::xtensor<float, 2> x = ..., y = ...;      // (n, 13), (n, 1)
///     for (auto [inputs, targets] : gal::batches(x, y, 32)) ...
///
/// A column-major type does not compile. Throws `shape_mismatch`, naming shape, strides and those expected, for an array
/// that has gaps or is in another order than C's, and for one without dimensions.
template <class X>
  requires detail::xtensor_array<X>
struct view_of<X> {
  template <class Y>
  static auto get(Y&& x) {
    static_assert(
        !detail::is_column_major_array<X>,
        "gal: a column-major xtensor array would be read transposed; gal expects row-major memory (C order) "
        "whose first dimension counts the samples. Use xt::layout_type::row_major, or assign to such an "
        "array.");
    const auto& shape = x.shape();
    const auto& strides = x.strides();
    detail::require(
        shape.size() > 0, error_code::shape_mismatch,
        "gal::view: an xtensor array of no dimensions; expected at least one, which counts the samples");
    index_type size = 1;
    bool in_order = true;
    for (std::size_t k = shape.size(); k-- > 0;) {
      // xtensor's stride of a dimension of size 1 is 0.
      in_order = in_order && (shape[k] <= 1 || static_cast<index_type>(strides[k]) == size);
      size *= static_cast<index_type>(shape[k]);
    }
    if (!in_order && size > 0) [[unlikely]] {
      refuse(x, shape, strides);
    }
    const auto columns = static_cast<index_type>(shape[0]);
    index_type rows = 1;
    for (std::size_t k = 1; k < shape.size(); ++k) {
      rows *= static_cast<index_type>(shape[k]);
    }
    const auto data = x.data() + x.data_offset();
    return matrix_view<std::remove_reference_t<decltype(*data)>>(data, rows, columns);
  }

 private:
  template <class Shape, class Strides>
  [[noreturn]] static void refuse(const X& x, const Shape& shape, const Strides& strides) {
    std::string expected;
    index_type stride = 1;
    for (std::size_t k = shape.size(); k-- > 0;) {
      expected = detail::text(stride, expected.empty() ? "" : ", ", expected);
      stride *= static_cast<index_type>(shape[k]);
    }
    throw error(error_code::shape_mismatch,
                detail::text("gal::view: a ", detail::name_of(x.layout()), " xtensor array of shape ",
                             detail::tuple_text(shape), " with strides ", detail::tuple_text(strides),
                             "; expected row-major memory without gaps, strides (", expected,
                             "), such as whole samples or a copy"));
  }
};

/// The other way: a view as a two-dimensional array of xtensor of shape (columns, rows), a sample per row, on the same
/// memory. Assigned to an `xt::xarray` or `xt::xtensor` it is copied.
///
///     for (auto [x, y] : gal::batches(data, 32)) trainer.step(gal::as_xtensor(x), y);   // a model that takes xt::xtensor
template <viewable X>
[[nodiscard]] auto as_xtensor(X&& x) {
  const auto view = gal::view(x);
  const std::array<std::size_t, 2> shape = {static_cast<std::size_t>(view.columns()),
                                            static_cast<std::size_t>(view.rows())};
  return xt::adapt(view.data(), static_cast<std::size_t>(view.size()), xt::no_ownership(), shape);
}

}  // namespace gal
