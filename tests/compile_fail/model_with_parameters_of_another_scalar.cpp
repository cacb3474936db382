// Parameters in float below features in double.
// expected: gal::model, requirement 7: provide `parameters()`, a range of (value, gradient) pairs of contiguous memory with the scalar of the features.
#include <gal/backends/eigen.hpp>
#include <gal/loss/entrywise.hpp>
#include <gal/train/adjust.hpp>

#include <array>
#include <vector>

struct proportional {
  using input_type = std::vector<double>;
  using feature_type = std::vector<double>;
  float a = 0, da = 0;
  std::vector<double> x, y;
  const std::vector<double>& forward(const std::vector<double>&) { return y; }
  void backward(const std::vector<double>&) {}
  auto parameters() { return std::array{gal::parameter<float>({&a, 1}, {&da, 1})}; }
};

int main() {
  proportional model;
  gal::sgd<double> optimizer;
  gal::adjust trainer(model, optimizer, gal::mse());
}
