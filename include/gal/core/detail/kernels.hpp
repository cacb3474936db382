// gal/core/detail/kernels.hpp: kernels that more than one room needs.
// Provides: nothing public; detail::inner_product, scaled_column_products, sum_of, mean_of, sum_of_squares, fill_noise,
// fill_uniform, fill_normal.
#pragma once

#include <gal/core/backend.hpp>
#include <gal/core/random.hpp>
#include <gal/core/view.hpp>

#include <cstdint>

namespace gal::inline GAL_ABI::detail {

// <a, b> over all entries into `*product`, accumulated in double.
template <class T, class Memory, class Backend>
void inner_product(const Backend& backend, matrix_view<const T, Memory> a, matrix_view<const T, Memory> b,
                   double* product) {
  backend.sum(
      a.size(),
      [a = a.data(), b = b.data()] GAL_KERNEL(index_type i) {
        return static_cast<double>(a[i]) * static_cast<double>(b[i]);
      },
      product);
}

// scale <a_j, b_j> of every column, into `products`, accumulated in double.
template <class A, class B, class Memory, class Backend>
void scaled_column_products(const Backend& backend, double scale, matrix_view<const A, Memory> a,
                            matrix_view<const B, Memory> b, double* products) {
  backend.sum_rows(
      a.rows(), a.columns(),
      [=] GAL_KERNEL(index_type i, index_type j) {
        return scale * static_cast<double>(a(i, j)) * static_cast<double>(b(i, j));
      },
      products);
}

// The sum of `count` numbers, and their mean.
template <class Backend>
void sum_of(const Backend& backend, const double* from, index_type count, double* sum) {
  backend.sum(
      count, [from] GAL_KERNEL(index_type i) { return from[i]; }, sum);
}
template <class Backend>
void mean_of(const Backend& backend, const double* from, index_type count, double* mean) {
  backend.sum(
      count, [from, all = static_cast<double>(count)] GAL_KERNEL(index_type i) { return from[i] / all; },
      mean);
}

// The sum of squares of `count` numbers, accumulated in double.
template <class T, class Backend>
void sum_of_squares(const Backend& backend, const T* from, index_type count, double* sum) {
  backend.sum(
      count,
      [from] GAL_KERNEL(index_type i) { return static_cast<double>(from[i]) * static_cast<double>(from[i]); },
      sum);
}

// Numbers of `draw(seed, counter)`, whose counters follow each other.
template <class T, class Backend, class Draw>
void fill_noise(const Backend& backend, T* to, index_type count, random_stream stream, Draw draw) {
  backend.for_each(count, [=] GAL_KERNEL(index_type i) {
    to[i] = static_cast<T>(draw(stream.seed, stream.counter + static_cast<std::uint64_t>(i)));
  });
}

// Uniform in [-bound, bound).
template <class T, class Backend>
void fill_uniform(const Backend& backend, T* to, index_type count, random_stream stream, double bound) {
  fill_noise(backend, to, count, stream, [bound] GAL_KERNEL(std::uint64_t seed, std::uint64_t counter) {
    return random_uniform(seed, counter, bound);
  });
}

// Standard normal.
template <class T, class Backend>
void fill_normal(const Backend& backend, T* to, index_type count, random_stream stream) {
  fill_noise(backend, to, count, stream, [] GAL_KERNEL(std::uint64_t seed, std::uint64_t counter) {
    return random_normal(seed, counter);
  });
}

}  // namespace gal::detail
