// gal/fit/fit_options.hpp: the settings of the training loop.
// Provides: fit_options.
#pragma once

#include <gal/core/error.hpp>

#include <cmath>
#include <cstdint>

namespace gal::inline GAL_ABI {

/// Settings of `fit`.
struct fit_options {
  std::int64_t epochs = 100;  ///< in all, those before a resume included, >= 0
  std::int64_t patience =
      0;  ///< epochs without a better validation loss before the end; 0: no early stopping
  double min_improvement = 0.0;  ///< a validation loss is better where it is lower by more than this, >= 0
  bool restore_best = true;      ///< with a validation set, end with the weights of the best epoch
  bool handle_interrupt = true;  ///< Ctrl-C ends training after the step; a second one ends the program
  /// Of the trainer's steps, counted over the whole training, every so many-th is reported, >= 1, and the last of every
  /// epoch; on a device each report waits.
  std::int64_t report_every = 1;
};

namespace detail {

inline void check(const fit_options& options, bool validates) {
  require(options.epochs >= 0, error_code::invalid_option, "gal::fit_options: epochs is ", options.epochs,
          "; expected at least 0");
  require(options.patience >= 0, error_code::invalid_option, "gal::fit_options: patience is ",
          options.patience, "; expected at least 0");
  require(options.patience == 0 || validates, error_code::invalid_option, "gal::fit_options: patience is ",
          options.patience, " without a validation set; expected 0, or batches to validate on");
  require(options.min_improvement >= 0.0 && std::isfinite(options.min_improvement),
          error_code::invalid_option, "gal::fit_options: min_improvement is ", options.min_improvement,
          "; expected a non-negative number");
  require(options.report_every >= 1, error_code::invalid_option, "gal::fit_options: report_every is ",
          options.report_every, "; expected at least 1");
}

}  // namespace detail

}  // namespace gal
