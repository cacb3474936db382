// gal/core/text.hpp: numbers as text, and text as numbers: the same in every locale, and nothing lost on the way.
// Provides, for the library itself: detail::text, text_part, joined, list_text, tuple_text, fixed, scientific, significant,
// parse_number, printable, in_quotes.
#pragma once

#include <gal/core/detail/flags.hpp>
#include <gal/core/enumeration.hpp>

#include <algorithm>
#include <charconv>
#include <concepts>
#include <cstddef>
#include <initializer_list>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>

namespace gal::inline GAL_ABI::detail {

inline void append(std::string& text, std::string_view part) { text += part; }

/// The shortest text that reads back as the same number; a char is a character, a bool 0 or 1.
template <class Number>
  requires std::is_arithmetic_v<Number>
void append(std::string& text, Number number) {
  if constexpr (std::same_as<Number, char>) {
    text += number;
  } else if constexpr (std::same_as<Number, bool>) {
    text += number ? '1' : '0';
  } else {
    char buffer[64];
    text.append(buffer, std::to_chars(buffer, buffer + sizeof buffer, number).ptr);
  }
}

template <class Value>
  requires requires(const Value& value) { to_string(value); }
void append(std::string& text, const Value& value) {
  text += to_string(value);
}

/// A part of a text, which is read while the text is made. Parts of all types have this one, so that a compiler makes the code
/// that puts them together once, and not for every list of types.
class text_part {
 public:
  template <class Value>
  explicit text_part(const Value& value) : value_(&value) {
    if constexpr (std::convertible_to<const Value&, std::string_view>) {
      words_ = value;
    } else {
      append_ = [](std::string& to, const void* from) { append(to, *static_cast<const Value*>(from)); };
    }
  }

  void append_to(std::string& text) const {
    if (append_ == nullptr) {
      text += words_;
    } else {
      append_(text, value_);
    }
  }

 private:
  std::string_view words_;
  const void* value_;
  void (*append_)(std::string& to, const void* from) = nullptr;
};

[[nodiscard]] inline std::string joined(std::initializer_list<text_part> parts) {
  std::string result;
  for (const text_part& part : parts) {
    part.append_to(result);
  }
  return result;
}

/// Concatenates strings, numbers and what has a `to_string`: `text("batch of ", 0, " samples")`.
template <class... Parts>
[[nodiscard]] std::string text(const Parts&... parts) {
  return joined({text_part(parts)...});
}

/// The parts with commas between them: "3, 4".
template <class Parts>
[[nodiscard]] std::string list_text(const Parts& parts) {
  std::string result;
  for (const auto& part : parts) {
    append(result, result.empty() ? "" : ", ");
    append(result, part);
  }
  return result;
}

/// Sizes as NumPy writes them: "(3, 4)".
template <class Numbers>
[[nodiscard]] std::string tuple_text(const Numbers& numbers) {
  return text("(", list_text(numbers), ")");
}

// For people, as printf writes them in the locale "C".
[[nodiscard]] inline std::string rounded_text(double number, std::chars_format format, int digits) {
  std::string result(static_cast<std::size_t>(std::numeric_limits<double>::max_exponent10 + 16 + digits),
                     '\0');
  result.resize(static_cast<std::size_t>(
      std::to_chars(result.data(), result.data() + result.size(), number, format, digits).ptr -
      result.data()));
  return result;
}
/// So many digits behind the point: 0.30.
[[nodiscard]] inline std::string fixed(double number, int decimals) {
  return rounded_text(number, std::chars_format::fixed, decimals);
}
/// The same with an exponent: 3.00e-01.
[[nodiscard]] inline std::string scientific(double number, int decimals) {
  return rounded_text(number, std::chars_format::scientific, decimals);
}
/// So many significant digits, zeros at the end left out: 0.3.
[[nodiscard]] inline std::string significant(double number, int digits) {
  return rounded_text(number, std::chars_format::general, digits);
}

// Whether a number that is too large or too small for double is too large. Its first digit but 0 and its exponent tell.
[[nodiscard]] inline bool is_beyond_one(std::string_view number) {
  const std::size_t end = std::min(number.find_first_of("eE"), number.size());
  const std::string_view digits = number.substr(0, end);
  const std::size_t first = digits.find_first_of("123456789");
  const std::size_t point = std::min(digits.find('.'), digits.size());
  std::ptrdiff_t place = static_cast<std::ptrdiff_t>(point) - static_cast<std::ptrdiff_t>(first);
  std::string_view power = number.substr(std::min(end + 1, number.size()));
  if (power.starts_with('+')) {
    power.remove_prefix(1);
  }
  std::ptrdiff_t exponent = 0;
  const auto status = std::from_chars(power.data(), power.data() + power.size(), exponent).ec;
  // An exponent out of range outweighs any number of digits.
  return first == std::string_view::npos            ? false
         : status == std::errc::result_out_of_range ? !power.starts_with('-')
                                                    : place + exponent > 0;
}

/// The number that `text` spells, all of it: the nearest double, and so 0 for 1e-400; infinite for 1e400. Nothing for
/// other text. A plus sign may stand in front.
[[nodiscard]] inline std::optional<double> parse_number(std::string_view text) {
  if (text.size() > 1 && text.front() == '+' && text[1] != '-') {
    text.remove_prefix(1);  // std::from_chars takes no plus sign
  }
  double value = 0.0;
  const auto [stop, status] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (stop != text.data() + text.size() || status == std::errc::invalid_argument) {
    return std::nullopt;
  }
  if (status == std::errc::result_out_of_range) {
    value = is_beyond_one(text) ? std::numeric_limits<double>::infinity() : 0.0;
    return text.starts_with('-') ? -value : value;
  }
  return value;
}

/// Text for a message: control characters, which would end it where it is a C string, or move the cursor, as \x00.
[[nodiscard]] inline std::string printable(std::string_view text, std::string_view allowed = "") {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string result;
  for (const char c : text) {
    const auto code = static_cast<unsigned char>(c);
    if ((code < 0x20 || code == 0x7f) && allowed.find(c) == std::string_view::npos) {
      result += {'\\', 'x', digits[code >> 4], digits[code & 15]};
    } else {
      result += c;
    }
  }
  return result;
}

/// The beginning of a text from elsewhere as messages show it, in quotes.
[[nodiscard]] inline std::string in_quotes(std::string_view part, std::size_t most = 40) {
  return text("\"", printable(part.substr(0, most)), part.size() > most ? "...\"" : "\"");
}

}  // namespace gal::detail
