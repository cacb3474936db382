// Adjoints are kept, and nothing is made of them.
// expected: gal::adjoint_model, requirement 2: provide `forward_tangent(gal::parameter_direction<T> direction, double* product)`, which also stores <G, X''>, or leave out `keep_adjoints`.
#include <gal/gal.hpp>

#include <utility>

struct network : gal::nn::point<double> {
  using gal::nn::point<double>::point;
  gal::matrix_view<const double> forward_tangent(gal::parameter_direction<double> direction);
};

int main() {
  network model({1.0, 2.0});
  gal::directional_expansion along(model);
}
