// Test loss over six decades of base learning rate, with the optimizer's steps and with curvature-rescaled ones (arXiv 2210.14520),
// on six tasks: a verdict on fixed settings, JSON, pictures, a page of curves.
#include "support/comparison.hpp"
#include "support/problems.hpp"
#include "support/text.hpp"

#include <gal/fit/html_page.hpp>
#include <gal/gal.hpp>

#include <CLI/CLI.hpp>

#include <algorithm>
#include <array>
#include <chrono>
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
  std::string_view name;   // in files
  std::string_view title;  // for people
  direction along;
  length steps;
};

constexpr std::array<method, 10> methods = {{
    {"sgd", "SGD", direction::sgd, length::plain},
    {"momentum", "momentum", direction::momentum, length::plain},
    {"adam", "Adam", direction::adam, length::plain},
    {"rescaled_sgd", "rescaled SGD", direction::sgd, length::rescaled},
    {"rescaled_momentum", "rescaled momentum", direction::momentum, length::rescaled},
    {"rescaled_adam", "rescaled Adam", direction::adam, length::rescaled},
    {"rescaled_sgd_equal_time", "rescaled SGD, equal time", direction::sgd, length::in_equal_time},
    {"rescaled_momentum_equal_time", "rescaled momentum, equal time", direction::momentum,
     length::in_equal_time},
    {"rescaled_adam_equal_time", "rescaled Adam, equal time", direction::adam, length::in_equal_time},
    {"polyak", "Polyak's step", direction::sgd, length::polyak},
}};
constexpr std::size_t tuned_adam = 2;

struct settings : support::run_settings {
  int steps = 1000;
  double time_ratio = 2.0;
  bool quick = false;
};

