// A row-major map as the input of a network.
// expected: gal: a row-major matrix would be read transposed; gal expects column-major memory with a sample per column. Map the same memory as a column-major matrix of the transposed size.
#include <gal/backends/eigen.hpp>
#include <gal/nn/mlp.hpp>

#include <Eigen/Core>

int main() {
  const float numbers[6] = {};
  const Eigen::Map<const Eigen::Matrix<float, 2, 3, Eigen::RowMajor>> x(numbers);
  gal::nn::mlp<float> model({2, 1});
  model.forward(x);
}
