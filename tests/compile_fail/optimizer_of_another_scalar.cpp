// An optimizer in float for a model in double.
// expected: gal::optimizer_for, requirement 2: provide `void step(std::span<const gal::parameter<T>> parameters)` with the scalar T of the model's features.
#include <gal/adjust.hpp>
#include <gal/eigen.hpp>
#include <gal/loss.hpp>
#include <gal/nn.hpp>

int main() {
  gal::nn::mlp<double> model({2, 1});
  gal::sgd<float> optimizer;
  gal::adjust trainer(model, optimizer, gal::mse());
}
