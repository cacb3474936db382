// gal/core/version.hpp: the version of the library.
// Provides: GAL_VERSION_MAJOR, GAL_VERSION_MINOR, GAL_VERSION_PATCH.
#pragma once

#include <gal/core/detail/flags.hpp>

#define GAL_VERSION_MAJOR 0
#define GAL_VERSION_MINOR 1
#define GAL_VERSION_PATCH 0
