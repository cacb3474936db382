// That the number of threads changes no bit, whatever part of a product, a loop or a sum a thread gets. Compiled several
// times, with flags that let the compiler fuse, or not, and take other instructions (CMakeLists.txt).
#include <gal/backends/eigen.hpp>
#include <gal/core/detail/math.hpp>
#include <gal/optim/optimizers.hpp>

#include "testing.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <span>
#include <vector>

namespace {

using gal::transpose;

// Numbers of which the bits differ.
template <class T>
int differing(const gal::matrix<T>& a, const gal::matrix<T>& b) {
  using bits = gal::detail::bits_of<T>;
  int count = a.shape() == b.shape() ? 0 : -1;
  for (gal::index_type i = 0; count >= 0 && i < a.size(); ++i) {
    count += std::bit_cast<bits>(a.data()[i]) != std::bit_cast<bits>(b.data()[i]) ? 1 : 0;
  }
  return count;
}

// Runs `work(backend, result)` on one thread, and holds the results of 2 to 9 threads against it.
template <class T, class Work>
void check_threads(gal::index_type rows, gal::index_type columns, Work work) {
  CAPTURE(rows);
  CAPTURE(columns);
  const gal::matrix<T> before = random_matrix<T>(rows, columns, 9);
  gal::matrix<T> once = before;
  work(gal::eigen_backend(1), once);
  for (int threads = 2; threads <= 9; ++threads) {
    CAPTURE(threads);
    gal::matrix<T> shared = before;
    work(gal::eigen_backend(threads), shared);
    CHECK(differing(shared, once) == 0);
  }
}

// As many of `work` operations each as are shared out among threads.
gal::index_type enough(gal::index_type work) { return (gal::index_type{1} << 16) / work + 1; }

}  // namespace

TEST_CASE_TEMPLATE("products: rests of rows, columns and depth", T, float, double) {
  const gal::index_type largest = 8 * enough(2 * 1) + 16;
  const auto numbers_a = random_matrix<T>(largest, 33, 1);
  const auto numbers_b = random_matrix<T>(largest, 33, 2);
  for (const gal::index_type rows : {1, 2, 3, 4, 5, 8, 9, 15, 17, 31, 33}) {
    for (const gal::index_type columns : {2, 3, 4, 5, 6, 7, 11, 13, 19, 26}) {
      const gal::index_type depth = 8 * enough(rows * columns) + (rows + 3 * columns) % 16;
      const bool flip_a = (rows + columns) % 2 == 0, flip_b = columns % 3 == 0;
      const T alpha = rows % 2 == 0 ? T(1) : T(0.7), beta = columns % 2 == 0 ? T(0) : T(1);
      const auto factor = [&](const gal::matrix<T>& numbers, gal::index_type across, bool flip) {
        return gal::matrix_view<const T>(numbers.data(), flip ? depth : across, flip ? across : depth);
      };
      check_threads<T>(rows, columns, [&](const gal::eigen_backend& backend, gal::matrix<T>& c) {
        backend.product(flip_a ? transpose::yes : transpose::no, flip_b ? transpose::yes : transpose::no,
                        alpha, factor(numbers_a, rows, flip_a), factor(numbers_b, columns, !flip_b), beta,
                        c.view());
      });
    }
  }
}

TEST_CASE_TEMPLATE("products of layers: every way to transpose, scale and add", T, float, double) {
  struct sizes {
    gal::index_type rows, columns, depth;
  };
  for (const auto& [rows, columns, depth] : std::array<sizes, 5>{
           {{130, 101, 300}, {2000, 6, 300}, {1, 2000, 300}, {3, 700, 301}, {701, 3, 303}}}) {
    for (const bool flip_a : {false, true}) {
      for (const bool flip_b : {false, true}) {
        const auto a = random_matrix<T>(flip_a ? depth : rows, flip_a ? rows : depth, 3);
        const auto b = random_matrix<T>(flip_b ? columns : depth, flip_b ? depth : columns, 4);
        for (const T beta : {T(0), T(0.3)}) {
          check_threads<T>(rows, columns, [&](const gal::eigen_backend& backend, gal::matrix<T>& c) {
            backend.product(flip_a ? transpose::yes : transpose::no, flip_b ? transpose::yes : transpose::no,
                            T(0.7), a.view(), b.view(), beta, c.view());
          });
        }
      }
    }
  }
}

