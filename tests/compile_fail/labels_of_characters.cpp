// A character is no class number, though C++ counts with it.
// expected: gal::softmax_cross_entropy: labels must be integers; a bool or a character is none. Convert them to int or std::uint8_t.
#include <gal/backends/eigen.hpp>
#include <gal/loss/evaluate_loss.hpp>
#include <gal/loss/softmax_cross_entropy.hpp>

#include <vector>

int main() {
  const gal::matrix<double> logits(2, 3);
  return static_cast<int>(
      gal::evaluate_loss(gal::softmax_cross_entropy(), logits, std::vector<char>{0, 1, 0}).mean);
}
