// gal/backends.hpp: the room backends/, without thrust.hpp, which needs Thrust: the CPU.
#pragma once

#include <gal/backends/eigen.hpp>
