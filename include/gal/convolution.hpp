// gal/convolution.hpp: which arithmetic of convolution a backend has.
// Provides: nothing public; nn::detail::convolution_unit for gal/cnn.hpp.
#pragma once

#include <gal/backend.hpp>
#include <gal/convolution_direct.hpp>
#include <gal/convolution_patches.hpp>

#include <type_traits>

namespace gal::nn::detail {

template <class T, class Backend>
using convolution_unit = std::conditional_t<gathering_backend<Backend>, direct_convolution_unit<T, Backend>,
                                            patch_convolution_unit<T, Backend>>;

}  // namespace gal::nn::detail
