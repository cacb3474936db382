// Views of memory that others own, and the matrix that owns its memory.
#include <gal/backends/eigen.hpp>
#include <gal/core/view.hpp>

#include "testing.hpp"

#include <doctest/doctest.h>

#include <Eigen/Core>

#include <array>
#include <concepts>
#include <cstdint>
#include <limits>
#include <numeric>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace {

using gal::index_type;
using gal::matrix_view;

template <class T, int Rows = Eigen::Dynamic, int Columns = Eigen::Dynamic>
using eigen_matrix = Eigen::Matrix<T, Rows, Columns>;

// Numbers 0, 1, 2, ... in memory order.
template <class Matrix>
void count_up(Matrix& m) {
  std::iota(m.data(), m.data() + m.size(), typename Matrix::Scalar(0));
}

// Whether the view shows the same memory and numbers as a matrix of Eigen's, with Eigen as the reference.
template <class View, class Matrix>
bool shows(View v, const Matrix& m) {
  bool same = v.data() == m.data() && v.rows() == m.rows() && v.columns() == m.cols();
  for (index_type j = 0; same && j < v.columns(); ++j) {
    for (index_type i = 0; same && i < v.rows(); ++i) {
      same = v(i, j) == m(i, j) && &v(i, j) == &m.coeffRef(i, j);
    }
  }
  return same;
}

// A foreign type, which the library learns of through the specialisation below.
class image {
 public:
  image(index_type height, index_type width)
      : height_(height), pixels_(static_cast<std::size_t>(height * width)) {}
  [[nodiscard]] index_type height() const { return height_; }
  [[nodiscard]] index_type width() const { return static_cast<index_type>(pixels_.size()) / height_; }
  [[nodiscard]] const float* values() const { return pixels_.data(); }
  [[nodiscard]] float* values() { return pixels_.data(); }

 private:
  index_type height_;
  std::vector<float> pixels_;
};

// Contiguous numbers of several dimensions.
struct array_with_strides : std::vector<float> {
  [[nodiscard]] std::array<index_type, 2> strides() const { return {1, 1}; }
};

static_assert(gal::viewable<std::vector<float>>);
static_assert(!gal::viewable<array_with_strides>, "its memory alone would be read as a row");

struct stranger {};

}  // namespace

template <>
struct gal::view_of<image> {
  static matrix_view<const float> get(const image& m) { return {m.values(), m.height(), m.width()}; }
  static matrix_view<float> get(image& m) { return {m.values(), m.height(), m.width()}; }
};

// A view is as constant as what it looks at, and of the same scalar.
using float_matrix = eigen_matrix<float>;
static_assert(std::constructible_from<matrix_view<float>, float_matrix&>);
static_assert(std::constructible_from<matrix_view<const float>, float_matrix&>);
static_assert(std::constructible_from<matrix_view<const float>, const float_matrix&>);
static_assert(!std::constructible_from<matrix_view<float>, const float_matrix&>);
static_assert(!std::constructible_from<matrix_view<double>, float_matrix&>);
static_assert(!std::constructible_from<matrix_view<const float>, eigen_matrix<double>&>);
static_assert(!std::constructible_from<matrix_view<float>, eigen_matrix<double>&>);
static_assert(!std::constructible_from<matrix_view<float>, Eigen::Map<const float_matrix>&>);
static_assert(std::constructible_from<matrix_view<float>, Eigen::Map<float_matrix>&>);
static_assert(std::constructible_from<matrix_view<float>, gal::matrix<float>&>);
static_assert(std::constructible_from<matrix_view<const float>, const gal::matrix<float>&>);
static_assert(!std::constructible_from<matrix_view<float>, const gal::matrix<float>&>);
static_assert(!std::constructible_from<matrix_view<float>, gal::matrix<double>&>);
static_assert(std::constructible_from<matrix_view<float>, std::vector<float>&>);
static_assert(!std::constructible_from<matrix_view<float>, const std::vector<float>&>);
static_assert(!std::constructible_from<matrix_view<const float>, std::vector<double>&>);
static_assert(!std::constructible_from<matrix_view<const float>, std::vector<int>&>);
static_assert(std::constructible_from<matrix_view<float>, std::span<float>>);
static_assert(!std::constructible_from<matrix_view<float>, std::span<const float>>);
static_assert(std::constructible_from<matrix_view<float>, image&>);
static_assert(!std::constructible_from<matrix_view<float>, const image&>);
static_assert(std::convertible_to<matrix_view<float>, matrix_view<const float>>);
static_assert(!std::constructible_from<matrix_view<float>, matrix_view<const float>>);
static_assert(!std::constructible_from<matrix_view<const double>, matrix_view<const float>>);

