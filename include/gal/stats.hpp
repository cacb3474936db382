// gal/stats.hpp: the room stats/, without t_test.hpp and power.hpp, which need Boost.
#pragma once

#include <gal/stats/classification.hpp>
#include <gal/stats/holm.hpp>
#include <gal/stats/signed_ranks.hpp>
#include <gal/stats/stats.hpp>
