// The primitives of the CPU backend, against plain loops, and the random numbers. The reference values of the latter
// come from an implementation of their own in Python.
#include <gal/backends/eigen.hpp>
#include <gal/core/backend.hpp>
#include <gal/core/random.hpp>

#include "testing.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>
#include <tuple>
#include <utility>
#include <vector>

namespace {

using doctest::Approx;
using gal::transpose;

constexpr std::array both = {transpose::no, transpose::yes};

struct size {
  gal::index_type rows, columns, depth;
};

// The largest error of c = alpha op(a) op(b) + beta c0 over the bound of its rounding, (depth + 3) units in the last
// place of the sum of the absolute terms: at most 1 for a product that is right, whatever the order of its sums.
template <class T>
double product_error(transpose ta, transpose tb, size sizes, T alpha, T beta) {
  const auto [rows, columns, depth] = sizes;
  const auto a = ta == transpose::no ? random_matrix<T>(rows, depth, 1) : random_matrix<T>(depth, rows, 1);
  const auto b =
      tb == transpose::no ? random_matrix<T>(depth, columns, 2) : random_matrix<T>(columns, depth, 2);
  const auto before = random_matrix<T>(rows, columns, 3);
  gal::matrix<T> c = before;
  gal::eigen_backend().product(ta, tb, alpha, a.view(), b.view(), beta, c.view());

  const double unit = static_cast<double>(std::numeric_limits<T>::epsilon()) * static_cast<double>(depth + 3);
  double largest = 0.0;
  for (gal::index_type j = 0; j < columns; ++j) {
    for (gal::index_type i = 0; i < rows; ++i) {
      double sum = 0.0;
      double size = 0.0;
      for (gal::index_type k = 0; k < depth; ++k) {
        const double term = static_cast<double>(ta == transpose::no ? a(i, k) : a(k, i)) *
                            static_cast<double>(tb == transpose::no ? b(k, j) : b(j, k));
        sum += term;
        size += std::abs(term);
      }
      const double old = static_cast<double>(beta) * static_cast<double>(before(i, j));
      const double expected = static_cast<double>(alpha) * sum + old;
      const double scale = static_cast<double>(std::abs(alpha)) * size + std::abs(old);
      const double error = std::abs(static_cast<double>(c(i, j)) - expected);
      largest = std::max(largest, error == 0.0 ? 0.0 : error / (unit * scale));
    }
  }
  return largest;
}

// A gathered product, whose places and steps are of no order, against sums in double: the largest error over the bound of
// its rounding, as product_error has it. Numbers that are not to be written must be as before.
template <class T>
double gathered_error(gal::index_type runs, gal::index_type length, gal::index_type columns,
                      gal::index_type depth, gal::index_type step, bool starts, bool add, int threads = 1) {
  const auto table = [](gal::index_type count, gal::index_type factor) {
    std::vector<gal::index_type> places(static_cast<std::size_t>(count));
    for (gal::index_type i = 0; i < count; ++i) {
      places[static_cast<std::size_t>(i)] = i * factor % 211;
    }
    return places;
  };
  const auto rows = table(runs, 37), row_steps = table(depth, 53), places = table(columns, 29),
             column_steps = table(depth, 71);
  std::vector<gal::index_type> targets(static_cast<std::size_t>(runs));
  for (gal::index_type r = 0; r < runs; ++r) {
    targets[static_cast<std::size_t>(r)] = (runs - 1 - r) * (length * step + 1);
  }
  const gal::index_type column = runs * (length * step + 1);
  const auto a = random_matrix<T>(422 + length + gal::gathered_slack, 1, 1);
  const auto b = random_matrix<T>(422, 1, 2);
  const auto start = random_matrix<T>(columns, 1, 3);
  const auto before = random_matrix<T>(column * columns, 1, 4);
  gal::matrix<T> c = before;
  gal::eigen_backend(threads).gathered_product(
      runs, length, columns, depth, gal::gathered_factor<T>{a.data(), rows.data(), row_steps.data()},
      gal::gathered_factor<T>{b.data(), places.data(), column_steps.data()},
      gal::gathered_target<T>{c.data(), targets.data(), step, column, starts ? start.data() : nullptr, add});

  const double unit = static_cast<double>(std::numeric_limits<T>::epsilon()) * static_cast<double>(depth + 3);
  double largest = 0.0;
  gal::matrix<T> untouched = before;
  for (std::size_t r = 0; r < rows.size(); ++r) {
    for (gal::index_type q = 0; q < length; ++q) {
      for (std::size_t j = 0; j < places.size(); ++j) {
        const gal::index_type at = targets[r] + q * step + static_cast<gal::index_type>(j) * column;
        double sum = starts ? static_cast<double>(start.data()[j]) : 0.0;
        sum += add ? static_cast<double>(before.data()[at]) : 0.0;
        double scale = std::abs(sum) + 1.0;
        for (std::size_t k = 0; k < row_steps.size(); ++k) {
          const double term = static_cast<double>(a.data()[rows[r] + q + row_steps[k]]) *
                              static_cast<double>(b.data()[places[j] + column_steps[k]]);
          sum += term;
          scale += std::abs(term);
        }
        largest = std::max(largest, std::abs(static_cast<double>(c.data()[at]) - sum) / (unit * scale));
        untouched.data()[at] = c.data()[at];
      }
    }
  }
  CHECK(untouched == c);
  return largest;
}

// A backend that lacks the sums: it is none.
struct without_sums {
  using memory_type = gal::host_memory;
  template <class T>
  T* allocate(gal::index_type);
  template <class T>
  void deallocate(T*, gal::index_type);
  template <class T>
  void copy(const T*, T*, gal::index_type);
  template <class T>
  void fill(T*, gal::index_type, T);
  template <class F>
  void for_each(gal::index_type, F);
  template <class F>
  void for_each(gal::index_type, gal::index_type, F);
  template <class T>
  void product(transpose, transpose, T, gal::matrix_view<const T>, gal::matrix_view<const T>, T,
               gal::matrix_view<T>);
  template <class T>
  T read(const T*);
};

static_assert(gal::gathering_backend<gal::eigen_backend>);
static_assert(!gal::backend<without_sums>);
static_assert(!gal::backend<int>);

}  // namespace

