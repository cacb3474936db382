// gal/fit/callbacks.hpp: what `fit` can tell of its work (POSIX).
// Provides: progress_bar, csv_log, time_limit, gradient_statistics, on_step_end, on_epoch_end. Includes gal/fit/fit.hpp.
#pragma once

#include <gal/core/error.hpp>
#include <gal/data/csv.hpp>
#include <gal/fit/fit.hpp>
#include <gal/io/files.hpp>
#include <gal/io/state.hpp>
#include <gal/optim/optimizers.hpp>

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

namespace gal {

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
/// latter alone.
class progress_bar {
 public:
  explicit progress_bar(std::FILE* to = stderr) : to_(to), on_terminal_(::isatty(::fileno(to)) == 1) {}

  template <class Run>
  void step_end(Run& run) {
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
    std::fputs(detail::text("\repoch ", run.epochs() + 1, "/", run.options().epochs, " [", bar, rest,
                            "] loss ", detail::significant(run.last_step().loss, 4), "\033[K")
                   .c_str(),
               to_);
    std::fflush(to_);
  }

  template <class Run>
  void epoch_end(Run& run) {
    const epoch_report& epoch = run.last_epoch();
    std::string line =
        detail::text(on_terminal_ ? "\r" : "", "epoch ", epoch.epoch, "/", run.options().epochs, ": loss ",
                     detail::significant(epoch.training_loss, 6));
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
  }

  template <class Run>
  void fit_end(Run& run) {
    std::fputs(detail::text(on_terminal_ ? "\r\033[K" : "", "ended: ", run.message(), "\n").c_str(), to_);
    std::fflush(to_);
  }

 private:
  std::FILE* to_;
  bool on_terminal_;
  std::chrono::steady_clock::time_point shown_ = {};
};

/// Writes a row per epoch to a CSV file: epoch, steps, refused, training_loss, validation_loss, learning_rate,
/// accepted_share. A number that there is not is an empty field. The file is whole after every epoch; a training that
/// resumes keeps the rows of the epochs before.
class csv_log {
 public:
  explicit csv_log(std::string path) : path_(std::move(path)) {}

  template <class Run>
  void epoch_end(Run& run) {
    const epoch_report& epoch = run.last_epoch();
    if (rows_.empty()) {
      rows_ = "epoch,steps,refused,training_loss,validation_loss,learning_rate,accepted_share\n";
      if (epoch.epoch > 1) {
        keep_rows_before(epoch.epoch);
      }
    }
    rows_ += detail::text(epoch.epoch, ",", epoch.steps, ",", epoch.refused);
    for (const double number :
         {epoch.training_loss, epoch.validation_loss, epoch.learning_rate, epoch.accepted_share}) {
      rows_ += detail::text(",", std::isfinite(number) ? detail::text(number) : "");
    }
    rows_ += "\n";
    replace_file(path_, {rows_});
  }

 private:
  // Those that an interrupted training left.
  void keep_rows_before(std::int64_t epoch) {
    if (::access(path_.c_str(), F_OK) != 0) {
      return;
    }
    const std::string contents = detail::read_file(path_, "gal::csv_log");
    detail::require(contents.starts_with(rows_), error_code::malformed_data, "gal::csv_log: ", path_,
                    " has other columns; expected ", rows_.substr(0, rows_.size() - 1));
    std::string_view remaining = std::string_view(contents).substr(rows_.size());
    while (!remaining.empty()) {
      const std::size_t end = std::min(remaining.find('\n'), remaining.size() - 1) + 1;
      if (detail::parse_number(remaining.substr(0, remaining.find(','))).value_or(0.0) >=
          static_cast<double>(epoch)) {
        break;
      }
      rows_ += remaining.substr(0, end);
      remaining.remove_prefix(end);
    }
  }

  std::string path_;
  std::string rows_;
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

/// Gathers the Euclidean norm of all parameters' gradients in every step: smallest, mean and largest of each epoch, of those
/// that are finite; NaN where none is. On a device it waits in every step.
///
///     gal::gradient_statistics norms;
///     gal::fit(trainer, batches, {.epochs = 10}, norms);
///     norms.epochs().back().largest;
class gradient_statistics {
 public:
  struct epoch_norms {
    std::int64_t epoch = 0;
    double smallest = std::numeric_limits<double>::infinity();
    double mean = 0.0;
    double largest = 0.0;
  };

  [[nodiscard]] const std::vector<epoch_norms>& epochs() const { return epochs_; }

  template <class Run>
  void step_end(Run& run) {
    using trainer = typename Run::trainer_type;
    using block_type = parameter<typename trainer::value_type, typename trainer::memory_type>;
    std::vector<block_type> blocks;
    for (auto&& block : run.model().parameters()) {
      blocks.push_back(block_type(block));
    }
    const auto& backend = run.trainer().backend();
    matrix<double, typename trainer::backend_type> squares(backend);
    detail::sum_squares(backend, std::span<const block_type>(blocks), std::numeric_limits<double>::infinity(),
                        squares);
    const double norm = std::sqrt(backend.read(squares.data()));
    if (!std::isfinite(norm)) {
      return;
    }
    current_.smallest = std::min(current_.smallest, norm);
    current_.largest = std::max(current_.largest, norm);
    current_.mean += norm;
    ++steps_;
  }

  template <class Run>
  void epoch_end(Run& run) {
    current_.epoch = run.last_epoch().epoch;
    current_.mean /= static_cast<double>(steps_);  // NaN without any
    if (steps_ == 0) {
      current_.smallest = current_.largest = current_.mean;
    }
    epochs_.push_back(std::exchange(current_, {}));
    steps_ = 0;
  }

 private:
  std::vector<epoch_norms> epochs_;
  epoch_norms current_;
  std::int64_t steps_ = 0;
};

}  // namespace gal
