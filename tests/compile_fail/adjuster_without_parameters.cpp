// An adjuster that does not say what it learns, be it nothing.
// expected: gal::adjuster_for, requirement 3: provide `parameters()`, a range of (value, gradient) pairs.
#include <gal/backends/eigen.hpp>
#include <gal/loss/entrywise.hpp>
#include <gal/nn/mlp.hpp>
#include <gal/train/adjust.hpp>

struct constant {
  gal::matrix<double> ones;
  const gal::matrix<double>& forward(gal::matrix_view<const double> x) {
    ones = gal::matrix<double>(x.rows(), x.columns(), 1.0);
    return ones;
  }
  void backward(gal::matrix_view<const double>) {}
};

int main() {
  gal::nn::mlp<double> model({2, 1});
  gal::sgd<double> optimizer;
  gal::adjust<gal::nn::mlp<double>, gal::sgd<double>, gal::mse, constant> trainer(model, optimizer, {}, {},
                                                                                  constant());
}
