// A model that does not name its input.
// expected: gal::model, requirement 1: name the type that forward takes in a member `input_type`.
#include <gal/backends/eigen.hpp>
#include <gal/loss/entrywise.hpp>
#include <gal/train/adjust.hpp>

#include <array>
#include <vector>

struct proportional {
  using feature_type = std::vector<double>;
  double a = 0, da = 0;
  std::vector<double> x, y;
  const std::vector<double>& forward(const std::vector<double>& input) {
    x = input;
    y = x;
    for (double& value : y) value *= a;
    return y;
  }
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
