// Features without a copy, which could not hold their gradient.
// expected: gal::model, requirement 4: `feature_type` must be copyable; a copy of it holds the gradient.
#include <gal/backends/eigen.hpp>
#include <gal/loss/entrywise.hpp>
#include <gal/train/adjust.hpp>

#include <array>
#include <vector>

struct unique_row : std::array<double, 3> {
  unique_row() = default;
  unique_row(const unique_row&) = delete;
};

struct proportional {
  using input_type = std::vector<double>;
  using feature_type = unique_row;
  double a = 0, da = 0;
  unique_row y;
  const unique_row& forward(const std::vector<double>&) { return y; }
  void backward(const unique_row&) {}
  auto parameters() { return std::array{gal::parameter<double>({&a, 1}, {&da, 1})}; }
};

int main() {
  proportional model;
  gal::sgd<double> optimizer;
  gal::adjust trainer(model, optimizer, gal::mse());
}
