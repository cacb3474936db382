// Nor in batches.
// expected: gal: a std::vector<bool> packs its values into bits, which cannot be looked at; convert it to a std::vector<int> or std::vector<std::uint8_t> of labels, or a std::vector<float> of probabilities.
#include <gal/backends/eigen.hpp>
#include <gal/data/batches.hpp>

#include <vector>

int main() {
  const gal::matrix<double> features(2, 4);
  const std::vector<bool> labels{true, false, true, true};
  gal::batches batches(features, labels, 2);
}
