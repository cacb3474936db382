#include <cstdio>
#include <gal/gal.hpp>

int main() {
  gal::nn::mlp<float> model({2, 8, 1}, {.seed = 1});
  gal::adam<float> optimizer({.learning_rate = 1e-3});
  gal::adjust trainer(model, optimizer, gal::mse{}, {.epsilon = 0.1});
  gal::matrix<float> x(2, 4, 0.5f), y(1, 4, 1.0f);  // rows, columns, fill
  const gal::adjust_report report = trainer.step(x, y);
  std::printf("loss %g\n", report.loss);
  return report.loss > 0 ? 0 : 1;
}
