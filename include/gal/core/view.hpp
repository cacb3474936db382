// gal/core/view.hpp: how the library looks at memory that others own.
// Provides: matrix_view, view_of (the customisation point), view(), viewable, index_type, shape, host_memory.
#pragma once

#include <gal/core/error.hpp>

#include <concepts>
#include <cstddef>
#include <initializer_list>
#include <limits>
#include <optional>
#include <ranges>
#include <span>
#include <string>
#include <type_traits>
#include <utility>

// Marks for a device compiler: functions that kernels call are built for both sides; the lambdas that become kernels,
// for the device. nvcc refuses these in members that are not public.
#if defined(__CUDACC__)
#define GAL_HOST_DEVICE __host__ __device__
#define GAL_KERNEL __device__
#else
#define GAL_HOST_DEVICE
#define GAL_KERNEL
#endif

namespace gal::inline GAL_ABI {

using index_type = std::ptrdiff_t;

/// Memory that the processor can read. A device backend brings a tag of its own, so that a pointer into the wrong
/// memory does not compile.
struct host_memory {};

/// Size of a matrix: features in rows, samples in columns.
struct shape {
  index_type rows = 0;
  index_type columns = 0;
  friend bool operator==(const shape&, const shape&) = default;
};

namespace detail {
/// The product of sizes, none of them negative; nothing where it is more than `most`.
template <class Sizes = std::initializer_list<index_type>>
[[nodiscard]] constexpr std::optional<index_type> product_of(
    const Sizes& sizes, index_type most = std::numeric_limits<index_type>::max()) {
  index_type product = 1;
  bool fits = true;
  for (const index_type size : sizes) {
    if (size == 0) {
      return 0;  // whatever the others are
    }
    fits = fits && product <= most / size;
    product *= fits ? size : 1;
  }
  return fits ? std::optional(product) : std::nullopt;
}
}  // namespace detail

[[nodiscard]] inline std::string to_string(shape s) { return detail::text(s.rows, " x ", s.columns); }

template <class T, class Memory>
class matrix_view;

/// Tells how a type is looked at as a matrix: a static `get(x)` that returns a `matrix_view`. The library knows its own
/// matrices, column-major matrix types with `data()`, `rows()` and `cols()` (all of Eigen's, maps and static sizes
/// included) and contiguous ranges of numbers (a row: one number per sample). Specialise it for other types:
///
///     template <> struct gal::view_of<my_matrix> {
///       static gal::matrix_view<const float> get(const my_matrix& m) { return {m.values(), m.height(), m.width()}; }
///       static gal::matrix_view<float> get(my_matrix& m) { return {m.values(), m.height(), m.width()}; }
///     };
template <class X>
struct view_of;

/// A type that can be looked at as a matrix without a copy.
template <class X>
concept viewable = requires(X& x) { view_of<std::remove_cvref_t<X>>::get(x); };

namespace detail {
// Whether the view of an X is one of T in that memory, or becomes one by adding const.
template <class View, class T, class Memory>
constexpr bool is_view_as = false;
template <class U, class T, class Memory>
constexpr bool is_view_as<matrix_view<U, Memory>, T, Memory> = std::convertible_to<U (*)[], T (*)[]>;
template <class X, class T, class Memory>
concept views_as =
    is_view_as<std::remove_cvref_t<decltype(view_of<std::remove_cvref_t<X>>::get(std::declval<X&>()))>, T,
               Memory>;
}  // namespace detail

/// Non-owning view of a `rows x columns` matrix in contiguous column-major memory: a column is a sample. This is the
/// memory of a C-order (samples, features) array.
template <class T, class Memory = host_memory>
class matrix_view {
 public:
  using value_type = std::remove_const_t<T>;
  using memory_type = Memory;

  matrix_view() = default;

  GAL_HOST_DEVICE constexpr matrix_view(T* data, index_type rows, index_type columns)
      : data_(data), rows_(rows), columns_(columns) {}

  /// Any viewable type of the same scalar converts: matrices, Eigen types and maps, contiguous ranges.
  template <class X>
    requires(!std::same_as<std::remove_cvref_t<X>, matrix_view> && viewable<X> &&
             detail::views_as<X, T, Memory>)
  matrix_view(X&& x) {  // NOLINT(google-explicit-constructor): the border takes foreign types as they are
    assign(view_of<std::remove_cvref_t<X>>::get(x));
  }

  [[nodiscard]] GAL_HOST_DEVICE constexpr T* data() const { return data_; }
  [[nodiscard]] GAL_HOST_DEVICE constexpr index_type rows() const { return rows_; }
  [[nodiscard]] GAL_HOST_DEVICE constexpr index_type columns() const { return columns_; }
  [[nodiscard]] GAL_HOST_DEVICE constexpr index_type size() const { return rows_ * columns_; }
  [[nodiscard]] constexpr gal::shape shape() const { return {rows_, columns_}; }
  [[nodiscard]] constexpr bool empty() const { return size() == 0; }

  [[nodiscard]] GAL_HOST_DEVICE constexpr T& operator()(index_type row, index_type column) const {
    return data_[column * rows_ + row];
  }

  [[nodiscard]] constexpr matrix_view<const T, Memory> as_const() const { return {data_, rows_, columns_}; }

  /// Column `column` as a span: one sample.
  [[nodiscard]] constexpr std::span<T> column(index_type column) const {
    return {data_ + column * rows_, static_cast<std::size_t>(rows_)};
  }

