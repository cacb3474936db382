// gal/stats/classification.hpp: how good the answers of a classifier are.
// Provides: confusion_matrix, top_k_accuracy, area_under_roc, calibration_error. Shares of errors: `error_rate` in
// gal/stats/stats.hpp; the mean log loss: `evaluate_loss` with `softmax_cross_entropy`.
#pragma once

#include <gal/core/error.hpp>
#include <gal/core/view.hpp>

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <limits>
#include <numeric>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace gal::inline GAL_ABI {

namespace detail {

// Views of d x n logits and of n labels, as a row, in [0, d).
template <class Logits, class Labels>
auto logits_and_labels(std::string_view name, const Logits& logits, const Labels& labels) {
  const auto x = gal::view(logits).as_const();
  const auto y = as_row(gal::view(labels).as_const(), x.columns());
  require(x.rows() > 0 && x.columns() > 0, error_code::shape_mismatch, name, ": logits are ", x.shape(),
          "; expected at least one class and one sample");
  require(y.shape() == shape{1, x.columns()}, error_code::shape_mismatch, name, ": logits are ", x.shape(),
          ", labels are ", y.shape(), "; expected ", x.columns(), " labels, one per sample");
  for (index_type j = 0; j < y.columns(); ++j) {
    const auto label = static_cast<index_type>(y(0, j));
    require(label >= 0 && label < x.rows(), error_code::invalid_target, name, ": label ", y(0, j),
            " of sample ", j, "; expected 0 to ", x.rows() - 1);
  }
  return std::pair(x, y);
}

// The class of the first largest logit; none where a logit is NaN or infinity, or all are -infinity (masked out).
template <class View>
std::optional<index_type> largest_logit(View logits, index_type sample) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  std::optional<index_type> best;
  double largest = -infinity;
  for (index_type k = 0; k < logits.rows(); ++k) {
    const auto logit = static_cast<double>(logits(k, sample));
    if (!(logit < infinity)) {  // NaN is not
      return std::nullopt;
    }
    if (logit > largest) {
      largest = logit;
      best = k;
    }
  }
  return best;
}

}  // namespace detail

/// Counts of samples by label and by answer, and what follows from them. Batches are added one after the other:
///
///     gal::confusion_matrix counts(10);
///     for (auto [x, y] : test) counts.add(model.forward(x), y);
///     counts.f1(3);          // of class 3
///     counts.macro_f1();
///
/// Precision, recall and F1 are those of scikit-learn with its default `zero_division`: 0 where nothing is divided by nothing.
/// A sample without an answer, whose logits have no largest one (`error_rate`), counts as wrong for its label and for no other
/// class.
class confusion_matrix {
 public:
  /// Throws for fewer than one class.
  explicit confusion_matrix(index_type classes) : classes_(classes) {
    detail::require(classes >= 1, error_code::invalid_option, "gal::confusion_matrix: ", classes,
                    " classes; expected at least 1");
    counts_.resize(static_cast<std::size_t>(classes * (classes + 1)));
  }

  /// Adds a batch: logits `d x n`, n integers in [0, d). Throws for other shapes and labels, before anything is counted.
  template <viewable Logits, viewable Labels>
    requires std::integral<scalar_of<Labels>>
  void add(const Logits& logits, const Labels& labels) {
    const auto [x, y] = detail::logits_and_labels("gal::confusion_matrix::add", logits, labels);
    detail::require(x.rows() == classes_, error_code::shape_mismatch,
                    "gal::confusion_matrix::add: logits are ", x.shape(), "; expected ", classes_, " rows");
    for (index_type j = 0; j < x.columns(); ++j) {
      ++at(static_cast<index_type>(y(0, j)), detail::largest_logit(x, j).value_or(classes_));
    }
  }

  [[nodiscard]] index_type classes() const { return classes_; }

  /// Samples of class `label` that got `answer`. Throws for classes out of range, as all that follows.
  [[nodiscard]] index_type count(index_type label, index_type answer) const {
    check(label);
    check(answer);
    return at(label, answer);
  }
  /// Samples of class `label` without an answer.
  [[nodiscard]] index_type unanswered(index_type label) const {
    check(label);
    return at(label, classes_);
  }
  /// All samples.
  [[nodiscard]] index_type samples() const {
    return std::accumulate(counts_.begin(), counts_.end(), index_type{0});
  }
  /// Samples of class `label`.
  [[nodiscard]] index_type support(index_type label) const {
    check(label);
    index_type sum = 0;
    for (index_type answer = 0; answer <= classes_; ++answer) {
      sum += at(label, answer);
    }
    return sum;
  }