// A view into one memory is no view into another.
struct other_memory {};
static_assert(!std::constructible_from<matrix_view<const float, other_memory>, matrix_view<const float>>);
static_assert(!std::constructible_from<matrix_view<const float, other_memory>, std::vector<float>&>);

static_assert(gal::viewable<float_matrix> && gal::viewable<const float_matrix>);
static_assert(gal::viewable<Eigen::Vector3d> && gal::viewable<Eigen::RowVectorXf> &&
              gal::viewable<Eigen::ArrayXXd>);
static_assert(gal::viewable<std::array<double, 3>> && gal::viewable<const std::vector<int>>);
static_assert(!gal::viewable<stranger> && !gal::viewable<int> && !gal::viewable<std::vector<bool>>);
static_assert(!gal::viewable<std::vector<std::vector<double>>> && !gal::viewable<std::vector<std::string>>);
static_assert(std::same_as<gal::scalar_of<const std::vector<float>>, float>);
static_assert(std::same_as<gal::scalar_of<Eigen::Map<const Eigen::MatrixXd>>, double>);
static_assert(std::same_as<gal::scalar_of<std::vector<std::uint8_t>>, std::uint8_t>);

TEST_CASE_TEMPLATE("matrices of dynamic and static size are seen in place", T, float, double) {
  eigen_matrix<T> dynamic(3, 5);
  count_up(dynamic);
  CHECK(shows(gal::view(dynamic), dynamic));
  static_assert(std::same_as<decltype(gal::view(dynamic)), matrix_view<T>>);
  static_assert(std::same_as<decltype(gal::view(std::as_const(dynamic))), matrix_view<const T>>);
  const matrix_view<const T> constant(std::as_const(dynamic));
  CHECK(constant.data() == dynamic.data());

  eigen_matrix<T, 4, 2> fixed;
  count_up(fixed);
  CHECK(shows(gal::view(fixed), fixed));

  eigen_matrix<T, 3, 1> column;
  count_up(column);
  CHECK(shows(gal::view(column), column));

  Eigen::Array<T, Eigen::Dynamic, Eigen::Dynamic> array(2, 7);
  count_up(array);
  CHECK(shows(gal::view(array), array));

  eigen_matrix<T> nothing(3, 0);
  CHECK(gal::view(nothing).shape() == gal::shape{3, 0});
  CHECK(gal::view(nothing).empty());
}

TEST_CASE_TEMPLATE("what is written through a view lands in the matrix", T, float, double) {
  eigen_matrix<T> m = eigen_matrix<T>::Zero(3, 4);
  const matrix_view<T> v(m);
  v(2, 1) = T(7);
  v.column(3)[0] = T(8);
  v.columns(1, 2)(0, 1) = T(9);
  CHECK(m(2, 1) == T(7));
  CHECK(m(0, 3) == T(8));
  CHECK(m(0, 2) == T(9));
  CHECK(m.cwiseAbs().sum() == T(24));
}

