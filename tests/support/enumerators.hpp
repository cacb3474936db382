// The names of enumerators as the compiler knows them, and as the library has them.
#pragma once

#include <gal/core/enumeration.hpp>

#include <cstddef>
#include <string_view>
#include <utility>

// "gate" of normalisation::gate; empty for a number that has none.
template <auto Value>
constexpr std::string_view compilers_name() {
  constexpr std::string_view function =
      __PRETTY_FUNCTION__;  // "... Value = gal::normalisation::gate]", ";" in GCC
  constexpr std::size_t begin = function.find("Value = ") + 8;
  constexpr std::string_view value = function.substr(begin, function.find_first_of(";]", begin) - begin);
  constexpr std::size_t colon = value.rfind(':');
  constexpr std::string_view name = value.substr(colon == value.npos ? 0 : colon + 1);
  return name.find(')') == name.npos ? name : std::string_view();  // "(gal::normalisation)7" has none
}

// Whether the table names every enumerator as the compiler does, and the number behind the last has no name.
template <gal::named_enumeration E>
constexpr bool has_the_compilers_names() {
  constexpr std::size_t count = gal::enumerators_of<E>.size();
  const bool all_agree = []<std::size_t... Number>(std::index_sequence<Number...>) {
    return ((gal::enumerators_of<E>[Number] == compilers_name<static_cast<E>(Number)>()) && ...);
  }(std::make_index_sequence<count>());
  return all_agree && compilers_name<static_cast<E>(count)>().empty();
}
