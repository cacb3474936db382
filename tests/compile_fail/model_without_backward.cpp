// A model that cannot be differentiated.
// expected: gal::model, requirement 6: provide `void backward(const feature_type& gradient)`.
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
  const std::vector<double>& forward(const std::vector<double>& input) {
    x = input;
    y = x;
    for (double& value : y) value *= a;
    return y;
  }
  auto parameters() { return std::array{gal::parameter<double>({&a, 1}, {&da, 1})}; }
};

int main() {
  proportional model;
  gal::sgd<double> optimizer;
  gal::adjust trainer(model, optimizer, gal::mse());
}
