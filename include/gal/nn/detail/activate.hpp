// gal/nn/detail/activate.hpp: an activation over the numbers of a layer, and the way back.
// Provides: nothing public; functions for networks.
#pragma once

#include <gal/core/backend.hpp>
#include <gal/core/view.hpp>
#include <gal/nn/activation.hpp>

namespace gal::inline GAL_ABI::nn::detail {

// y = phi(y + shift), `shift` a number a row or null. Where the slope reads it, phi's argument is kept in `inner`.
template <activation Activation, class T, class Memory, class Backend>
void add_bias_and_activate(const Backend& backend, matrix_view<T, Memory> y, const T* shift, T* inner) {
  const index_type rows = y.rows();
  backend.for_each(rows, y.columns(), [=, to = y.data()] GAL_KERNEL(index_type i, index_type j) {
    [[maybe_unused]] T* const kept = inner;  // nvcc captures nothing that only a constexpr branch names
    const T z = to[j * rows + i] + (shift != nullptr ? shift[i] : T(0));
    if constexpr (slope_reads_input(Activation)) {
      kept[j * rows + i] = z;
    }
    to[j * rows + i] = activate<Activation>(z);
  });
}

// The gradient with respect to z, from that with respect to y = phi(z); it may be in one place.
template <activation Activation, class T, class Backend>
void multiply_by_slope(const Backend& backend, index_type count, const T* z, const T* y, const T* gradient,
                       T* delta) {
  backend.for_each(count,
                   [=] GAL_KERNEL(index_type i) { delta[i] = gradient[i] * slope<Activation>(z[i], y[i]); });
}

}  // namespace gal::nn::detail
