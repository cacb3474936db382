// An adjuster that proposes nothing.
// expected: gal::adjuster_for, requirement 1: provide `forward(gal::matrix_view<const T> input)` that returns a viewable matrix of the features' size.
#include <gal/backends/eigen.hpp>
#include <gal/loss/entrywise.hpp>
#include <gal/nn/mlp.hpp>
#include <gal/train/adjust.hpp>

#include <span>

struct constant {
  void backward(gal::matrix_view<const double>) {}
  std::span<gal::parameter<double>> parameters() { return {}; }
};

int main() {
  gal::nn::mlp<double> model({2, 1});
  gal::sgd<double> optimizer;
  gal::adjust<gal::nn::mlp<double>, gal::sgd<double>, gal::mse, constant> trainer(model, optimizer, {}, {},
                                                                                  constant());
}
