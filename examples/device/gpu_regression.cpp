// Regression on the device backend: Adam plain and with adjusted gradients, each step a recorded graph on CUDA.
#include "gpu_regression.hpp"
#include "support/data_files.hpp"
#include "support/housing.hpp"

#include <gal/gal.hpp>

#include <CLI/CLI.hpp>

#include <cstdio>
#include <exception>
#include <string>
#include <vector>

namespace {

regression_part part_of(const gal::dataset<float>& data) {
  const auto features = data.features.view();
  const auto targets = data.targets.view();
  return {static_cast<long>(features.rows()), static_cast<long>(features.columns()),
          std::vector<float>(features.data(), features.data() + features.size()),
          std::vector<float>(targets.data(), targets.data() + targets.size())};
}

regression_data load(const std::string& dataset, std::string file) {
  if (file.empty()) {
    const std::string name = dataset + ".csv";
    const auto found = support::data_file(name);
    gal::detail::require(found.has_value(), gal::error_code::unreadable_file, support::no_data_file(name));
    file = *found;
  }
  const gal::table raw = gal::read_csv(file);
  const auto data =
      gal::make_dataset<float>(dataset == "california" ? support::california_features(raw, file) : raw);
  const auto [train_indices, test_indices] =
      gal::train_test_split(data.size(), {.test_fraction = 0.25, .seed = 1});
  auto train = gal::take(data, train_indices);
  auto test = gal::take(data, test_indices);
  gal::standardizer<float> scale;
  scale.fit(train.features);
  scale.apply(train.features);
  scale.apply(test.features);
  return {part_of(train), part_of(test)};
}

}  // namespace

int main(int count, char** arguments) try {
  std::string dataset = "boston";
  std::string csv;
  std::string preset = "recommended";
  bool eager = false;
  regression_settings settings;
  CLI::App app(
      "Regression on the device backend, plain Adam (vanilla) against adjusted gradients (GAL), with the "
      "networks of "
      "Table V of arXiv 2201.09193. Data, split and scaling as in the program regression; the last batch of "
      "an epoch "
      "is left out where it is short. On CUDA a step is recorded once and replayed.");
  app.add_option("--dataset", dataset, "boston, diabetes or california")
      ->check(CLI::IsMember({"boston", "diabetes", "california"}))
      ->capture_default_str();
  app.add_option("--csv", csv, "the file of the data set, where it is not among the program's own");
  app.add_option("--preset", preset, "recommended or paper")
      ->check(CLI::IsMember({"recommended", "paper"}))
      ->capture_default_str();
  app.add_option("--epochs", settings.epochs)->check(CLI::Range(1, 1'000'000))->capture_default_str();
  app.add_option("--batch", settings.batch, "samples a step")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  app.add_option("--learning-rate", settings.learning_rate, "of Adam")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  app.add_option("--seed", settings.seed, "of weights and batches")->capture_default_str();
  app.add_flag("--eager", eager, "launch every kernel of every step instead of replaying a recorded one");
  CLI11_PARSE(app, count, arguments);

  settings.paper = preset == "paper";
  settings.graph = !eager;
  settings.hidden = dataset == "boston"     ? std::vector<long>{100, 50}
                    : dataset == "diabetes" ? std::vector<long>{64, 32}
                                            : std::vector<long>{256, 64};
  settings.adjuster_hidden = dataset == "boston"     ? std::vector<long>{16, 4}
                             : dataset == "diabetes" ? std::vector<long>{128, 4}
                                                     : std::vector<long>{128, 2};
  const regression_data data = load(dataset, csv);
  std::printf("%s: %ld samples for training, %ld for testing, on %s\n\n", dataset.c_str(), data.train.samples,
              data.test.samples, device_name().c_str());
  std::printf("%-8s %10s %10s %8s %10s %12s\n", "method", "MAE", "MSE", "R2", "accepted", "us a step");
  for (const bool adjusted : {false, true}) {
    settings.adjusted = adjusted;
    const regression_result result = train_on_device(data, settings);
    const std::vector<float>& targets = data.test.targets;
    std::printf("%-8s %10.4f %10.4f %8.4f %9.1f%% %12.2f\n", adjusted ? "gal" : "vanilla",
                gal::mean_absolute_error(result.predictions, targets),
                gal::mean_squared_error(result.predictions, targets),
                gal::r2_score(result.predictions, targets), 100.0 * result.accepted_share,
                1e6 * result.seconds / static_cast<double>(result.steps));
  }
} catch (const std::exception& failure) {
  std::fprintf(stderr, "gpu_regression: %s\n", failure.what());
  return 1;
}
