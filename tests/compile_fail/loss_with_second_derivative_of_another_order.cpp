// A closed form with tangent and targets exchanged: without a sentence it would never be called.
// expected: gal::second_order_loss_for: `second_derivative` cannot be called as second_derivative(backend, features, targets, tangent, values); correct it, or leave it out.
#include <gal/gal.hpp>

struct squared {
  template <class Backend, class View, class Target, class Values, class Gradient>
  void evaluate(const Backend&, View, const Target&, Values, Gradient) {}
  template <class Backend>
  void second_derivative(const Backend&, gal::matrix_view<const double>, gal::matrix_view<const double>, int,
                         gal::matrix_view<double>) {}
};

int main() {
  gal::nn::mlp<double> model({2, 1});
  gal::parameter_vector<double> u;
  gal::directional_expansion along(model);
  along.expand(squared{}, gal::matrix<double>(2, 3), 7, u.blocks());
}
