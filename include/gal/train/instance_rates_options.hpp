// gal/train/instance_rates_options.hpp: settings and report of learning rates of samples, and the table of rates.
// Provides: instance_rates_options, instance_rates_report, rate_update, row_source. Includes gal/train/step_report.hpp.
#pragma once

#include <gal/core/detail/transfer.hpp>
#include <gal/core/enumeration.hpp>
#include <gal/core/error.hpp>
#include <gal/core/view.hpp>
#include <gal/train/detail/step_numbers.hpp>
#include <gal/train/step_report.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <numeric>
#include <span>
#include <string_view>
#include <vector>

namespace gal::inline GAL_ABI {

/// How the product s_i of a sample's gradient with that of the held-out loss moves the sample's rate.
enum class rate_update {
  normalised,  ///< by rate s_i / rms(s), rms over the batch (ours): `rate` suits any loss and learning rate
  plain,  ///< by rate (alpha/B) s_i: descent on the held-out loss, alpha the learning rate, B the batch's size
};
constexpr auto enumerator_names(rate_update) {
  return std::to_array<std::string_view>({"normalised", "plain"});
}

/// Settings of `instance_rates`.
struct instance_rates_options {
  double rate = 0.05;  ///< how fast the samples' rates move, >= 0; .05 to .1 suits `normalised`
  double largest =
      1.0;  ///< the largest rate of a sample, > 0; all start at 1, or at `largest` where that is less
  rate_update update = rate_update::normalised;
  bool train_on_held_out = true;  ///< the model also steps along the held-out gradient, which is there anyway
  non_finite_policy non_finite = non_finite_policy::skip;  ///< what happens to a step that is not finite

  template <class Visitor>
  void visit_state(Visitor& visit) const {
    visit.setting("rate", rate);
    visit.setting("largest", largest);
    visit.setting("update", update);
    visit.setting("train_on_held_out", train_on_held_out);
    visit.setting("non_finite", non_finite);
  }
};

/// What a step of `instance_rates` reports besides.
struct instance_rates_report : step_report {
  double held_out_loss = none;  ///< mean loss of the held-out samples, after the step on the batch
  double mean_rate = none;      ///< of the batch's samples, before the step
  double zero_share = none;     ///< share of the batch's samples at rate 0, before the step

  template <class Visitor>
  void visit_numbers(Visitor& visit) const {
    visit(reported_number{
        .name = "held_out_loss", .value = held_out_loss, .meaning = "loss of the held-out samples"});
    visit(reported_number{
        .name = "mean_rate", .value = mean_rate, .meaning = "mean learning rate of the batch's samples"});
    visit(reported_number{.name = "zero_share",
                          .value = zero_share,
                          .meaning = "share of the batch's samples that the model no longer learns from",
                          .range = std::array{0.0, 1.0}});
  }
};

/// Says which samples of the data a batch holds, such as `gal::batches`: `s.samples()` is the number of samples of the data,
/// `s.rows()` the numbers from 0 of those of the batch that was handed out last, in its order.
template <class S>
concept row_source = requires(const S& s) {
  { s.samples() } -> std::convertible_to<index_type>;
  { s.rows() } -> std::convertible_to<std::span<const index_type>>;
};

namespace detail {

struct instance_rates_numbers : held_out_numbers {
  double mean_rate = none;
  double zero_share = none;
};

[[nodiscard]] inline instance_rates_report report_of(const instance_rates_numbers& sums, double weight,
                                                     index_type samples, double learning_rate) {
  instance_rates_report report;
  static_cast<step_report&>(report) =
      report_of(static_cast<const step_numbers&>(sums), weight, samples, learning_rate);
  report.held_out_loss = sums.held_out_loss;
  report.mean_rate = sums.mean_rate;
  report.zero_share = sums.zero_share;
  return report;
}

// The options, or an error that names what is outside its range.
[[nodiscard]] inline instance_rates_options validated(instance_rates_options options) {
  require(options.rate >= 0.0 && std::isfinite(options.rate), error_code::invalid_option,
          "gal::instance_rates_options: rate is ", options.rate, "; expected a number of at least 0");
  require(options.largest > 0.0 && std::isfinite(options.largest), error_code::invalid_option,
          "gal::instance_rates_options: largest is ", options.largest, "; expected a positive number");
  require_enumerator(options.update, "gal::instance_rates_options: update");
  return options;
}

// A rate for every sample of the data, and how products with the held-out gradient move those of a batch. `who` is what messages
// call its owner.
class rate_table {
 public:
  rate_table(std::string_view who, index_type samples, const instance_rates_options& options)
      : who_(who),
        options_(options),
        rates_(static_cast<std::size_t>(samples), std::min(1.0, options.largest)) {}

