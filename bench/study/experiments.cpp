#include "experiments.hpp"

#include "methods.hpp"

#include "support/console.hpp"
#include "support/parallel.hpp"
#include "support/text.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <iterator>
#include <limits>
#include <span>
#include <utility>

namespace study {

namespace {

using runs_by_seed = std::vector<outcome>;

// Every training of `hows` with the seeds 1, 2, ..., by training, then by seed.
std::vector<runs_by_seed> run(const network_task& task, const prepared& data,
                              const std::vector<training>& hows, const scope& s, const std::string& title) {
  const auto seeds = static_cast<std::size_t>(s.seeds);
  std::vector<runs_by_seed> results(hows.size(), runs_by_seed(seeds));
  support::progress_bar progress(support::text(task.name, " ", title), hows.size() * seeds);
  support::parallel_for(hows.size() * seeds, s.threads, [&](std::size_t job) {
    training how = hows[job % hows.size()];
    how.seed = job / hows.size() + 1;
    results[job % hows.size()][how.seed - 1] = task.train(data, how);
    progress.advance();
  });
  return results;
}

int epochs_of(const network_task& task, const scope& s) { return s.epochs > 0 ? s.epochs : task.epochs; }

training default_training(const network_task& task, const scope& s, const method& m) {
  return {m.adjusted(), task.learning_rate, epochs_of(task, s), 0, m.idea};
}

std::vector<training> trainings_of(const network_task& task, const scope& s,
                                   const std::vector<method>& methods) {
  std::vector<training> result;
  for (const method& m : methods) {
    result.push_back(default_training(task, s, m));
  }
  return result;
}

// Every method at so many times the default learning rate, by method, then by rate.
std::vector<training> at_rates(const network_task& task, const scope& s, const std::vector<method>& methods,
                               std::span<const double> factors) {
  std::vector<training> result;
  for (const method& m : methods) {
    for (const double factor : factors) {
      result.push_back(default_training(task, s, m));
      result.back().learning_rate *= factor;
    }
  }
  return result;
}

// A measure of every seed, after so many epochs; 0: the last.
std::vector<double> values_of(const runs_by_seed& runs, std::size_t measure, std::size_t epochs = 0) {
  std::vector<double> result;
  for (const outcome& run : runs) {
    const auto& row = epochs == 0 ? run.epochs.back() : run.epochs[epochs - 1];
    result.push_back(row[first_measure + measure]);
  }
  return result;
}

// Where the runs of `at_rates` have the least mean error of a method; what diverged is worst.
std::size_t best_rate(const network_task& task, const std::vector<runs_by_seed>& runs,
                      std::size_t method_number, std::size_t rates) {
  std::size_t best = method_number * rates;
  double least = std::numeric_limits<double>::infinity();
  for (std::size_t k = method_number * rates; k < (method_number + 1) * rates; ++k) {
    const double error = gal::mean(values_of(runs[k], task.selects));
    if (error < least) {
      least = error;
      best = k;
    }
  }
  return best;
}

double seconds_of(const runs_by_seed& runs) {
  std::vector<double> seconds;
  for (const outcome& run : runs) {
    seconds.push_back(run.step_seconds);
  }
  return median(std::move(seconds));
}

// The contrast of every measure; the baseline is read after `epochs`.
json contrasts(const network_task& task, const runs_by_seed& runs, const runs_by_seed& baseline,
               std::size_t epochs = 0) {
  json result;
  for (std::size_t k = 0; k < task.measures.size(); ++k) {
    result[task.measures[k].name] =
        contrast(values_of(runs, k), values_of(baseline, k, epochs), task.measures[k].larger_is_better);
  }
  return result;
}

json head(const network_task& task, const scope& s) {
  json measures = json::array();
  for (const support::measure& m : task.measures) {
    measures.push_back(m.name);
  }
  return {{"title", task.title},
          {"seeds", s.seeds},
          {"epochs", epochs_of(task, s)},
          {"optimizer", task.optimizer},
          {"learning_rate", task.learning_rate},
          {"measures", std::move(measures)}};
}

std::vector<method> task_methods(const network_task& task) {
  return methods_of(gal::recommended(), task.paper);
}

}  // namespace

json compare(const network_task& task, const scope& s) {
  const prepared data = task.divide(1, false);
  const std::vector<method> methods = task_methods(task);
  const auto runs = run(task, data, trainings_of(task, s, methods), s, "methods");
  std::vector<double> costs;
  for (const runs_by_seed& of_method : runs) {
    costs.push_back(seconds_of(of_method) / seconds_of(runs.front()));
  }
  const int epochs = epochs_of(task, s);
  const auto epochs_in_time = [&](double cost) {
    return std::max(epochs, static_cast<int>(std::ceil(cost * epochs)));
  };
  training longer = default_training(task, s, methods.front());
  longer.epochs = epochs_in_time(std::ranges::max(costs));
  const auto long_runs = run(task, data, {longer}, s, "vanilla, longer");

  json result = head(task, s);
  result["vanilla_step_seconds"] = rounded(seconds_of(runs.front()));
  for (std::size_t m = 0; m < methods.size(); ++m) {
    const int same_time = epochs_in_time(costs[m]);
    json part{{"method", methods[m].name}, {"title", methods[m].title}};
    if (m > 0) {
      part["cost"] = rounded(costs[m]);
      part["vanilla_epochs"] = same_time;
      part["equal_steps"] = contrasts(task, runs[m], runs.front());
      part["equal_time"] = contrasts(task, runs[m], long_runs.front(), static_cast<std::size_t>(same_time));
    }
    for (std::size_t k = 0; k < task.measures.size(); ++k) {
      part["values"][task.measures[k].name] = rounded(values_of(runs[m], k));
    }
    result["methods"].push_back(std::move(part));
  }
  return result;
}

json compare_splits(const network_task& task, const scope& s) {
  json result = head(task, s);
  std::vector<method> methods = task_methods(task);
  methods.resize(2);                                        // vanilla, recommended
  std::array<std::vector<std::vector<double>>, 2> means{};  // by method and measure, one of every split
  for (auto& of_method : means) {
    of_method.resize(task.measures.size());
  }
  for (std::uint32_t split = 2; split <= 6; ++split) {
    const auto runs = run(task, task.divide(split, false), trainings_of(task, s, methods), s,
                          support::text("split ", split));
    for (std::size_t m = 0; m < means.size(); ++m) {
      for (std::size_t k = 0; k < task.measures.size(); ++k) {
        means[m][k].push_back(gal::mean(values_of(runs[m], k)));
      }
    }
    result["splits"].push_back({{"split", split}, {"contrasts", contrasts(task, runs[1], runs[0])}});
  }
  for (std::size_t k = 0; k < task.measures.size(); ++k) {
    result["over_splits"][task.measures[k].name] =
        contrast(means[1][k], means[0][k], task.measures[k].larger_is_better);
  }
  return result;
}

json tune(const network_task& task, const scope& s) {
  constexpr std::array factors = {0.5, 0.7, 1.0, 1.4, 2.0, 2.8, 4.0, 5.6, 8.0, 11.0, 16.0};
  std::vector<method> methods = task_methods(task);
  methods.resize(3);  // vanilla, recommended, paper
  json result = head(task, s);
  result["selected_by"] = task.measures[task.selects].name;

  const std::vector<training> hows = at_rates(task, s, methods, factors);
  const auto validation = run(task, task.divide(1, true), hows, s, "learning rates");
  std::vector<training> best;
  for (std::size_t m = 0; m < methods.size(); ++m) {
    json part{{"method", methods[m].name}, {"title", methods[m].title}};
    for (std::size_t k = m * factors.size(); k < (m + 1) * factors.size(); ++k) {
      part["grid"].push_back({{"learning_rate", rounded(hows[k].learning_rate)},
                              {"validation", rounded(gal::mean(values_of(validation[k], task.selects)))}});
    }
    best.push_back(hows[best_rate(task, validation, m, factors.size())]);
    part["learning_rate"] = rounded(best.back().learning_rate);
    result["methods"].push_back(std::move(part));
  }
  const auto runs = run(task, task.divide(1, false), best, s, "at the best rates");
  for (std::size_t m = 0; m < methods.size(); ++m) {
    json& part = result["methods"][m];
    if (m > 0) {
      part["test"] = contrasts(task, runs[m], runs.front());
    }
    for (std::size_t k = 0; k < task.measures.size(); ++k) {
      part["values"][task.measures[k].name] = rounded(values_of(runs[m], k));
    }
  }
  return result;
}

json follow(const network_task& task, const scope& s) {
  std::vector<method> methods = task_methods(task);
  methods.resize(3);  // vanilla, recommended, paper
  methods.front().options = measured_vanilla();
  methods.front().adjusts = true;
  for (method& m : methods) {
    m.options.report_vanilla = true;
  }
  const auto runs = run(task, task.divide(1, false), trainings_of(task, s, methods), s, "curves");
  json result = head(task, s);
  for (std::size_t m = 0; m < methods.size(); ++m) {
    json part{{"method", methods[m].name}, {"title", methods[m].title}};
    const auto curve = [&](const std::string& name, std::size_t column) {
      std::vector<double> values;
      for (std::size_t epoch = 0; epoch < runs[m].front().epochs.size(); ++epoch) {
        double sum = 0.0;
        for (const outcome& one : runs[m]) {
          sum += one.epochs[epoch][column];
        }
        values.push_back(sum / static_cast<double>(runs[m].size()));
      }
      part["curves"][name] = rounded(values);
    };
    for (std::size_t k = 0; k < columns.size(); ++k) {
      curve(std::string(columns[k]), k);
    }
    for (std::size_t k = 0; k < task.measures.size(); ++k) {
      curve(task.measures[k].name, first_measure + k);
    }
    result["methods"].push_back(std::move(part));
  }
  return result;
}

json sweep(const network_task& task, const scope& s) {
  using enum gal::safeguard;
  constexpr std::array safeguards = {std::pair("Lt <= L", not_worse), std::pair("Lt < L", better),
                                     std::pair("Lt <= vanilla", not_worse_than_vanilla),
                                     std::pair("always", always), std::pair("never", never)};
  std::vector<method> methods = {vanilla()};
  const auto add = [&](const char* preset, const gal::adjust_options& base, const char* field,
                       const std::string& value, auto set) {
    methods.push_back({support::text(preset, "/", field), value, base});
    set(methods.back().options);
  };
  const auto add_numbers = [&](const char* preset, const gal::adjust_options& base, const char* field,
                               double gal::adjust_options::*member, std::vector<double> numbers) {
    for (const double number : numbers) {
      add(preset, base, field, support::text(number),
          [&](gal::adjust_options& options) { options.*member = number; });
    }
  };
  for (const char* preset : {"recommended", "paper"}) {
    const bool ours = std::string_view(preset) == "recommended";
    const gal::adjust_options base = ours ? gal::recommended() : task.paper;
    add_numbers(preset, base, "epsilon", &gal::adjust_options::epsilon,
                ours ? std::vector{0.3, 1.0, 3.0, 10.0} : std::vector{0.01, 0.1, 0.3, 1.0});
    add_numbers(preset, base, "tau", &gal::adjust_options::tau, {0.1, 1.0, 10.0, 100.0});
    for (const std::vector<gal::index_type>& hidden :
         {std::vector<gal::index_type>{}, {16}, {16, 4}, {64, 24}, {64, 32, 16}}) {
      std::string widths = hidden.empty() ? "none" : "";
      for (const gal::index_type width : hidden) {
        widths += support::text(widths.empty() ? "" : "-", width);
      }
      add(preset, base, "hidden", widths, [&](gal::adjust_options& options) { options.hidden = hidden; });
    }
    for (const auto& safeguard : safeguards) {
      add(preset, base, "safeguard", std::string(safeguard.first),
          [&](gal::adjust_options& options) { options.safeguard = safeguard.second; });
    }
  }
  const auto runs = run(task, task.divide(1, false), trainings_of(task, s, methods), s, "sweeps");
  json result = head(task, s);
  for (std::size_t m = 1; m < methods.size(); ++m) {
    result["settings"].push_back({{"field", methods[m].name},
                                  {"value", methods[m].title},
                                  {"test", contrasts(task, runs[m], runs.front())}});
  }
  return result;
}

json search(const network_task& task, const scope& s) {
  constexpr std::array factors = {0.5, 1.0, 2.0, 4.0, 8.0, 16.0};
  constexpr std::size_t default_rate = 1;
  std::vector<method> methods = {vanilla()};
  std::ranges::copy(candidates(), std::back_inserter(methods));
  const std::vector<training> hows = at_rates(task, s, methods, factors);
  const auto runs = run(task, task.divide(1, true), hows, s, "candidates");
  const std::size_t vanilla_best = best_rate(task, runs, 0, factors.size());
  json result = head(task, s);
  result["vanilla_learning_rate"] = rounded(hows[vanilla_best].learning_rate);
  for (std::size_t m = 1; m < methods.size(); ++m) {
    const std::size_t best = best_rate(task, runs, m, factors.size());
    result["candidates"].push_back(
        {{"method", methods[m].name},
         {"title", methods[m].title},
         {"learning_rate", rounded(hows[best].learning_rate)},
         {"validation", contrasts(task, runs[m * factors.size() + default_rate], runs[default_rate])},
         {"tuned", contrasts(task, runs[best], runs[vanilla_best])}});
  }
  return result;
}

}  // namespace study
