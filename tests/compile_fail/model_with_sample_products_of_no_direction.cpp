// Products of samples with nothing.
// expected: gal::sample_product_model, requirement 1: `sample_products` cannot be called as sample_products(gal::parameter_direction<T> direction, double* products); correct it, or leave it out.
#include <gal/gal.hpp>

struct network : gal::nn::point<double> {
  using gal::nn::point<double>::point;
  void sample_products(double* products);
};

int main() {
  network model({1.0, 2.0});
  gal::directional_expansion along(model);
}
