// Classes have whole numbers.
// expected: gal: labels must be integers, the number of a class for each sample, such as a std::vector<int>.
#include <gal/eigen.hpp>
#include <gal/stats.hpp>

#include <vector>

int main() { return static_cast<int>(gal::error_rate(gal::matrix<double>(2, 2), std::vector<float>{0, 1})); }
