// A backend that knows its memory and nothing else.
// expected: gal::backend, requirement 2: provide `allocate<T>(count)` and `deallocate(pointer, count)`.
// expected: gal::backend, requirement 3: provide `copy(from, to, count)` and `fill(to, count, value)`.
// expected: gal::backend, requirement 4: provide `for_each(count, f)` and `for_each(rows, columns, f)`.
// expected: gal::backend, requirement 5: provide `sum(count, f, result)`.
// expected: gal::backend, requirement 6: provide `sum_rows(rows, columns, f, results)`.
// expected: gal::backend, requirement 7: provide `product(ta, tb, alpha, a, b, beta, c)`.
// expected: gal::backend, requirement 8: provide `read(pointer)`.
#include <gal/backends/eigen.hpp>
#include <gal/loss/entrywise.hpp>
#include <gal/train/adjust.hpp>

#include <array>
#include <vector>

struct hollow_backend {
  using memory_type = gal::host_memory;
};

struct proportional {
  using backend_type = hollow_backend;
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
