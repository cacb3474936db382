// gal/data/detail/fingerprint.hpp: a number by which data are known again.
// Provides: nothing public; detail::fingerprint.
#pragma once

#include <gal/core/view.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace gal::inline GAL_ABI::detail {

// Of the bytes of a matrix and of its sizes, after those whose fingerprint is `before`. Other data have another one, but for a
// chance of 2^-64 where nobody seeks it.
template <class T>
[[nodiscard]] std::uint64_t fingerprint(matrix_view<const T> data, std::uint64_t before) {
  const auto stir = [&](std::uint64_t part) {
    before = (before ^ part) * 0x9e3779b97f4a7c15U;
    before ^= before >> 29;
  };
  stir(static_cast<std::uint64_t>(data.rows()));
  stir(static_cast<std::uint64_t>(data.columns()));
  const auto* const bytes = reinterpret_cast<const unsigned char*>(data.data());
  const std::size_t count = static_cast<std::size_t>(data.size()) * sizeof(T);
  for (std::size_t at = 0; at < count; at += sizeof(std::uint64_t)) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes + at, count - at < sizeof word ? count - at : sizeof word);
    stir(word);
  }
  return before;
}

}  // namespace gal::detail
