// Features of a type that the library cannot look at.
// expected: gal::model, requirement 3: `feature_type` must be viewable and writable; specialise gal::view_of for it.
#include <gal/backends/eigen.hpp>
#include <gal/loss/entrywise.hpp>
#include <gal/train/adjust.hpp>

#include <array>
#include <list>
#include <vector>

struct proportional {
  using input_type = std::vector<double>;
  using feature_type = std::list<double>;
  double a = 0, da = 0;
  std::list<double> y;
  const std::list<double>& forward(const std::vector<double>&) { return y; }
  void backward(const std::list<double>&) {}
  auto parameters() { return std::array{gal::parameter<double>({&a, 1}, {&da, 1})}; }
};

int main() {
  proportional model;
  gal::sgd<double> optimizer;
  gal::adjust trainer(model, optimizer, gal::mse());
}
