// gal/nn/activation.hpp: the functions between layers, and their first and second derivatives.
// Provides: nn::activation.
#pragma once

#include <gal/core/detail/math.hpp>
#include <gal/core/enumeration.hpp>

#include <array>
#include <cmath>
#include <numbers>
#include <string_view>
#include <type_traits>

namespace gal::inline GAL_ABI::nn {

/// Elementwise functions between layers. `gelu` is x Phi(x) with the exact normal distribution function, `silu` x times
/// the sigmoid of x.
enum class activation { identity, relu, tanh, sigmoid, gelu, silu };
constexpr auto enumerator_names(activation) {
  return std::to_array<std::string_view>({"identity", "relu", "tanh", "sigmoid", "gelu", "silu"});
}
using enum activation;

namespace detail {

// phi(z), and phi'(z) and phi''(z) from z and y = phi(z). z is read where `slope_reads_input` says so.
template <activation Activation, class T>
[[gnu::always_inline]] GAL_HOST_DEVICE inline T activate(T z) {
  if constexpr (Activation == activation::relu) {
    return z < T(0) ? T(0) : z;  // keeps NaN
  } else if constexpr (Activation == activation::tanh) {
    return gal::detail::tanh(z);
  } else if constexpr (Activation == activation::sigmoid) {
    return gal::detail::sigmoid(z);
  } else if constexpr (Activation == activation::gelu) {
    return T(0.5) * z * (T(1) + std::erf(z * static_cast<T>(std::numbers::sqrt2 / 2)));
  } else if constexpr (Activation == activation::silu) {
    return z * gal::detail::sigmoid(z);
  } else {
    return z;
  }
}

template <activation Activation, class T>
[[gnu::always_inline]] GAL_HOST_DEVICE inline T slope(T z, T y) {
  if constexpr (Activation == activation::relu) {
    return y > T(0) ? T(1) : T(0);
  } else if constexpr (Activation == activation::tanh) {
    return T(1) - y * y;
  } else if constexpr (Activation == activation::sigmoid) {
    return y * (T(1) - y);
  } else if constexpr (Activation == activation::gelu) {
    const T normal = T(0.5) * (T(1) + std::erf(z * static_cast<T>(std::numbers::sqrt2 / 2)));
    return normal +
           z * static_cast<T>(std::numbers::inv_sqrtpi / std::numbers::sqrt2) * std::exp(T(-0.5) * z * z);
  } else if constexpr (Activation == activation::silu) {
    const T sigmoid = gal::detail::sigmoid(z);
    return sigmoid + y * (T(1) - sigmoid);
  } else {
    return T(1);
  }
}

template <activation Activation, class T>
[[gnu::always_inline]] GAL_HOST_DEVICE inline T second_slope([[maybe_unused]] T z, [[maybe_unused]] T y) {
  if constexpr (Activation == activation::tanh) {
    return T(-2) * y * (T(1) - y * y);
  } else if constexpr (Activation == activation::sigmoid) {
    return y * (T(1) - y) * (T(1) - T(2) * y);
  } else if constexpr (Activation == activation::gelu) {
    return (T(2) - z * z) * static_cast<T>(std::numbers::inv_sqrtpi / std::numbers::sqrt2) *
           std::exp(T(-0.5) * z * z);
  } else if constexpr (Activation == activation::silu) {
    const T sigmoid = gal::detail::sigmoid(z);
    return (T(1) - sigmoid) * (T(2) * sigmoid + y * (T(1) - T(2) * sigmoid));
  } else {
    return T(0);  // ReLU too, off its kink
  }
}

// Whether the slopes ask for z, not for y = phi(z) alone.
constexpr bool slope_reads_input(activation which) {
  return which == activation::gelu || which == activation::silu;
}

// Calls `f` with the activation as a constant, so that the loop inside is compiled for it.
template <class F>
void dispatch(activation which, F f) {
  switch (which) {
    case activation::identity:
      return f(std::integral_constant<activation, activation::identity>{});
    case activation::relu:
      return f(std::integral_constant<activation, activation::relu>{});
    case activation::tanh:
      return f(std::integral_constant<activation, activation::tanh>{});
    case activation::sigmoid:
      return f(std::integral_constant<activation, activation::sigmoid>{});
    case activation::gelu:
      return f(std::integral_constant<activation, activation::gelu>{});
    case activation::silu:
      return f(std::integral_constant<activation, activation::silu>{});
  }
}

}  // namespace detail
}  // namespace gal::nn
