// A model that cannot be evaluated.
// expected: gal::model, requirement 5: provide `const feature_type& forward(const input_type& input)`.
#include <gal/backends/eigen.hpp>
#include <gal/loss/entrywise.hpp>
#include <gal/train/adjust.hpp>

#include <array>
#include <vector>

struct proportional {
  using input_type = std::vector<double>;
  using feature_type = std::vector<double>;
  double a = 0, da = 0;
  std::vector<double> x, y;
  void backward(const std::vector<double>& g) {
    for (std::size_t j = 0; j < g.size(); ++j) da += g[j] * x[j];
  }
  auto parameters() { return std::array{gal::parameter<double>({&a, 1}, {&da, 1})}; }
};

int main() {
  proportional model;
  gal::sgd<double> optimizer;
  gal::adjust trainer(model, optimizer, gal::mse());
}
