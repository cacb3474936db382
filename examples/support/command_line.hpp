// support/command_line.hpp: checks of what was typed.
// Provides: positive_number.
#pragma once

#include <CLI/CLI.hpp>

#include <cmath>
#include <string>

namespace support {

/// The message where `text` is no positive number.
inline std::string positive_number(const std::string& text) {
  double value = 0.0;
  const bool valid = CLI::detail::lexical_cast(text, value) && value > 0.0 && std::isfinite(value);
  return valid ? "" : text + " is not a positive number";
}

}  // namespace support
