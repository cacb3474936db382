// gal/core/detail/math.hpp: elementary functions in a form that compilers turn into SIMD code, in loops that they are inlined into.
// Provides: nothing public.
#pragma once

#include <gal/core/view.hpp>

#include <bit>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <limits>
#include <numbers>
#include <type_traits>

// At the start of a function whose operations have to stay in the order in which they are written. Clang defines no macro
// that tells of -fassociative-math or -funsafe-math-optimizations, so they cannot be refused there as flags.hpp does
// for GCC.
#if defined(__clang__)
#define GAL_IN_ORDER _Pragma("clang fp reassociate(off)")
#else
#define GAL_IN_ORDER
#endif

namespace gal::inline GAL_ABI::detail {

template <std::floating_point T>
using bits_of = std::conditional_t<std::same_as<T, float>, std::uint32_t, std::uint64_t>;

// exp(y) - 1 for y >= 0 whose exp is finite, within a few units in the last place: y = k ln 2 + r, a Taylor polynomial in r, and 2^k
// put together bit by bit.
template <std::floating_point T>
[[gnu::always_inline]] GAL_HOST_DEVICE inline T expm1_of_nonnegative(T y) {
  GAL_IN_ORDER
  constexpr bool is_single = std::same_as<T, float>;
  using bits = bits_of<T>;
  // ln 2 in two parts; k times the first is exact.
  constexpr T ln2_high = is_single ? T(0x1.62e4p-1) : T(0x1.62e42feep-1);
  constexpr T ln2_low = is_single ? T(0x1.7f7d1cp-20) : T(0x1.a39ef35793c76p-33);
  // Adding 1.5 * 2^mantissa rounds to an integer and leaves it in the low bits.
  constexpr int mantissa = is_single ? 23 : 52;
  constexpr T round = T(1.5) * static_cast<T>(std::int64_t{1} << mantissa);
  const T rounded = y * static_cast<T>(std::numbers::log2e) + round;
  const T k = rounded - round;
  const T r = (y - k * ln2_high) - k * ln2_low;
  T p;
  if constexpr (is_single) {
    p = T(1) / 720 + r * (T(1) / 5040);
  } else {
    p = T(1) / 479001600 + r * (T(1) / 6227020800);
    p = T(1) / 3628800 + r * (T(1) / 39916800 + r * p);
    p = T(1) / 40320 + r * (T(1) / 362880 + r * p);
    p = T(1) / 720 + r * (T(1) / 5040 + r * p);
  }
  p = T(1) / 24 + r * (T(1) / 120 + r * p);
  p = r + r * r * (T(1) / 2 + r * (T(1) / 6 + r * p));
  constexpr bits bias = is_single ? 127 : 1023;
  const T power = std::bit_cast<T>((std::bit_cast<bits>(rounded) + bias) << mantissa);
  return power * p + (power - T(1));
}

/// Whether the number is infinity or -infinity; NaN is neither.
template <std::floating_point T>
[[gnu::always_inline]] GAL_HOST_DEVICE inline bool is_infinite(T x) {
  return std::abs(x) > std::numeric_limits<T>::max();
}

/// The number, or zero where it is denormal. Moments of parameters without gradient (dead ReLU units) decay into denormal
/// numbers, on which arithmetic is many times slower.
template <std::floating_point T>
[[gnu::always_inline]] GAL_HOST_DEVICE inline T without_denormals(T x) {
  if constexpr (!std::same_as<T, float> && !std::same_as<T, double>) {
    return std::abs(x) < std::numeric_limits<T>::min() ? T(0) : x;
  } else {
    // On bits, since a comparison of numbers would become a branch.
    using bits = bits_of<T>;
    constexpr auto exponent = std::bit_cast<bits>(std::numeric_limits<T>::infinity());
    const auto number = std::bit_cast<bits>(x);
    return std::bit_cast<T>(number & (bits(0) - static_cast<bits>((number & exponent) != 0)));
  }
}

/// The number, or zero where its size is below `least`, which is positive.
template <std::floating_point T>
[[gnu::always_inline]] GAL_HOST_DEVICE inline T zero_below(T x, T least) {
  if constexpr (!std::same_as<T, float> && !std::same_as<T, double>) {
    return std::abs(x) < least ? T(0) : x;
  } else {
    using bits = bits_of<T>;
    using ordered = std::make_signed_t<bits>;  // non-negative numbers; SSE compares no unsigned ones
    const auto size = std::bit_cast<ordered>(std::abs(x));
    const auto kept = bits(0) - static_cast<bits>(size >= std::bit_cast<ordered>(least));
    return std::bit_cast<T>(std::bit_cast<bits>(x) & kept);
  }
}

/// The number, or zero where it is negative or a NaN of that sign.
template <std::floating_point T>
[[gnu::always_inline]] GAL_HOST_DEVICE inline T zero_if_negative(T x) {
  if constexpr (!std::same_as<T, float> && !std::same_as<T, double>) {
    return x < T(0) ? T(0) : x;
  } else {
    using bits = bits_of<T>;
    using ordered = std::make_signed_t<bits>;
    const auto number = std::bit_cast<bits>(x);
    return std::bit_cast<T>(number & (bits(0) - static_cast<bits>(std::bit_cast<ordered>(x) >= 0)));
  }
}

/// tanh within four units in the last place; of infinities 1 and -1, of NaN NaN.
template <std::floating_point T>
[[gnu::always_inline]] GAL_HOST_DEVICE inline T tanh(T x) {
  GAL_IN_ORDER
  if constexpr (!std::same_as<T, float> && !std::same_as<T, double>) {
    return std::tanh(x);
  } else {
    constexpr T flat = std::same_as<T, float> ? T(9.1) : T(19.1);  // beyond it tanh rounds to 1
    // On bits, in whose order non-negative numbers are, since a comparison of numbers would become a branch.
    using bits = bits_of<T>;
    const auto size = std::bit_cast<bits>(std::abs(x));
    const auto largest = std::bit_cast<bits>(flat);
    const T e = expm1_of_nonnegative(T(2) * std::bit_cast<T>(size < largest ? size : largest));
    const auto y = std::bit_cast<bits>(std::copysign(e / (e + T(2)), x));
    const bits not_a_number = size > std::bit_cast<bits>(std::numeric_limits<T>::infinity())
                                  ? std::bit_cast<bits>(std::numeric_limits<T>::quiet_NaN())
                                  : bits(0);
    return std::bit_cast<T>(y | not_a_number);
  }
}

/// 1 / (1 + exp(-x)) within four units in the last place, and 0 where that is denormal; of NaN NaN.
template <std::floating_point T>
[[gnu::always_inline]] GAL_HOST_DEVICE inline T sigmoid(T x) {
  GAL_IN_ORDER
  if constexpr (!std::same_as<T, float> && !std::same_as<T, double>) {
    return T(1) / (T(1) + std::exp(-x));
  } else {
    // From e = exp(abs(x)) - 1, so that nothing cancels: (1 + e) / (2 + e), or 1 / (2 + e) for negative x.
    using bits = bits_of<T>;
    const auto size = std::bit_cast<bits>(std::abs(x));
    const auto largest = std::bit_cast<bits>(std::same_as<T, float> ? T(87) : T(708));  // exp of it is finite
    const T e = expm1_of_nonnegative(std::bit_cast<T>(size < largest ? size : largest));
    const auto above = std::bit_cast<bits>(T(1) + e);
    const auto below = std::bit_cast<bits>(T(1));
    const bits negative = bits(0) - (std::bit_cast<bits>(x) >> (8 * sizeof(T) - 1));
    const T y = std::bit_cast<T>((below & negative) | (above & ~negative)) / (T(2) + e);
    const bits vanishes = negative & (bits(0) - static_cast<bits>(size > largest));
    const bits not_a_number = size > std::bit_cast<bits>(std::numeric_limits<T>::infinity())
                                  ? std::bit_cast<bits>(std::numeric_limits<T>::quiet_NaN())
                                  : bits(0);
    return std::bit_cast<T>((std::bit_cast<bits>(y) & ~vanishes) | not_a_number);
  }
}

/// Square root of a number that is zero or normal, within one unit in the last place. Compilers do not vectorise
/// std::sqrt unless told that nobody reads errno. Where the processor flushes denormal numbers, digits are lost
/// below 1e-30 in float and 1e-290 in double, and next to the smallest normal number all.
template <std::floating_point T>
[[gnu::always_inline]] GAL_HOST_DEVICE inline T square_root(T x) {
  GAL_IN_ORDER
  if constexpr (!std::same_as<T, float> && !std::same_as<T, double>) {
    return std::sqrt(x);
  } else {
    // 1/sqrt(x) from half the exponent, then Newton's steps, each of which doubles the digits; the last on the root.
    constexpr bool is_single = std::same_as<T, float>;
    using bits = bits_of<T>;
    constexpr auto start = static_cast<bits>(is_single ? 0x5f375a86u : 0x5fe6eb50c7b537a9u);
    T inverse = std::bit_cast<T>(start - (std::bit_cast<bits>(x) >> 1));
    for (int step = 0; step < (is_single ? 2 : 3); ++step) {
      inverse *= T(1.5) - T(0.5) * x * inverse * inverse;
    }
    const T root = x * inverse;
    return root + T(0.5) * inverse * (x - root * root);
  }
}

}  // namespace gal::detail

#undef GAL_IN_ORDER
