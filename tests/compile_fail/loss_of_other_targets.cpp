// Targets that the loss cannot take.
// expected: gal::loss_for, requirement 1: provide `evaluate(backend, features, targets, values, gradient)` for these targets, or wrap a function of one sample in gal::sample_loss.
#include <gal/backends/eigen.hpp>
#include <gal/loss/entrywise.hpp>
#include <gal/loss/sample_loss.hpp>
#include <gal/nn/mlp.hpp>
#include <gal/train/adjust.hpp>

#include <list>

int main() {
  gal::nn::mlp<double> model({2, 1});
  gal::sgd<double> optimizer;
  gal::adjust trainer(model, optimizer, gal::mse());
  trainer.step(gal::matrix<double>(2, 3), std::list<double>{1, 2, 3});
}
