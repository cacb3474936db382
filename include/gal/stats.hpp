// gal/stats.hpp: the room stats/, without t_test.hpp, which needs Boost.
#pragma once

#include <gal/stats/stats.hpp>
