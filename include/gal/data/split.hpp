// gal/data/split.hpp: parts to train on and parts to test on.
// Provides: train_test_split, stratified_split, k_folds, stratified_k_folds; split_options, fold_options, split_indices.
#pragma once

#include <gal/core/error.hpp>
#include <gal/core/view.hpp>

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <numeric>
#include <random>
#include <string_view>
#include <utility>
#include <vector>

namespace gal::inline GAL_ABI {

/// Settings of `train_test_split`.
struct split_options {
  double test_fraction = 0.25;  ///< in (0, 1)
  std::uint32_t seed = 1;
};

/// Positions of the samples of both parts.
struct split_indices {
  std::vector<index_type> train;
  std::vector<index_type> test;
};

namespace detail {

// What NumPy's RandomState(seed) draws: Fisher-Yates from the end, each position by rejection under a bit mask.
class numpy_random {
 public:
  explicit numpy_random(std::uint32_t seed) : engine_(seed) {}

  template <class Item>
  void shuffle(std::vector<Item>& items) {
    for (std::size_t i = items.size(); i-- > 1;) {
      std::size_t mask = i;
      for (int shift = 1; shift <= 16; shift *= 2) {
        mask |= mask >> shift;
      }
      std::size_t j = engine_() & mask;
      while (j > i) {
        j = engine_() & mask;
      }
      std::swap(items[i], items[j]);
    }
  }

  // The numbers 0 to n - 1 in an order at random.
  [[nodiscard]] std::vector<index_type> permutation(index_type n) {
    std::vector<index_type> order(static_cast<std::size_t>(n));
    std::iota(order.begin(), order.end(), index_type{0});
    shuffle(order);
    return order;
  }

 private:
  std::mt19937 engine_;
};

inline void require_samples(std::string_view name, index_type n) {
  require(n >= 2 && static_cast<std::uint64_t>(n) - 1 <= 0xffffffffU, error_code::invalid_option, name, ": ",
          n, " samples; expected 2 to 2^32");
}

// How many of n samples are for testing.
[[nodiscard]] inline index_type test_part(std::string_view name, index_type n, split_options options) {
  require_samples(name, n);
  require(options.test_fraction > 0.0 && options.test_fraction < 1.0, error_code::invalid_option, name,
          ": test_fraction ", options.test_fraction, "; expected a number in (0, 1)");
  const auto count = static_cast<index_type>(std::ceil(options.test_fraction * static_cast<double>(n)));
  require(count < n, error_code::invalid_option, name, ": test_fraction ", options.test_fraction, " of ", n,
          " samples leaves none for training; expected a smaller fraction");
  return count;
}

}  // namespace detail

/// Divides the samples 0 to n - 1 at random: ceil(test_fraction * n) for testing, the others for training.
/// These are the parts of scikit-learn's `train_test_split(numpy.arange(n), test_size=test_fraction,
/// random_state=seed)`, in the same order.
///
///     auto [train, test] = gal::train_test_split(data.size(), {.test_fraction = 0.2, .seed = 7});
///     auto train_data = gal::take(data, train);
///
/// Throws for fewer than two samples, a fraction outside (0, 1), and one that leaves nothing for training.
[[nodiscard]] inline split_indices train_test_split(index_type n, split_options options = {}) {
  const index_type test_count = detail::test_part("gal::train_test_split", n, options);
  const std::vector<index_type> order = detail::numpy_random(options.seed).permutation(n);
  return {{order.begin() + test_count, order.end()}, {order.begin(), order.begin() + test_count}};
}

namespace detail {

// The labels of samples as numbers from 0 on, in the order of the labels or in that in which they come.
struct numbered_classes {
  std::vector<index_type> of_sample;
  std::vector<index_type> counts;

