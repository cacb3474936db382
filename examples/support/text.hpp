// support/text.hpp: messages made of strings and numbers.
// Provides: text, require.
#pragma once

#include <gal/core/error.hpp>

#include <sstream>
#include <string>

namespace support {

/// Concatenates strings and numbers: `text("seed ", 3)`.
template <class... Parts>
[[nodiscard]] std::string text(const Parts&... parts) {
  std::ostringstream stream;
  (stream << ... << parts);
  return stream.str();
}

/// Throws `gal::error` with the parts as its message unless `condition` holds.
template <class... Parts>
void require(bool condition, gal::error_code code, const Parts&... parts) {
  if (!condition) {
    throw gal::error(code, text(parts...));
  }
}

}  // namespace support
