// A std::vector<bool> is no range of numbers.
// expected: gal: a std::vector<bool> packs its values into bits, which cannot be looked at; convert it to a std::vector<int> or std::vector<std::uint8_t> of labels, or a std::vector<float> of probabilities.
#include <gal/backends/eigen.hpp>
#include <gal/loss.hpp>
#include <gal/nn/mlp.hpp>
#include <gal/train/adjust.hpp>

#include <vector>

int main() {
  gal::nn::mlp<double> model({2, 3});
  gal::sgd<double> optimizer;
  gal::adjust trainer(model, optimizer, gal::softmax_cross_entropy());
  trainer.step(gal::matrix<double>(2, 3), std::vector<bool>{true, false, true});
}
