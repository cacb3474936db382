// Test loss over six decades of base learning rate, with the optimizer's steps and with curvature-rescaled ones (arXiv 2210.14520),
// on six tasks, each a `gal::compare`: a verdict on fixed settings over all tasks, and pictures.
#include "support/compare.hpp"
#include "support/console.hpp"
#include "support/gnuplot.hpp"
#include "support/problems.hpp"
#include "support/text.hpp"

#include <gal/gal.hpp>

#include <CLI/CLI.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

constexpr std::string_view description =
    R"(How much a learning rate matters: SGD, momentum (0.9) and Adam at base rates from 1e-6 to 1, plain and curvature-rescaled
(gal::rescaled; factor 1.7 and no averages for SGD, the defaults for the others).

Six small tasks: the digits with two networks; Boston housing and diabetes with the targets as they are, and standardised. Pixels
lie in [0, 1], other inputs are standardised; a quarter of the samples is for testing. All methods take the same number of steps, and all rates fall to zero
along a line; a seed sets the first weights and the order of the batches. Beside them Polyak's step, from the loss and the
gradient's norm (SPS of Loizou et al., 2021, with L* = 0, c = 1/2 and a largest rate of 1), without a base rate.

A rescaled step takes up to twice the time of a plain one, so that they are also run with as many steps as fit into equal time.

The verdict is, of every fixed setting, the geometric mean over the tasks of the test loss, a mean over the seeds, over that of Adam
at the best rate of each task. Best rates are chosen on the test part itself, which is in favour of the plain optimizers.)";

// ---- Methods -------------------------------------------------------------------------------------------------------

enum class direction { sgd, momentum, adam };
enum class length { plain, rescaled, in_equal_time, polyak };

struct method {
  const char* name;
  direction along;
  length steps;
};

constexpr std::array<method, 10> methods = {{
    {"Adam", direction::adam, length::plain},  // the first: all others are held against it
    {"SGD", direction::sgd, length::plain},
    {"momentum", direction::momentum, length::plain},
    {"rescaled SGD", direction::sgd, length::rescaled},
    {"rescaled momentum", direction::momentum, length::rescaled},
    {"rescaled Adam", direction::adam, length::rescaled},
    {"rescaled SGD, equal time", direction::sgd, length::in_equal_time},
    {"rescaled momentum, equal time", direction::momentum, length::in_equal_time},
    {"rescaled Adam, equal time", direction::adam, length::in_equal_time},
    {"Polyak's step", direction::sgd, length::polyak},
}};

struct settings : support::compare_settings {
  std::string out{};
  double time_ratio = 2.0;
  bool quick = false;
};

std::int64_t steps_in_equal_time(const settings& s) {
  return std::max<std::int64_t>(1, std::lround(s.budget / s.time_ratio));
}

// Half decades, or every fourth of them: -12 is 1e-6.
std::vector<double> base_rates(const settings& s) {
  std::vector<double> rates;
  for (int half_decades = -12; half_decades <= 0; half_decades += s.quick ? 4 : 1) {
    rates.push_back(std::pow(10.0, 0.5 * half_decades));
  }
  return rates;
}

// Where one rate has to stand for all.
constexpr double reference_rate = 1e-2;

std::size_t reference(const std::vector<double>& rates) {
  const auto distance = [](double rate) { return std::abs(std::log(rate / reference_rate)); };
  return static_cast<std::size_t>(std::ranges::min_element(rates, {}, distance) - rates.begin());
}

// ---- Training ------------------------------------------------------------------------------------------------------

// Gradient descent of the rate min(largest, L / (c |g|^2)).
template <class Loss>
class polyak {
 public:
  polyak(gal::nn::mlp<float>& model, Loss loss, gal::schedule schedule)
      : model_(model), loss_(std::move(loss)), schedule_(std::move(schedule)) {}

  template <class Input, class Target>
  void step(const Input& x, const Target& y) {
    const auto& features = model_.forward(x);
    gradient_.resize(features.rows(), features.columns());
    losses_.resize(1, features.columns());
    loss_.evaluate(model_.backend(), features.view(), y, losses_.view(), gradient_.view());
    const auto parameters = model_.parameters();
    for (const auto& block : parameters) {
      std::ranges::fill(block.gradient, 0.0f);
    }
    model_.backward(gradient_);
    double loss = 0.0;
    for (gal::index_type j = 0; j < losses_.columns(); ++j) {
      loss += losses_(0, j) / static_cast<double>(losses_.columns());
    }
    double square = 0.0;
    for (const auto& block : parameters) {
      for (const float g : block.gradient) {
        square += static_cast<double>(g) * static_cast<double>(g);
      }
    }
    const double rate = schedule_.factor(steps_++) * std::min(largest, loss / (c * square));
    if (std::isfinite(rate)) {
      for (const auto& block : parameters) {
        for (std::size_t i = 0; i < block.value.size(); ++i) {
          block.value[i] -= static_cast<float>(rate) * block.gradient[i];
        }
      }
    }
  }

