// A column-major array of xtensor.
// expected: gal: a column-major xtensor array would be read transposed; gal expects row-major memory (C order) whose first dimension counts the samples. Use xt::layout_type::row_major, or assign to such an array.
#include <gal/adapters/xtensor.hpp>

int main() {
  const xt::xtensor<float, 2, xt::layout_type::column_major> m({3, 4});
  return static_cast<int>(gal::view(m).rows());
}
