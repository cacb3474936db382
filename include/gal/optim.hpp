// gal/optim.hpp: the room optim/: optimizers.
#pragma once

#include <gal/optim/lookahead.hpp>
#include <gal/optim/optimizer_options.hpp>
#include <gal/optim/optimizers.hpp>
#include <gal/optim/schedule.hpp>