TEST_CASE_TEMPLATE("products agree with three loops", T, float, double) {
  const std::vector<size> sizes = {{1, 1, 1},   {1, 1, 7},     {1, 5, 3},   {6, 1, 4},    {1, 9, 1},
                                   {8, 1, 1},   {2, 3, 1},     {3, 3, 3},   {7, 5, 11},   {16, 16, 16},
                                   {31, 17, 9}, {13, 32, 100}, {1, 65, 70}, {130, 1, 65}, {130, 70, 65}};
  for (const size& s : sizes) {
    for (const transpose ta : both) {
      for (const transpose tb : both) {
        for (const T alpha : {T(1), T(-0.75)}) {
          for (const T beta : {T(0), T(1), T(0.5)}) {
            INFO("op(a) op(b) of " << s.rows << " x " << s.columns << " and depth " << s.depth
                                   << (ta == transpose::yes ? ", a transposed" : "")
                                   << (tb == transpose::yes ? ", b transposed" : "") << ", alpha " << alpha
                                   << ", beta " << beta);
            CHECK(product_error(ta, tb, s, alpha, beta) <= 1.0);
          }
        }
      }
    }
  }
}

TEST_CASE_TEMPLATE("products of every small shape agree with three loops", T, float, double) {
  // Whole and broken packets, panels of one and two, tiles of every width, dots, blocks of the depth.
  for (const gal::index_type rows : {2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 50, 66}) {
    for (const gal::index_type columns : {2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 33}) {
      for (const gal::index_type depth : {1, 2, 5, 16, 33, 257}) {
        for (const transpose ta : both) {
          for (const transpose tb : both) {
            INFO("op(a) op(b) of " << rows << " x " << columns << " and depth " << depth);
            CHECK(product_error(ta, tb, {rows, columns, depth}, T(1), T(1)) <= 1.0);
          }
        }
      }
    }
  }
}

