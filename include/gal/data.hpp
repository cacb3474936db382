// gal/data.hpp: from a table to the batches of an epoch.
// Provides: dataset, make_dataset, labels, take, train_test_split, standardizer, batches. Includes gal/csv.hpp.
#pragma once

#include <gal/backend.hpp>
#include <gal/csv.hpp>
#include <gal/error.hpp>
#include <gal/random.hpp>
#include <gal/view.hpp>

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <limits>
#include <memory>
#include <numeric>
#include <random>
#include <ranges>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace gal {

/// Samples and what is to be predicted for them: n columns each. For classification `Target` is an integer
/// and `targets` one row of labels.
template <class T, class Target = T>
struct dataset {
  matrix<T> features{};      ///< d x n
  matrix<Target> targets{};  ///< m x n

  /// Number of samples.
  [[nodiscard]] index size() const { return features.columns(); }

  friend bool operator==(const dataset&, const dataset&) = default;
};

namespace detail {

// A value of the table as a T, which must be able to hold it.
template <class T>
T table_value(const table& source, index row, index column) {
  const double value = source(row, column);
  const auto fail = [&](std::string_view expected) {
    throw error(error_code::malformed_data, text("gal::table: row ", row + 1, ", column \"",
                                                 source.names[static_cast<std::size_t>(column)], "\": value ",
                                                 value, "; expected ", expected));
  };
  if constexpr (std::integral<T>) {
    // Both bounds are powers of two (or 0), so they are exact as doubles; the upper one is the first value
    // too large.
    constexpr double lowest = static_cast<double>(std::numeric_limits<T>::min());
    constexpr double beyond = 2.0 * static_cast<double>(std::numeric_limits<T>::max() / 2 + 1);
    if (std::trunc(value) != value || value < lowest || value >= beyond) {
      fail("an integer in the range of the label type");
    }
  } else if (!(std::abs(value) <= static_cast<double>(std::numeric_limits<T>::max()))) {
    fail("a finite number in the range of the scalar type");
  }
  return static_cast<T>(value);
}

template <class T>
void copy_columns(matrix_view<const T> from, std::span<const index> columns, matrix_view<T> to) {
  for (std::size_t j = 0; j < columns.size(); ++j) {
    std::ranges::copy(from.column(columns[j]), to.column(static_cast<index>(j)).begin());
  }
}

}  // namespace detail

/// The columns of a table called `targets` (in that order; by default the last column) and, as features, all
/// others.
///
///     auto houses = gal::make_dataset<float>(gal::read_csv("boston.csv"), {"medv"});  // 13 x 506, 1 x 506
///     auto digits = gal::make_dataset<float, int>(gal::read_csv("digits.csv"));       // targets: labels
///
/// Throws for an unknown or repeated name, where no column is left for the features, for a value that is not
/// finite or that its type cannot hold, as a label that is no integer, and for an incomplete last row.
template <class T, class Target = T>
[[nodiscard]] dataset<T, Target> make_dataset(const table& source,
                                              const std::vector<std::string>& targets = {}) {
  std::vector<index> target_columns;
  for (const std::string& name : targets) {
    const index column = source.column_index(name);
    detail::require(std::ranges::find(target_columns, column) == target_columns.end(),
                    error_code::invalid_option, "gal::make_dataset: target \"", name,
                    "\" named twice; expected different columns");
    target_columns.push_back(column);
  }
  if (targets.empty()) {
    target_columns.push_back(source.columns() - 1);
  }
  const index target_count = static_cast<index>(target_columns.size());
  detail::require(target_count < source.columns(), error_code::invalid_option,
                  "gal::make_dataset: ", target_count, " targets in a table of ", source.columns(),
                  " columns; expected at least one column of features");
  std::vector<index> feature_columns;
  for (index column = 0; column < source.columns(); ++column) {
    if (std::ranges::find(target_columns, column) == target_columns.end()) {
      feature_columns.push_back(column);
    }
  }

  const auto columns = [&]<class Value>(const std::vector<index>& chosen, matrix<Value>& to) {
    to.resize(static_cast<index>(chosen.size()), source.rows());
    for (index row = 0; row < source.rows(); ++row) {
      std::ranges::transform(chosen, to.view().column(row).begin(),
                             [&](index column) { return detail::table_value<Value>(source, row, column); });
    }
  };
  dataset<T, Target> result;
  columns(feature_columns, result.features);
  columns(target_columns, result.targets);
  return result;
}

/// The column called `column` as class labels. Throws for a value that is no integer.
[[nodiscard]] inline std::vector<int> labels(const table& source, std::string_view column) {
  const index position = source.column_index(column);
  std::vector<int> result(static_cast<std::size_t>(source.rows()));
  for (index row = 0; row < source.rows(); ++row) {
    result[static_cast<std::size_t>(row)] = detail::table_value<int>(source, row, position);
  }
  return result;
}

