// A pass that cannot be exchanged.
// expected: gal::pass_keeping_model, requirement 1: `pass()` has to return a reference to something that can be copied; correct it, or leave it out.
#include <gal/gal.hpp>

struct network : gal::nn::point<double> {
  using gal::nn::point<double>::point;
  int pass();
};

int main() {
  network model({1.0, 2.0});
  gal::directional_expansion along(model);
}
