// gal/core/enumeration.hpp: enumerations whose enumerators have names as text.
// Provides: named_enumeration, enumerators_of, is_enumerator, find_enumerator, to_string.
#pragma once

#include <gal/core/detail/flags.hpp>

#include <array>
#include <concepts>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

namespace gal::inline GAL_ABI {

/// An enumeration that counts from 0 without a gap, beside which stands a function with the names of its enumerators:
///
///     enum class decision { per_batch, per_sample };
///     constexpr auto enumerator_names(decision) {
///       return std::to_array<std::string_view>({"per_batch", "per_sample"});
///     }
///
/// An enumeration that is a member of a class has it as a friend there. Messages, pages and checkpoints hold these names.
template <class E>
concept named_enumeration = std::is_enum_v<E> && requires(E value) {
  { enumerator_names(value)[std::size_t{}] } -> std::convertible_to<std::string_view>;
};

/// The names of an enumeration, in the order of its enumerators.
template <named_enumeration E>
inline constexpr auto enumerators_of = enumerator_names(E{});

/// Whether `value` is one of the enumerators, and not another number.
template <named_enumeration E>
[[nodiscard]] constexpr bool is_enumerator(E value) {
  return static_cast<std::size_t>(value) < enumerators_of<E>.size();
}

/// The enumerator of that name; none where there is no such name.
template <named_enumeration E>
[[nodiscard]] constexpr std::optional<E> find_enumerator(std::string_view name) {
  for (std::size_t k = 0; k < enumerators_of<E>.size(); ++k) {
    if (enumerators_of<E>[k] == name) {
      return static_cast<E>(k);
    }
  }
  return std::nullopt;
}

/// The enumerator's name; of another value its number.
template <named_enumeration E>
[[nodiscard]] std::string to_string(E value) {
  return is_enumerator(value) ? std::string(enumerators_of<E>[static_cast<std::size_t>(value)])
                              : std::to_string(static_cast<std::underlying_type_t<E>>(value));
}

}  // namespace gal
