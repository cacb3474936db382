// gal/error.hpp: the one exception type for misuse.
// Provides: gal::error, gal::error_code.
#pragma once

#include <gal/flags.hpp>

#include <cstdio>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace gal {

/// What kind of misuse an `error` reports.
enum class error_code {
  invalid_option,   ///< an option outside its allowed range
  shape_mismatch,   ///< matrices whose sizes do not fit together
  invalid_target,   ///< a label or target that the loss cannot take
  unreadable_file,  ///< a file that cannot be opened, read or written
  malformed_data,   ///< a file whose contents are not what its format says
  device_failure,   ///< a call that the device's runtime refused
  out_of_memory,    ///< no memory for what was asked
  non_finite,       ///< a NaN or infinity, under the policy that throws
};

/// Thrown for misuse: wrong shapes, options out of range, unreadable files. The message names the value and what
/// was expected. Numbers that go wrong during training are no misuse: they are data in `step_report`.
class error : public std::runtime_error {
 public:
  error(error_code code, const std::string& message) : std::runtime_error(message), code_(code) {}

  [[nodiscard]] error_code code() const noexcept { return code_; }

 private:
  error_code code_;
};

namespace detail {

inline void append(std::string& text, std::string_view part) { text += part; }

template <class Number>
  requires std::is_arithmetic_v<Number>
void append(std::string& text, Number number) {
  if constexpr (std::is_floating_point_v<Number>) {
    char buffer[32];
    std::snprintf(buffer, sizeof buffer, "%.6g", static_cast<double>(number));
    text += buffer;
  } else {
    text += std::to_string(number);
  }
}

template <class Value>
  requires requires(const Value& value) { to_string(value); }
void append(std::string& text, const Value& value) { text += to_string(value); }

/// Concatenates strings, numbers and what has a `to_string`: `text("batch of ", 0, " samples")`.
template <class... Parts>
[[nodiscard]] std::string text(const Parts&... parts) {
  std::string result;
  (append(result, parts), ...);
  return result;
}

/// Sizes as NumPy writes them: "(3, 4)".
template <class Numbers>
[[nodiscard]] std::string tuple_text(const Numbers& numbers) {
  std::string result;
  for (const auto number : numbers) {
    append(result, result.empty() ? "(" : ", ");
    append(result, number);
  }
  return result.empty() ? "()" : result + ")";
}

/// Throws unless `condition` holds. Cold: messages are built only on failure.
template <class... Parts>
void require(bool condition, error_code code, const Parts&... parts) {
  if (!condition) [[unlikely]] {
    throw error(code, text(parts...));
  }
}

}  // namespace detail
}  // namespace gal