  /// Share of all samples that got their label: precision, recall and F1 over all samples (micro) are the same number. NaN
  /// without samples.
  [[nodiscard]] double accuracy() const {
    index_type right = 0;
    for (index_type k = 0; k < classes_; ++k) {
      right += at(k, k);
    }
    return samples() == 0 ? std::numeric_limits<double>::quiet_NaN() : share(right, samples());
  }
  /// Of the answers `answer` the share that is right.
  [[nodiscard]] double precision(index_type answer) const {
    return share(count(answer, answer), answers(answer));
  }
  /// Of the samples of class `label` the share that got it.
  [[nodiscard]] double recall(index_type label) const { return share(count(label, label), support(label)); }
  /// Harmonic mean of precision and recall.
  [[nodiscard]] double f1(index_type label) const {
    return share(2 * count(label, label), answers(label) + support(label));
  }

  /// Means over the classes that are the label or the answer of a sample. NaN without any.
  [[nodiscard]] double macro_precision() const {
    return macro([this](index_type k) { return precision(k); });
  }
  [[nodiscard]] double macro_recall() const {
    return macro([this](index_type k) { return recall(k); });
  }
  [[nodiscard]] double macro_f1() const {
    return macro([this](index_type k) { return f1(k); });
  }

 private:
  void check(index_type k) const {
    detail::require(k >= 0 && k < classes_, error_code::invalid_option, "gal::confusion_matrix: class ", k,
                    "; expected 0 to ", classes_ - 1);
  }
  // By label, then by answer; the last answer is none.
  [[nodiscard]] index_type& at(index_type label, index_type answer) {
    return counts_[static_cast<std::size_t>(label * (classes_ + 1) + answer)];
  }
  [[nodiscard]] index_type at(index_type label, index_type answer) const {
    return counts_[static_cast<std::size_t>(label * (classes_ + 1) + answer)];
  }
  [[nodiscard]] index_type answers(index_type answer) const {
    index_type sum = 0;
    for (index_type label = 0; label < classes_; ++label) {
      sum += at(label, answer);
    }
    return sum;
  }
  [[nodiscard]] static double share(index_type part, index_type whole) {
    return whole == 0 ? 0.0 : static_cast<double>(part) / static_cast<double>(whole);
  }
  template <class F>
  [[nodiscard]] double macro(F f) const {
    double sum = 0.0;
    index_type present = 0;
    for (index_type k = 0; k < classes_; ++k) {
      if (support(k) + answers(k) > 0) {
        sum += f(k);
        ++present;
      }
    }
    return present == 0 ? std::numeric_limits<double>::quiet_NaN() : sum / static_cast<double>(present);
  }

  index_type classes_;
  std::vector<index_type> counts_;
};

/// Share of the samples whose label is among the `k` largest logits; of equal logits the first are taken, so that k = 1 gives
/// 1 - `error_rate`. NaN where a sample has no largest logit. Logits `d x n`, n integers in [0, d). Throws for other shapes and
/// labels, and for k outside [1, d].
template <viewable Logits, viewable Labels>
  requires std::integral<scalar_of<Labels>>
[[nodiscard]] double top_k_accuracy(const Logits& logits, const Labels& labels, index_type k) {
  const auto [x, y] = detail::logits_and_labels("gal::top_k_accuracy", logits, labels);
  detail::require(k >= 1 && k <= x.rows(), error_code::invalid_option, "gal::top_k_accuracy: k is ", k,
                  "; expected 1 to ", x.rows());
  index_type right = 0;
  for (index_type j = 0; j < x.columns(); ++j) {
    if (!detail::largest_logit(x, j)) {
      return std::numeric_limits<double>::quiet_NaN();
    }
    const auto label = static_cast<index_type>(y(0, j));
    const auto own = x(label, j);
    index_type before = 0;
    for (index_type i = 0; i < x.rows(); ++i) {
      before += x(i, j) > own || (x(i, j) == own && i < label) ? 1 : 0;
    }
    right += before < k ? 1 : 0;
  }
  return static_cast<double>(right) / static_cast<double>(x.columns());
}

