// The library in one screen: fits y = sin(3 a) b from 512 samples by gradient adjustment learning.
#include <gal/gal.hpp>

#include <cmath>
#include <cstdio>

int main() {
  gal::dataset<float> train{gal::matrix<float>(2, 512), gal::matrix<float>(1, 512)};  // a sample per column
  gal::random_stream random{.seed = 1};
  for (gal::index j = 0; j < train.size(); ++j) {
    const auto a = static_cast<float>(2.0 * random.uniform() - 1.0);
    const auto b = static_cast<float>(2.0 * random.uniform() - 1.0);
    train.features(0, j) = a;
    train.features(1, j) = b;
    train.targets(0, j) = std::sin(3.0f * a) * b;
  }

  gal::nn::mlp<float> model({2, 32, 32, 1}, {.activation = gal::nn::relu, .seed = 1});
  gal::adam<float> optimizer({.learning_rate = 1e-3});
  gal::adjust trainer(model, optimizer, gal::mse(), {.hidden = {16, 4}});

  const auto loss = [&] { return gal::mean_squared_error(model.forward(train.features), train.targets); };
  const double before = loss();
  double accepted = 0.0;
  constexpr int epochs = 50;
  gal::batches batches(train, 32, /*seed=*/1);
  for (int epoch = 0; epoch < epochs; ++epoch) {
    for (auto [x, y] : batches) {
      accepted += trainer.step(x, y).accepted_share;
    }
  }
  std::printf("loss before %.5f, after %.5f; adjusted gradients accepted for %.1f %% of the samples\n",
              before, loss(), 100.0 * accepted / static_cast<double>(epochs * batches.size()));
}
