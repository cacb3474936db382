// gal/core/random.hpp: random numbers from a seed and a counter: the same on every platform, backend and thread count.
// Provides: random_bits, random_uniform, random_normal, random_stream.
#pragma once

#include <gal/core/view.hpp>

#include <cmath>
#include <cstdint>
#include <numbers>

namespace gal::inline GAL_ABI {

/// 64 well-mixed bits for `counter` of the sequence `seed` (the SplitMix64 finaliser, applied to both in turn).
[[nodiscard]] GAL_HOST_DEVICE constexpr std::uint64_t random_bits(std::uint64_t seed, std::uint64_t counter) {
  std::uint64_t bits = seed;
  for (int round = 0; round < 2; ++round) {
    bits += 0x9e3779b97f4a7c15ULL;
    bits = (bits ^ (bits >> 30)) * 0xbf58476d1ce4e5b9ULL;
    bits = (bits ^ (bits >> 27)) * 0x94d049bb133111ebULL;
    bits ^= bits >> 31;
    if (round == 0) {
      bits ^= counter * 0xd1342543de82ef95ULL;
    }
  }
  return bits;
}

/// Uniform in [0, 1), 53 bits.
[[nodiscard]] GAL_HOST_DEVICE constexpr double random_uniform(std::uint64_t seed, std::uint64_t counter) {
  return static_cast<double>(random_bits(seed, counter) >> 11) * 0x1.0p-53;
}

/// Uniform in [-bound, bound).
[[nodiscard]] GAL_HOST_DEVICE constexpr double random_uniform(std::uint64_t seed, std::uint64_t counter,
                                                              double bound) {
  return bound * (2.0 * random_uniform(seed, counter) - 1.0);
}

/// Standard normal, by the Box-Muller transform of two uniforms of the same counter.
[[nodiscard]] GAL_HOST_DEVICE inline double random_normal(std::uint64_t seed, std::uint64_t counter) {
  const double radius = std::sqrt(-2.0 * std::log(1.0 - random_uniform(seed, 2 * counter)));
  return radius * std::cos(2.0 * std::numbers::pi * random_uniform(seed, 2 * counter + 1));
}

/// A sequence of random numbers as a plain value: copy it to replay it, compare it, store its two numbers to resume.
struct random_stream {
  std::uint64_t seed = 0;
  std::uint64_t counter = 0;

  [[nodiscard]] constexpr double uniform() { return random_uniform(seed, counter++); }
  [[nodiscard]] double normal() { return random_normal(seed, counter++); }

  /// Uniform integer in [0, bound), without bias; `bound` is positive.
  [[nodiscard]] constexpr std::uint64_t below(std::uint64_t bound) {
    const std::uint64_t limit = ~std::uint64_t{0} - ~std::uint64_t{0} % bound;
    std::uint64_t bits = random_bits(seed, counter++);
    while (bits >= limit) {
      bits = random_bits(seed, counter++);
    }
    return bits % bound;
  }

  template <class Visitor>
  constexpr void visit_state(Visitor& visit) {
    visit("seed", seed);
    visit("counter", counter);
  }

  friend bool operator==(const random_stream&, const random_stream&) = default;
};

}  // namespace gal