/// Area under the receiver operating characteristic: the chance that a sample of label 1 has a larger score than one of label
/// 0, equal scores counted half. `scores`: n numbers, such as the difference of two logits; `labels`: n integers, 0 or 1; rows
/// or columns. Infinite scores are ordered as any; NaN where a score is NaN. Throws for other labels, and where one of the two is
/// missing.
template <viewable Scores, viewable Labels>
  requires std::integral<scalar_of<Labels>>
[[nodiscard]] double area_under_roc(const Scores& scores, const Labels& labels) {
  const auto given = gal::view(scores).as_const();
  const auto x = detail::as_row(given, given.rows());
  const auto y = detail::as_row(gal::view(labels).as_const(), x.columns());
  constexpr std::string_view name = "gal::area_under_roc";
  detail::require(x.rows() == 1 && y.shape() == x.shape(), error_code::shape_mismatch, name, ": scores are ",
                  given.shape(), ", labels are ", gal::view(labels).shape(),
                  "; expected one score and one label per sample");
  std::vector<index_type> order(static_cast<std::size_t>(x.columns()));
  std::iota(order.begin(), order.end(), index_type{0});
  double positive = 0.0;
  for (const index_type j : order) {
    detail::require(y(0, j) == 0 || y(0, j) == 1, error_code::invalid_target, name, ": label ", y(0, j),
                    " of sample ", j, "; expected 0 or 1");
    positive += y(0, j) == 1 ? 1.0 : 0.0;
  }
  const double negative = static_cast<double>(x.columns()) - positive;
  detail::require(positive > 0.0 && negative > 0.0, error_code::invalid_target, name, ": ", positive,
                  " samples of label 1 and ", negative, " of label 0; expected both");
  for (const index_type j : order) {
    if (std::isnan(static_cast<double>(x(0, j)))) {
      return std::numeric_limits<double>::quiet_NaN();
    }
  }
  std::ranges::sort(order, [x = x](index_type a, index_type b) { return x(0, a) < x(0, b); });
  // Pairs in which the positive one is larger: over runs of equal scores.
  double pairs = 0.0;
  double negative_before = 0.0;
  for (std::size_t begin = 0; begin < order.size();) {
    double positive_here = 0.0;
    double negative_here = 0.0;
    std::size_t end = begin;
    for (; end < order.size() && x(0, order[end]) == x(0, order[begin]); ++end) {
      (y(0, order[end]) == 1 ? positive_here : negative_here) += 1.0;
    }
    pairs += positive_here * (negative_before + 0.5 * negative_here);
    negative_before += negative_here;
    begin = end;
  }
  return pairs / (positive * negative);
}

/// Expected calibration error (Guo et al., arXiv 1706.04599, eq. 3): the samples lie in `bins` of equal width by the
/// probability of their answer, softmax's largest; the mean over the samples of abs(share of right answers - mean probability) of
/// their bin. A probability between two bins is in the lower one. NaN where a sample has no largest logit. Logits `d x n`, n
/// integers in [0, d). Throws for other shapes and labels, and for fewer than one bin.
template <viewable Logits, viewable Labels>
  requires std::integral<scalar_of<Labels>>
[[nodiscard]] double calibration_error(const Logits& logits, const Labels& labels, int bins = 15) {
  const auto [x, y] = detail::logits_and_labels("gal::calibration_error", logits, labels);
  detail::require(bins >= 1, error_code::invalid_option, "gal::calibration_error: ", bins,
                  " bins; expected at least 1");
  std::vector<double> excess(static_cast<std::size_t>(bins), 0.0);  // right answers less their probabilities
  for (index_type j = 0; j < x.columns(); ++j) {
    const std::optional<index_type> answer = detail::largest_logit(x, j);
    if (!answer) {
      return std::numeric_limits<double>::quiet_NaN();
    }
    double total = 0.0;  // of exp(x_k - largest)
    for (index_type k = 0; k < x.rows(); ++k) {
      total += std::exp(static_cast<double>(x(k, j)) - static_cast<double>(x(*answer, j)));
    }
    const double probability = 1.0 / total;
    const auto bin = static_cast<std::size_t>(
        std::clamp(static_cast<int>(std::ceil(probability * bins)) - 1, 0, bins - 1));
    excess[bin] += (*answer == static_cast<index_type>(y(0, j)) ? 1.0 : 0.0) - probability;
  }
  double sum = 0.0;
  for (const double e : excess) {
    sum += std::abs(e);
  }
  return sum / static_cast<double>(x.columns());
}

}  // namespace gal