int steps_in_equal_time(const settings& s) {
  return std::max(1, static_cast<int>(std::lround(s.steps / s.time_ratio)));
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

// Polyak's step has no base rate.
std::size_t count_rates(const method& m, const std::vector<double>& rates) {
  return m.steps == length::polyak ? 1 : rates.size();
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
  std::function<double(const method&, double rate, int steps, std::uint64_t seed)> train;
};

template <class Trainer, class Batches>
void take_steps(Trainer& trainer, Batches& batches, int steps) {
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
             gal::nn::activation activation, int batch, const method& m, double rate, int steps,
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
          [=](const method& m, double rate, int steps, std::uint64_t seed) {
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

constexpr double infinity = std::numeric_limits<double>::infinity();

// Test losses of a method on a task, by base rate, then by seed.
using losses = std::vector<std::vector<double>>;

struct results {
  std::vector<task> tasks;
  std::vector<double> rates;
  std::vector<std::array<losses, methods.size()>> by_task;
  double seconds = 0.0;
};

// Infinite where a run left the range of numbers.
double mean_of(const std::vector<double>& values) {
  const double mean = gal::mean(values);
  return std::isfinite(mean) ? mean : infinity;
}

std::size_t best_rate(const losses& of_method) {
  return static_cast<std::size_t>(std::ranges::min_element(of_method, {}, mean_of) - of_method.begin());
}

// Over the tasks: geometric mean and largest of the loss over that of Adam at its best rate.
struct score {
  double mean = 1.0;
  double worst = 0.0;
};

// `rate` chooses the base rate on a task.
template <class Rate>
score score_of(const results& r, std::size_t method, Rate rate) {
  score result;
  for (const auto& task : r.by_task) {
    const double best = mean_of(task[tuned_adam][best_rate(task[tuned_adam])]);
    const double ratio = mean_of(task[method][rate(task[method])]) / best;
    result.mean *= std::pow(ratio, 1.0 / static_cast<double>(r.by_task.size()));
    result.worst = std::max(result.worst, ratio);
  }
  return result;
}
score score_at(const results& r, std::size_t method, std::size_t rate) {
  return score_of(r, method, [rate](const losses&) { return rate; });
}

struct verdict_row {
  std::string name;
  std::string rate;
  score at;
  std::optional<std::array<double, 2>> any;  // the best and worst mean of all base rates
};

std::vector<verdict_row> verdict(const results& r) {
  std::vector<verdict_row> rows;
  const std::size_t fixed = reference(r.rates);
  const std::string fixed_text = support::text(r.rates[fixed]);
  for (std::size_t k = 0; k < methods.size(); ++k) {
    const std::string title(methods[k].title);
    if (methods[k].steps == length::polyak) {
      rows.push_back({title, "none", score_at(r, k, 0), std::nullopt});
      continue;
    }
    std::vector<double> means;
    for (std::size_t rate = 0; rate < r.rates.size(); ++rate) {
      means.push_back(score_at(r, k, rate).mean);
    }
    const std::array<double, 2> any = {std::ranges::min(means), std::ranges::max(means)};
    if (methods[k].steps == length::plain) {
      const auto best = static_cast<std::size_t>(std::ranges::min_element(means) - means.begin());
      rows.push_back({title, "best of each task", score_of(r, k, best_rate), std::nullopt});
      rows.push_back(
          {title, "best of all, " + support::scientific(r.rates[best], 0), score_at(r, k, best), any});
    }
    rows.push_back({title, fixed_text, score_at(r, k, fixed), any});
  }
  return rows;
}

std::string shown(double ratio) { return ratio < 1000.0 ? support::fixed(ratio, 3) : "over 1000"; }

void print(const results& r) {
  for (std::size_t t = 0; t < r.tasks.size(); ++t) {
    support::console_table table(
        {r.tasks[t].title, "best base rate", "test loss", "at 1e-2", "at the worst rate"});
    for (std::size_t k = 0; k < methods.size(); ++k) {
      const losses& of_method = r.by_task[t][k];
      const std::size_t best = best_rate(of_method);
      const bool has_rate = methods[k].steps != length::polyak;
      std::vector<double> means;
      for (const auto& seeds : of_method) {
        means.push_back(mean_of(seeds));
      }
      const auto cell = [](double loss) {
        return std::isfinite(loss) ? support::scientific(loss, 2) : "diverged";
      };
      table.add({std::string(methods[k].title), has_rate ? support::scientific(r.rates[best], 0) : "",
                 cell(means[best]), has_rate ? cell(means[reference(r.rates)]) : "",
                 has_rate ? cell(std::ranges::max(means)) : ""});
    }
    std::printf("\n");
    table.print();
  }
  std::printf("\nTest loss over that of Adam at the best rate of each task, mean over the tasks\n\n");
  support::console_table table({"", "base rate", "mean", "worst task", "any base rate"}, 2);
  for (const verdict_row& row : verdict(r)) {
    table.add({row.name, row.rate, shown(row.at.mean), shown(row.at.worst),
               row.any ? shown((*row.any)[0]) + " to " + shown((*row.any)[1]) : ""});
  }
  table.print();
  std::printf("\n%.1f s\n", r.seconds);
}

support::json to_json(const settings& s) {
  return {{"steps", s.steps}, {"time_ratio", s.time_ratio}, {"seeds", s.seeds}, {"quick", s.quick}};
}

void write_json(const settings& s, const results& r) {
  if (s.json_file.empty()) {
    return;
  }
  support::json result{{"program", "learning_rates"}, {"configuration", to_json(s)}, {"rates", r.rates}};
  for (std::size_t t = 0; t < r.tasks.size(); ++t) {
    support::json part{{"name", r.tasks[t].name}, {"title", r.tasks[t].title}};
    for (std::size_t k = 0; k < methods.size(); ++k) {
      part["test_loss"][std::string(methods[k].name)] = r.by_task[t][k];
    }
    result["tasks"].push_back(std::move(part));
  }
  for (const verdict_row& row : verdict(r)) {
    result["verdict"].push_back(
        {{"method", row.name}, {"base_rate", row.rate}, {"mean", row.at.mean}, {"worst_task", row.at.worst}});
  }
  result["run"] = {{"threads", s.threads}, {"seconds", r.seconds}};
  support::add_run_record(result["run"]);
  support::write_file(s.json_file, result.dump(2) + "\n");
}

// ---- Pictures ------------------------------------------------------------------------------------------------------

// Means over the seeds, a row a base rate.
std::string curves_csv(const results& r, std::size_t t) {
  std::string text = "number,rate";
  for (const method& m : methods) {
    text += support::text(",", m.name);
  }
  text += '\n';
  for (std::size_t rate = 0; rate < r.rates.size(); ++rate) {
    std::vector<double> row{r.rates[rate]};
    for (std::size_t k = 0; k < methods.size(); ++k) {
      row.push_back(mean_of(r.by_task[t][k][methods[k].steps == length::polyak ? 0 : rate]));
    }
    support::append_csv_row(text, rate + 1, row);
  }
  return text;
}

// A panel a task, from a little below its best loss to forty times it at most: beyond, a training has failed.
std::string panels(const results& r) {
  std::string script;
  for (std::size_t t = 0; t < r.tasks.size(); ++t) {
    double best = infinity;
    double most = 0.0;
    for (const losses& of_method : r.by_task[t]) {
      for (const auto& seeds : of_method) {
        const double mean = mean_of(seeds);
        best = std::min(best, mean);
        most = std::isfinite(mean) ? std::max(most, mean) : most;
      }
    }
    script += support::text("  curves = '", r.tasks[t].name, "_rates.csv'\n  set title ",
                            support::gnuplot::literal(r.tasks[t].title), "\n  set yrange [", 0.85 * best, ":",
                            std::min(1.1 * most, 40.0 * best), "]\n", "  eval panel\n");
  }
  return script;
}

void write_pictures(const settings& s, const results& r) {
  if (s.out.empty()) {
    return;
  }
  const std::filesystem::path out(s.out);
  for (std::size_t t = 0; t < r.tasks.size(); ++t) {
    support::write_file(out / (r.tasks[t].name + "_rates.csv"), curves_csv(r, t));
  }
  const auto plotter = support::gnuplot::find();
  if (!plotter) {
    std::printf("\ngnuplot is not in PATH: no pictures. The curves are in %s\n", s.out.c_str());
    return;
  }
  const auto draw = [&](const std::string& name, int steps, int first_rescaled) {
    plotter->draw(out, name,
                  "title = " +
                      support::gnuplot::literal(support::text(
                          "Test loss; dashed: ", s.steps, " steps as the optimizer proposes them, solid: ",
                          steps, " curvature-rescaled; mean of ",
                          support::counted(static_cast<std::size_t>(s.seeds), "seed"))) +
                      "\nfirst = " + std::to_string(first_rescaled) + R"(
sgd = '#E69F00'
momentum = '#009E73'
line(column, style) = sprintf("curves skip 1 using 2:%d with lines ", column) . style . ' notitle, '
own(column, colour) = line(column, "linewidth 3 dashtype 2 linecolor rgb '" . colour . "'")
ours(column, colour) = line(column, "linewidth 4 linecolor rgb '" . colour . "'")
panel = 'plot ' . own(3, sgd) . own(4, momentum) . own(5, adjusted) \
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
)" + panels(r) + R"(  unset multiplot
}
)",
                  {"png", "svg"});
  };
  draw("learning_rates", s.steps, 6);
  draw("learning_rates_equal_time", steps_in_equal_time(s), 9);
  std::printf("\nCurves and pictures are in %s\n", s.out.c_str());
}

void write_report(const settings& s, const results& r) {
  if (s.report_file.empty()) {
    return;
  }
  gal::html_page page("Learning rates, plain and curvature-rescaled",
                      support::text(s.steps, " steps; lines are means over ",
                                    support::counted(static_cast<std::size_t>(s.seeds), "seed")));
  gal::html_page::table table{.header = {"", "base rate", "mean", "worst task"}};
  for (const verdict_row& row : verdict(r)) {
    table.rows.push_back({row.name, row.rate, shown(row.at.mean), shown(row.at.worst)});
  }
  page.heading("Test loss over that of Adam at the best rate of each task");
  page.add(table);
  page.heading("Test loss over the base learning rate");
  for (std::size_t t = 0; t < r.tasks.size(); ++t) {
    gal::html_page::chart chart{.title = r.tasks[t].title,
                                .x_label = "decimal logarithm of the base learning rate",
                                .y_label = "test loss",
                                .x = {},
                                .curves = {},
                                .logarithmic = true};
    for (const double rate : r.rates) {
      chart.x.push_back(std::log10(rate));
    }
    for (std::size_t k = 0; k < methods.size(); ++k) {
      gal::html_page::curve curve{.name = std::string(methods[k].title), .values = {}};
      for (std::size_t rate = 0; rate < r.rates.size(); ++rate) {
        curve.values.push_back(mean_of(r.by_task[t][k][methods[k].steps == length::polyak ? 0 : rate]));
      }
      chart.curves.push_back(std::move(curve));
    }
    page.add(chart);
  }
  gal::html_page::table configuration;
  support::add_rows(configuration, to_json(s));
  page.heading("Configuration");
  page.add(configuration);
  support::write_file(s.report_file, page.text());
  std::printf("\nThe report is in %s\n", s.report_file.c_str());
}

results run(const settings& s) {
  results r{.tasks = all_tasks(), .rates = base_rates(s), .by_task = {}};
  const auto seeds = static_cast<std::size_t>(s.seeds);
  struct job {
    std::size_t task, method, rate, seed;
  };
  std::vector<job> jobs;
  r.by_task.resize(r.tasks.size());
  for (std::size_t t = 0; t < r.tasks.size(); ++t) {
    for (std::size_t k = 0; k < methods.size(); ++k) {
      r.by_task[t][k].assign(count_rates(methods[k], r.rates), std::vector<double>(seeds));
      for (std::size_t rate = 0; rate < r.by_task[t][k].size(); ++rate) {
        for (std::size_t seed = 0; seed < seeds; ++seed) {
          jobs.push_back({t, k, rate, seed});
        }
      }
    }
  }
  const auto start = std::chrono::steady_clock::now();
  support::progress_bar progress("learning_rates", jobs.size());
  support::parallel_for(jobs.size(), s.threads, [&](std::size_t number) {
    const job& j = jobs[number];
    const method& m = methods[j.method];
    const int steps = m.steps == length::in_equal_time ? steps_in_equal_time(s) : s.steps;
    r.by_task[j.task][j.method][j.rate][j.seed] =
        r.tasks[j.task].train(m, r.rates[j.rate], steps, j.seed + 1);
    progress.advance();
  });
  r.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return r;
}

}  // namespace

int main(int count, char** arguments) {
  settings s;
  s.seeds = 5;
  CLI::App app{std::string(description)};
  support::add_count(app, "--steps", s.steps, "Steps of a training", 1'000'000);
  app.add_option("--time-ratio", s.time_ratio, "Plain steps that a rescaled one takes the time of")
      ->check(CLI::Range(1.0, 10.0))
      ->capture_default_str();
  app.add_flag("--quick", s.quick, "Four base rates instead of thirteen");
  support::add_options(app, s);
  CLI11_PARSE(app, count, arguments);

  return support::run_program("learning_rates", [&] {
    support::prepare_outputs(s);
    std::printf("%d steps, %s, rates that fall along a line\n", s.steps,
                support::counted(static_cast<std::size_t>(s.seeds), "seed").c_str());
    const results r = run(s);
    print(r);
    write_json(s, r);
    write_pictures(s, r);
    write_report(s, r);
  });
}