TEST_CASE_TEMPLATE("parts of a view: a column is a span, columns are a view", T, float, double) {
  eigen_matrix<T> m(3, 5);
  count_up(m);
  const auto v = gal::view(m);
  CHECK(v.size() == 15);
  CHECK(v.column(2).data() == m.col(2).data());
  CHECK(v.column(2).size() == 3);
  CHECK(v.column(2)[1] == m(1, 2));
  CHECK(shows(v.columns(1, 3), m.middleCols(1, 3)));
  CHECK(v.columns(5, 0).empty());
  CHECK(v.as_const().data() == m.data());
  CHECK(v.as_const().shape() == v.shape());
  CHECK(matrix_view<T>().empty());
  CHECK(matrix_view<T>().data() == nullptr);
}

TEST_CASE_TEMPLATE("maps and whole columns are seen in place", T, float, double) {
  std::vector<T> memory(24);
  std::iota(memory.begin(), memory.end(), T(0));
  Eigen::Map<eigen_matrix<T>> map(memory.data(), 4, 6);
  CHECK(gal::view(map).data() == memory.data());
  CHECK(shows(gal::view(map), map));

  const Eigen::Map<const eigen_matrix<T, 3, 8>> fixed(memory.data());
  const auto seen = gal::view(fixed);
  static_assert(std::same_as<decltype(seen), const matrix_view<const T>>);
  CHECK(seen.data() == memory.data());
  CHECK(seen.shape() == gal::shape{3, 8});
  CHECK(seen(2, 7) == T(23));

  eigen_matrix<T> m(4, 6);
  count_up(m);
  auto columns = m.middleCols(2, 3);
  CHECK(gal::view(columns).data() == m.data() + 8);
  CHECK(shows(gal::view(columns), m.middleCols(2, 3)));
  auto block = m.block(0, 1, 4, 2);
  CHECK(gal::view(block).data() == m.data() + 4);
  CHECK(gal::view(block)(3, 1) == m(3, 2));
  auto column = m.col(5);
  CHECK(gal::view(column).shape() == gal::shape{4, 1});
  CHECK(gal::view(column).data() == m.data() + 20);
  auto part_of_column = m.block(1, 2, 2, 1);  // contiguous, though its columns would not be
  CHECK(gal::view(part_of_column).data() == &m(1, 2));
  CHECK(gal::view(part_of_column)(1, 0) == m(2, 2));
  auto entry = m.block(2, 2, 1, 1);
  CHECK(gal::view(entry)(0, 0) == m(2, 2));
  auto none = m.block(1, 1, 2, 0);
  CHECK(gal::view(none).empty());

  Eigen::Ref<eigen_matrix<T>> reference(m);
  CHECK(gal::view(reference).data() == m.data());
  Eigen::Ref<eigen_matrix<T>> some(m.leftCols(2));
  CHECK(gal::view(some).shape() == gal::shape{4, 2});
}

TEST_CASE_TEMPLATE("row vectors are seen in place", T, float, double) {
  Eigen::Matrix<T, 1, Eigen::Dynamic> row(5);  // row-major, as Eigen has it
  count_up(row);
  CHECK(gal::view(row).data() == row.data());
  CHECK(gal::view(row).shape() == gal::shape{1, 5});
  CHECK(gal::view(row)(0, 3) == T(3));

  Eigen::Matrix<T, 1, 4> fixed;
  count_up(fixed);
  CHECK(gal::view(fixed).data() == fixed.data());
  auto head = row.head(3);
  CHECK(gal::view(head).data() == row.data());
  CHECK(gal::view(head).shape() == gal::shape{1, 3});

  Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor> row_major(3, 4);
  count_up(row_major);
  auto one_row = row_major.row(1);
  CHECK(gal::view(one_row).data() == row_major.data() + 4);
  CHECK(gal::view(one_row)(0, 2) == row_major(1, 2));

  eigen_matrix<T> one_row_matrix(1, 6);
  count_up(one_row_matrix);
  auto part = one_row_matrix.block(0, 2, 1, 3);
  CHECK(gal::view(part).data() == one_row_matrix.data() + 2);
  CHECK(gal::view(part)(0, 2) == T(4));
}

