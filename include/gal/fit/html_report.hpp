// gal/fit/html_report.hpp: a page about a training, as a callback of `fit` (POSIX).
// Provides: html_report, html_report_options. Includes gal/fit/fit.hpp, gal/fit/html_page.hpp.
#pragma once

#include <gal/core/error.hpp>
#include <gal/fit/fit.hpp>
#include <gal/fit/html_page.hpp>
#include <gal/io/state.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <cctype>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <limits>
#include <memory>
#include <ranges>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace gal::inline GAL_ABI {

namespace detail {

// Visits a state for people: its settings alone, as rows of a table.
class settings_table {
 public:
  explicit settings_table(std::string prefix) : prefix_(std::move(prefix)) {}

  [[nodiscard]] std::vector<std::vector<std::string>>& rows() { return rows_; }

  template <class Value>
  void setting(std::string_view name, const Value& value) {
    add(name, words(value));
  }

  template <class Object>
  void operator()(std::string_view name, Object& object) {
    if constexpr (std::is_class_v<Object> && requires { object.visit_state(*this); }) {
      const std::size_t before = prefix_.size();
      prefix_ += name == "options" ? "" : text(" ", name);
      object.visit_state(*this);
      prefix_.resize(before);
    }
  }
  template <std::integral Number>
  void operator()(std::string_view, Number&, std::int64_t, std::int64_t) {}
  template <class T, class Backend>
  void tensor(std::string_view, const Backend&, T*, const std::vector<index_type>&) {}
  [[nodiscard]] index_type count(std::string_view, index_type here) { return here; }
  template <class Action>
  void after_loading(const Action&) {}

 private:
  template <class Value>
  static std::string words(const Value& value) {
    if constexpr (std::is_enum_v<Value>) {
      return text(value);
    } else if constexpr (std::same_as<Value, bool>) {
      return value ? "yes" : "no";
    } else if constexpr (std::is_arithmetic_v<Value>) {
      const bool unlimited = value == std::numeric_limits<Value>::max() || value - value != Value(0);
      return unlimited && value > Value(0) ? "unlimited" : setting_text(value);
    } else if constexpr (std::convertible_to<const Value&, std::string_view>) {
      return std::string(std::string_view(value));
    } else {
      std::string list;
      for (const auto& element : value) {
        list += (list.empty() ? "" : ", ") + words(element);
      }
      return list;
    }
  }

  // What is empty or without limit was not set.
  void add(std::string_view name, std::string value) {
    if (value.empty() || value == "unlimited" || value == "unlimited, unlimited") {
      return;
    }
    std::string words = text(prefix_, " ", name);
    std::ranges::replace(words, '_', ' ');
    std::ranges::replace(words, '.', ' ');
    rows_.push_back({std::move(words), std::move(value)});
  }

  std::string prefix_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace detail

/// Settings of `html_report`.
struct html_report_options {
  std::string title = "Training";
  std::vector<std::pair<std::string, std::string>> configuration{};  ///< what else was set: (name, value)
};

/// A callback of `fit`: writes a page about the training after every epoch and at its end, one HTML file to open in a
/// browser, which needs no network. It shows losses, the learning rate, the numbers of the trainer's method, all settings,
/// and the machine. What is not finite is a gap.
///
///     gal::fit(trainer, batches, {.epochs = 40}, gal::html_report("run.html", {.title = "Boston housing"}),
///              gal::checkpointing("run.safetensors"));
///
/// It stands before `checkpointing`: its history is part of the checkpoint, so that the page of a training that resumes is
/// that of one that was not interrupted. The method's numbers are means over the steps that `fit` reports.
class html_report {
 public:
  explicit html_report(std::string path, html_report_options options = {})
      : path_(std::move(path)), options_(std::move(options)) {
    detail::require(!path_.empty(), error_code::invalid_option,
                    "gal::html_report: an empty name; expected the path of a file");
  }

