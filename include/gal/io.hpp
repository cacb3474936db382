// gal/io.hpp: the room io/, without safetensors.hpp and checkpoint.hpp, which need nlohmann-json (POSIX).
#pragma once

#include <gal/io/files.hpp>
#include <gal/io/gnuplot.hpp>
#include <gal/io/machine.hpp>
#include <gal/io/state.hpp>
