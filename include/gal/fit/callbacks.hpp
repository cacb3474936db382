// gal/fit/callbacks.hpp: what `fit` can tell of its work (POSIX).
// Provides: progress_bar, csv_log, time_limit, gradient_statistics, on_step_end, on_epoch_end. Includes gal/fit/fit.hpp.
#pragma once

#include <gal/core/error.hpp>
#include <gal/data/csv.hpp>
#include <gal/fit/fit.hpp>
#include <gal/io/files.hpp>
#include <gal/io/state.hpp>
#include <gal/optim/gradients.hpp>

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gal::inline GAL_ABI {

namespace detail {

template <class F>
struct step_function {
  F f;
  template <class Run>
  void step_end(Run& run) {
    f(run);
  }
};
template <class F>
struct epoch_function {
  F f;
  template <class Run>
  void epoch_end(Run& run) {
    f(run);
  }
};

}  // namespace detail

/// A function of the run, such as a lambda of an `auto& run`, as a callback after every step or every epoch.
///
///     gal::on_epoch_end([](auto& run) { std::printf("%g\n", run.last_epoch().training_loss); })
template <class F>
[[nodiscard]] detail::step_function<F> on_step_end(F f) {
  return {std::move(f)};
}
template <class F>
[[nodiscard]] detail::epoch_function<F> on_epoch_end(F f) {
  return {std::move(f)};
}

/// Shows how far training is: on a terminal a line that renews itself and one that stays for every epoch, elsewhere the
/// latter alone. A loss of another step than the last, which was not reported, has its number behind it. `to` outlives
/// it: where training ended by an exception, its destructor ends the line.
class progress_bar {
 public:
  explicit progress_bar(std::FILE* to = stderr) : to_(to), on_terminal_(::isatty(::fileno(to)) == 1) {}
  progress_bar(const progress_bar&) = delete;
  progress_bar& operator=(const progress_bar&) = delete;
  ~progress_bar() {
    if (line_is_open_) {
      std::fputs("\n", to_);
      std::fflush(to_);
    }
  }

  template <class Run>
  void step_end(Run& run) {
    tell_resumption(run);
    // Not for every step of a fast loop.
    const auto now = std::chrono::steady_clock::now();
    if (!on_terminal_ || run.batches_in_epoch() == 0 || now - shown_ < std::chrono::milliseconds(100)) {
      return;
    }
    shown_ = now;
    constexpr std::int64_t width = 30;
    const std::int64_t done = std::min(width, width * run.steps_in_epoch() / run.batches_in_epoch());
    const std::string bar(static_cast<std::size_t>(done), '=');
    const std::string rest(static_cast<std::size_t>(width - done), ' ');
    std::string loss;
    if (run.last_step_number() > 0) {
      loss = " " + loss_text(run.last_step().loss, 4);
      loss += run.step_is_reported() ? "" : detail::text(" at step ", run.last_step_number());
    }
    std::fputs(detail::text("\repoch ", run.epochs() + 1, "/", run.options().epochs, " [", bar, rest, "]",
                            loss, "\033[K")
                   .c_str(),
               to_);
    std::fflush(to_);
    line_is_open_ = true;
  }

  template <class Run>
  void epoch_end(Run& run) {
    tell_resumption(run);
    const epoch_report& epoch = run.last_epoch();
    std::string line = detail::text(on_terminal_ ? "\r" : "", "epoch ", epoch.epoch, "/",
                                    run.options().epochs, ": ", loss_text(epoch.training_loss, 6));
    if (!std::isnan(epoch.validation_loss)) {
      line += detail::text(", validation ", detail::significant(epoch.validation_loss, 6),
                           epoch.is_best ? " (best)" : "");
    }
    if (epoch.refused > 0) {
      line += detail::text(", ", epoch.refused, " steps refused");
    }
    line += on_terminal_ ? "\033[K\n" : "\n";
    std::fputs(line.c_str(), to_);
    std::fflush(to_);
    line_is_open_ = false;
  }

  template <class Run>
  void fit_end(Run& run) {
    tell_resumption(run);
    std::fputs(
        detail::text(on_terminal_ ? "\r\033[K" : "", "ended: ", run.message(), run.advice(), "\n").c_str(),
        to_);
    std::fflush(to_);
    line_is_open_ = false;
    told_resumption_ = false;
  }

 private:
  // Before the first line: where in the list of callbacks `checkpointing` stands is not known.
  template <class Run>
  void tell_resumption(Run& run) {
    if (!std::exchange(told_resumption_, true) && !run.resumption().empty()) {
      std::fputs((run.resumption() + "\n").c_str(), to_);
    }
  }

  static std::string loss_text(double loss, int digits) {
    return std::isfinite(loss) ? "loss " + detail::significant(loss, digits) : "no finite loss";
  }

  std::FILE* to_;
  bool on_terminal_;
  bool line_is_open_ = false;
  bool told_resumption_ = false;
  std::chrono::steady_clock::time_point shown_ = {};
};

/// Writes a row per epoch to a CSV file: epoch, steps, refused, training_loss, validation_loss (with a validation set
/// only), learning_rate, and the numbers of the method, as `epoch_report` has them. A number that there is not is an empty field; without
/// one `read_csv` reads the file. It is whole after every epoch. A training that resumes keeps the rows of the epochs before;
/// any other begins anew.
class csv_log {
 public:
  static constexpr bool keeps_record = true;

  explicit csv_log(std::string path) : path_(std::move(path)) {}

  template <class Run>
  void fit_begin(Run&) {
    rows_.clear();
  }

  template <class Run>
  void epoch_end(Run& run) {
    const epoch_report& epoch = run.last_epoch();
    if (rows_.empty()) {
      rows_ = detail::text("epoch,steps,refused,training_loss,", run.validates() ? "validation_loss," : "",
                           "learning_rate", names_of(epoch.numbers), "\n");
      if (epoch.epoch > 1) {
        keep_rows_before(epoch.epoch);
      }
    }
    rows_ += detail::text(epoch.epoch, ",", epoch.steps, ",", epoch.refused);
    add(epoch.training_loss);
    if (run.validates()) {
      add(epoch.validation_loss);
    }
    add(epoch.learning_rate);
    for (const reported_number& number : epoch.numbers) {
      add(number.value);
    }
    rows_ += "\n";
    replace_file(path_, {rows_});
  }

 private:
  static std::string names_of(const std::vector<reported_number>& numbers) {
    std::string result;
    for (const reported_number& number : numbers) {
      result += detail::text(",", number.name);
    }
    return result;
  }

  void add(double number) { rows_ += detail::text(",", std::isfinite(number) ? detail::text(number) : ""); }

  // Those that an interrupted training left.
  void keep_rows_before(std::int64_t epoch) {
    if (::access(path_.c_str(), F_OK) != 0) {
      return;
    }
    const std::string contents = detail::read_file(path_, "gal::csv_log");
    if (!contents.starts_with(rows_)) {
      const std::string header = std::exchange(rows_, {});
      throw error(error_code::malformed_data,
                  detail::text("gal::csv_log: ", path_, " has other columns; expected ",
                               header.substr(0, header.size() - 1)));
    }
    std::string_view remaining = std::string_view(contents).substr(rows_.size());
    while (!remaining.empty()) {
      const std::size_t end = std::min(remaining.find('\n'), remaining.size());
      if (detail::parse_number(remaining.substr(0, remaining.find(','))).value_or(0.0) >=
          static_cast<double>(epoch)) {
        break;
      }
      rows_ += detail::text(remaining.substr(0, end), "\n");
      remaining.remove_prefix(std::min(end + 1, remaining.size()));
    }
  }

  std::string path_;
  std::string rows_;  // with the header
};

/// Ends training after that many seconds, counted from its begin.
class time_limit {
 public:
  explicit time_limit(double seconds) : seconds_(seconds) {
    detail::require(seconds >= 0.0, error_code::invalid_option, "gal::time_limit: ", seconds,
                    " seconds; expected a non-negative number");
  }

  template <class Run>
  void fit_begin(Run&) {
    begin_ = std::chrono::steady_clock::now();
  }
  template <class Run>
  void step_end(Run& run) {
    if (std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count() >= seconds_) {
      run.stop(detail::text("the time limit of ", seconds_, " seconds"));
    }
  }

 private:
  double seconds_;
  std::chrono::steady_clock::time_point begin_ = {};
};

/// Gathers the Euclidean norm of all parameters' gradients in every step: smallest, mean and largest of each epoch, over the
/// steps that this call of `fit` took and that were not refused. On a device it waits in every step.
///
///     gal::gradient_statistics norms;
///     gal::fit(trainer, batches, {.epochs = 10}, norms);
///     norms.epochs().back().largest;
class gradient_statistics {
 public:
  struct epoch_norms {
    std::int64_t epoch = 0;
    std::int64_t steps = 0;  ///< whose norms these are; where there is none, they are NaN
    double smallest = epoch_report::none;
    double mean = epoch_report::none;
    double largest = epoch_report::none;
  };

  [[nodiscard]] const std::vector<epoch_norms>& epochs() const { return epochs_; }

  template <class Run>
  void fit_begin(Run&) {
    steps_ = 0;  // of an epoch that did not end
  }
  template <class Run>
  void step_end(Run& run) {
    using trainer = typename Run::trainer_type;
    using block_type = parameter<typename trainer::value_type, typename trainer::memory_type>;
    std::vector<block_type> blocks;
    for (auto&& block : run.model().parameters()) {
      blocks.push_back(block_type(block));
    }
    // Refused for its loss, it may not have come to its gradients: those there are another step's.
    if (run.read_step().non_finite) {
      return;
    }
    const auto& backend = run.trainer().backend();
    matrix<double, typename trainer::backend_type> squares(backend);
    detail::sum_squares(backend, std::span<const block_type>(blocks), std::numeric_limits<double>::infinity(),
                        squares);
    const double norm = std::sqrt(backend.read(squares.data()));
    if (!std::isfinite(norm)) {
      return;
    }
    smallest_ = steps_ == 0 ? norm : std::min(smallest_, norm);
    largest_ = steps_ == 0 ? norm : std::max(largest_, norm);
    sum_ = steps_ == 0 ? norm : sum_ + norm;
    ++steps_;
  }

  template <class Run>
  void epoch_end(Run& run) {
    epochs_.push_back({.epoch = run.last_epoch().epoch, .steps = steps_});
    if (steps_ > 0) {
      epochs_.back().smallest = smallest_;
      epochs_.back().mean = sum_ / static_cast<double>(steps_);
      epochs_.back().largest = largest_;
    }
    steps_ = 0;
  }

 private:
  std::vector<epoch_norms> epochs_;
  std::int64_t steps_ = 0;  // of the epoch that runs; the others say nothing where it is 0
  double smallest_ = 0.0;
  double sum_ = 0.0;
  double largest_ = 0.0;
};

}  // namespace gal
