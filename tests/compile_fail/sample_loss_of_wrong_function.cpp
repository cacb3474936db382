// A function of one sample that takes no gradient.
// expected: gal::sample_loss: the function must be callable as f(x, y, gradient), or f(x, gradient) without targets, with spans of the features' scalar, and return a number.
#include <gal/backends/eigen.hpp>
#include <gal/loss/sample_loss.hpp>
#include <gal/nn/point.hpp>
#include <gal/train/adjust.hpp>

#include <span>

int main() {
  gal::nn::point<double> model({1.0});
  gal::sgd<double> optimizer;
  gal::adjust trainer(model, optimizer,
                      gal::sample_loss([](std::span<const double> x) { return x[0] * x[0]; }));
  trainer.step();
}
