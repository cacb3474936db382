// gal/gal.hpp: the library for programs that run on the host: the rooms that need the standard library and Eigen alone,
// except fit/ and io/, which need POSIX.
#pragma once

#include <gal/backends.hpp>
#include <gal/core.hpp>
#include <gal/data.hpp>
#include <gal/loss.hpp>
#include <gal/nn.hpp>
#include <gal/optim.hpp>
#include <gal/stats.hpp>
#include <gal/taylor.hpp>
#include <gal/train.hpp>