 private:
  static constexpr double c = 0.5;
  static constexpr double largest = 1.0;

  gal::nn::mlp<float>& model_;
  Loss loss_;
  gal::schedule schedule_;
  gal::matrix<float> gradient_;
  gal::matrix<double> losses_;
  std::int64_t steps_ = 0;
};

// A data set with its network; `train` returns the test loss.
struct task {
  std::string name;
  std::string title;
  std::function<double(const method&, double rate, std::int64_t steps, std::uint64_t seed)> train;
};

template <class Trainer, class Batches>
void take_steps(Trainer& trainer, Batches& batches, std::int64_t steps) {
  while (steps > 0) {
    for (auto [x, y] : batches) {
      trainer.step(x, y);
      if (--steps == 0) {
        break;
      }
    }
  }
}

template <class Loss, class Target>
double train(const support::parts<Target>& data, const std::vector<gal::index_type>& widths,
             gal::nn::activation activation, int batch, const method& m, double rate, std::int64_t steps,
             std::uint64_t seed) {
  gal::nn::mlp<float> model(widths, {.activation = activation, .seed = seed});
  gal::batches batches(data.train, batch, seed);
  const gal::schedule decay = gal::linear_schedule(steps);
  const Loss loss;
  const auto train_by = [&](auto optimizer) {
    if (m.steps == length::plain) {
      gal::plain trainer(model, optimizer, loss);
      take_steps(trainer, batches, steps);
    } else {
      gal::rescaled_options options{.schedule = decay};
      if (m.along == direction::sgd) {
        options.factor = 1.7;
        options.averaging = 0.0;
      }
      gal::rescaled trainer(model, optimizer, loss, options);
      take_steps(trainer, batches, steps);
    }
  };
  if (m.steps == length::polyak) {
    polyak trainer(model, loss, decay);
    take_steps(trainer, batches, steps);
  } else if (m.along == direction::adam) {
    train_by(gal::adam<float>({.learning_rate = rate, .schedule = decay}));
  } else {
    train_by(gal::sgd<float>(
        {.learning_rate = rate, .momentum = m.along == direction::momentum ? 0.9 : 0.0, .schedule = decay}));
  }
  return gal::evaluate_loss(loss, model.forward(data.test.features), data.test.targets).mean;
}

template <class Loss, class Target>
task make_task(std::string name, std::string title, support::parts<Target> parts,
               std::vector<gal::index_type> widths, gal::nn::activation activation, int batch) {
  const auto data = std::make_shared<const support::parts<Target>>(std::move(parts));
  return {std::move(name), std::move(title),
          [=](const method& m, double rate, std::int64_t steps, std::uint64_t seed) {
            return train<Loss>(*data, widths, activation, batch, m, rate, steps, seed);
          }};
}

std::vector<task> all_tasks() {
  using gal::softmax_cross_entropy;
  std::vector<task> tasks;
  const support::parts<int> digits = support::divide(support::read_digits());
  tasks.push_back(make_task<softmax_cross_entropy>("digits", "Digits, 64-64-10, ReLU, batches of 32", digits,
                                                   {64, 64, 10}, gal::nn::relu, 32));
  tasks.push_back(make_task<softmax_cross_entropy>("digits_deep",
                                                   "Digits, 64-100-50-10, tanh, batches of 128", digits,
                                                   {64, 100, 50, 10}, gal::nn::tanh, 128));
  for (const support::regression_problem& p : support::regression_problems()) {
    if (p.name == "california") {
      continue;
    }
    const std::string name = std::string(p.name) + ".csv";
    const std::optional<std::string> file = support::data_file(name);
    support::require(file.has_value(), gal::error_code::unreadable_file, support::no_data_file(name));
    support::parts<float> data = support::divide(support::read_regression(p.name, *file));
    support::standardise(data);
    std::vector<gal::index_type> widths{data.train.features.rows()};
    widths.insert(widths.end(), p.hidden.begin(), p.hidden.end());
    widths.push_back(1);
    const std::string title(p.title);
    tasks.push_back(
        make_task<gal::mse>(std::string(p.name), title + ", raw targets", data, widths, gal::nn::relu, 32));
    gal::standardizer<float> scale;
    scale.fit(data.train.targets);
    scale.apply(data.train.targets);
    scale.apply(data.test.targets);
    tasks.push_back(make_task<gal::mse>(std::string(p.name) + "_standardised",
                                        title + ", standardised targets", data, widths, gal::nn::relu, 32));
  }
  return tasks;
}

