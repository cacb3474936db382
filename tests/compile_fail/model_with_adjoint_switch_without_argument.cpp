// Adjoints that cannot be switched off.
// expected: gal::adjoint_model, requirement 1: `keep_adjoints` cannot be called as keep_adjoints(bool keep); correct it, or leave it out.
#include <gal/gal.hpp>

#include <utility>

struct network : gal::nn::point<double> {
  using gal::nn::point<double>::point;
  void keep_adjoints();
};

int main() {
  network model({1.0, 2.0});
  gal::directional_expansion along(model);
}
