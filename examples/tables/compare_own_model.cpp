// Does gradient adjustment help on my data and my network? Plain Adam against gal::adjust, at the best learning rate of each.
// Run it from the root of the project: compare_own_model [FILE.csv [PAGE.html [STEPS]]]; the target is the last column.
#include <gal/gal.hpp>
#include <gal/study.hpp>

#include <cstdio>
#include <exception>
#include <string>

int main(int count, char** arguments) try {
  const std::string file = count > 1 ? arguments[1] : "examples/data/diabetes.csv";
  const auto data = gal::make_dataset<float>(gal::read_csv(file));
  const auto [others, test_rows] = gal::train_test_split(data.size(), {.test_fraction = 0.25, .seed = 1});
  const auto rest = gal::take(data, others);
  const auto [train_rows, validation_rows] =
      gal::train_test_split(rest.size(), {.test_fraction = 0.25, .seed = 2});
  auto train = gal::take(rest, train_rows);
  auto validation = gal::take(rest, validation_rows);
  auto test = gal::take(data, test_rows);
  gal::standardizer<float> scale;
  scale.fit(train.features);
  for (auto* part : {&train, &validation, &test}) {
    scale.apply(part->features);
  }

  const auto train_by = [&](const gal::trial& t, auto make_trainer) -> gal::measures {
    gal::nn::mlp<float> model({data.features.rows(), 64, 32, 1},  // your network
                              {.activation = gal::nn::relu, .seed = t.seed});
    gal::adam<float> optimizer(
        {.learning_rate = t.learning_rate, .schedule = gal::linear_schedule(t.budget)});
    auto trainer = make_trainer(model, optimizer);
    gal::batches batches(train, 32, t.seed);
    while (trainer.steps() < t.budget) {
      for (auto [x, y] : batches) {
        if (trainer.steps() < t.budget) {
          trainer.step(x, y);
        }
      }
    }
    const auto error = [&](const auto& part) {
      return gal::mean_squared_error(model.forward(part.features), part.targets);
    };
    return {.validation = error(validation), .test = error(test), .steps = trainer.steps()};
  };
  const auto plain = [](auto& model, auto& adam) { return gal::plain(model, adam, gal::mse()); };
  const auto adjusted = [](auto& model, auto& adam) {
    return gal::adjust(model, adam, gal::mse(), gal::recommended());
  };

  const auto result = gal::compare({{"plain Adam", [&](const gal::trial& t) { return train_by(t, plain); }},
                                    {"GAL", [&](const gal::trial& t) { return train_by(t, adjusted); }}},
                                   {.title = file + ", MLP 64-32",
                                    .measure = "mean squared error",
                                    .learning_rates = {1e-3, 3e-3, 1e-2, 3e-2, 1e-1},
                                    .budget = count > 3 ? std::stoi(arguments[3]) : 500,
                                    .verdict_seeds = 20,
                                    .threads = 2,
                                    .progress = gal::show_progress});
  std::fputs(gal::text_table(result).c_str(), stdout);
  if (count > 2) {
    gal::write_page(result, arguments[2]);
    std::printf("\nThe page is in %s\n", arguments[2]);
  }
} catch (const std::exception& error) {
  std::fprintf(stderr, "compare_own_model: %s\n", error.what());
  return 1;
}