/// The last column as class labels.
[[nodiscard]] inline std::vector<int> labels(const table& source) {
  detail::require(source.columns() > 0, error_code::invalid_option,
                  "gal::labels: a table of 0 columns; expected at least one");
  return labels(source, source.names.back());
}

/// A copy of the chosen columns, in the order of `columns`, which may repeat. Throws for one outside [0, n).
///
///     auto x = gal::take(features, std::vector<gal::index>{4, 0});   // the fifth and the first sample
template <viewable X>
[[nodiscard]] matrix<scalar_of<X>> take(const X& x, std::span<const index> columns) {
  const auto from = gal::view(x).as_const();
  for (const index column : columns) {
    detail::require(column >= 0 && column < from.columns(), error_code::shape_mismatch, "gal::take: column ",
                    column, " of ", from.columns(), "; expected 0 to ", from.columns() - 1);
  }
  matrix<scalar_of<X>> result;
  result.resize(from.rows(), static_cast<index>(columns.size()));
  detail::copy_columns(from, columns, result.view());
  return result;
}

/// The chosen samples, features and targets.
template <class T, class Target>
[[nodiscard]] dataset<T, Target> take(const dataset<T, Target>& data, std::span<const index> samples) {
  return {take(data.features, samples), take(data.targets, samples)};
}

/// Settings of `train_test_split`.
struct split_options {
  double test_fraction = 0.25;  ///< in (0, 1)
  std::uint32_t seed = 1;
};

/// Positions of the samples of both parts.
struct split_indices {
  std::vector<index> train;
  std::vector<index> test;
};

/// Divides the samples 0 to n - 1 at random: ceil(test_fraction * n) for testing, the others for training.
/// These are the parts of scikit-learn's `train_test_split(numpy.arange(n), test_size=test_fraction,
/// random_state=seed)`, in the same order.
///
///     auto [train, test] = gal::train_test_split(data.size(), {.test_fraction = 0.2, .seed = 7});
///     auto train_data = gal::take(data, train);
///
/// Throws for fewer than two samples, a fraction outside (0, 1), and one that leaves nothing for training.
[[nodiscard]] inline split_indices train_test_split(index n, split_options options = {}) {
  detail::require(n >= 2 && static_cast<std::uint64_t>(n) - 1 <= 0xffffffffU, error_code::invalid_option,
                  "gal::train_test_split: ", n, " samples; expected 2 to 2^32");
  detail::require(options.test_fraction > 0.0 && options.test_fraction < 1.0, error_code::invalid_option,
                  "gal::train_test_split: test_fraction ", options.test_fraction,
                  "; expected a number in (0, 1)");
  const auto test_count = static_cast<index>(std::ceil(options.test_fraction * static_cast<double>(n)));
  detail::require(test_count < n, error_code::invalid_option, "gal::train_test_split: test_fraction ",
                  options.test_fraction, " of ", n,
                  " samples leaves none for training; expected a smaller fraction");

  // NumPy's legacy permutation: Fisher-Yates from the end, each position drawn by rejection under a bit mask.
  std::vector<index> order(static_cast<std::size_t>(n));
  std::iota(order.begin(), order.end(), index{0});
  std::mt19937 engine(options.seed);
  for (std::size_t i = order.size() - 1; i > 0; --i) {
    std::size_t mask = i;
    for (int shift = 1; shift <= 16; shift *= 2) {
      mask |= mask >> shift;
    }
    std::size_t j = engine() & mask;
    while (j > i) {
      j = engine() & mask;
    }
    std::swap(order[i], order[j]);
  }
  return {{order.begin() + test_count, order.end()}, {order.begin(), order.begin() + test_count}};
}

/// Shifts and scales every row to mean 0 and deviation 1 over the samples it was fitted to: the training
/// part, so that nothing leaks from the test part. Sums are double whatever `T` is.
///
///     gal::standardizer<float> scale;
///     scale.fit(train.features);
///     scale.apply(train.features);
///     scale.apply(test.features);
///
/// The deviation is that of the population (divided by n), and 1 for a row that is constant up to rounding,
/// as in scikit-learn's `StandardScaler`.
template <std::floating_point T>
class standardizer {
 public:
  standardizer() = default;

  /// From the numbers of an earlier fit, one per row. Throws where the counts differ, a mean is not finite, or a
  /// deviation is not positive and finite.
  standardizer(std::vector<double> mean, std::vector<double> deviation)
      : mean_(std::move(mean)), deviation_(std::move(deviation)) {
    detail::require(mean_.size() == deviation_.size(), error_code::shape_mismatch,
                    "gal::standardizer: ", mean_.size(), " means and ", deviation_.size(),
                    " deviations; expected one of each per row");
    for (const double value : mean_) {
      detail::require(std::isfinite(value), error_code::invalid_option, "gal::standardizer: mean ", value,
                      "; expected a finite number");
    }
    for (const double value : deviation_) {
      detail::require(value > 0.0 && std::isfinite(value), error_code::invalid_option,
                      "gal::standardizer: deviation ", value, "; expected a positive finite number");
    }
  }

