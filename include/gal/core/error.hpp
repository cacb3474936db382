// gal/core/error.hpp: the one exception type for misuse.
// Provides: gal::error, gal::error_code.
#pragma once

#include <gal/core/detail/flags.hpp>
#include <gal/core/enumeration.hpp>
#include <gal/core/text.hpp>

#include <array>
#include <initializer_list>
#include <stdexcept>
#include <string>
#include <string_view>

namespace gal::inline GAL_ABI {

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
constexpr auto enumerator_names(error_code) {
  return std::to_array<std::string_view>({"invalid_option", "shape_mismatch", "invalid_target",
                                          "unreadable_file", "malformed_data", "device_failure",
                                          "out_of_memory", "non_finite"});
}

/// Thrown for misuse: wrong shapes, options out of range, unreadable files. The message names the value and what
/// was expected; control characters in it, but line breaks and tabs, stand as \x00. Numbers that go wrong during training
/// are no misuse: they are data in `step_report`.
class error : public std::runtime_error {
 public:
  error(error_code code, const std::string& message)
      : std::runtime_error(detail::printable(message, "\n\t")), code_(code) {}

  [[nodiscard]] error_code code() const noexcept { return code_; }

 private:
  error_code code_;
};

namespace detail {

[[noreturn]] inline void fail(error_code code, std::initializer_list<text_part> parts) {
  throw error(code, joined(parts));
}

/// Throws unless `condition` holds. Cold: messages are built only on failure.
template <class... Parts>
void require(bool condition, error_code code, const Parts&... parts) {
  if (!condition) [[unlikely]] {
    fail(code, {text_part(parts)...});
  }
}

/// Throws where an option of an enumeration is another number than its enumerators.
template <named_enumeration E>
void require_enumerator(E value, std::string_view where) {
  if (!is_enumerator(value)) [[unlikely]] {
    throw error(error_code::invalid_option,
                text(where, " is ", value, "; expected one of ", list_text(enumerators_of<E>)));
  }
}

}  // namespace detail
}  // namespace gal