TEST_CASE_TEMPLATE("gathered products agree with their sums, in whole and broken runs", T, float, double) {
  for (const gal::index_type length : {1, 3, 4, 7, 8, 9, 12, 16, 17, 31, 32, 50}) {
    for (const gal::index_type runs : {1, 2, 5}) {
      for (const gal::index_type columns : {1, 2, 5, 6, 7, 12, 13, 25}) {
        INFO(runs << " runs of " << length << ", " << columns << " columns");
        CHECK(gathered_error<T>(runs, length, columns, 9, 1, true, false) <= 1.0);
        CHECK(gathered_error<T>(runs, length, columns, 33, 1, false, true) <= 1.0);
        CHECK(gathered_error<T>(runs, length, columns, 5, 2, false, false) <= 1.0);
      }
    }
  }
  CHECK(gathered_error<T>(2, 20, 3, 0, 1, true, false) <= 1.0);  // nothing to sum
  CHECK(gathered_error<T>(9, 40, 64, 100, 1, true, true, 3) <= 1.0);
}

TEST_CASE_TEMPLATE("a transposed copy, and nothing beside it", T, float, double) {
  for (const gal::index_type rows : {1, 4, 7, 16, 19}) {
    for (const gal::index_type columns : {1, 3, 8, 16, 33}) {
      const auto from = random_matrix<T>(columns + 2, rows, 1);
      gal::matrix<T> to(rows + 3, columns, T(7));
      gal::eigen_backend().transposed_copy(rows, columns, from.data(), columns + 2, to.data(), rows + 3);
      for (gal::index_type i = 0; i < rows + 3; ++i) {
        for (gal::index_type j = 0; j < columns; ++j) {
          REQUIRE(to(i, j) == (i < rows ? from(j, i) : T(7)));
        }
      }
    }
  }
}

