// gal/data/batches.hpp: the batches of an epoch, in a new order every time.
// Provides: batches, batch_options, last_batch. Includes gal/data/dataset.hpp.
#pragma once

#include <gal/core/backend.hpp>
#include <gal/core/enumeration.hpp>
#include <gal/core/error.hpp>
#include <gal/core/random.hpp>
#include <gal/core/view.hpp>
#include <gal/data/dataset.hpp>
#include <gal/data/detail/epoch_iterator.hpp>
#include <gal/data/detail/fingerprint.hpp>

#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <numeric>
#include <optional>
#include <ranges>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace gal::inline GAL_ABI {

/// What becomes of a last batch that is smaller than the others.
enum class last_batch { keep, drop };
constexpr auto enumerator_names(last_batch) { return std::to_array<std::string_view>({"keep", "drop"}); }

/// Settings of `batches`.
struct batch_options {
  std::uint64_t seed = 0;
  bool shuffle = true;  ///< a new order in every epoch; without, the order of the data
  gal::last_batch last_batch = gal::last_batch::keep;
};

namespace detail {

template <class X>
constexpr bool is_matrix_view = false;
template <class T, class Memory>
constexpr bool is_matrix_view<matrix_view<T, Memory>> = true;

// Viewable as a matrix of T, and the memory stays: not a temporary that owns it.
template <class X, class T>
concept lasting_view_of = viewable<X> && std::same_as<scalar_of<X>, T> &&
                          (std::is_lvalue_reference_v<X> || is_matrix_view<std::remove_cvref_t<X>> ||
                           std::ranges::enable_borrowed_range<std::remove_cvref_t<X>>);

// The scalar of targets that have none: says why.
template <class Targets>
struct missing_scalar {
  static_assert(explain_numbers<Targets>());
  using type = int;
};

}  // namespace detail

/// The batches of an epoch, epoch after epoch: every `begin()` starts a new one, in a new order.
///
///     gal::batches batches(train, 32, /*seed=*/1);   // or {.seed = 1, .last_batch = gal::last_batch::drop}
///     for (int epoch = 0; epoch < 100; ++epoch) {
///       for (auto [x, y] : batches) {                // d x 32 and m x 32
///         trainer.step(x, y);
///       }
///     }
///     for (auto [x, y] : gal::batches(test, 256, {.shuffle = false})) { ... }
///
/// Reads a dataset, or features and targets of any viewable type, such as a matrix and a `std::vector<int>`
/// of labels; n targets may also be a column. It looks at them where they lie: they must outlive it, and
/// temporaries do not compile. `x` and `y` are valid up to the next batch: they show buffers that the
/// constructor allocates (iterating allocates nothing) or, where nothing is shuffled, the data themselves. The
/// order depends on seed and epoch only, on every platform.
///
/// Throws for a size below 1, no samples, different numbers of features and targets, and where dropping the
/// last batch leaves none.
template <class T, class Target = T>
class batches {
 public:
  struct batch {
    matrix_view<const T> features;
    matrix_view<const Target> targets;
  };

  using iterator = detail::epoch_iterator<batches>;

  batches(const dataset<T, Target>& data, index_type size, batch_options options = {})
      : batches(data.features, data.targets, size, options) {}

  batches(const dataset<T, Target>& data, index_type size, std::uint64_t seed,
          last_batch last = last_batch::keep)
      : batches(data, size, {.seed = seed, .last_batch = last}) {}

  batches(const dataset<T, Target>&&, index_type, batch_options = {}) = delete;
  batches(const dataset<T, Target>&&, index_type, std::uint64_t, last_batch = last_batch::keep) = delete;

  /// `features`: d x n; `targets`: m x n, or n numbers as a column.
  template <detail::lasting_view_of<T> Features, detail::lasting_view_of<Target> Targets>
  batches(Features&& features, Targets&& targets, index_type size, batch_options options = {})
      : features_(gal::view(features).as_const()),
        targets_(detail::as_row(gal::view(targets).as_const(), features_.columns())),
        size_(size),
        options_(options),
        random_{options.seed, 0} {
    const index_type n = features_.columns();
    detail::require(size >= 1, error_code::invalid_option, "gal::batches: size ", size,
                    "; expected a positive number of samples");
    detail::require(n == targets_.columns(), error_code::shape_mismatch, "gal::batches: features of ", n,
                    " samples and targets of ", targets_.columns(), "; expected as many");
    detail::require(n > 0, error_code::shape_mismatch, "gal::batches: 0 samples; expected at least one");
    detail::require_enumerator(options.last_batch, "gal::batches: last_batch");
    end_ = options.last_batch == last_batch::drop ? n - n % size : n;
    detail::require(end_ > 0, error_code::invalid_option, "gal::batches: size ", size, " with ", n,
                    " samples leaves no batch once the last is dropped; expected a size of at most ", n);
    position_ = end_;
    order_.resize(static_cast<std::size_t>(n));
    std::iota(order_.begin(), order_.end(), index_type{0});
    if (options.shuffle) {
      feature_buffer_.resize(features_.rows(), std::min(size, n));
      target_buffer_.resize(targets_.rows(), std::min(size, n));
    }
  }

