// Classes have whole numbers, and a row of probabilities is no matrix of them.
// expected: gal::softmax_cross_entropy: a range of floating-point numbers holds no labels; expected integers, such as a std::vector<int>, or a matrix with a probability for every class.
#include <gal/backends/eigen.hpp>
#include <gal/loss.hpp>

#include <vector>

int main() {
  return static_cast<int>(
      gal::evaluate_loss(gal::softmax_cross_entropy(), gal::matrix<double>(3, 2), std::vector<float>{0, 2})
          .mean);
}
