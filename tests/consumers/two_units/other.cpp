// A second unit with the whole library: what a header defines and forgets to call inline is now
// defined twice, and the linker says so.
#include <gal/gal.hpp>
