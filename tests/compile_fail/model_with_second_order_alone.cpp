// X' and X'', and no way to X' alone.
// expected: gal::second_order_model: provide `forward_tangent(gal::parameter_direction<T> direction)` beside `forward_second_order`.
#include <gal/gal.hpp>

#include <array>
#include <utility>
#include <vector>

struct proportional {
  using input_type = std::vector<double>;
  using feature_type = std::vector<double>;
  double a = 0, da = 0;
  std::vector<double> x, y;
  const std::vector<double>& forward(const std::vector<double>& input);
  void backward(const std::vector<double>& gradient);
  auto parameters() { return std::array{gal::parameter<double>({&a, 1}, {&da, 1})}; }
  std::pair<std::vector<double>, std::vector<double>> forward_second_order(
      gal::parameter_direction<double> direction);
};

int main() {
  proportional model;
  gal::directional_expansion along(model);
}
