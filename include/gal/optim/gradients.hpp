// gal/optim/gradients.hpp: the parameters of a model taken together, for optimizers and whoever watches over their steps.
// Provides, for the library itself: detail::number_of_values, clipped, run_from, sum_squares, restore_unless.
#pragma once

#include <gal/core/backend.hpp>
#include <gal/core/concepts.hpp>
#include <gal/core/detail/kernels.hpp>

#include <cstddef>
#include <limits>
#include <span>
#include <utility>

namespace gal::inline GAL_ABI::detail {

template <class T, class Memory>
index_type number_of_values(std::span<const parameter<T, Memory>> parameters) {
  index_type count = 0;
  for (const auto& block : parameters) {
    count += static_cast<index_type>(block.value.size());
  }
  return count;
}

template <class Number>
GAL_HOST_DEVICE Number clipped(Number g, Number limit) {
  return g > limit ? limit : (g < -limit ? -limit : g);
}

// Neighbouring blocks of one group, from `first`, are one run of memory, which one kernel takes: the block after it, and
// its size.
template <class T, class Memory>
std::pair<std::size_t, index_type> run_from(std::span<const parameter<T, Memory>> parameters,
                                            std::size_t first) {
  std::size_t next = first + 1;
  auto size = parameters[first].value.size();
  while (next < parameters.size() && parameters[next].group == parameters[first].group &&
         parameters[next].value.data() == parameters[first].value.data() + size &&
         parameters[next].gradient.data() == parameters[first].gradient.data() + size) {
    size += parameters[next++].value.size();
  }
  return {next, static_cast<index_type>(size)};
}

// The sum of the gradients' squares, every entry cut to `limit` before, in `result(0, 0)`.
template <class T, class Memory, class Backend>
void sum_squares(const Backend& backend, std::span<const parameter<T, Memory>> parameters, double limit,
                 matrix<double, Backend>& result) {
  result.resize(1, static_cast<index_type>(parameters.size()) + 1);
  index_type runs = 0;
  for (std::size_t first = 0; first < parameters.size();) {
    const auto [next, size] = run_from(parameters, first);
    const T* const from = parameters[first].gradient.data();
    double* const to = result.data() + ++runs;
    if (limit == std::numeric_limits<double>::infinity()) {  // a loop that the compiler vectorises
      sum_of_squares(backend, from, size, to);
    } else {
      backend.sum(
          size,
          [from, limit] GAL_KERNEL(index_type i) {
            const double g = clipped(static_cast<double>(from[i]), limit);
            return g * g;
          },
          to);
    }
    first = next;
  }
  sum_of(backend, result.data() + 1, runs, result.data());
}

// Copies `before` over `now` where the device finds zero in `*proceeds`.
template <class T, class Backend>
void restore_unless(const Backend& backend, const double* proceeds, const T* before, T* now,
                    index_type count) {
  backend.for_each(count, [proceeds, before, now] GAL_KERNEL(index_type i) {
    if (*proceeds == 0.0) {
      now[i] = before[i];
    }
  });
}
template <class T, class Memory, class Backend>
void restore_unless(const Backend& backend, const double* proceeds, matrix_view<const T, Memory> before,
                    matrix_view<T, Memory> now) {
  restore_unless(backend, proceeds, before.data(), now.data(), now.size());
}

}  // namespace gal::detail