TEST_CASE("memory with gaps is refused by its sizes") {
  using enum gal::error_code;
  Eigen::MatrixXf m = Eigen::MatrixXf::Zero(4, 6);
  auto block = m.block(0, 0, 3, 2);
  CHECK(refusal(shape_mismatch, [&] { return gal::view(block); }) ==
        "gal::view: a 3 x 2 block with gaps between its columns (inner stride 1, outer stride 4); expected "
        "contiguous "
        "memory, such as whole columns or a copy");
  CHECK(refusal(shape_mismatch, [&] { return matrix_view<const float>(std::as_const(block)); }) ==
        refusal(shape_mismatch, [&] { return gal::view(block); }));

  auto row = m.row(2);
  CHECK(refusal(shape_mismatch, [&] {
          return gal::view(row);
        }).starts_with("gal::view: a 1 x 6 block with gaps"));
  auto dynamic_row = m.block(2, 0, 1, 5);
  CHECK(refusal(shape_mismatch, [&] {
          return gal::view(dynamic_row);
        }).starts_with("gal::view: a 1 x 5 block with gaps"));
  Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor> row_major(3, 4);
  auto column = row_major.col(1);
  CHECK(refusal(shape_mismatch, [&] {
          return gal::view(column);
        }).starts_with("gal::view: a 3 x 1 block with gaps"));

  std::vector<double> memory(40);
  using strides = Eigen::Stride<Eigen::Dynamic, Eigen::Dynamic>;
  const Eigen::Map<Eigen::MatrixXd, 0, strides> every_second(memory.data(), 3, 4, strides(6, 2));
  CHECK(refusal(shape_mismatch, [&] { return gal::view(every_second); }) ==
        "gal::view: a 3 x 4 block with gaps between its columns (inner stride 2, outer stride 6); expected "
        "contiguous "
        "memory, such as whole columns or a copy");
  const Eigen::Map<Eigen::MatrixXd, 0, Eigen::OuterStride<>> padded(memory.data(), 3, 4,
                                                                    Eigen::OuterStride<>(5));
  CHECK(refusal(shape_mismatch, [&] {
          return gal::view(padded);
        }).starts_with("gal::view: a 3 x 4 block with gaps"));
  const Eigen::Map<Eigen::VectorXd, 0, Eigen::InnerStride<>> vector(memory.data(), 7,
                                                                    Eigen::InnerStride<>(3));
  CHECK(refusal(shape_mismatch, [&] {
          return gal::view(vector);
        }).starts_with("gal::view: a 7 x 1 block with gaps"));
  const Eigen::Map<Eigen::RowVectorXd, 0, Eigen::InnerStride<>> row_vector(memory.data(), 7,
                                                                           Eigen::InnerStride<>(3));
  CHECK(refusal(shape_mismatch, [&] {
          return gal::view(row_vector);
        }).starts_with("gal::view: a 1 x 7 block with gaps"));

  // Strides that leave no gap are fine.
  const Eigen::Map<Eigen::MatrixXd, 0, strides> dense(memory.data(), 3, 4, strides(3, 1));
  CHECK(gal::view(dense).data() == memory.data());
  const Eigen::Map<Eigen::RowVectorXd, 0, Eigen::InnerStride<>> dense_row(memory.data(), 7,
                                                                          Eigen::InnerStride<>(1));
  CHECK(gal::view(dense_row).data() == memory.data());
}

TEST_CASE_TEMPLATE("a contiguous range of numbers is a row", T, float, double, int, std::uint8_t) {
  std::vector<T> vector = {1, 2, 3};
  CHECK(gal::view(vector).data() == vector.data());
  CHECK(gal::view(vector).shape() == gal::shape{1, 3});
  CHECK(gal::view(vector)(0, 2) == T(3));
  gal::view(vector)(0, 1) = T(9);
  CHECK(vector[1] == T(9));

  std::array<T, 4> array = {4, 3, 2, 1};
  CHECK(gal::view(array).data() == array.data());
  CHECK(gal::view(array).shape() == gal::shape{1, 4});
  const std::span<const T> span(array.data(), 2);
  CHECK(gal::view(span).data() == array.data());
  CHECK(gal::view(span).shape() == gal::shape{1, 2});
  static_assert(std::same_as<decltype(gal::view(std::as_const(array))), matrix_view<const T>>);
  CHECK(gal::view(std::vector<T>{}).shape() == gal::shape{1, 0});
}

