// X'' alone, where X' and X'' are expected.
// expected: gal::second_order_model, requirement 1: `forward_second_order` cannot be called as forward_second_order(gal::parameter_direction<T> direction) to return a pair of viewable matrices, X' and X''; correct it, or leave it out.
#include <gal/gal.hpp>

#include <utility>

struct network : gal::nn::point<double> {
  using gal::nn::point<double>::point;
  gal::matrix_view<const double> forward_second_order(gal::parameter_direction<double> direction);
};

int main() {
  network model({1.0, 2.0});
  gal::directional_expansion along(model);
}
