// The learning rate of an optimizer must be readable where it is const.
// expected: gal::optimizer_for, requirement 1: provide `double learning_rate() const`, the rate of the next step.
#include <gal/backends/eigen.hpp>
#include <gal/loss/entrywise.hpp>
#include <gal/nn/mlp.hpp>
#include <gal/train/adjust.hpp>

#include <span>

struct descent {
  double learning_rate() { return 0.1; }
  void step(std::span<const gal::parameter<double>>) {}
};

int main() {
  gal::nn::mlp<double> model({2, 1});
  descent optimizer;
  gal::adjust trainer(model, optimizer, gal::mse());
}
