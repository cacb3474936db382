// The library in one screen: house prices from 13 measurements, by gradient adjustment learning. Run it from the root
// of the project, or name the file.
#include <gal/gal.hpp>

#include <cstdio>
#include <exception>

int main(int count, char** arguments) try {
  const auto file = count > 1 ? arguments[1] : "examples/data/boston.csv";
  const auto data = gal::make_dataset<float>(gal::read_csv(file));  // the target is the last column
  const auto [train_indices, test_indices] =
      gal::train_test_split(data.size(), {.test_fraction = 0.25, .seed = 1});
  auto train = gal::take(data, train_indices);
  auto test = gal::take(data, test_indices);
  gal::standardizer<float> scale;
  scale.fit(train.features);
  scale.apply(train.features);
  scale.apply(test.features);

  gal::nn::mlp<float> model({data.features.rows(), 100, 50, 1}, {.activation = gal::nn::relu, .seed = 1});
  gal::adam<float> optimizer({.learning_rate = 1e-3});
  gal::adjust trainer(model, optimizer, gal::mse());

  gal::batches batches(train, 32, /*seed=*/1);
  for (int epoch = 1; epoch <= 100; ++epoch) {
    double loss = 0.0;
    double accepted = 0.0;
    for (auto [x, y] : batches) {
      const gal::adjust_report report = trainer.step(x, y);
      loss += report.loss / static_cast<double>(batches.size());
      accepted += report.accepted_share / static_cast<double>(batches.size());
    }
    if (epoch % 20 == 0) {
      std::printf("epoch %3d: loss %6.2f, adjusted gradients accepted for %5.1f %% of the samples\n", epoch,
                  loss, 100.0 * accepted);
    }
  }
  std::printf("mean absolute error on %td unseen samples: %.2f\n", test.size(),
              gal::mean_absolute_error(model.forward(test.features), test.targets));
} catch (const std::exception& error) {
  std::fprintf(stderr, "quickstart: %s\n", error.what());
  return 1;
}