TEST_CASE_TEMPLATE("gathered products", T, float, double) {
  const auto a = random_matrix<T>(1, 4000, 5);
  const auto b = random_matrix<T>(1, 4000, 6);
  for (const gal::index_type length : {1, 3, 4, 7, 8, 9, 14, 16, 19}) {
    for (const gal::index_type columns : {2, 5, 6, 7, 11, 12, 13, 25}) {
      const gal::index_type runs = 5, depth = 8 * enough(runs * length * columns) + columns;
      std::vector<gal::index_type> places, steps, targets;
      for (gal::index_type i = 0; i < std::max(depth, columns); ++i) {
        places.push_back(i * 29 % 211);
        steps.push_back(i * 71 % 997);
      }
      for (gal::index_type r = 0; r < runs; ++r) {
        targets.push_back(r * length);
      }
      check_threads<T>(runs * length, columns, [&](const gal::eigen_backend& backend, gal::matrix<T>& c) {
        backend.gathered_product(
            runs, length, columns, depth, gal::gathered_factor<T>{a.data(), places.data(), steps.data()},
            gal::gathered_factor<T>{b.data(), places.data(), steps.data()},
            gal::gathered_target<T>{c.data(), targets.data(), 1, runs * length,
                                    length % 2 == 0 ? a.data() : nullptr, columns % 2 == 0});
      });
    }
  }
}

TEST_CASE_TEMPLATE("elementwise loops", T, float, double) {
  for (const gal::index_type rest : {0, 1, 2, 3, 5, 7, 8, 13, 15, 17, 31, 33, 63, 65, 500, 1023}) {
    const gal::index_type count = enough(1) + rest;
    const auto a = random_matrix<T>(1, count, 7);
    const auto b = random_matrix<T>(1, count, 8);
    check_threads<T>(1, count, [&](const gal::eigen_backend& backend, gal::matrix<T>& c) {
      backend.for_each(count, [to = c.data(), x = a.data(), y = b.data()](gal::index_type i) {
        const T product = x[i] * y[i];
        to[i] = product * to[i] + (x[i] * x[i] - y[i] * y[i]) + gal::detail::tanh(product);
      });
    });
    check_threads<T>(1, count, [&](const gal::eigen_backend& backend, gal::matrix<T>& c) {
      const std::array parameters{
          gal::parameter<T>({c.data(), static_cast<std::size_t>(count)},
                            {const_cast<T*>(a.data()), static_cast<std::size_t>(count)})};
      gal::adam<T> adam({.weight_decay = 0.1}, backend);
      adam.step(parameters);
      adam.step(parameters);
    });
  }
}

TEST_CASE_TEMPLATE("loops over entries, and sums", T, float, double) {
  for (const gal::index_type rows : {1, 2, 3, 4, 5, 7, 8, 9, 16, 17, 33, 100}) {
    const gal::index_type columns = enough(rows) + 3;
    const auto a = random_matrix<T>(rows, columns, 7);
    const auto b = random_matrix<T>(rows, columns, 8);
    check_threads<T>(rows, columns, [&](const gal::eigen_backend& backend, gal::matrix<T>& c) {
      backend.for_each(rows, columns, [&a, &b, to = c.view()](gal::index_type i, gal::index_type j) {
        to(i, j) = a(i, j) * b(i, j) + to(i, j) * b(i, 0) - b(i, j) * a(i, 0);
      });
    });
    const auto term = [x = a.view(), y = b.view()](gal::index_type i, gal::index_type j) {
      return static_cast<double>(x(i, j)) * static_cast<double>(y(i, j)) +
             static_cast<double>(x(i, 0)) * static_cast<double>(y(i, 0));
    };
    check_threads<double>(1, columns, [&](const gal::eigen_backend& backend, gal::matrix<double>& sums) {
      backend.sum_rows(rows, columns, term, sums.data());
    });
    check_threads<double>(1, 1, [&](const gal::eigen_backend& backend, gal::matrix<double>& sum) {
      backend.sum(
          200'003, [&](gal::index_type k) { return term(k % rows, k % columns); }, sum.data());
    });
  }
}
