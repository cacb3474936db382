// Outside of training, too.
// expected: gal::loss_for, requirement 1: provide `evaluate(backend, features, targets, values, gradient)` for these targets, or wrap a function of one sample in gal::sample_loss.
#include <gal/backends/eigen.hpp>
#include <gal/loss.hpp>

#include <list>

int main() {
  return static_cast<int>(
      gal::evaluate_loss(gal::mse(), gal::matrix<double>(2, 3), std::list<double>{1, 2, 3}).mean);
}