  /// Measures every row of `samples` (d x n). Throws for no samples, and for a value that is not finite,
  /// naming it.
  void fit(matrix_view<const T> samples) {
    detail::require(!samples.empty(), error_code::shape_mismatch, "gal::standardizer::fit: a ",
                    samples.rows(), " x ", samples.columns(),
                    " matrix; expected at least one row and one sample");
    const auto rows = static_cast<std::size_t>(samples.rows());
    const auto count = static_cast<double>(samples.columns());
    std::vector<double> mean(rows, 0.0);
    for (index j = 0; j < samples.columns(); ++j) {
      for (index i = 0; i < samples.rows(); ++i) {
        const double value = samples(i, j);
        detail::require(std::isfinite(value), error_code::non_finite, "gal::standardizer::fit: value ", value,
                        " in row ", i, ", column ", j, "; expected a finite number");
        mean[static_cast<std::size_t>(i)] += value;
      }
    }
    for (double& value : mean) {
      value /= count;
    }
    // Squares of the differences, and their sum, which corrects for the rounding of the mean.
    std::vector<double> squares(rows, 0.0);
    std::vector<double> drift(rows, 0.0);
    for (index j = 0; j < samples.columns(); ++j) {
      for (std::size_t i = 0; i < rows; ++i) {
        const double difference = samples(static_cast<index>(i), j) - mean[i];
        squares[i] += difference * difference;
        drift[i] += difference;
      }
    }
    std::vector<double> deviation(rows);
    for (std::size_t i = 0; i < rows; ++i) {
      const double variance = (squares[i] - drift[i] * drift[i] / count) / count;
      const double rounding = count * std::numeric_limits<double>::epsilon();
      const bool constant = variance <= rounding * variance + (rounding * mean[i]) * (rounding * mean[i]);
      deviation[i] = constant ? 1.0 : std::sqrt(variance);
    }
    mean_ = std::move(mean);
    deviation_ = std::move(deviation);
  }

  /// Replaces x by (x - mean) / deviation, in place. Throws where `samples` has another number of rows than
  /// the fit.
  void apply(matrix_view<T> samples) const {
    transform(samples, "apply",
              [](double x, double mean, double deviation) { return (x - mean) / deviation; });
  }

  /// Undoes `apply`: replaces x by x * deviation + mean, in place.
  void apply_inverse(matrix_view<T> samples) const {
    transform(samples, "apply_inverse",
              [](double x, double mean, double deviation) { return x * deviation + mean; });
  }

  [[nodiscard]] std::span<const double> mean() const { return mean_; }            ///< one per row
  [[nodiscard]] std::span<const double> deviation() const { return deviation_; }  ///< one per row, positive

  friend bool operator==(const standardizer&, const standardizer&) = default;

 private:
  template <class F>
  void transform(matrix_view<T> samples, std::string_view name, F f) const {
    detail::require(static_cast<std::size_t>(samples.rows()) == mean_.size(), error_code::shape_mismatch,
                    "gal::standardizer::", name, ": a matrix of ", samples.rows(), " rows; expected ",
                    mean_.size(), mean_.empty() ? " (not fitted yet)" : ", as in the fit");
    for (index j = 0; j < samples.columns(); ++j) {
      for (std::size_t i = 0; i < mean_.size(); ++i) {
        T& value = samples(static_cast<index>(i), j);
        value = static_cast<T>(f(static_cast<double>(value), mean_[i], deviation_[i]));
      }
    }
  }

  std::vector<double> mean_;
  std::vector<double> deviation_;
};

