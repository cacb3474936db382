#include "networks.hpp"

#include "idea_trainer.hpp"
#include "numbers.hpp"

#include "support/data_files.hpp"
#include "support/text.hpp"

#include <gal/gal.hpp>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <optional>
#include <type_traits>
#include <utility>

namespace study {

namespace {

constexpr gal::index_type batch = 32;

template <class Trainer>
void train_epoch(Trainer& trainer, auto& batches, std::vector<double>& row) {
  double steps = 0.0;
  for (auto [x, y] : batches) {
    const auto report = trainer.step(x, y);
    row[0] += report.loss;
    if constexpr (std::is_same_v<decltype(report), const gal::adjust_report>) {
      row[1] += std::abs(report.remainder);
      row[2] += report.cosine;
      row[3] += report.accepted_share;
      row[4] += report.tentative_loss < report.vanilla_tentative_loss ? 1.0 : 0.0;
    } else {
      std::fill(row.begin() + 1, row.end(), gal::step_report::none);
    }
    steps += 1.0;
  }
  for (double& value : row) {
    value /= steps;
  }
}

// The measures of the predictions for the test part.
template <class Target, class Loss>
void measure(const support::parts<Target>& data, const gal::matrix<float>& predictions, const Loss& loss,
             std::vector<double>& row) {
  const auto add = [&](auto... measures) { (row.push_back(measures), ...); };
  if constexpr (std::is_same_v<Target, int>) {
    add(gal::error_rate(predictions, data.test.targets),
        gal::evaluate_loss(loss, predictions, data.test.targets).mean);
  } else {
    add(gal::mean_absolute_error(predictions, data.test.targets),
        gal::mean_squared_error(predictions, data.test.targets),
        gal::r2_score(predictions, data.test.targets));
  }
}

template <class Target, class Optimizer, class Loss>
outcome train_idea(const support::parts<Target>& data, const training& how,
                   const std::vector<gal::index_type>& widths, Optimizer optimizer, const Loss& loss) {
  const gal::adjust_options options = *support::with_seed(how.options, how.seed);
  gal::batches batches(data.train, batch, how.seed);
  idea_trainer<Optimizer, Loss> trainer(widths, how.seed, optimizer, loss, options, *how.idea,
                                        static_cast<double>(batches.size()) * how.epochs);
  outcome result;
  for (int epoch = 0; epoch < how.epochs; ++epoch) {
    std::vector<double> row(first_measure, 0.0);
    for (auto [x, y] : batches) {
      row[0] += trainer.step(x, y);
    }
    row[0] /= static_cast<double>(batches.size());
    if (epoch + 1 == how.epochs) {
      measure(data, trainer(data.test.features), loss, row);
    }
    result.epochs.push_back(std::move(row));
  }
  return result;
}

template <class Target, class Optimizer, class Loss>
outcome train_with(const support::parts<Target>& data, const training& how,
                   const std::vector<gal::index_type>& widths, Optimizer optimizer, const Loss& loss) {
  if (how.idea) {
    return train_idea(data, how, widths, std::move(optimizer), loss);
  }
  gal::nn::mlp<float> model(widths, {.activation = gal::nn::relu, .seed = how.seed});
  gal::batches batches(data.train, batch, how.seed);
  outcome result;
  support::with_trainer(model, optimizer, loss, support::with_seed(how.options, how.seed),
                        [&](auto& trainer) {
                          for (int epoch = 0; epoch < how.epochs; ++epoch) {
                            std::vector<double> row(first_measure, 0.0);
                            const double start = processor_seconds();
                            train_epoch(trainer, batches, row);
                            result.step_seconds += processor_seconds() - start;
                            measure(data, model.forward(data.test.features), loss, row);
                            result.epochs.push_back(std::move(row));
                          }
                        });
  result.step_seconds /= static_cast<double>(batches.size()) * how.epochs;
  return result;
}

}  // namespace

prepared network_task::divide(std::uint32_t split, bool validation) const {
  return std::visit(
      [&](const auto& all) -> prepared {
        auto result = support::divide(all, split);
        if (validation) {
          result = support::divide(result.train);
        }
        if (!classifies()) {
          support::standardise(result);
        }
        return result;
      },
      samples);
}

outcome network_task::train(const prepared& data, const training& how) const {
  const double rate = how.learning_rate;
  if (const auto* regression = std::get_if<support::parts<float>>(&data)) {
    return train_with(*regression, how, widths, gal::adam<float>({.learning_rate = rate}), gal::mse());
  }
  const auto& digits = std::get<support::parts<int>>(data);
  const gal::softmax_cross_entropy loss;
  if (optimizer == "adam") {
    return train_with(digits, how, widths, gal::adam<float>({.learning_rate = rate}), loss);
  }
  return train_with(digits, how, widths, gal::sgd<float>({.learning_rate = rate, .momentum = 0.9}), loss);
}

network_task load_task(std::string_view name) {
  gal::adjust_options paper = gal::paper();
  if (name == "digits_sgd" || name == "digits_adam") {
    const bool adam = name == "digits_adam";
    return {.name = std::string(name),
            .title = adam ? "Digits, Adam" : "Digits, SGD with momentum",
            .optimizer = adam ? "adam" : "sgd",
            .learning_rate = adam ? 1e-3 : 0.02,
            .epochs = 20,
            .widths = {support::digit_shape.size(), 64, support::digit_classes},
            .measures = support::classification_measures(),
            .selects = 0,
            .paper = std::move(paper),
            .samples = support::read_digits()};
  }
  const auto problems = support::regression_problems();
  const std::string file_name = file_of(name);
  const std::string_view data_name = std::string_view(file_name).substr(0, file_name.find('.'));
  const auto about = std::ranges::find(problems, data_name, &support::regression_problem::name);
  support::require(about != problems.end(), gal::error_code::invalid_option, "no task ", name);
  const std::optional<std::string> file = support::data_file(file_name);
  support::require(file.has_value(), gal::error_code::unreadable_file, support::no_data_file(file_name));
  gal::dataset<float> samples = support::read_regression(data_name, *file);
  std::vector<gal::index_type> widths{samples.features.rows()};
  std::ranges::copy(about->hidden, std::back_inserter(widths));
  widths.push_back(1);
  paper.normalisation = gal::normalisation::per_batch;  // per sample, one feature leaves nothing to learn
  paper.hidden = about->adjuster_hidden;
  const bool is_long = name != data_name;
  return {.name = std::string(name),
          .title = support::text(about->title, is_long ? ", 100 epochs" : ""),
          .optimizer = "adam",
          .learning_rate = 1e-3,
          .epochs = data_name == "california" && !is_long ? 20 : 100,
          .widths = std::move(widths),
          .measures = {{.name = "mae", .title = "MAE"},
                       {.name = "mse", .title = "MSE"},
                       {.name = "r2", .title = "R2", .larger_is_better = true}},
          .selects = 1,
          .paper = std::move(paper),
          .samples = std::move(samples)};
}

}  // namespace study