TEST_CASE("a foreign type is seen through view_of") {
  image picture(2, 3);
  static_assert(gal::viewable<image> && gal::viewable<const image>);
  const matrix_view<float> seen(picture);
  CHECK(seen.data() == picture.values());
  CHECK(seen.shape() == gal::shape{2, 3});
  seen(1, 2) = 5.0f;
  CHECK(picture.values()[5] == 5.0f);
  static_assert(std::same_as<decltype(gal::view(std::as_const(picture))), matrix_view<const float>>);
  CHECK(gal::view(std::as_const(picture)).data() == picture.values());
}

TEST_CASE_TEMPLATE("a matrix starts with its fill value, column by column in memory", T, float, double) {
  gal::matrix<T> m(2, 3, T(4));
  CHECK(m.shape() == gal::shape{2, 3});
  CHECK(m.size() == 6);
  CHECK(std::vector<T>(m.data(), m.data() + 6) == std::vector<T>(6, T(4)));
  m(1, 2) = T(7);
  m(0, 1) = T(6);
  CHECK(m.data()[5] == T(7));
  CHECK(m.data()[2] == T(6));
  CHECK(std::as_const(m)(1, 2) == T(7));
  CHECK(gal::view(m).data() == m.data());
  static_assert(std::same_as<decltype(std::as_const(m).view()), matrix_view<const T>>);

  CHECK(gal::matrix<T>().size() == 0);
  CHECK(gal::matrix<T>(2, 2) == gal::matrix<T>(2, 2, T(0)));
  CHECK(gal::matrix<T>(0, 5).shape() == gal::shape{0, 5});

  eigen_matrix<T> source(3, 2);
  count_up(source);
  const gal::matrix<T> taken{matrix_view<const T>(source)};
  CHECK(taken.data() != source.data());
  CHECK(taken.shape() == gal::shape{3, 2});
  CHECK(std::equal(taken.data(), taken.data() + 6, source.data()));
}

TEST_CASE("resizing keeps the memory where it suffices") {
  gal::matrix<float> m(6, 4);
  const float* const memory = m.data();
  m.resize(3, 2);
  CHECK(m.data() == memory);
  CHECK(m.shape() == gal::shape{3, 2});
  m.resize(0, 0);
  CHECK(m.size() == 0);
  m.resize(4, 6);
  CHECK(m.data() == memory);
  m.resize(2, 12);
  CHECK(m.data() == memory);
  m.resize(25, 1);
  CHECK(m.shape() == gal::shape{25, 1});
  m.fill(1.0f);
  CHECK(std::accumulate(m.data(), m.data() + 25, 0.0f) == 25.0f);

  const gal::matrix<float> small(2, 2, 3.0f);
  const float* const large = m.data();
  m = small;  // assignment reuses it, too
  CHECK(m.data() == large);
  CHECK(m == small);
}

