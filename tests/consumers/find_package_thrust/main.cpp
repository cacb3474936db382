#include <cstdio>
#include <gal/backends/thrust.hpp>
#include <gal/loss/entrywise.hpp>
#include <gal/train/adjust.hpp>

int main() {
  const gal::thrust_backend device;
  gal::nn::mlp<float, gal::thrust_backend> model({2, 8, 1}, {.seed = 1}, device);
  gal::adam<float, gal::thrust_backend> optimizer({.learning_rate = 1e-3}, device);
  gal::adjust trainer(model, optimizer, gal::mse{}, {.epsilon = 0.1});
  const gal::matrix<float, gal::thrust_backend> x(2, 4, 0.5f, device), y(1, 4, 1.0f, device);
  const gal::adjust_report report = trainer.step(x, y);
  std::printf("loss %g\n", report.loss);
  return report.loss > 0 ? 0 : 1;
}
