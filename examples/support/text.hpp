// support/text.hpp: messages made of strings and numbers.
// Provides: text, require.
#pragma once

#include <gal/core/error.hpp>

namespace support {

/// Concatenates strings and numbers, in every locale alike, and so that numbers read back exactly: `text("seed ", 3)`.
using gal::detail::text;

/// Throws `gal::error` with the parts as its message unless `condition` holds.
using gal::detail::require;

}  // namespace support
