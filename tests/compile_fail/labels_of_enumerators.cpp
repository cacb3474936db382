// Enumerators are no numbers either.
// expected: gal: the elements of a range must be numbers that lie side by side in memory; expected a std::vector<int> of labels, a std::vector<float>, a matrix, or a gal::view_of for the type.
#include <gal/backends/eigen.hpp>
#include <gal/loss.hpp>

#include <vector>

enum class species { setosa, virginica };

int main() {
  return static_cast<int>(gal::evaluate_loss(gal::softmax_cross_entropy(), gal::matrix<double>(2, 2),
                                             std::vector<species>{species::setosa, species::virginica})
                              .mean);
}
