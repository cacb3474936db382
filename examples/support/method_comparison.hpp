// support/method_comparison.hpp: several ways to train one classifier, over seeds that all share: the frame of noisy_labels and mixture.
// Provides: accuracy_run, method_list, runs_by_method, run_methods; last_accuracies, p_as, mean_over_seeds;
// labelled, joined, part_with_clean_samples; print_accuracies, accuracies_to_json, write_method_json, accuracy_chart, write_method_page.
#pragma once

#include "support/comparison.hpp"
#include "support/problems.hpp"

#include <gal/fit/html_page.hpp>
#include <gal/gal.hpp>
#include <gal/stats/t_test.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <initializer_list>
#include <numeric>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace support {

/// One training.
struct accuracy_run {
  std::vector<double> accuracies{};  ///< on the test part, after every epoch
};

/// The methods' names; p-values compare with those at `references`.
struct method_list {
  std::span<const std::string_view> names;
  std::span<const std::size_t> references;
};

/// By method, then by seed: 1, 2, ... `Run` derives from `accuracy_run`.
template <class Run>
using runs_by_method = std::vector<std::vector<Run>>;

// ---- Data ----------------------------------------------------------------------------------------------------------

using labelled = gal::dataset<float, int>;

/// The samples of both.
[[nodiscard]] inline labelled joined(const labelled& a, const labelled& b) {
  labelled result{gal::matrix<float>(a.features.rows(), a.size() + b.size()),
                  gal::matrix<int>(1, a.size() + b.size())};
  std::copy_n(a.features.data(), a.features.size(), result.features.data());
  std::copy_n(b.features.data(), b.features.size(), result.features.data() + a.features.size());
  std::copy_n(a.targets.data(), a.size(), result.targets.data());
  std::copy_n(b.targets.data(), b.size(), result.targets.data() + a.size());
  return result;
}

/// The samples in an order at random: the first `clean` of them, and the others.
[[nodiscard]] inline std::pair<labelled, labelled> part_with_clean_samples(const labelled& data, int clean,
                                                                           gal::random_stream& random) {
  std::vector<gal::index_type> order(static_cast<std::size_t>(data.size()));
  std::iota(order.begin(), order.end(), gal::index_type{0});
  for (std::size_t i = order.size() - 1; i > 0; --i) {
    std::swap(order[i], order[static_cast<std::size_t>(random.below(i + 1))]);
  }
  const std::span<const gal::index_type> all(order);
  const auto first = static_cast<std::size_t>(clean);
  return {gal::take(data, all.first(first)), gal::take(data, all.subspan(first))};
}

// ---- Runs ----------------------------------------------------------------------------------------------------------

/// Runs `train(method, seed, progress)` for every method and seed, on all threads. A seed takes `epochs` in all.
template <class Run, class Train>
runs_by_method<Run> run_methods(const char* program, const method_list& list, const comparison_settings& s,
                                std::size_t epochs, Train train) {
  const auto seeds = static_cast<std::size_t>(s.seeds);
  runs_by_method<Run> runs(list.names.size(), std::vector<Run>(seeds));
  progress_bar progress(program, epochs * seeds);
  parallel_for(runs.size() * seeds, s.threads, [&](std::size_t task) {
    const std::uint64_t seed = task / runs.size() + 1;
    runs[task % runs.size()][seed - 1] = train(task % runs.size(), seed, progress);
  });
  return runs;
}

template <class Run>
[[nodiscard]] std::vector<double> last_accuracies(const std::vector<Run>& runs) {
  std::vector<double> result;
  for (const Run& r : runs) {
    result.push_back(r.accuracies.back());
  }
  return result;
}

/// Of a method's last accuracies, in pairs with the reference's; none for the reference itself and for a single seed.
template <class Run>
[[nodiscard]] std::optional<double> p_as(std::size_t reference, const runs_by_method<Run>& runs,
                                         std::size_t method) {
  if (method == reference || runs[method].size() < 2) {
    return std::nullopt;
  }
  return gal::paired_t_test(last_accuracies(runs[reference]), last_accuracies(runs[method])).p_value;
}

