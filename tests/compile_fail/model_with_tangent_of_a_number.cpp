// A tangent that takes no direction: without a sentence differences would stand in for it.
// expected: gal::tangent_model, requirement 1: `forward_tangent` cannot be called as forward_tangent(gal::parameter_direction<T> direction) to return a viewable matrix of the features' scalar; correct it, or leave it out.
#include <gal/gal.hpp>

#include <utility>

struct network : gal::nn::point<double> {
  using gal::nn::point<double>::point;
  gal::matrix_view<const double> forward_tangent(double length);
};

int main() {
  network model({1.0, 2.0});
  gal::directional_expansion along(model);
}
