// An optimizer that does not step.
// expected: gal::optimizer_for, requirement 2: provide `void step(std::span<const gal::parameter<T>> parameters)` with the scalar T of the model's features.
#include <gal/backends/eigen.hpp>
#include <gal/loss/entrywise.hpp>
#include <gal/nn/mlp.hpp>
#include <gal/train/adjust.hpp>

struct descent {
  double learning_rate() const { return 0.1; }
};

int main() {
  gal::nn::mlp<double> model({2, 1});
  descent optimizer;
  gal::adjust trainer(model, optimizer, gal::mse());
}
