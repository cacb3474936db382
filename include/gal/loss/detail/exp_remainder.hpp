// gal/loss/detail/exp_remainder.hpp: the remainder of the exponential, of which those of the entropies are made.
#pragma once

#include <gal/core/view.hpp>

#include <cmath>

namespace gal::inline GAL_ABI::detail {

// exp(-c) - 1 + c for any c, without cancellation near zero.
GAL_HOST_DEVICE inline double exp_remainder(double c) {
  if (std::abs(c) < 1e-2) {
    return c * c * (1.0 / 2 - c * (1.0 / 6 - c * (1.0 / 24 - c * (1.0 / 120 - c * (1.0 / 720 - c / 5040)))));
  }
  return std::expm1(-c) + c;
}

}  // namespace gal::detail
