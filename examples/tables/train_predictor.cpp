// Trains a network on a table and leaves one file that predicts: train_predictor --csv FILE --out model.safetensors. The last
// column is the target. tables/predict.cpp is the program that uses the file.
#include <gal/fit/callbacks.hpp>
#include <gal/gal.hpp>
#include <gal/predict.hpp>

#include <CLI/CLI.hpp>

#include <cstdint>
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

int main(int count, char** arguments) try {
  std::string csv = "examples/data/diabetes.csv";
  std::string out = "model.safetensors";
  std::int64_t epochs = 200;
  CLI::App program("Trains a network on a table, and writes a file that predicts.");
  program.add_option("--csv", csv, "table of numbers; its last column is the target")->capture_default_str();
  program.add_option("--out", out, "where the predictor goes")->capture_default_str();
  program.add_option("--epochs", epochs, "at most so many")->capture_default_str();
  CLI11_PARSE(program, count, arguments);

  const gal::table table = gal::read_csv(csv);
  const auto data = gal::make_dataset<float>(table);
  const auto [train_rows, test_rows] = gal::train_test_split(data.size(), {.test_fraction = 0.2, .seed = 1});
  auto train = gal::take(data, train_rows);
  auto test = gal::take(data, test_rows);
  const auto raw = test;
  gal::standardizer<float> inputs, targets;
  inputs.fit(train.features);
  targets.fit(train.targets);
  for (auto* part : {&train, &test}) {
    inputs.apply(part->features);
    targets.apply(part->targets);
  }

  gal::nn::mlp<float> model({data.features.rows(), 32, 1}, {.activation = gal::nn::relu, .seed = 1});
  gal::adam<float> optimizer({.learning_rate = 1e-3});
  gal::plain trainer(model, optimizer, gal::mse());
  gal::batches batches(train, 32, /*seed=*/1);
  gal::batches validation(test, 256, {.shuffle = false});
  const auto result = gal::fit(trainer, batches, validation, {.epochs = epochs, .patience = 20});

  const gal::predictor<float> predictor(model, {.inputs = inputs,
                                                .targets = targets,
                                                .columns = {table.names.begin(), table.names.end() - 1},
                                                .target_names = {table.names.back()}});
  gal::save_predictor(out, predictor);
  std::printf("%lld epochs; mean absolute error on %td rows that only chose the epoch: %.4g\n",
              static_cast<long long>(result.epochs), raw.size(),
              gal::mean_absolute_error(predictor.predict(raw.features), raw.targets));
  std::printf("The predictor is in %s; row %td: %.6g\n", out.c_str(), test_rows.front() + 1,
              static_cast<double>(predictor.predict(raw.features.view().columns(0, 1))(0, 0)));
} catch (const std::exception& error) {
  std::fprintf(stderr, "train_predictor: %s\n", error.what());
  return 1;
}