/// Of the numbers that `series(run)` returns, position by position.
template <class Run, class Series>
[[nodiscard]] std::vector<double> mean_over_seeds(const std::vector<Run>& runs, Series series) {
  std::vector<double> curve(series(runs.front()).size(), 0.0);
  for (const Run& r : runs) {
    for (std::size_t i = 0; i < curve.size(); ++i) {
      curve[i] += series(r)[i] / static_cast<double>(runs.size());
    }
  }
  return curve;
}
template <class Run>
[[nodiscard]] std::vector<double> mean_accuracies(const std::vector<Run>& runs) {
  return mean_over_seeds(runs, [](const Run& r) -> const std::vector<double>& { return r.accuracies; });
}

// ---- Report --------------------------------------------------------------------------------------------------------

template <class Run>
void print_accuracies(const method_list& list, const runs_by_method<Run>& runs) {
  std::vector<std::string> titles{"", "test accuracy", "deviation", "worst seed"};
  for (const std::size_t reference : list.references) {
    titles.push_back(text("p, as ", list.names[reference]));
  }
  console_table table(titles);
  for (std::size_t method = 0; method < runs.size(); ++method) {
    const std::vector<double> values = last_accuracies(runs[method]);
    std::vector<std::string> row{std::string(list.names[method]), fixed(gal::mean(values), 4),
                                 fixed(deviation_of(values), 4), fixed(std::ranges::min(values), 4)};
    for (const std::size_t reference : list.references) {
      row.push_back(method == reference ? "" : fixed(p_as(reference, runs, method), 4));
    }
    table.add(row);
  }
  std::printf("\n");
  table.print();
}

/// Of each method what its accuracies were, with p against the references.
template <class Run>
[[nodiscard]] json accuracies_to_json(const method_list& list, const runs_by_method<Run>& runs) {
  json result;
  for (std::size_t method = 0; method < runs.size(); ++method) {
    const std::vector<double> values = last_accuracies(runs[method]);
    json& part = result[std::string(list.names[method])];
    part["test_accuracy"] = {
        {"mean", gal::mean(values)}, {"deviation", to_json(deviation_of(values))}, {"seeds", values}};
    for (const std::size_t reference : list.references) {
      if (method != reference) {
        part[text("p_as_", list.names[reference])] = to_json(p_as(reference, runs, method));
      }
    }
  }
  return result;
}

/// The file of `--json`, where it is asked for.
inline void write_method_json(const char* program, const comparison_settings& s, const json& configuration,
                              const json& of_methods, double seconds) {
  write_json(s.json_file, program, {{"configuration", configuration}, {"methods", of_methods}},
             {{"threads", s.threads}, {"seconds", seconds}});
}

/// Means over the seeds after the last `epochs` epochs.
template <class Run>
[[nodiscard]] gal::html_page::chart accuracy_chart(const method_list& list, const runs_by_method<Run>& runs,
                                                   int epochs) {
  gal::html_page::chart chart{
      .title = "Test accuracy, after the epoch", .y_label = "share of the samples", .x = {}, .curves = {}};
  for (int epoch = 1; epoch <= epochs; ++epoch) {
    chart.x.push_back(epoch);
  }
  for (std::size_t method = 0; method < runs.size(); ++method) {
    std::vector<double> curve = mean_accuracies(runs[method]);
    curve.erase(curve.begin(), curve.end() - epochs);
    chart.curves.push_back({.name = std::string(list.names[method]), .values = std::move(curve)});
  }
  return chart;
}

/// The page of `--report`, where it is asked for: the last accuracies of the methods that are `shown`, beside the first
/// reference's, and the charts.
template <class Run>
void write_method_page(const char* title, const comparison_settings& s, const json& configuration,
                       const method_list& list, const runs_by_method<Run>& runs,
                       std::initializer_list<std::size_t> shown,
                       const std::vector<gal::html_page::chart>& charts) {
  if (s.report_file.empty()) {
    return;
  }
  gal::html_page page(title, summary(s) + "; lines are means over the seeds");
  const std::size_t reference = list.references.front();
  for (const std::size_t method : shown) {
    page.add(gal::html_page::headline{
        text("test accuracy, ", list.names[method]), fixed(gal::mean(last_accuracies(runs[method])), 4),
        method == reference
            ? ""
            : text("p, as ", list.names[reference], ": ", fixed(p_as(reference, runs, method), 4))});
  }
  for (const auto& chart : charts) {
    page.add(chart);
  }
  gal::html_page::table table;
  add_rows(table, configuration);
  page.heading("Configuration");
  page.add(table);
  write_file(s.report_file, page.text());
  std::printf("\nThe report is in %s\n", s.report_file.c_str());
}

}  // namespace support
