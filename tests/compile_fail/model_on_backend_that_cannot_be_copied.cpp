// A backend with all primitives and no copy, which every matrix would need.
// expected: gal::backend: a backend must be copyable.
#include <gal/backends/eigen.hpp>
#include <gal/loss/entrywise.hpp>
#include <gal/train/adjust.hpp>

#include <array>
#include <vector>

struct unique_backend : gal::eigen_backend {
  unique_backend() = default;
  unique_backend(const unique_backend&) = delete;
  unique_backend& operator=(const unique_backend&) = delete;
};

struct proportional {
  using backend_type = unique_backend;
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