  template <class Run>
  void fit_begin(Run&) {
    history_.clear();
    numbers_ = detail::number_means<typename Run::report_type>().means();
  }

  template <class Run>
  void epoch_end(Run& run) {
    const epoch_report& epoch = run.last_epoch();
    // Epochs that it has not seen are gaps.
    history_.resize(static_cast<std::size_t>(epoch.epoch - 1), row(columns(), epoch_report::none));
    history_.push_back({epoch.training_loss, epoch.validation_loss, epoch.learning_rate,
                        static_cast<double>(epoch.refused), epoch.is_best ? 1.0 : 0.0});
    for (const reported_number& number : epoch.numbers) {
      history_.back().push_back(number.value);
    }
    page(run).write(path_);
  }

  template <class Run>
  void fit_end(Run& run) {
    page(run).write(path_);
  }

  template <class Visitor>
  void visit_state(Visitor& visit) {
    const index_type epochs = visit.count("epochs", static_cast<index_type>(history_.size()));
    if (epochs == 0) {
      visit.after_loading([this] { history_.clear(); });
      return;
    }
    // As bits: a state holds no NaN, and a history may.
    const std::size_t width = columns();
    const auto bits = std::make_shared<std::vector<std::uint64_t>>(static_cast<std::size_t>(epochs) * width);
    for (std::size_t k = 0; k < std::min(bits->size(), history_.size() * width); ++k) {
      (*bits)[k] = std::bit_cast<std::uint64_t>(history_[k / width][k % width]);
    }
    visit.tensor("history", host{}, bits->data(), {epochs, static_cast<index_type>(width)});
    visit.after_loading([this, bits, width] {
      history_.assign(bits->size() / width, row(width));
      for (std::size_t k = 0; k < bits->size(); ++k) {
        history_[k / width][k % width] = std::bit_cast<double>((*bits)[k]);
      }
    });
  }

 private:
  struct host {
    using memory_type = host_memory;
  };

  // Of a row; the numbers of the method follow.
  enum column : std::size_t { training, validation, rate, refused, best, first_number };
  using row = std::vector<double>;

  [[nodiscard]] std::size_t columns() const { return first_number + numbers_.size(); }

  [[nodiscard]] std::vector<double> values(std::size_t which) const {
    std::vector<double> result;
    for (const row& epoch : history_) {
      result.push_back(epoch[which]);
    }
    return result;
  }

  [[nodiscard]] bool has(column which) const {
    return std::ranges::any_of(history_, [&](const row& epoch) { return std::isfinite(epoch[which]); });
  }

  template <class Run>
  [[nodiscard]] html_page page(Run& run) {
    html_page result(options_.title, run.stopping() ? "ended: " + run.message() : "");
    add_headlines(result, run);
    if (!history_.empty()) {
      add_charts(result);
    }
    result.heading("Configuration");
    result.add(configuration(run));
    result.heading("Machine");
    result.add(machine_table());
    return result;
  }

  static std::string words(double number, std::string_view unit = "") {
    return std::isfinite(number) ? detail::significant(number, 6) + std::string(unit) : "none";
  }

  template <class Run>
  void add_headlines(html_page& page, Run& run) const {
    page.add(html_page::headline{"epochs", detail::text(history_.size(), " of ", run.options().epochs),
                                 detail::text(run.trainer().steps(), " steps")});
    if (history_.empty()) {
      return;
    }
    const row& last = history_.back();
    page.add(html_page::headline{"training loss", words(last[training]), "in the last epoch"});
    for (std::size_t k = history_.size(); k-- > 0;) {
      if (history_[k][best] == 1.0) {
        page.add(html_page::headline{"best validation loss", words(history_[k][validation]),
                                     detail::text("epoch ", k + 1, "; now ", words(last[validation]))});
        break;
      }
    }
    std::int64_t sum = 0;
    for (const row& epoch : history_) {
      sum += std::isfinite(epoch[refused]) ? static_cast<std::int64_t>(epoch[refused]) : 0;
    }
    if (sum > 0) {
      page.add(html_page::headline{"refused steps", detail::text(sum), "a number was not finite"});
    }
  }

