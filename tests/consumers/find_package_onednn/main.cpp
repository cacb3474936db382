#include <cstdio>
#include <gal/adapters/onednn.hpp>
#include <gal/gal.hpp>
#include <vector>

int main() {
  gal::nn::cnn<float, gal::onednn_backend> model({1, 8, 8}, gal::nn::lenet({1, 8, 8}, 10), {.seed = 1});
  gal::adam<float, gal::onednn_backend> optimizer({.learning_rate = 1e-3});
  gal::adjust trainer(model, optimizer, gal::softmax_cross_entropy{}, {.epsilon = 0.1});
  const gal::matrix<float> x(64, 4, 0.5f);
  const std::vector<int> y = {0, 1, 2, 3};
  const gal::adjust_report report = trainer.step(x, y);
  std::printf("loss %g\n", report.loss);
  return report.loss > 0 ? 0 : 1;
}
