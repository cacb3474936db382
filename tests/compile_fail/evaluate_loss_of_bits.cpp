// Nor outside of training.
// expected: gal: a std::vector<bool> packs its values into bits, which cannot be looked at; convert it to a std::vector<int> or std::vector<std::uint8_t> of labels, or a std::vector<float> of probabilities.
#include <gal/backends/eigen.hpp>
#include <gal/loss.hpp>

#include <vector>

int main() {
  return static_cast<int>(gal::evaluate_loss(gal::binary_cross_entropy(), gal::matrix<double>(1, 2),
                                             std::vector<bool>{true, false})
                              .mean);
}