  void add_charts(html_page& page) const {
    std::vector<double> epochs(history_.size());
    for (std::size_t k = 0; k < epochs.size(); ++k) {
      epochs[k] = static_cast<double>(k + 1);
    }
    html_page::chart loss{.title = "Loss",
                          .note = "mean over the samples; in training each before its step",
                          .y_label = "loss",
                          .x = epochs,
                          .curves = {{"training", values(training)}},
                          .logarithmic = true};
    if (has(validation)) {
      loss.curves.push_back({"validation", values(validation)});
    }
    page.add(loss);
    for (std::size_t k = 0; k < numbers_.size(); ++k) {
      const reported_number& number = numbers_[k];
      std::string title(number.name);
      std::ranges::replace(title, '_', ' ');
      html_page::chart chart{.title = title,
                             .note = detail::text(number.meaning, "; mean over the steps"),
                             .y_label = number.magnitude ? detail::text("|", title, "|") : title,
                             .x = epochs,
                             .curves = {{title, values(first_number + k)}},
                             .logarithmic = number.magnitude};
      chart.title.front() = static_cast<char>(std::toupper(static_cast<unsigned char>(chart.title.front())));
      if (number.range) {
        const auto [least, most] = *number.range;
        const double margin = 0.025 * (most - least);
        chart.y_range = std::array{least - margin, most + margin};
      }
      page.add(chart);
    }
    page.add(html_page::chart{.title = "Learning rate",
                              .note = "of the last step of the epoch",
                              .y_label = "learning rate",
                              .x = std::move(epochs),
                              .curves = {{"learning rate", values(rate)}},
                              .logarithmic = true});
  }

  template <class Run>
  [[nodiscard]] html_page::table configuration(Run& run) const {
    html_page::table result;
    const auto add_settings = [&](std::string name, auto& object) {
      if constexpr (requires(detail::settings_table& table) { object.visit_state(table); }) {
        detail::settings_table table(std::move(name));
        object.visit_state(table);
        std::ranges::move(table.rows(), std::back_inserter(result.rows));
      }
    };
    for (const auto& [name, value] : options_.configuration) {
      result.rows.push_back({name, value});
    }
    const fit_options& options = run.options();
    result.rows.push_back({"epochs", std::to_string(options.epochs)});
    if (run.batches_in_epoch() > 0) {
      result.rows.push_back({"batches in an epoch", std::to_string(run.batches_in_epoch())});
    }
    if (options.patience > 0) {
      result.rows.push_back({"patience", detail::text(options.patience, " epochs")});
    }
    if constexpr (detail::lists_parameters<std::remove_cvref_t<decltype(run.model())>>) {
      result.rows.push_back({"model parameters", std::to_string(parameters_of(run.model()))});
    }
    add_settings("model", run.model());
    if constexpr (requires { run.trainer().optimizer(); }) {
      add_settings("optimizer", run.trainer().optimizer());
    }
    if constexpr (requires { run.trainer().options(); }) {
      add_settings("trainer", run.trainer().options());
    }
    return result;
  }

  template <class Model>
  static std::size_t parameters_of(Model& model) {
    std::size_t result = 0;
    for (auto&& block : model.parameters()) {
      if constexpr (requires { block.value.size(); }) {
        result += static_cast<std::size_t>(block.value.size());
      } else {
        result += static_cast<std::size_t>(std::ranges::size(block.first));
      }
    }
    return result;
  }

  std::string path_;
  html_report_options options_;
  std::vector<reported_number> numbers_;  // of the method
  std::vector<row> history_;              // of epoch 1, 2, ...
};

}  // namespace gal
