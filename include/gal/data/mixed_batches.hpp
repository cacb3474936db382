// gal/data/mixed_batches.hpp: batches of samples from several splits of the data, as often as probabilities say.
// Provides: mixed_batches. Includes gal/data/batches.hpp.
#pragma once

#include <gal/core/error.hpp>
#include <gal/core/random.hpp>
#include <gal/core/view.hpp>
#include <gal/data/batches.hpp>

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace gal::inline GAL_ABI {

/// Batches whose samples come from K splits of the data. For every sample the sampler, such as
/// `choice_sampler`, draws a split, and of the split's samples each is as likely as the others, with
/// replacement. A batch is drawn when it is looked at, so what the sampler has learned from one serves the
/// next.
///
///     gal::choice_sampler sampler(10, {.seed = 1});
///     gal::mixed_batches batches(train, split_of_sample, sampler, 32, /*seed=*/1);
///     for (auto [x, y] : batches) { ... }               // as many samples as the data have, rounded up to whole batches
///
/// `split_of_sample` holds a number from 0 to K - 1 for each of the n samples. Sampler and data are referred
/// to and must outlive this; x and y are valid up to the next batch. The sampler's state is not part of this
/// one's: who trains it keeps it. Iterating allocates nothing.
///
/// Throws for a size below 1, another number of splits' numbers than samples, numbers outside [0, K), and
/// splits without samples.
template <class Sampler, class T, class Target = T>
class mixed_batches {
 public:
  using batch = typename batches<T, Target>::batch;
  using iterator = detail::epoch_iterator<mixed_batches>;

  mixed_batches(const dataset<T, Target>& data, std::span<const index_type> split_of_sample, Sampler& sampler,
                index_type size, std::uint64_t seed = 0)
      : features_(data.features.view()),
        targets_(data.targets.view()),
        sampler_(&sampler),
        size_(size),
        random_{seed, 0},
        rows_of_(sampler.probabilities().size()) {
    const index_type n = features_.columns();
    detail::require(size >= 1, error_code::invalid_option, "gal::mixed_batches: size ", size,
                    "; expected a positive number of samples");
    detail::require(targets_.columns() == n && static_cast<index_type>(split_of_sample.size()) == n,
                    error_code::shape_mismatch, "gal::mixed_batches: features of ", n,
                    " samples, targets of ", targets_.columns(), ", splits of ", split_of_sample.size(),
                    "; expected as many");
    const auto splits = static_cast<index_type>(rows_of_.size());
    for (index_type j = 0; j < n; ++j) {
      const index_type split = split_of_sample[static_cast<std::size_t>(j)];
      detail::require(split >= 0 && split < splits, error_code::invalid_option, "gal::mixed_batches: split ",
                      split, " of sample ", j, "; expected a number from 0 to ", splits - 1);
      rows_of_[static_cast<std::size_t>(split)].push_back(j);
    }
    for (std::size_t k = 0; k < rows_of_.size(); ++k) {
      detail::require(!rows_of_[k].empty(), error_code::invalid_option, "gal::mixed_batches: split ", k,
                      " has no samples; expected at least one");
    }
    position_ = this->size();
    rows_.resize(static_cast<std::size_t>(size));
    feature_buffer_.resize(features_.rows(), size);
    target_buffer_.resize(targets_.rows(), size);
  }
  mixed_batches(const dataset<T, Target>&&, std::span<const index_type>, Sampler&, index_type,
                std::uint64_t = 0) = delete;

  /// Starts an epoch, whether or not the one before came to its end; after a state was loaded that was saved
  /// within an epoch, goes on with that.
  [[nodiscard]] iterator begin() {
    if (!std::exchange(resumes_, false) || at_end()) {
      position_ = 0;
    }
    is_drawn_ = false;
    return iterator(*this);
  }
  [[nodiscard]] std::default_sentinel_t end() const { return {}; }

  /// Batches in an epoch.
  [[nodiscard]] index_type size() const { return (samples() + size_ - 1) / size_; }

  /// Samples of the data, and which of them the batch that was looked at last holds, by their numbers from 0
  /// in its order.
  [[nodiscard]] index_type samples() const { return features_.columns(); }
  [[nodiscard]] std::span<const index_type> rows() const { return rows_; }

  /// The place in the epoch, and in the sequence of draws within splits. A batch that was looked at counts as
  /// done.
  template <class Visitor>
  void visit_state(Visitor& visit) {
    if (!fingerprint_) {
      fingerprint_ = detail::fingerprint(targets_, detail::fingerprint(features_, 0));
    }
    visit.setting("samples", samples());
    visit.setting("fingerprint_of_data", *fingerprint_);
    visit.setting("size", size_);
    visit.setting("splits", rows_of_.size());
    visit("random", random_);
    const auto position = std::make_shared<index_type>(position_ + (is_drawn_ ? 1 : 0));
    visit("position", *position, 0, size());
    visit.after_loading([this, position] {
      position_ = *position;
      is_drawn_ = false;
      resumes_ = true;
    });
  }

 private:
  friend iterator;
  [[nodiscard]] bool at_end() const { return position_ >= size(); }

  [[nodiscard]] batch current() {
    if (!std::exchange(is_drawn_, true)) {
      const std::span<const index_type> splits = sampler_->draw(size_);
      for (std::size_t i = 0; i < rows_.size(); ++i) {
        const auto& rows = rows_of_[static_cast<std::size_t>(splits[i])];
        rows_[i] = rows[static_cast<std::size_t>(random_.below(rows.size()))];
      }
      detail::copy_columns(features_, rows(), feature_buffer_.view());
      detail::copy_columns(targets_, rows(), target_buffer_.view());
    }
    return {std::as_const(feature_buffer_).view(), std::as_const(target_buffer_).view()};
  }

  void advance() {
    ++position_;
    is_drawn_ = false;
  }

  matrix_view<const T> features_;
  matrix_view<const Target> targets_;
  Sampler* sampler_;
  index_type size_;
  random_stream random_;
  std::vector<std::vector<index_type>> rows_of_;  // the samples of each split
  index_type position_ = 0;                       // of the current batch in the epoch
  bool is_drawn_ = false;                         // the current batch
  bool resumes_ = false;                          // the next begin goes on within the epoch
  std::optional<std::uint64_t> fingerprint_;
  std::vector<index_type> rows_;  // of the batch that was drawn last
  matrix<T> feature_buffer_;
  matrix<Target> target_buffer_;
};

}  // namespace gal
