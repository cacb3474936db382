// Data for benchmarks.
#pragma once

#include <gal/backends/eigen.hpp>
#include <gal/core/random.hpp>

#include <cstdint>

namespace bench {

/// Normally distributed numbers.
template <class T>
gal::matrix<T> random_matrix(gal::index_type rows, gal::index_type columns, std::uint64_t seed) {
  gal::matrix<T> result(rows, columns);
  gal::random_stream random{seed};
  for (gal::index_type i = 0; i < result.size(); ++i) {
    result.data()[i] = static_cast<T>(random.normal());
  }
  return result;
}

}  // namespace bench
