// An adjuster that cannot be differentiated.
// expected: gal::adjuster_for, requirement 2: provide `void backward(gal::matrix_view<const T> gradient)`.
#include <gal/backends/eigen.hpp>
#include <gal/loss/entrywise.hpp>
#include <gal/nn/mlp.hpp>
#include <gal/train/adjust.hpp>

#include <span>

struct constant {
  gal::matrix<double> ones;
  const gal::matrix<double>& forward(gal::matrix_view<const double> x) {
    ones = gal::matrix<double>(x.rows(), x.columns(), 1.0);
    return ones;
  }
  std::span<gal::parameter<double>> parameters() { return {}; }
};

int main() {
  gal::nn::mlp<double> model({2, 1});
  gal::sgd<double> optimizer;
  gal::adjust<gal::nn::mlp<double>, gal::sgd<double>, gal::mse, constant> trainer(model, optimizer, {}, {},
                                                                                  constant());
}
