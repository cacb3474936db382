// gal/taylor.hpp: the room taylor/: the expansion of a loss.
#pragma once

#include <gal/taylor/check_gradients.hpp>
#include <gal/taylor/expansion.hpp>