  template <class Labels>
  numbered_classes(std::string_view name, const Labels& labels, bool as_they_come) {
    const auto given = gal::view(labels).as_const();
    const auto row = as_row(given, given.rows());
    require(row.rows() == 1, error_code::shape_mismatch, name, ": labels are ", given.shape(),
            "; expected one per sample");
    std::map<scalar_of<Labels>, index_type> numbers;
    for (index_type j = 0; j < row.columns(); ++j) {
      numbers.try_emplace(row(0, j), static_cast<index_type>(numbers.size()));
    }
    if (!as_they_come) {
      index_type next = 0;
      for (auto& [label, number] : numbers) {
        number = next++;
      }
    }
    counts.resize(numbers.size());
    for (index_type j = 0; j < row.columns(); ++j) {
      of_sample.push_back(numbers.at(row(0, j)));
      ++counts[static_cast<std::size_t>(of_sample.back())];
    }
  }
};

// About the most likely numbers by class of `draws` samples: the whole parts of their shares, and one more of those with the
// largest rests, at random where rests are equal.
inline std::vector<index_type> shares_of_classes(const std::vector<index_type>& counts, index_type draws,
                                                 numpy_random& random) {
  const auto samples = static_cast<double>(std::accumulate(counts.begin(), counts.end(), index_type{0}));
  std::vector<index_type> result;
  std::map<double, std::vector<std::size_t>, std::greater<>> by_rest;
  index_type missing = draws;
  for (const index_type count : counts) {
    const double share = static_cast<double>(count) / samples * static_cast<double>(draws);
    by_rest[share - std::floor(share)].push_back(result.size());
    result.push_back(static_cast<index_type>(std::floor(share)));
    missing -= result.back();
  }
  for (auto rest = by_rest.begin(); missing > 0; ++rest) {
    const std::vector<std::size_t>& classes = rest->second;
    const auto order = random.permutation(static_cast<index_type>(classes.size()));
    for (std::size_t i = 0; i < classes.size() && missing > 0; ++i, --missing) {
      ++result[classes[static_cast<std::size_t>(order[i])]];
    }
  }
  return result;
}

}  // namespace detail

/// Divides samples at random so that both parts have the classes in the shares of the whole, up to one sample each: the parts of
/// scikit-learn's `train_test_split(numpy.arange(n), test_size=test_fraction, random_state=seed, stratify=labels)`, in the same
/// order. `labels`: n integers, a row or a column.
///
///     auto [train, test] = gal::stratified_split(data.targets, {.test_fraction = 0.2});
///
/// Throws as `train_test_split`, for a class of one sample, and for a part that has fewer samples than there are classes.
template <viewable Labels>
  requires std::integral<scalar_of<Labels>>
[[nodiscard]] split_indices stratified_split(const Labels& labels, split_options options = {}) {
  constexpr std::string_view name = "gal::stratified_split";
  const detail::numbered_classes classes(name, labels, false);
  const auto n = static_cast<index_type>(classes.of_sample.size());
  const index_type test_count = detail::test_part(name, n, options);
  const auto least = static_cast<index_type>(classes.counts.size());
  for (const index_type part : {test_count, n - test_count}) {
    detail::require(part >= least, error_code::invalid_option, name, ": test_fraction ",
                    options.test_fraction, " of ", n, " samples makes a part of ", part,
                    "; expected at least ", least, ", a sample of each class");
  }
  detail::require(std::ranges::min(classes.counts) >= 2, error_code::invalid_target, name,
                  ": a class has one sample; expected at least 2, one for each part");
  detail::numpy_random random(options.seed);
  const std::vector<index_type> trained = detail::shares_of_classes(classes.counts, n - test_count, random);
  std::vector<index_type> rest = classes.counts;
  for (std::size_t k = 0; k < rest.size(); ++k) {
    rest[k] -= trained[k];
  }
  const std::vector<index_type> tested = detail::shares_of_classes(rest, test_count, random);
  split_indices result;
  for (std::size_t k = 0; k < rest.size(); ++k) {
    std::vector<index_type> members;
    for (index_type j = 0; j < n; ++j) {
      if (classes.of_sample[static_cast<std::size_t>(j)] == static_cast<index_type>(k)) {
        members.push_back(j);
      }
    }
    const std::vector<index_type> order = random.permutation(classes.counts[k]);
    for (index_type i = 0; i < trained[k] + tested[k]; ++i) {
      (i < trained[k] ? result.train : result.test)
          .push_back(members[static_cast<std::size_t>(order[static_cast<std::size_t>(i)])]);
    }
  }
  random.shuffle(result.train);
  random.shuffle(result.test);
  return result;
}

/// Settings of `k_folds` and `stratified_k_folds`.
struct fold_options {
  int folds = 5;         ///< at least 2, at most one for each sample
  bool shuffle = false;  ///< take the samples at random; else as they come
  std::uint32_t seed = 1;
};

namespace detail {

// By the number of each sample's fold: what is outside of it, and what is inside.
inline std::vector<split_indices> folds_of(const std::vector<int>& fold_of_sample, int folds) {
  std::vector<split_indices> result(static_cast<std::size_t>(folds));
  for (std::size_t j = 0; j < fold_of_sample.size(); ++j) {
    for (int fold = 0; fold < folds; ++fold) {
      split_indices& split = result[static_cast<std::size_t>(fold)];
      (fold_of_sample[j] == fold ? split.test : split.train).push_back(static_cast<index_type>(j));
    }
  }
  return result;
}

inline void require_folds(std::string_view name, index_type n, int folds) {
  require_samples(name, n);
  require(folds >= 2 && folds <= n, error_code::invalid_option, name, ": ", folds, " folds of ", n,
          " samples; expected 2 to ", n);
}

}  // namespace detail

/// The samples 0 to n - 1 in folds of equal size, up to one: each is for testing once, and the others are then for training, in
/// their order. As scikit-learn's `KFold(folds, shuffle=shuffle, random_state=seed).split(numpy.arange(n))`.
///
///     for (const auto& [train, test] : gal::k_folds(data.size(), {.folds = 10, .shuffle = true})) ...
[[nodiscard]] inline std::vector<split_indices> k_folds(index_type n, fold_options options = {}) {
  detail::require_folds("gal::k_folds", n, options.folds);
  std::vector<index_type> order(static_cast<std::size_t>(n));
  std::iota(order.begin(), order.end(), index_type{0});
  if (options.shuffle) {
    detail::numpy_random(options.seed).shuffle(order);
  }
  std::vector<int> fold_of_sample(order.size());
  auto next = order.begin();
  for (int fold = 0; fold < options.folds; ++fold) {
    const index_type size = n / options.folds + (fold < n % options.folds ? 1 : 0);
    for (index_type i = 0; i < size; ++i) {
      fold_of_sample[static_cast<std::size_t>(*next++)] = fold;
    }
  }
  return detail::folds_of(fold_of_sample, options.folds);
}

/// The same with the classes in each fold in the shares of the whole, up to one sample. As scikit-learn's
/// `StratifiedKFold(folds, shuffle=shuffle, random_state=seed).split(x, labels)`. `labels`: n integers, a row or a column.
/// Throws where every class has fewer samples than there are folds.
template <viewable Labels>
  requires std::integral<scalar_of<Labels>>
[[nodiscard]] std::vector<split_indices> stratified_k_folds(const Labels& labels, fold_options options = {}) {
  constexpr std::string_view name = "gal::stratified_k_folds";
  const detail::numbered_classes classes(name, labels, true);
  const std::vector<index_type>& counts = classes.counts;
  detail::require_folds(name, static_cast<index_type>(classes.of_sample.size()), options.folds);
  detail::require(std::ranges::max(counts) >= options.folds, error_code::invalid_target, name,
                  ": the largest class has ", std::ranges::max(counts),
                  " samples; expected at least one for each of ", options.folds, " folds");
  detail::numpy_random random(options.seed);
  std::vector<int> fold_of_sample(classes.of_sample.size());
  index_type before = 0;  // samples of the classes before, dealt to the folds in turn
  for (std::size_t k = 0; k < counts.size(); ++k) {
    std::vector<int> dealt;
    for (index_type i = 0; i < counts[k]; ++i) {
      dealt.push_back(static_cast<int>((before + i) % options.folds));
    }
    std::ranges::sort(dealt);
    before += counts[k];
    if (options.shuffle) {
      random.shuffle(dealt);
    }
    auto next = dealt.begin();
    for (std::size_t j = 0; j < fold_of_sample.size(); ++j) {
      if (classes.of_sample[j] == static_cast<index_type>(k)) {
        fold_of_sample[j] = *next++;
      }
    }
  }
  return detail::folds_of(fold_of_sample, options.folds);
}

}  // namespace gal
