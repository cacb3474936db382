// gal/core/detail/kernels.hpp: kernels that more than one room needs.
// Provides: nothing public; detail::inner_product, fill_noise, fill_uniform, fill_normal.
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
