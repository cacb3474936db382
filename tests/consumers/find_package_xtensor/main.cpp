#include <cstdio>
#include <gal/adapters/xtensor.hpp>
#include <gal/gal.hpp>

int main() {
  gal::nn::mlp<float> model({2, 8, 1}, {.seed = 1});
  gal::adam<float> optimizer({.learning_rate = 1e-3});
  gal::adjust trainer(model, optimizer, gal::mse{}, {.epsilon = 0.1});
  const xt::xtensor<float, 2> x = 0.5f * xt::ones<float>({4, 2});
  const xt::xarray<float> y = xt::ones<float>({4});
  const gal::adjust_report report = trainer.step(x, y);
  std::printf("loss %g\n", report.loss);
  return report.loss > 0 ? 0 : 1;
}