TEST_CASE("matrices are values") {
  gal::matrix<double> a(2, 3, 1.0);
  a(1, 1) = 5.0;
  gal::matrix<double> b = a;
  CHECK(b == a);
  CHECK(b.data() != a.data());
  b(0, 0) = -1.0;
  CHECK(a(0, 0) == 1.0);
  CHECK_FALSE(b == a);

  b = a;
  CHECK(b == a);
  const gal::matrix<double>& same = a;
  a = same;
  CHECK(a == b);

  const double* const memory = a.data();
  gal::matrix<double> c = std::move(a);
  CHECK(c.data() == memory);
  CHECK(c == b);
  gal::matrix<double> d(5, 5);
  d = std::move(c);
  CHECK(d.data() == memory);
  CHECK(d == b);
  gal::matrix<double>& itself = d;
  d = std::move(itself);
  CHECK(d == b);

  gal::matrix<double> e(1, 1, 2.0);
  e.swap(d);
  CHECK(e == b);
  CHECK(d == gal::matrix<double>(1, 1, 2.0));

  gal::matrix<double> f(1, 1);
  f.assign(b.view());
  CHECK(f == b);

  // Of the same numbers, but of another shape.
  CHECK_FALSE(gal::matrix<double>(2, 3) == gal::matrix<double>(3, 2));
  CHECK(gal::matrix<double>() == gal::matrix<double>(0, 0));
  const gal::matrix<double> empty;
  gal::matrix<double> copy_of_empty = empty;
  CHECK(copy_of_empty == empty);
  copy_of_empty = b;
  CHECK(copy_of_empty == b);
  copy_of_empty = empty;
  CHECK(copy_of_empty == empty);
}

TEST_CASE("a matrix refuses negative sizes and keeps what it has") {
  using enum gal::error_code;
  gal::matrix<float> m(2, 2, 3.0f);
  for (const gal::shape size : std::vector<gal::shape>{{-1, 4}, {3, -2}, {-3, -2}}) {
    const std::string message = "gal::matrix: size " + std::to_string(size.rows) + " x " +
                                std::to_string(size.columns) + "; expected non-negative numbers";
    CHECK(refusal(shape_mismatch, [&] { return m.resize(size.rows, size.columns), 0; }) == message);
    CHECK(refusal(shape_mismatch, [&] { return gal::matrix<float>(size.rows, size.columns); }) == message);
  }
  CHECK(m == gal::matrix<float>(2, 2, 3.0f));
}

TEST_CASE_TEMPLATE("a matrix refuses more numbers than an address reaches", T, float, double, std::uint8_t) {
  constexpr gal::index_type most = std::numeric_limits<gal::index_type>::max() / gal::index_type{sizeof(T)};
  constexpr gal::index_type largest = std::numeric_limits<gal::index_type>::max();
  constexpr gal::index_type side = gal::index_type{1} << 32;
  gal::matrix<T> m(2, 2, T(3));
  for (const gal::shape size : std::vector<gal::shape>{{side, side},
                                                       {2 * side, 2 * side},
                                                       {largest, 2},
                                                       {2, largest},
                                                       {largest, largest},
                                                       {3, largest / 3 + 1}}) {
    const std::string message = "gal::matrix: size " + std::to_string(size.rows) + " x " +
                                std::to_string(size.columns) + "; expected at most " + std::to_string(most) +
                                " numbers";
    CHECK(refusal(gal::error_code::out_of_memory, [&] { return m.resize(size.rows, size.columns), 0; }) ==
          message);
    CHECK(refusal(gal::error_code::out_of_memory, [&] { return gal::matrix<T>(size.rows, size.columns); }) ==
          message);
  }
  CHECK(m == gal::matrix<T>(2, 2, T(3)));
  m.resize(0, largest);  // none at all
  CHECK(m.size() == 0);
}

TEST_CASE("products of sizes are known or beyond") {
  using gal::detail::product_of;
  constexpr gal::index_type largest = std::numeric_limits<gal::index_type>::max();
  CHECK(product_of({}) == 1);
  CHECK(product_of({2, 3, 4}) == 24);
  CHECK(product_of({largest, 1}) == largest);
  CHECK(product_of({largest, largest, 0}) == 0);
  CHECK(product_of({largest, 2}) == std::nullopt);
  CHECK(product_of({3037000500, 3037000500}) == std::nullopt);  // the root of 2^63
  CHECK(product_of({3037000499, 3037000499}) == 9223372030926249001);
  CHECK(product_of({3, 4}, 12) == 12);
  CHECK(product_of({3, 4}, 11) == std::nullopt);
}