  /// `count` columns from `first` on: a part of the batch.
  [[nodiscard]] constexpr matrix_view columns(index_type first, index_type count) const {
    return {data_ + first * rows_, rows_, count};
  }

  // From a view whose scalar converts by adding const; public for the constraint above only.
  template <class U>
    requires std::convertible_to<U (*)[], T (*)[]>
  constexpr void assign(matrix_view<U, Memory> other) {
    data_ = other.data();
    rows_ = other.rows();
    columns_ = other.columns();
  }

 private:
  T* data_ = nullptr;
  index_type rows_ = 0;
  index_type columns_ = 0;
};

template <class T, class Memory>
struct view_of<matrix_view<T, Memory>> {
  static constexpr matrix_view<T, Memory> get(const matrix_view<T, Memory>& view) { return view; }
};

namespace detail {

template <class X>
concept matrix_like = requires(X& x) {
  { x.rows() } -> std::integral;
  { x.cols() } -> std::integral;
  { *x.data() } -> std::convertible_to<double>;
};

// A range with strides has several dimensions, and is no row: an adapter says how it is looked at.
template <class X>
concept number_range =
    std::ranges::contiguous_range<X> && std::ranges::sized_range<X> && !matrix_like<X> &&
    std::is_arithmetic_v<std::ranges::range_value_t<X>> && !requires(X& x) { x.strides(); };

// A row-major matrix with more than one row would be read transposed: only row vectors are the same in both orders.
template <class X>
constexpr bool is_row_major_matrix = [] {
  if constexpr (requires { X::IsRowMajor, X::RowsAtCompileTime; }) {
    return static_cast<bool>(X::IsRowMajor) && static_cast<int>(X::RowsAtCompileTime) != 1;
  } else {
    return false;
  }
}();

}  // namespace detail

template <class X>
  requires detail::matrix_like<X>
struct view_of<X> {
  template <class Y>
  static auto get(Y&& x) {
    static_assert(
        !detail::is_row_major_matrix<X>,
        "gal: a row-major matrix would be read transposed; gal expects column-major memory with a sample per "
        "column. Map the same memory as a column-major matrix of the transposed size.");
    const auto rows = static_cast<index_type>(x.rows());
    const auto columns = static_cast<index_type>(x.cols());
    if constexpr (requires {
                    { x.outerStride() } -> std::integral;
                    { x.innerStride() } -> std::integral;
                  }) {
      const bool vector = rows == 1 || columns == 1;
      const auto outer = static_cast<index_type>(x.outerStride());
      // A one-row block of a larger column-major matrix steps by its outer stride.
      const auto step = static_cast<index_type>(rows == 1 && !X::IsRowMajor ? outer : x.innerStride());
      detail::require(rows * columns <= 1 || (step == 1 && (vector || outer == rows)),
                      error_code::shape_mismatch, "gal::view: a ", rows, " x ", columns,
                      " block with gaps between its columns (inner stride ", x.innerStride(),
                      ", outer stride ", outer,
                      "); expected contiguous memory, such as whole columns or a copy");
    }
    return matrix_view<std::remove_reference_t<decltype(*x.data())>>(x.data(), rows, columns);
  }
};

template <class X>
  requires detail::number_range<X>
struct view_of<X> {
  template <class Y>
  static auto get(Y&& x) {
    return matrix_view<std::remove_reference_t<decltype(*std::ranges::data(x))>>(
        std::ranges::data(x), 1, static_cast<index_type>(std::ranges::size(x)));
  }
};

/// The view of `x`: mutable where `x` is, without a copy.
template <viewable X>
[[nodiscard]] auto view(X&& x) {
  return view_of<std::remove_cvref_t<X>>::get(x);
}

/// Scalar of a viewable type, without const.
template <viewable X>
using scalar_of = typename decltype(view_of<std::remove_cvref_t<X>>::get(std::declval<X&>()))::value_type;

namespace detail {
// One sentence for a range that cannot be looked at, as a program may have its labels.
template <class X>
consteval bool explain_numbers() {
  if constexpr (std::ranges::range<const X> && !viewable<const X>) {
    constexpr bool packed =
        std::same_as<std::ranges::range_value_t<const X>, bool> && !std::ranges::contiguous_range<const X>;
    static_assert(
        !packed,
        "gal: a std::vector<bool> packs its values into bits, which cannot be looked at; convert it to "
        "a std::vector<int> or std::vector<std::uint8_t> of labels, or a std::vector<float> of "
        "probabilities.");
    static_assert(
        packed,
        "gal: the elements of a range must be numbers that lie side by side in memory; expected a "
        "std::vector<int> of labels, a std::vector<float>, a matrix, or a gal::view_of for the type.");
  }
  return true;
}
template <class X>
consteval bool explain_labels() {
  static_assert(explain_numbers<X>());
  if constexpr (viewable<const X>) {
    static_assert(std::integral<scalar_of<const X>>,
                  "gal: labels must be integers, the number of a class for each sample, such as a "
                  "std::vector<int>.");
  }
  return true;
}

// n numbers, one per sample, as a row: a vector of them may be a column to its owner. Anything else as it is.
template <class T, class Memory>
[[nodiscard]] constexpr matrix_view<T, Memory> as_row(matrix_view<T, Memory> x, index_type n) {
  return x.columns() == 1 && x.rows() == n ? matrix_view<T, Memory>(x.data(), 1, n) : x;
}
}  // namespace detail

}  // namespace gal