// ---- Results -------------------------------------------------------------------------------------------------------

using results = std::vector<gal::comparison_result>;  // by task

results run(const settings& s, const std::vector<task>& tasks) {
  results all;
  for (const task& task : tasks) {
    std::vector<gal::method> list;
    for (const method& m : methods) {
      list.push_back({m.name, [&](const gal::trial& t) -> gal::measures {
                        const std::int64_t steps =
                            m.steps == length::in_equal_time ? steps_in_equal_time(s) : t.budget;
                        const double loss = task.train(m, t.learning_rate, steps, t.seed);
                        return {.validation = loss, .test = loss, .steps = steps};
                      }});
    }
    all.push_back(support::compare(s, task.name, list,
                                   {.title = task.title,
                                    .measure = "test loss",
                                    .learning_rates = base_rates(s),
                                    .tuning_seeds = s.seeds}));
  }
  return all;
}

constexpr double infinity = std::numeric_limits<double>::infinity();

// Over the seeds; infinite where a run left the range of numbers.
double loss_at(const gal::comparison_result& task, std::size_t method, std::size_t rate) {
  const gal::method_summary& summary = task.methods[method];
  return summary.lost[rate] > 0 ? infinity : summary.validation_mean[rate];
}

std::size_t best_rate(const gal::comparison_result& task, std::size_t method) {
  const auto& rates = task.options.learning_rates;
  return static_cast<std::size_t>(std::ranges::find(rates, task.methods[method].best_rate) - rates.begin());
}

// Over the tasks: geometric mean and largest of the loss over that of Adam at its best rate.
struct score {
  double mean = 1.0;
  double worst = 0.0;
};

// At the rate at that position; without one at the best of each task.
score score_of(const results& all, std::size_t method, std::optional<std::size_t> rate) {
  score result;
  for (const gal::comparison_result& task : all) {
    const double ratio =
        loss_at(task, method, rate.value_or(best_rate(task, method))) / loss_at(task, 0, best_rate(task, 0));
    result.mean *= std::pow(ratio, 1.0 / static_cast<double>(all.size()));
    result.worst = std::max(result.worst, ratio);
  }
  return result;
}

std::string shown(double ratio) { return ratio < 1000.0 ? support::fixed(ratio, 3) : "over 1000"; }

void print_scores(const results& all) {
  const std::vector<double>& rates = all.front().options.learning_rates;
  std::printf("\nTest loss over that of Adam at the best rate of each task, mean over the tasks\n\n");
  support::console_table table({"", "base rate", "mean", "worst task", "any base rate"}, 2);
  for (std::size_t k = 0; k < methods.size(); ++k) {
    std::vector<double> means;
    for (std::size_t rate = 0; rate < rates.size(); ++rate) {
      means.push_back(score_of(all, k, rate).mean);
    }
    const auto add = [&](const std::string& at, score s, bool has_range) {
      table.add({methods[k].name, at, shown(s.mean), shown(s.worst),
                 has_range ? shown(std::ranges::min(means)) + " to " + shown(std::ranges::max(means)) : ""});
    };
    if (methods[k].steps == length::polyak) {
      add("none", score_of(all, k, 0), false);
      continue;
    }
    if (methods[k].steps == length::plain) {
      const auto best = static_cast<std::size_t>(std::ranges::min_element(means) - means.begin());
      add("best of each task", score_of(all, k, std::nullopt), false);
      add("best of all, " + support::scientific(rates[best], 0), score_of(all, k, best), true);
    }
    const std::size_t fixed = reference(rates);
    add(support::text(rates[fixed]), score_of(all, k, fixed), true);
  }
  table.print();
}

// ---- Pictures ------------------------------------------------------------------------------------------------------

// Means over the seeds, a row a base rate.
std::string curves_csv(const gal::comparison_result& task) {
  std::string text = "number,rate";
  for (const method& m : methods) {
    text += support::text(",\"", m.name, "\"");
  }
  text += '\n';
  const std::vector<double>& rates = task.options.learning_rates;
  for (std::size_t rate = 0; rate < rates.size(); ++rate) {
    std::vector<double> row{rates[rate]};
    for (std::size_t k = 0; k < methods.size(); ++k) {
      row.push_back(loss_at(task, k, rate));
    }
    support::append_csv_row(text, rate + 1, row);
  }
  return text;
}

