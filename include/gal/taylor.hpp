// gal/taylor.hpp: the room taylor/: expansions of a loss.
#pragma once

#include <gal/taylor/check_gradients.hpp>
#include <gal/taylor/directional_expansion.hpp>
#include <gal/taylor/expansion.hpp>
#include <gal/taylor/parameter_remainder.hpp>
