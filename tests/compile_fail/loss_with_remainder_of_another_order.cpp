// A closed form with displacement and targets exchanged: without a sentence it would never be called.
// expected: gal::loss_for: `remainder` cannot be called as remainder(backend, features, targets, displacement, values, gradient); correct it, or leave it out.
#include <gal/gal.hpp>

struct squared {
  template <class Backend, class View, class Target, class Values, class Gradient>
  void evaluate(const Backend&, View, const Target&, Values, Gradient) {}
  template <class Backend>
  void remainder(const Backend&, gal::matrix_view<const double>, gal::matrix_view<const double>, int,
                 gal::matrix_view<double>, gal::matrix_view<double>) {}
};

int main() {
  gal::nn::mlp<double> model({2, 1});
  gal::sgd<double> optimizer;
  gal::adjust trainer(model, optimizer, squared{});
  trainer.step(gal::matrix<double>(2, 3), gal::matrix<double>(1, 3));
}