// A panel a task, from a little below its best loss to forty times it at most: beyond, a training has failed.
std::string panels(const std::vector<task>& tasks, const results& all) {
  std::string script;
  for (std::size_t t = 0; t < tasks.size(); ++t) {
    double best = infinity;
    double most = 0.0;
    for (std::size_t k = 0; k < methods.size(); ++k) {
      for (std::size_t rate = 0; rate < all[t].options.learning_rates.size(); ++rate) {
        const double mean = loss_at(all[t], k, rate);
        best = std::min(best, mean);
        most = std::isfinite(mean) ? std::max(most, mean) : most;
      }
    }
    script += support::text("  curves = '", tasks[t].name, "_rates.csv'\n  set title ",
                            support::gnuplot::literal(tasks[t].title), "\n  set yrange [", 0.85 * best, ":",
                            std::min(1.1 * most, 40.0 * best), "]\n", "  eval panel\n");
  }
  return script;
}

void draw(const settings& s, const std::vector<task>& tasks, const results& all) {
  const std::filesystem::path out(s.out);
  for (std::size_t t = 0; t < tasks.size(); ++t) {
    support::write_file(out / (tasks[t].name + "_rates.csv"), curves_csv(all[t]));
  }
  const auto plotter = support::gnuplot::find();
  if (!plotter) {
    std::printf("\ngnuplot is not in PATH: no pictures. The curves are in %s\n", s.out.c_str());
    return;
  }
  const auto picture = [&](const std::string& name, std::int64_t steps, int first_rescaled) {
    plotter->draw(
        out, name,
        "title = " +
            support::gnuplot::literal(support::text("Test loss; dashed: ", s.budget,
                                                    " steps as the optimizer proposes them, solid: ", steps,
                                                    " curvature-rescaled; mean of ", s.seeds, " seeds")) +
            "\nfirst = " + std::to_string(first_rescaled) + R"(
sgd = '#E69F00'
momentum = '#009E73'
line(column, style) = sprintf("curves skip 1 using 2:%d with lines ", column) . style . ' notitle, '
own(column, colour) = line(column, "linewidth 3 dashtype 2 linecolor rgb '" . colour . "'")
ours(column, colour) = line(column, "linewidth 4 linecolor rgb '" . colour . "'")
panel = 'plot ' . own(4, sgd) . own(5, momentum) . own(3, adjusted) \
  . ours(first, sgd) . ours(first + 1, momentum) . ours(first + 2, adjusted) \
  . 'curves skip 1 using 2:12 with lines linewidth 2 dashtype 3 linecolor rgb ink notitle'
set grid linecolor rgb '#dddddd' linetype 1
unset key
set label 1 'SGD' at screen 0.27, 0.035 textcolor rgb sgd font ',17'
set label 2 'momentum' at screen 0.37, 0.035 textcolor rgb momentum font ',17'
set label 3 'Adam' at screen 0.51, 0.035 textcolor rgb adjusted font ',17'
set label 4 "dotted: Polyak's step" at screen 0.61, 0.035 textcolor rgb ink font ',17'
set logscale xy
set format x '10^{%T}'
set xlabel 'base learning rate'
do for [kind in 'png svg'] {
  eval start(kind, 1500, 900)
  set multiplot layout 2,3 title title font ',16' textcolor rgb ink \
    margins screen 0.055, 0.98, 0.14, 0.89 spacing screen 0.06, 0.13
)" + panels(tasks, all) +
            R"(  unset multiplot
}
)",
        {"png", "svg"});
  };
  picture("learning_rates", s.budget, 6);
  picture("learning_rates_equal_time", steps_in_equal_time(s), 9);
  std::printf("\nCurves and pictures are in %s\n", s.out.c_str());
}

}  // namespace

int main(int count, char** arguments) {
  settings s;
  s.seeds = 5;
  s.budget = 1000;
  CLI::App app{std::string(description)};
  support::add_count(app, "--steps", s.budget, "Steps of a training");
  app.add_option("--time-ratio", s.time_ratio, "Plain steps that a rescaled one takes the time of")
      ->check(CLI::Range(1.0, 10.0))
      ->capture_default_str();
  app.add_flag("--quick", s.quick, "Four base rates instead of thirteen");
  support::add_path(app, "--out", s.out, "Directory for curves and pictures");
  support::add_run_options(app, s);
  CLI11_PARSE(app, count, arguments);

  return support::run_program("learning_rates", [&] {
    support::prepare_outputs(s, s.out);
    std::printf("%d steps, %d seeds, rates that fall along a line\n", s.budget, s.seeds);
    const std::vector<task> tasks = all_tasks();
    const results all = run(s, tasks);
    print_scores(all);
    support::write_results(s, "learning_rates", "Learning rates, plain and curvature-rescaled",
                           {{"time_ratio", s.time_ratio}, {"quick", s.quick}}, all);
    if (!s.out.empty()) {
      draw(s, tasks, all);
    }
  });
}
