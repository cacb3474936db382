// An input that does not convert to what the model takes.
// expected: gal::adjust::step: the input does not convert to the model's `input_type`.
#include <gal/backends/eigen.hpp>
#include <gal/loss/entrywise.hpp>
#include <gal/nn/mlp.hpp>
#include <gal/train/adjust.hpp>

int main() {
  gal::nn::mlp<double> model({2, 1});
  gal::sgd<double> optimizer;
  gal::adjust trainer(model, optimizer, gal::mse());
  trainer.step(gal::matrix<float>(2, 3), gal::matrix<double>(1, 3));
}