  // The rates of a batch of that many samples, of which `rows` says which they are.
  std::span<const double> take(std::span<const index_type> rows, index_type samples) {
    require(static_cast<index_type>(rows.size()) == samples, error_code::shape_mismatch, who_,
            "::step: a batch of ", samples, " samples; expected the ", rows.size(),
            " that the batches have handed out last");
    batch_.clear();
    for (const index_type row : rows) {
      require(row >= 0 && static_cast<std::size_t>(row) < rates_.size(), error_code::invalid_option, who_,
              "::step: sample ", row, " of the batch; expected a number from 0 to ",
              static_cast<index_type>(rates_.size()) - 1);
      batch_.push_back(rate(row));
    }
    return batch_;
  }

  // Of the batch.
  [[nodiscard]] double mean() const {
    return std::accumulate(batch_.begin(), batch_.end(), 0.0) / static_cast<double>(batch_.size());
  }
  [[nodiscard]] double zero_share() const {
    return static_cast<double>(std::ranges::count(batch_, 0.0)) / static_cast<double>(batch_.size());
  }

  // Where a product is not finite, or all are zero, every rate stays.
  void move(std::span<const index_type> rows, std::span<const double> products, double learning_rate) {
    const double square = std::inner_product(products.begin(), products.end(), products.begin(), 0.0);
    const auto samples = static_cast<double>(products.size());
    const double rms = std::sqrt(square / samples);
    const double scale = options_.update == rate_update::normalised ? options_.rate / rms
                                                                    : options_.rate * learning_rate / samples;
    if (!(rms > 0.0) || !std::isfinite(rms) || !std::isfinite(scale)) {
      return;
    }
    for (std::size_t j = 0; j < products.size(); ++j) {
      double& rate = rates_[static_cast<std::size_t>(rows[j])];
      rate = std::clamp(rate + scale * products[j], 0.0, options_.largest);
    }
  }

  [[nodiscard]] std::span<const double> rates() const { return rates_; }

  void set(std::span<const double> rates) {
    require(rates.size() == rates_.size(), error_code::shape_mismatch, who_, "::set_rates: ", rates.size(),
            " rates; expected ", rates_.size(), ", one for each sample");
    for (const double rate : rates) {
      require(rate >= 0.0 && rate <= options_.largest, error_code::invalid_option, who_, "::set_rates: rate ",
              rate, "; expected a number in [0, ", options_.largest, "]");
    }
    rates_.assign(rates.begin(), rates.end());
  }

  [[nodiscard]] std::vector<index_type> least_trusted(index_type count) const {
    return extreme(count, [this](index_type a, index_type b) { return rate(a) < rate(b); });
  }
  [[nodiscard]] std::vector<index_type> most_trusted(index_type count) const {
    return extreme(count, [this](index_type a, index_type b) { return rate(a) > rate(b); });
  }

  template <class Visitor>
  void visit_state(Visitor& visit, std::string_view name) {
    visit.tensor(name, on_host(), rates_.data(), {static_cast<index_type>(rates_.size())});
  }

 private:
  [[nodiscard]] double rate(index_type sample) const { return rates_[static_cast<std::size_t>(sample)]; }

  template <class Before>
  [[nodiscard]] std::vector<index_type> extreme(index_type count, Before before) const {
    require(count >= 0 && static_cast<std::size_t>(count) <= rates_.size(), error_code::invalid_option, who_,
            ": ", count, " samples; expected from 0 to ", rates_.size());
    std::vector<index_type> samples(rates_.size());
    std::iota(samples.begin(), samples.end(), index_type{0});
    std::ranges::stable_sort(samples, before);
    samples.resize(static_cast<std::size_t>(count));
    return samples;
  }

  std::string_view who_;
  instance_rates_options options_;
  std::vector<double> rates_;  // of all samples
  std::vector<double> batch_;  // of the batch's
};

}  // namespace detail
}  // namespace gal