  template <detail::lasting_view_of<T> Features, detail::lasting_view_of<Target> Targets>
  batches(Features&& features, Targets&& targets, index_type size, std::uint64_t seed,
          last_batch last = last_batch::keep)
      : batches(features, targets, size, {.seed = seed, .last_batch = last}) {}

  /// Starts an epoch, whether or not the one before came to its end; after a state was loaded that was saved within an
  /// epoch, goes on with that.
  [[nodiscard]] iterator begin() {
    if (std::exchange(resumes_, false) && !at_end()) {
      random_ = epoch_start_;
    } else {
      epoch_start_ = random_;
      position_ = 0;
    }
    if (options_.shuffle) {
      // From the same start each time: the order is a function of the random state alone.
      std::iota(order_.begin(), order_.end(), index_type{0});
      for (std::size_t i = order_.size() - 1; i > 0; --i) {
        std::swap(order_[i], order_[static_cast<std::size_t>(random_.below(i + 1))]);
      }
    }
    load();
    return iterator(*this);
  }
  [[nodiscard]] std::default_sentinel_t end() const { return {}; }

  /// Batches in an epoch.
  [[nodiscard]] index_type size() const { return (end_ + size_ - 1) / size_; }

  /// Samples of the data, and which of them the current batch holds, by their numbers from 0 in its order; valid up to the
  /// next batch.
  [[nodiscard]] index_type samples() const { return features_.columns(); }
  [[nodiscard]] std::span<const index_type> rows() const {
    return std::span<const index_type>(order_).subspan(static_cast<std::size_t>(position_),
                                                       static_cast<std::size_t>(count()));
  }

  /// The random state that the next epoch starts from: store it between epochs to resume there.
  [[nodiscard]] random_stream state() const { return random_; }
  void set_state(random_stream state) {
    random_ = state;
    resumes_ = false;
  }

  /// The place in the epoch, too. A batch that was looked at counts as done. The data have to be the same where it is loaded,
  /// which their fingerprint says: that of the first time.
  template <class Visitor>
  void visit_state(Visitor& visit) {
    if (!fingerprint_) {
      fingerprint_ = detail::fingerprint(targets_, detail::fingerprint(features_, 0));
    }
    visit.setting("samples", features_.columns());
    visit.setting("fingerprint_of_data", *fingerprint_);
    visit.setting("size", size_);
    visit.setting("shuffle", options_.shuffle);
    visit.setting("last_batch", options_.last_batch);
    visit("epoch", epoch_start_);
    visit("next_epoch", random_);
    const auto position = std::make_shared<index_type>(position_ + (looked_at_ ? count() : 0));
    visit("position", *position, 0, end_);
    visit.after_loading([this, position] {
      position_ = *position;
      resumes_ = true;
    });
  }

 private:
  friend iterator;
  [[nodiscard]] bool at_end() const { return position_ >= end_; }
  [[nodiscard]] index_type count() const { return std::min(size_, end_ - position_); }

  [[nodiscard]] batch current() {
    looked_at_ = true;
    if (options_.shuffle) {
      return {std::as_const(feature_buffer_).view().columns(0, count()),
              std::as_const(target_buffer_).view().columns(0, count())};
    }
    return {features_.columns(position_, count()), targets_.columns(position_, count())};
  }

  void advance() {
    position_ += count();
    load();
  }

  // Copies the samples of the current batch next to each other.
  void load() {
    looked_at_ = false;
    if (options_.shuffle && !at_end()) {
      detail::copy_columns(features_, rows(), feature_buffer_.view());
      detail::copy_columns(targets_, rows(), target_buffer_.view());
    }
  }

  matrix_view<const T> features_;
  matrix_view<const Target> targets_;
  index_type size_;
  batch_options options_;
  random_stream random_;       // the next epoch's
  random_stream epoch_start_;  // this one's
  index_type end_ = 0;         // samples in an epoch
  index_type position_ = 0;    // first sample of the current batch
  bool looked_at_ = false;     // the current batch
  bool resumes_ = false;       // the next begin goes on within the epoch
  std::optional<std::uint64_t> fingerprint_;
  std::vector<index_type> order_;
  matrix<T> feature_buffer_;
  matrix<Target> target_buffer_;
};

template <viewable Features, viewable Targets>
batches(Features&&, Targets&&, index_type, batch_options = {})
    -> batches<scalar_of<Features>, scalar_of<Targets>>;
template <viewable Features, viewable Targets>
batches(Features&&, Targets&&, index_type, std::uint64_t, last_batch = last_batch::keep)
    -> batches<scalar_of<Features>, scalar_of<Targets>>;

template <viewable Features, class Targets>
  requires(!viewable<Targets>)
batches(Features&&, Targets&&, index_type, batch_options = {})
    -> batches<scalar_of<Features>, typename detail::missing_scalar<std::remove_cvref_t<Targets>>::type>;

}  // namespace gal
