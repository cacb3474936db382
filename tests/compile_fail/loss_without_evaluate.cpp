// A function is no loss until it is wrapped.
// expected: gal::loss_for, requirement 1: provide `evaluate(backend, features, targets, values, gradient)` for these targets, or wrap a function of one sample in gal::sample_loss.
#include <gal/backends/eigen.hpp>
#include <gal/loss/sample_loss.hpp>
#include <gal/nn/point.hpp>
#include <gal/train/adjust.hpp>

int main() {
  const auto square = [](auto x, auto gradient) {
    gradient[0] = 2 * x[0];
    return x[0] * x[0];
  };
  gal::nn::point<double> model({1.0});
  gal::sgd<double> optimizer;
  gal::adjust trainer(model, optimizer, square);
  trainer.step();
}
