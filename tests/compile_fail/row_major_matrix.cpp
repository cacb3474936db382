// A row-major matrix of Eigen.
// expected: gal: a row-major matrix would be read transposed; gal expects column-major memory with a sample per column. Map the same memory as a column-major matrix of the transposed size.
#include <gal/backends/eigen.hpp>
#include <gal/core/view.hpp>

#include <Eigen/Core>

int main() {
  const Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor> m(3, 4);
  return static_cast<int>(gal::view(m).rows());
}
