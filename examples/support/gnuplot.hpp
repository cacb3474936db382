// support/gnuplot.hpp: pictures by gnuplot.
// Provides: gnuplot.
#pragma once

#include <gal/io/gnuplot.hpp>

namespace support {

using gal::gnuplot;

}  // namespace support
