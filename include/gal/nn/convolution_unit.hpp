// gal/nn/convolution_unit.hpp: which arithmetic of convolution a backend has.
// Provides: nothing public; nn::detail::convolution_unit for gal/nn/cnn.hpp.
#pragma once

#include <gal/core/backend.hpp>
#include <gal/nn/detail/convolution_direct.hpp>
#include <gal/nn/detail/convolution_patches.hpp>

#include <type_traits>

namespace gal::inline GAL_ABI::nn::detail {

template <class T, class Backend>
struct convolution_of {
  using type = std::conditional_t<gathering_backend<Backend>, direct_convolution_unit<T, Backend>,
                                  patch_convolution_unit<T, Backend>>;
};

// A backend may bring its own, as gal/adapters/onednn.hpp does: constructed from (convolution, window, index of the first parameter),
// with weights, biases, depth, forward and backward as direct_convolution_unit has them.
template <class T, class Backend>
  requires requires { typename Backend::template convolution_unit<T>; }
struct convolution_of<T, Backend> {
  using type = typename Backend::template convolution_unit<T>;
};

template <class T, class Backend>
using convolution_unit = typename convolution_of<T, Backend>::type;

}  // namespace gal::nn::detail
