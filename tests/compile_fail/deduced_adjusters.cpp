// Adjusters that the compiler deduces, with a backend and without.
// expected: gal::adjuster_for, requirement 2: provide `void backward(gal::matrix_view<const T> gradient)`.
// expected: gal::adjuster_for, requirement 3: provide `parameters()`, a range of (value, gradient) pairs.
#include <gal/backends/eigen.hpp>
#include <gal/loss/entrywise.hpp>
#include <gal/nn/mlp.hpp>
#include <gal/train/adjust.hpp>

#include <span>

struct without_backward {
  gal::matrix<double> ones;
  const gal::matrix<double>& forward(gal::matrix_view<const double> x) {
    ones = gal::matrix<double>(x.rows(), x.columns(), 1.0);
    return ones;
  }
  std::span<gal::parameter<double>> parameters() { return {}; }
};

struct without_parameters {
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
  gal::adjust first(model, optimizer, gal::mse(), {}, without_backward());
  gal::adjust second(model, optimizer, gal::mse(), {}, without_parameters(), gal::eigen_backend());
}