TEST_CASE_TEMPLATE("any number of threads gives the same bits", T, float, double) {
  CHECK_THROWS_WITH_AS(gal::eigen_backend(0), "gal::eigen_backend: threads is 0; expected at least 1",
                       gal::error);
  const auto a = random_matrix<T>(130, 300, 5);
  const auto b = random_matrix<T>(300, 101, 6);
  const auto tall = random_matrix<T>(300, 2000, 7);
  const auto narrow = random_matrix<T>(300, 6, 8);
  const auto run = [&](int threads) {
    const gal::eigen_backend backend(threads);
    gal::matrix<T> c(130, 101);
    backend.product(transpose::no, transpose::no, T(1), a.view(), b.view(), T(0), c.view());
    gal::matrix<T> few_columns(2000, 6);  // a thread's part has fewer
    backend.product(transpose::yes, transpose::no, T(1), tall.view(), narrow.view(), T(0),
                    few_columns.view());
    gal::matrix<T> numbers(1, 100'003);
    backend.for_each(numbers.size(),
                     [to = numbers.data()](gal::index_type i) { to[i] = T(1) / static_cast<T>(i + 1); });
    gal::matrix<T> entries(310, 307);
    backend.for_each(
        310, 307, [&](gal::index_type i, gal::index_type j) { entries(i, j) = static_cast<T>(i - 2 * j); });
    gal::matrix<T> filled(1, 200'000);
    backend.fill(filled.data(), filled.size(), T(3));
    double sum = 0.0;
    backend.sum(
        numbers.size(), [from = numbers.data()](gal::index_type i) { return static_cast<double>(from[i]); },
        &sum);
    CHECK(sum == Approx(12.0904).epsilon(1e-4));  // the harmonic number of 100003
    return std::tuple(c, few_columns, numbers, entries, filled, sum);
  };
  const auto once = run(1);
  for (const int threads : {2, 3, 8}) {
    CHECK(run(threads) == once);
  }
}

TEST_CASE("tasks run once each, on backends of one thread") {
  for (const int threads : {1, 2, 5}) {
    std::vector<int> runs(7, 0), own_threads(7, 0);
    gal::eigen_backend(threads).for_each_task(7, [&](const gal::eigen_backend& own, gal::index_type i) {
      ++runs[static_cast<std::size_t>(i)];
      own_threads[static_cast<std::size_t>(i)] = own.threads();
    });
    CHECK(runs == std::vector<int>(7, 1));
    CHECK(own_threads == std::vector<int>(7, 1));
  }
}

TEST_CASE_TEMPLATE("products of several cache blocks agree with three loops", T, float, double) {
  CHECK(product_error(transpose::no, transpose::no, {301, 203, 1201}, T(1), T(1)) <= 1.0);
  CHECK(product_error(transpose::yes, transpose::no, {201, 303, 1201}, T(1), T(0)) <= 1.0);
  CHECK(product_error(transpose::no, transpose::yes, {701, 403, 133}, T(0.5), T(0)) <= 1.0);
  CHECK(product_error(transpose::yes, transpose::yes, {203, 201, 1001}, T(1), T(0)) <= 1.0);
  // The buffers have grown by now; a small product still reads its own part of them only.
  CHECK(product_error(transpose::no, transpose::no, {5, 6, 7}, T(1), T(0)) <= 1.0);
}

TEST_CASE_TEMPLATE("with beta 0 the result is not read", T, float, double) {
  constexpr T nan = std::numeric_limits<T>::quiet_NaN();
  for (const auto [rows, columns, depth] :
       std::vector<size>{{1, 1, 3}, {4, 1, 3}, {1, 4, 3}, {5, 6, 3}, {5, 6, 0}}) {
    const gal::matrix<T> a(rows, depth, T(1));
    const gal::matrix<T> b(depth, columns, T(2));
    gal::matrix<T> c(rows, columns, nan);
    gal::eigen_backend().product(transpose::no, transpose::no, T(1), a.view(), b.view(), T(0), c.view());
    CHECK(c == gal::matrix<T>(rows, columns, static_cast<T>(2 * depth)));
  }
}

TEST_CASE_TEMPLATE("NaN in a factor reaches its row of the result, no other", T, float, double) {
  gal::matrix<T> a(3, 2, T(1));
  a(1, 0) = std::numeric_limits<T>::quiet_NaN();
  const gal::matrix<T> b(2, 4, T(1));
  gal::matrix<T> c(3, 4);
  gal::eigen_backend().product(transpose::no, transpose::no, T(1), std::as_const(a).view(), b.view(), T(0),
                               c.view());
  for (gal::index_type j = 0; j < 4; ++j) {
    CHECK(c(0, j) == T(2));
    CHECK(std::isnan(c(1, j)));
    CHECK(c(2, j) == T(2));
  }
}

TEST_CASE_TEMPLATE("empty products", T, float, double) {
  const gal::eigen_backend backend;
  // Nothing to sum: c = beta c.
  for (const T beta : {T(0), T(1), T(0.5)}) {
    gal::matrix<T> c(3, 2, T(4));
    const gal::matrix<T> a(3, 0);
    const gal::matrix<T> b(0, 2);
    backend.product(transpose::no, transpose::no, T(1), a.view(), b.view(), beta, c.view());
    CHECK(c == gal::matrix<T>(3, 2, T(4) * beta));
  }
  // Nothing to write.
  for (const transpose ta : both) {
    gal::matrix<T> none(0, 2);
    const gal::matrix<T> a = ta == transpose::no ? gal::matrix<T>(0, 3) : gal::matrix<T>(3, 0);
    backend.product(ta, transpose::no, T(1), a.view(), gal::matrix<T>(3, 2).view().as_const(), T(0),
                    none.view());
    CHECK(none.size() == 0);
  }
}

TEST_CASE_TEMPLATE("products repeat bit by bit", T, float, double) {
  const auto a = random_matrix<T>(65, 130, 5);
  const auto b = random_matrix<T>(130, 33, 6);
  gal::matrix<T> first(65, 33);
  gal::matrix<T> second(65, 33, T(9));
  const gal::eigen_backend backend;
  backend.product(transpose::no, transpose::no, T(1), a.view(), b.view(), T(0), first.view());
  backend.product(transpose::no, transpose::no, T(1), a.view(), b.view(), T(0), second.view());
  CHECK(first == second);
}

TEST_CASE_TEMPLATE("memory: allocate, fill, copy, read", T, float, double) {
  const gal::eigen_backend backend;
  T* const from = backend.allocate<T>(5);
  T* const to = backend.allocate<T>(5);
  backend.fill(from, 5, T(2));
  backend.fill(to, 5, T(3));
  from[1] = T(7);
  backend.copy(from, to, 4);
  CHECK(std::vector<T>(to, to + 5) == std::vector<T>{2, 7, 2, 2, 3});
  CHECK(backend.read(to + 1) == T(7));
  backend.fill(to, 0, T(9));
  backend.copy(from, to, 0);
  CHECK(to[0] == T(2));
  backend.deallocate(from, 5);
  backend.deallocate(to, 5);
}

TEST_CASE("for_each visits every index once") {
  const gal::eigen_backend backend;
  for (const gal::index_type count : {0, 1, 7, 64, 1001}) {
    std::vector<int> visits(static_cast<std::size_t>(count) + 1);
    backend.for_each(count, [&](gal::index_type i) { ++visits.at(static_cast<std::size_t>(i)); });
    std::vector<int> once(static_cast<std::size_t>(count) + 1, 1);
    once.back() = 0;
    CHECK(visits == once);
  }
  gal::matrix<int> visits(5, 7, 0);
  backend.for_each(
      5, 7, [&](gal::index_type i, gal::index_type j) { visits(i, j) += 1 + static_cast<int>(10 * i + j); });
  bool right = true;
  for (gal::index_type j = 0; j < 7; ++j) {
    for (gal::index_type i = 0; i < 5; ++i) {
      right = right && visits(i, j) == 1 + 10 * i + j;
    }
  }
  CHECK(right);
  backend.for_each(0, 7, [&](gal::index_type, gal::index_type) { right = false; });
  backend.for_each(5, 0, [&](gal::index_type, gal::index_type) { right = false; });
  CHECK(right);
}

TEST_CASE("sums are right at every length and repeat bit by bit") {
  const gal::eigen_backend backend;
  for (gal::index_type count = 0; count <= 70; ++count) {  // integers: exact in any order
    double result = -1.0;
    backend.sum(
        count, [](gal::index_type i) { return static_cast<double>(i + 1); }, &result);
    CHECK(result == static_cast<double>(count * (count + 1) / 2));
  }
  const auto numbers = random_matrix<double>(1, 10'007, 8);
  double first = 0.0;
  double second = 0.0;
  backend.sum(
      numbers.size(), [&](gal::index_type i) { return numbers.data()[i]; }, &first);
  backend.sum(
      numbers.size(), [&](gal::index_type i) { return numbers.data()[i]; }, &second);
  CHECK(first == second);
  const long double reference = std::accumulate(numbers.data(), numbers.data() + numbers.size(), 0.0L);
  CHECK(std::abs(first - static_cast<double>(reference)) < 1e-11);

  double ones = 0.0;  // a float sum would stop at 2^24
  backend.sum(
      gal::index_type{1} << 25, [](gal::index_type) { return static_cast<double>(1.0f); }, &ones);
  CHECK(ones == 33554432.0);
}

TEST_CASE("sums of columns are right for every height") {
  const gal::eigen_backend backend;
  for (gal::index_type rows = 0; rows <= 35; ++rows) {
    std::vector<double> results(4, -1.0);
    backend.sum_rows(
        rows, 3, [](gal::index_type i, gal::index_type j) { return static_cast<double>((j + 1) * (i + 1)); },
        results.data());
    const auto triangle = static_cast<double>(rows * (rows + 1) / 2);
    CHECK(results == std::vector<double>{triangle, 2 * triangle, 3 * triangle, -1.0});
  }
  double untouched = 5.0;
  backend.sum_rows(
      3, 0, [](gal::index_type, gal::index_type) { return 1.0; }, &untouched);
  CHECK(untouched == 5.0);
}

TEST_CASE_TEMPLATE("column products are summed in double", T, float, double) {
  gal::matrix<T> a(3, 2);
  gal::matrix<T> b(3, 2);
  for (gal::index_type i = 0; i < 6; ++i) {
    a.data()[i] = static_cast<T>(i + 1);
    b.data()[i] = static_cast<T>(2 * i - 3);
  }
  gal::matrix<double> products;
  gal::column_products(gal::eigen_backend(), std::as_const(a).view(), std::as_const(b).view(), products);
  REQUIRE(products.shape() == gal::shape{1, 2});
  CHECK(products(0, 0) == 1 * -3 + 2 * -1 + 3 * 1);
  CHECK(products(0, 1) == 4 * 3 + 5 * 5 + 6 * 7);
  // The squares of these overflow or vanish in float.
  const gal::matrix<T> large(2, 1, T(3e30));
  gal::column_products(gal::eigen_backend(), large.view(), large.view(), products);
  CHECK(products(0, 0) == doctest::Approx(1.8e61).epsilon(1e-6));
}

TEST_CASE("random bits and numbers are those of the reference implementation") {
  constexpr std::uint64_t last = ~std::uint64_t{0};
  static_assert(gal::random_bits(0, 0) == 0xa706dd2f4d197e6fU);
  CHECK(gal::random_bits(0, 1) == 0x02fc2b3650561b21U);
  CHECK(gal::random_bits(1, 0) == 0x5e41ab087439611eU);
  CHECK(gal::random_bits(1, 2) == 0xf602ec30f98a3929U);
  CHECK(gal::random_bits(42, 1'000'000'007) == 0x036a0cf9f02c9138U);
  CHECK(gal::random_bits(last, last) == 0xe596bdbe4eaa3818U);
  CHECK(gal::random_uniform(0, 0) == 0.6524484863740322);
  CHECK(gal::random_uniform(42, 1'000'000'007) == 0.01333695508962962);
  CHECK(gal::random_uniform(last, last) == 0.8968313779466052);
  // To rounding: the library's logarithm and cosine are the platform's.
  CHECK(gal::random_normal(0, 0) == doctest::Approx(1.4499516138001118).epsilon(1e-14));
  CHECK(gal::random_normal(0, 1) == doctest::Approx(-1.0150853808808389).epsilon(1e-14));
  CHECK(gal::random_normal(1, 0) == doctest::Approx(-0.7389055539333077).epsilon(1e-14));
  CHECK(gal::random_normal(7, 123'456) == doctest::Approx(0.7783301375210515).epsilon(1e-14));
}

TEST_CASE("a stream counts through the numbers of its seed and can be replayed") {
  gal::random_stream stream{.seed = 11, .counter = 4};
  CHECK(stream.uniform() == gal::random_uniform(11, 4));
  CHECK(stream.normal() == gal::random_normal(11, 5));
  const gal::random_stream remembered = stream;
  CHECK(remembered == gal::random_stream{.seed = 11, .counter = 6});
  const double next = stream.uniform();
  CHECK_FALSE(stream == remembered);
  gal::random_stream replayed = remembered;
  CHECK(replayed.uniform() == next);
  CHECK(replayed == stream);
}

TEST_CASE("uniform and normal numbers have their moments, within four standard errors") {
  constexpr int count = 200'000;
  for (const std::uint64_t seed : {0U, 1U, 2U, 12'345U}) {
    CAPTURE(seed);
    double sum = 0.0, squares = 0.0, lagged = 0.0, smallest = 1.0, largest = 0.0, before = 0.5;
    for (std::uint64_t i = 0; i < count; ++i) {
      const double x = gal::random_uniform(seed, i);
      smallest = std::min(smallest, x);
      largest = std::max(largest, x);
      sum += x - 0.5;
      squares += (x - 0.5) * (x - 0.5);
      lagged += (x - 0.5) * (before - 0.5);
      before = x;
    }
    CHECK(smallest >= 0.0);
    CHECK(largest < 1.0);
    CHECK(smallest < 1e-4);
    CHECK(largest > 1.0 - 1e-4);
    CHECK(std::abs(sum / count) < 4.0 * std::sqrt(1.0 / 12.0 / count));
    CHECK(std::abs(squares / count - 1.0 / 12.0) < 4.0 * std::sqrt((1.0 / 80.0 - 1.0 / 144.0) / count));
    CHECK(std::abs(lagged / count) < 4.0 / 12.0 / std::sqrt(count));

    double first = 0.0, second = 0.0, third = 0.0, fourth = 0.0;
    for (std::uint64_t i = 0; i < count; ++i) {
      const double x = gal::random_normal(seed, i);
      first += x;
      second += x * x;
      third += x * x * x;
      fourth += x * x * x * x;
    }
    CHECK(std::abs(first / count) < 4.0 * std::sqrt(1.0 / count));
    CHECK(std::abs(second / count - 1.0) < 4.0 * std::sqrt(2.0 / count));
    CHECK(std::abs(third / count) < 4.0 * std::sqrt(15.0 / count));
    CHECK(std::abs(fourth / count - 3.0) < 4.0 * std::sqrt(96.0 / count));
  }
}

TEST_CASE("the numbers of neighbouring seeds have nothing to do with each other") {
  constexpr int count = 100'000;
  for (const std::uint64_t apart : {1U, 2U, 64U}) {
    double products = 0.0;
    for (std::uint64_t i = 0; i < count; ++i) {
      products += (gal::random_uniform(i, 3) - 0.5) * (gal::random_uniform(i + apart, 3) - 0.5);
    }
    CHECK(std::abs(products / count) < 4.0 / 12.0 / std::sqrt(count));
  }
}

TEST_CASE("integers below a bound") {
  gal::random_stream stream{.seed = 3};
  std::vector<std::uint64_t> drawn;
  for (int i = 0; i < 12; ++i) {
    drawn.push_back(stream.below(10));
  }
  CHECK(drawn == std::vector<std::uint64_t>{5, 0, 6, 8, 8, 0, 1, 4, 4, 8, 8, 6});
  CHECK(stream.counter == 12);

  // Just over half of all 64-bit numbers: about every second draw is thrown away.
  constexpr std::uint64_t half = std::uint64_t{1} << 63;
  stream = {.seed = 5};
  drawn.clear();
  for (int i = 0; i < 3; ++i) {
    drawn.push_back(stream.below(half + 1));
  }
  CHECK(drawn ==
        std::vector<std::uint64_t>{6590838847963717936U, 5771078705302603120U, 6069447897900013169U});

  for (int i = 0; i < 100; ++i) {
    CHECK(stream.below(1) == 0);
  }
}

TEST_CASE("integers below a bound are equally likely") {
  gal::random_stream stream{.seed = 17};
  constexpr int count = 100'000;
  std::array<int, 10> hits{};
  for (int i = 0; i < count; ++i) {
    ++hits.at(static_cast<std::size_t>(stream.below(10)));
  }
  double chi_squared = 0.0;
  for (const int n : hits) {
    chi_squared += (n - count / 10.0) * (n - count / 10.0) / (count / 10.0);
  }
  CHECK(chi_squared < 27.88);  // exceeded once in a thousand, with 9 degrees of freedom
  CHECK(chi_squared > 1.15);   // fallen short of once in a thousand

  // Below 3 * 2^62 the lowest third would take half of the draws if 64 bits were merely reduced.
  constexpr std::uint64_t quarter = std::uint64_t{1} << 62;
  int low = 0;
  for (int i = 0; i < count; ++i) {
    low += stream.below(3 * quarter) < quarter ? 1 : 0;
  }
  CHECK(std::abs(low - count / 3.0) < 4.0 * std::sqrt(count * 2.0 / 9.0));
}