/// What becomes of a last batch that is smaller than the others.
enum class last_batch { keep, drop };

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

  class iterator {
   public:
    using iterator_concept = std::input_iterator_tag;
    using value_type = batch;
    using difference_type = index;

    explicit iterator(batches& owner) : owner_(&owner) {}

    [[nodiscard]] batch operator*() const { return owner_->current(); }
    iterator& operator++() {
      owner_->advance();
      return *this;
    }
    void operator++(int) { ++*this; }

    [[nodiscard]] bool operator==(std::default_sentinel_t) const { return owner_->at_end(); }

   private:
    batches* owner_;
  };

  batches(const dataset<T, Target>& data, index size, batch_options options = {})
      : batches(data.features, data.targets, size, options) {}

  batches(const dataset<T, Target>& data, index size, std::uint64_t seed, last_batch last = last_batch::keep)
      : batches(data, size, {.seed = seed, .last_batch = last}) {}

  batches(const dataset<T, Target>&&, index, batch_options = {}) = delete;
  batches(const dataset<T, Target>&&, index, std::uint64_t, last_batch = last_batch::keep) = delete;

  /// `features`: d x n; `targets`: m x n, or n numbers as a column.
  template <detail::lasting_view_of<T> Features, detail::lasting_view_of<Target> Targets>
  batches(Features&& features, Targets&& targets, index size, batch_options options = {})
      : features_(gal::view(features).as_const()),
        targets_(detail::as_row(gal::view(targets).as_const(), features_.columns())),
        size_(size),
        options_(options),
        random_{options.seed, 0} {
    const index n = features_.columns();
    detail::require(size >= 1, error_code::invalid_option, "gal::batches: size ", size,
                    "; expected a positive number of samples");
    detail::require(n == targets_.columns(), error_code::shape_mismatch, "gal::batches: features of ", n,
                    " samples and targets of ", targets_.columns(), "; expected as many");
    detail::require(n > 0, error_code::shape_mismatch, "gal::batches: 0 samples; expected at least one");
    end_ = options.last_batch == last_batch::drop ? n - n % size : n;
    detail::require(end_ > 0, error_code::invalid_option, "gal::batches: size ", size, " with ", n,
                    " samples leaves no batch once the last is dropped; expected a size of at most ", n);
    position_ = end_;
    if (options.shuffle) {
      order_.resize(static_cast<std::size_t>(n));
      feature_buffer_.resize(features_.rows(), std::min(size, n));
      target_buffer_.resize(targets_.rows(), std::min(size, n));
    }
  }

  template <detail::lasting_view_of<T> Features, detail::lasting_view_of<Target> Targets>
  batches(Features&& features, Targets&& targets, index size, std::uint64_t seed,
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
      std::iota(order_.begin(), order_.end(), index{0});
      for (std::size_t i = order_.size() - 1; i > 0; --i) {
        std::swap(order_[i], order_[static_cast<std::size_t>(random_.below(i + 1))]);
      }
    }
    load();
    return iterator(*this);
  }
  [[nodiscard]] std::default_sentinel_t end() const { return {}; }

  /// Batches in an epoch.
  [[nodiscard]] index size() const { return (end_ + size_ - 1) / size_; }

  /// The random state that the next epoch starts from: store it between epochs to resume there.
  [[nodiscard]] random_stream state() const { return random_; }
  void set_state(random_stream state) {
    random_ = state;
    resumes_ = false;
  }

  /// The place in the epoch, too. A batch that was looked at counts as done.
  template <class Visitor>
  void visit_state(Visitor& visit) {
    visit.setting("samples", features_.columns());
    visit.setting("size", size_);
    visit.setting("shuffle", options_.shuffle);
    visit.setting("last_batch", options_.last_batch);
    visit("epoch", epoch_start_);
    visit("next_epoch", random_);
    const auto position = std::make_shared<index>(position_ + (looked_at_ ? count() : 0));
    visit("position", *position, 0, end_);
    visit.after_loading([this, position] {
      position_ = *position;
      resumes_ = true;
    });
  }

 private:
  [[nodiscard]] bool at_end() const { return position_ >= end_; }
  [[nodiscard]] index count() const { return std::min(size_, end_ - position_); }

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
      const auto samples = std::span<const index>(order_).subspan(static_cast<std::size_t>(position_),
                                                                  static_cast<std::size_t>(count()));
      detail::copy_columns(features_, samples, feature_buffer_.view());
      detail::copy_columns(targets_, samples, target_buffer_.view());
    }
  }

  matrix_view<const T> features_;
  matrix_view<const Target> targets_;
  index size_;
  batch_options options_;
  random_stream random_;       // the next epoch's
  random_stream epoch_start_;  // this one's
  index end_ = 0;              // samples in an epoch
  index position_ = 0;         // first sample of the current batch
  bool looked_at_ = false;     // the current batch
  bool resumes_ = false;       // the next begin goes on within the epoch
  std::vector<index> order_;
  matrix<T> feature_buffer_;
  matrix<Target> target_buffer_;
};

template <viewable Features, viewable Targets>
batches(Features&&, Targets&&, index, batch_options = {}) -> batches<scalar_of<Features>, scalar_of<Targets>>;
template <viewable Features, viewable Targets>
batches(Features&&, Targets&&, index, std::uint64_t, last_batch = last_batch::keep)
    -> batches<scalar_of<Features>, scalar_of<Targets>>;

template <viewable Features, class Targets>
  requires(!viewable<Targets>)
batches(Features&&, Targets&&, index, batch_options = {})
->batches<scalar_of<Features>, typename detail::missing_scalar<std::remove_cvref_t<Targets>>::type>;

}  // namespace gal
