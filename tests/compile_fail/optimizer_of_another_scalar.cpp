// An optimizer in float for a model in double.
// expected: gal::optimizer_for, requirement 2: provide `void step(std::span<const gal::parameter<T>> parameters)` with the scalar T of the model's features.
#include <gal/backends/eigen.hpp>
#include <gal/loss/entrywise.hpp>
#include <gal/nn/mlp.hpp>
#include <gal/train/adjust.hpp>

int main() {
  gal::nn::mlp<double> model({2, 1});
  gal::sgd<float> optimizer;
  gal::adjust trainer(model, optimizer, gal::mse());
}
