// Scores of predictions, tests of samples and their power. Expected values: scikit-learn 1.2.1 and SciPy 1.10.1, where
// nothing else is said.
#include <gal/backends/eigen.hpp>
#include <gal/stats/holm.hpp>
#include <gal/stats/power.hpp>
#include <gal/stats/signed_ranks.hpp>
#include <gal/stats/stats.hpp>
#include <gal/stats/t_test.hpp>

#include "testing.hpp"

#include <doctest/doctest.h>

#include <Eigen/Core>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <vector>

namespace {

using doctest::Approx;
using doubles = std::vector<double>;
constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

const doubles a = {8.21, 7.95, 8.64, 8.02, 7.71, 8.33, 8.11, 7.88};
const doubles b = {8.42, 8.31, 8.59, 8.44, 7.90, 8.61, 8.20, 8.35};
const doubles c = {9.1, 7.4, 8.8, 10.2, 6.9};

}  // namespace

TEST_CASE("errors of a regression") {
  const auto targets = matrix<>({{3, -0.5, 2, 7}, {1, 1, 1, 1}, {0, 2, 4, 9}});
  const auto predictions = matrix<>({{2.5, 0, 2, 8}, {1, 1, 1, 1}, {1, 2, 3, 7}});
  CHECK(gal::mean_absolute_error(predictions, targets) == 0.5);
  CHECK(gal::mean_squared_error(predictions, targets) == 0.625);
  CHECK(gal::mean_squared_error(targets, targets) == 0.0);
  CHECK(gal::r2_score(predictions, targets) == Approx(0.9381766415848217).epsilon(1e-15));
  CHECK(gal::r2_score(targets, targets) == 1.0);

  const std::vector<float> p = {2.5f, 0.0f, 2.0f, 8.0f};  // scalars may differ
  const doubles t = {3, -0.5, 2, 7};
  CHECK(gal::mean_absolute_error(p, t) == 0.5);
  CHECK(gal::mean_squared_error(p, t) == 0.375);
  CHECK(gal::r2_score(p, t) == Approx(0.9486081370449679).epsilon(1e-15));
}

TEST_CASE("n numbers are a row or a column") {
  const doubles p = {2.5, 0, 2, 8};
  const Eigen::VectorXd p_column = Eigen::Vector4d(2.5, 0, 2, 8);
  const Eigen::VectorXd t_column = Eigen::Vector4d(3, -0.5, 2, 7);
  CHECK(gal::mean_absolute_error(p, t_column) == 0.5);
  CHECK(gal::mean_squared_error(p, t_column) == 0.375);
  CHECK(gal::mean_squared_error(t_column, p) == 0.375);
  // Four samples, not one sample of four numbers.
  CHECK(gal::r2_score(p, t_column) == Approx(0.9486081370449679).epsilon(1e-15));
  CHECK(gal::r2_score(p_column, t_column) == Approx(0.9486081370449679).epsilon(1e-15));
  const auto logits = matrix<float>({{0, 2, 1, 5}, {1, 2, 0, 4}, {-1, 0, 1, 6}});
  CHECK(gal::error_rate(logits, Eigen::Vector4i(1, 0, 0, 1)) == 0.25);
}

TEST_CASE("the coefficient of determination of equal targets is 1 if predicted exactly, else 0") {
  CHECK(gal::r2_score(doubles{2, 2, 2}, doubles{2, 2, 2}) == 1.0);
  CHECK(gal::r2_score(doubles{2, 2, 3}, doubles{2, 2, 2}) == 0.0);
  CHECK(gal::r2_score(doubles(11, 0.3), doubles(11, 0.1)) == 0.0);
  CHECK(gal::r2_score(doubles{1}, doubles{1}) == 1.0);
  const auto targets = matrix<>({{3, -0.5, 2, 7}, {1, 1, 1, 1}, {0, 2, 4, 9}});
  const auto predictions = matrix<>({{2.5, 0, 2, 8}, {1, 1, 2, 1}, {1, 2, 3, 7}});
  CHECK(gal::r2_score(predictions, targets) == Approx(0.6048433082514885).epsilon(1e-15));
}

TEST_CASE_TEMPLATE("of numbers that are not finite every measure is NaN", T, float, double) {
  const auto targets = matrix<T>({{1, 2, 4}, {3, 0, 1}});
  for (const T bad : {static_cast<T>(not_a_number), static_cast<T>(infinity), static_cast<T>(-infinity)}) {
    CAPTURE(bad);
    for (gal::index_type i = 0; i < targets.size(); ++i) {  // wherever it is
      auto broken = targets;
      broken.data()[i] = bad;
      CHECK(std::isnan(gal::mean_absolute_error(broken, targets)));
      CHECK(std::isnan(gal::mean_absolute_error(targets, broken)));
      CHECK(std::isnan(gal::mean_absolute_error(broken, broken)));
      CHECK(std::isnan(gal::mean_squared_error(broken, targets)));
      CHECK(std::isnan(gal::mean_squared_error(targets, broken)));
      CHECK(std::isnan(gal::mean_squared_error(broken, broken)));
      CHECK(std::isnan(gal::r2_score(broken, targets)));
      CHECK(std::isnan(gal::r2_score(targets, broken)));
      CHECK(std::isnan(gal::r2_score(broken, broken)));
      CHECK(std::isnan(gal::mean(broken)));
      CHECK(std::isnan(gal::standard_deviation(broken)));
    }
    const std::vector<T> equal = {bad, bad, bad};
    CHECK(std::isnan(gal::mean(equal)));
    CHECK(std::isnan(gal::standard_deviation(equal)));
    // Of targets that are equal, too.
    CHECK(std::isnan(gal::r2_score(std::vector<T>{1, bad, 1}, std::vector<T>{1, 1, 1})));
  }
}

TEST_CASE_TEMPLATE("without a largest logit the share of wrong classes is NaN", T, float, double) {
  const T nan = static_cast<T>(not_a_number);
  const T inf = static_cast<T>(infinity);
  const std::vector<int> labels = {0, 1};
  for (const std::vector<T>& first : {std::vector<T>{nan, 0},
                                      {0, nan},
                                      {nan, nan},
                                      {inf, 0},
                                      {0, inf},
                                      {inf, inf},
                                      {inf, -inf},
                                      {-inf, -inf},
                                      {nan, -inf}}) {
    CAPTURE(first[0]);
    CAPTURE(first[1]);
    CHECK(std::isnan(gal::error_rate(matrix<T>({{first[0], 0}, {first[1], 1}}), labels)));
    CHECK(std::isnan(gal::error_rate(matrix<T>({{0, first[0]}, {1, first[1]}}), labels)));
  }
  // A class that is masked out is not the largest.
  CHECK(gal::error_rate(matrix<T>({{-inf, 0}, {1, -inf}}), std::vector<int>{1, 0}) == 0.0);
  CHECK(gal::error_rate(matrix<T>({{-inf, 0}, {1, -inf}}), std::vector<int>{0, 0}) == 0.5);
}

TEST_CASE("numbers near the ends of the range of double are measured like others") {
  // Powers of two, so that all else stays the same bit by bit.
  const double large = 0x1p1020;
  const double small = 0x1p-1040;  // denormal
  const auto times = [](double factor, doubles values) {
    for (double& value : values) {
      value *= factor;
    }
    return values;
  };
  const doubles t = {3, -0.5, 2, 7};
  const doubles p = {2.5, 0, 2, 8};
  for (const double unit : {large, 0x1p600, 0x1p-600, small}) {
    CAPTURE(unit);
    CHECK(gal::mean_absolute_error(times(unit, p), times(unit, t)) == 0.5 * unit);
    CHECK(gal::r2_score(times(unit, p), times(unit, t)) == gal::r2_score(p, t));
    CHECK(gal::mean(times(unit, t)) == 2.875 * unit);
    CHECK(gal::standard_deviation(times(unit, {1, 3, 5})) == 2.0 * unit);
  }
  CHECK(gal::mean_squared_error(times(0x1p500, p), times(0x1p500, t)) == 0.375 * 0x1p1000);
  CHECK(gal::mean_squared_error(doubles(16, 0x1p511), doubles(16, 0.0)) == 0x1p1022);  // the sum is 2^1026

  constexpr double most = std::numeric_limits<double>::max();
  CHECK(gal::mean(doubles{most, -most}) == 0.0);
  CHECK(gal::mean(doubles{-most, most, most}) == Approx(most / 3.0));
  CHECK(gal::mean(doubles(7, most)) == most);
  CHECK(gal::standard_deviation(doubles(7, most)) == 0.0);
  CHECK(gal::standard_deviation(doubles{1e160, -1e160, 0.0}) == Approx(1e160).epsilon(1e-15));
  CHECK(gal::mean_absolute_error(doubles{most, 0.0, 0.0}, doubles{-most, 0.0, 0.0}) ==
        Approx(2.0 * (most / 3.0)).epsilon(1e-15));
  // A bad prediction is no good one, however small the numbers.
  CHECK(gal::r2_score(doubles{5e-200, 0}, doubles{1e-200, 2e-200}) == Approx(-39.0).epsilon(1e-14));
  CHECK(gal::r2_score(doubles{most, -most}, doubles{-most, most}) == Approx(-3.0).epsilon(1e-15));
  CHECK(gal::r2_score(doubles{1e300, 0}, doubles{1e-200, 2e-200}) == -infinity);  // beyond the range
  CHECK(gal::r2_score(doubles{1e-200, 0}, doubles{1e300, 0}) == Approx(-1.0).epsilon(1e-15));
}

TEST_CASE("sums are double for float values") {
  const std::vector<float> ones(1 << 25, 1.0f);  // a float sum would stop at 2^24
  const std::vector<float> zeros(1 << 25, 0.0f);
  CHECK(gal::mean_absolute_error(ones, zeros) == 1.0);
  CHECK(gal::mean(ones) == 1.0);
}

TEST_CASE("the share of wrong classes") {
  const auto logits = matrix<float>({{0, 2, 1, 5}, {1, 2, 0, 4}, {-1, 0, 1, 6}});
  CHECK(gal::error_rate(logits, std::vector<int>{1, 0, 0, 2}) == 0.0);
  CHECK(gal::error_rate(logits, std::vector<int>{1, 0, 0, 1}) == 0.25);
  CHECK(gal::error_rate(logits, std::vector<int>{0, 2, 1, 1}) == 1.0);
  // Among equals the first is the largest.
  CHECK(gal::error_rate(logits, std::vector<int>{1, 1, 2, 2}) == 0.5);
  // A matrix of labels, of any integer type.
  CHECK(gal::error_rate(logits, gal::matrix<std::uint8_t>(1, 4, std::uint8_t{0})) == 0.5);
}

TEST_CASE("mean and standard deviation of a sample") {
  CHECK(gal::mean(a) == Approx(8.10625).epsilon(1e-15));
  CHECK(gal::standard_deviation(a) == Approx(0.2892817460045288).epsilon(1e-14));
  CHECK(gal::mean(matrix<>({{1, 2}, {3, 6}})) == 3.0);
  CHECK(gal::mean(doubles(7, 0.1)) == 0.1);
  CHECK(gal::standard_deviation(doubles(7, 0.1)) == 0.0);
}

TEST_CASE("scores refuse what does not fit") {
  using enum gal::error_code;
  const doubles two = {1, 2};
  const doubles three = {1, 2, 3};
  const doubles none;
  CHECK(refusal(shape_mismatch, [&] { return gal::mean_absolute_error(two, three); }) ==
        "gal::mean_absolute_error: predictions are 1 x 2, targets are 1 x 3; expected the same shape");
  CHECK(refusal(shape_mismatch, [&] { return gal::mean_squared_error(gal::matrix<double>(3, 1), two); }) ==
        "gal::mean_squared_error: predictions are 3 x 1, targets are 1 x 2; expected the same shape");
  CHECK(refusal(shape_mismatch, [&] { return gal::r2_score(none, none); }) ==
        "gal::r2_score: a 1 x 0 matrix; expected at least one value");
  CHECK(refusal(shape_mismatch, [&] { return gal::mean(none); }) ==
        "gal::mean: a 1 x 0 matrix; expected at least one value");
  CHECK(refusal(shape_mismatch, [&] { return gal::standard_deviation(doubles{1}); }) ==
        "gal::standard_deviation: 1 values; expected at least two");

  const gal::matrix<float> logits(3, 2);
  CHECK(refusal(invalid_target, [&] {
          return gal::error_rate(logits, std::vector<int>{0, 3});
        }) == "gal::error_rate: label 3 of sample 1; expected 0 to 2");
  CHECK(refusal(invalid_target, [&] {
          return gal::error_rate(logits, std::vector<int>{-1, 0});
        }) == "gal::error_rate: label -1 of sample 0; expected 0 to 2");
  CHECK(refusal(shape_mismatch, [&] { return gal::error_rate(logits, std::vector<int>{0}); }) ==
        "gal::error_rate: logits are 3 x 2, labels are 1 x 1; expected 2 labels, one per sample");
  CHECK(refusal(shape_mismatch, [&] {
          return gal::error_rate(gal::matrix<float>(3, 0), std::vector<int>{});
        }) == "gal::error_rate: a 3 x 0 matrix; expected at least one value");
}

TEST_CASE("the paired t-test agrees with SciPy's ttest_rel") {
  const auto test = gal::paired_t_test(a, b);
  CHECK(test.statistic == Approx(-4.011824161189283).epsilon(1e-12));
  CHECK(test.degrees_of_freedom == 7.0);
  CHECK(test.p_value == Approx(0.00511243752282081).epsilon(1e-12));
  CHECK(test.mean_difference == Approx(-0.24625).epsilon(1e-14));
  // SciPy's quantiles are right to ten digits.
  CHECK(test.low == Approx(-0.39139313150720656).epsilon(1e-9));
  CHECK(test.high == Approx(-0.10110686849279296).epsilon(1e-9));

  const auto narrower = gal::paired_t_test(a, b, 0.8);
  CHECK(narrower.p_value == test.p_value);
  CHECK(narrower.low == Approx(-0.33309952360430506).epsilon(1e-9));
  CHECK(narrower.high == Approx(-0.1594004763956944).epsilon(1e-9));

  const auto reversed = gal::paired_t_test(b, a);
  CHECK(reversed.statistic == -test.statistic);
  CHECK(reversed.p_value == test.p_value);
  CHECK(reversed.low == -test.high);
}

TEST_CASE("Welch's t-test agrees with SciPy's ttest_ind of unequal variances") {
  const auto test = gal::welch_t_test(a, c);
  CHECK(test.statistic == Approx(-0.6179074690526368).epsilon(1e-12));
  CHECK(test.degrees_of_freedom == Approx(4.2368319148872295).epsilon(1e-12));
  CHECK(test.p_value == Approx(0.5683107042023134).epsilon(1e-12));
  CHECK(test.mean_difference == Approx(-0.37375).epsilon(1e-13));
  CHECK(test.low == Approx(-2.0167397042677737).epsilon(1e-9));
  CHECK(test.high == Approx(1.2692397042677714).epsilon(1e-9));

  const auto wider = gal::welch_t_test(a, c, 0.99);
  CHECK(wider.low == Approx(-3.055116953818625).epsilon(1e-9));
  CHECK(wider.high == Approx(2.3076169538186226).epsilon(1e-9));
  CHECK(gal::welch_t_test(c, a).statistic == Approx(-test.statistic).epsilon(1e-14));
}

TEST_CASE("effect sizes are relative to a standard deviation") {
  // Differences -1, 1, 3: mean 1, deviation 2.
  CHECK(gal::paired_t_test(doubles{1, 2, 3}, doubles{2, 1, 0}).effect_size == Approx(0.5).epsilon(1e-14));
  // Means 1 and 3, variances 2 and 8.
  CHECK(gal::welch_t_test(doubles{0, 2}, doubles{1, 5}).effect_size ==
        Approx(-2.0 / std::sqrt(5.0)).epsilon(1e-14));
  // Of a paired test it is the statistic without the number of pairs.
  const auto test = gal::paired_t_test(a, b);
  CHECK(test.effect_size == Approx(test.statistic / std::sqrt(8.0)).epsilon(1e-14));
  CHECK(gal::paired_t_test(b, a).effect_size == -test.effect_size);
  CHECK(gal::paired_t_test(a, a).effect_size == 0.0);
  CHECK(gal::paired_t_test(doubles{1, 2}, doubles{3, 4}).effect_size == -infinity);
}

TEST_CASE("very small and very large values are tested like others") {
  const auto times = [](double factor, doubles values) {
    for (double& value : values) {
      value *= factor;
    }
    return values;
  };
  for (const double unit : {1e-300, 1e-160, 1e-120, 1e160, 1e306}) {
    CAPTURE(unit);
    const doubles x = times(unit, a);
    const auto welch = gal::welch_t_test(x, times(unit, c));
    CHECK(welch.degrees_of_freedom == Approx(4.2368319148872295).epsilon(1e-12));
    CHECK(welch.p_value == Approx(0.5683107042023134).epsilon(1e-12));
    CHECK(welch.effect_size == Approx(gal::welch_t_test(a, c).effect_size).epsilon(1e-12));
    CHECK(welch.mean_difference / unit == Approx(-0.37375).epsilon(1e-12));
    CHECK(welch.high / unit == Approx(1.2692397042677714).epsilon(1e-9));
    const auto paired = gal::paired_t_test(x, times(unit, b));
    CHECK(paired.p_value == Approx(0.00511243752282081).epsilon(1e-12));
    CHECK(paired.effect_size == Approx(gal::paired_t_test(a, b).effect_size).epsilon(1e-12));
    CHECK(paired.low / unit == Approx(-0.39139313150720656).epsilon(1e-9));
  }
  // The difference of the first pair, and those of the means, are beyond the range.
  const double most = std::numeric_limits<double>::max();
  const auto paired = gal::paired_t_test(doubles{most, most / 2}, doubles{-most, -most / 2});
  CHECK(paired.statistic == Approx(3.0).epsilon(1e-14));
  CHECK(paired.effect_size == Approx(3.0 / std::sqrt(2.0)).epsilon(1e-14));
  CHECK(paired.mean_difference == infinity);
  const auto welch = gal::welch_t_test(doubles{most, most / 2}, doubles{-most, -most / 2});
  CHECK(welch.statistic == Approx(3.0 * std::sqrt(2.0)).epsilon(1e-14));
  CHECK(welch.mean_difference == infinity);
  // The spread is too small a share of the mean to be divided by.
  CHECK(gal::paired_t_test(doubles{1, 1, 1}, doubles{0, 0, 1e-300}).p_value == 0.0);
}

TEST_CASE("without spread the mean difference decides") {
  const auto equal = gal::paired_t_test(a, a);
  CHECK(equal.statistic == 0.0);
  CHECK(equal.p_value == 1.0);
  CHECK(equal.degrees_of_freedom == 7.0);
  CHECK(equal.low == 0.0);
  CHECK(equal.high == 0.0);

  const auto less = gal::paired_t_test(doubles{1, 2, 3}, doubles{3, 4, 5});
  CHECK(less.statistic == -infinity);
  CHECK(less.p_value == 0.0);
  CHECK(less.mean_difference == -2.0);
  CHECK(less.low == -2.0);
  CHECK(less.high == -2.0);

  const auto same = gal::welch_t_test(doubles{0.1, 0.1, 0.1}, doubles{0.1, 0.1});
  CHECK(same.statistic == 0.0);
  CHECK(same.p_value == 1.0);
  CHECK(same.degrees_of_freedom == 3.0);
  const auto more = gal::welch_t_test(doubles{2, 2}, doubles{1, 1});
  CHECK(more.statistic == infinity);
  CHECK(more.p_value == 0.0);
  // Spread in one sample only: its own degrees of freedom.
  CHECK(gal::welch_t_test(a, doubles{1, 1, 1}).degrees_of_freedom == Approx(7.0).epsilon(1e-14));
}

TEST_CASE("t-tests refuse what they cannot test") {
  using enum gal::error_code;
  const doubles one = {1};
  CHECK(refusal(shape_mismatch, [&] { return gal::paired_t_test(a, c); }) ==
        "gal::paired_t_test: 8 values in a, 5 in b; expected pairs");
  CHECK(refusal(shape_mismatch, [&] { return gal::paired_t_test(one, one); }) ==
        "gal::paired_t_test: 1 values in a; expected at least two");
  CHECK(refusal(shape_mismatch, [&] { return gal::welch_t_test(a, one); }) ==
        "gal::welch_t_test: 1 values in b; expected at least two");
  CHECK(refusal(non_finite, [&] {
          return gal::welch_t_test(a, doubles{1, not_a_number});
        }) == "gal::welch_t_test: value nan at position 1 of b; expected a finite number");
  CHECK(refusal(non_finite, [&] {
          return gal::paired_t_test(doubles{1, 2, infinity}, doubles{1, 2, infinity});
        }) == "gal::paired_t_test: value inf at position 2 of a; expected a finite number");
  CHECK(refusal(invalid_option, [&] {
          return gal::paired_t_test(a, b, not_a_number);
        }).starts_with("gal::paired_t_test: confidence level nan"));
  for (const double level : {0.0, 1.0, 95.0}) {
    CHECK(refusal(invalid_option, [&] {
            return gal::paired_t_test(a, b, level);
          }).starts_with("gal::paired_t_test: confidence level "));
  }
}

TEST_CASE("Wilcoxon's test agrees with published examples") {
  // Darwin's maize, in eighths of an inch: SciPy's documentation of `wilcoxon` has statistic 24, the smaller sum.
  const doubles maize = {6, 8, 14, 16, 23, 24, 28, 29, 41, -48, 49, 56, 60, -67, 75};
  const auto darwin = gal::wilcoxon_signed_rank_test(maize, doubles(15, 0.0));
  CHECK(darwin.statistic == 120.0 - 24.0);
  CHECK(darwin.pairs == 15);
  CHECK(darwin.exact);
  CHECK(darwin.p_value == 0.041259765625);
  // Depression before and after (Hollander and Wolfe): R's documentation of `wilcox.test` has V = 40, one-sided p 0.01953.
  const doubles before = {1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30};
  const doubles after = {0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29};
  const auto depression = gal::wilcoxon_signed_rank_test(before, after);
  CHECK(depression.statistic == 40.0);
  CHECK(depression.p_value == 20.0 / 512.0);
  CHECK(gal::wilcoxon_signed_rank_test(after, before).statistic == 5.0);
  CHECK(gal::wilcoxon_signed_rank_test(after, before).p_value == depression.p_value);
}

TEST_CASE("Wilcoxon's test counts every choice of signs, ties and equal pairs included") {
  gal::random_stream random{7};
  for (std::size_t n = 1; n <= 9; ++n) {
    for (int repeat = 0; repeat < 20; ++repeat) {
      doubles x(n);
      for (double& value : x) {
        value = static_cast<double>(random.below(9)) - 4.0;
      }
      doubles sizes;
      for (const double value : x) {
        if (value != 0.0) {
          sizes.push_back(std::abs(value));
        }
      }
      // The rank of a size: those below it, and half of those equal, itself included.
      const auto rank = [&](double size) {
        double below = 0.0;
        double equal = 0.0;
        for (const double other : sizes) {
          below += other < size ? 1.0 : 0.0;
          equal += other == size ? 1.0 : 0.0;
        }
        return below + 0.5 * (equal + 1.0);
      };
      double statistic = 0.0;
      for (const double value : x) {
        statistic += value > 0.0 ? rank(value) : 0.0;
      }
      std::size_t below = 0;
      std::size_t above = 0;
      const std::size_t choices = std::size_t{1} << sizes.size();
      for (std::size_t signs = 0; signs < choices; ++signs) {
        double sum = 0.0;
        for (std::size_t i = 0; i < sizes.size(); ++i) {
          sum += (signs >> i & 1U) != 0 ? rank(sizes[i]) : 0.0;
        }
        below += sum <= statistic ? 1 : 0;
        above += sum >= statistic ? 1 : 0;
      }
      const double p = 2.0 * static_cast<double>(std::min(below, above)) / static_cast<double>(choices);
      const auto test = gal::wilcoxon_signed_rank_test(x, doubles(n, 0.0));
      CAPTURE(n);
      CAPTURE(statistic);
      CHECK(test.statistic == statistic);
      CHECK(test.pairs == sizes.size());
      CHECK(test.p_value == std::min(1.0, p));
    }
  }
  CHECK(gal::wilcoxon_signed_rank_test(a, a).p_value == 1.0);
  CHECK(gal::wilcoxon_signed_rank_test(a, a).pairs == 0);
}

TEST_CASE("Wilcoxon's test of many pairs is that of the normal distribution") {
  // 51 differences, sizes 1 to 51, the smallest ten negative: 1326 - 55.
  doubles x;
  for (int k = 1; k <= 51; ++k) {
    x.push_back(k <= 10 ? -k : k);
  }
  const auto one = gal::wilcoxon_signed_rank_test(x, doubles(51, 0.0));
  CHECK_FALSE(one.exact);
  CHECK(one.statistic == 1271.0);
  // z = (1271 - 663 - 1/2) / sqrt(51 * 52 * 103 / 24)
  CHECK(one.p_value == Approx(std::erfc(607.5 / std::sqrt(11381.5) / std::sqrt(2.0))).epsilon(1e-12));
  // Four groups of fifteen: the variance loses 4 (15^3 - 15) / 48 = 280.
  x.clear();
  for (int k = 0; k < 60; ++k) {
    x.push_back((k % 3 == 0 ? -1.0 : 1.0) * (1.0 + k / 15));
  }
  const auto tied = gal::wilcoxon_signed_rank_test(x, doubles(60, 0.0));
  const double variance = 60.0 * 61.0 * 121.0 / 24.0 - 280.0;
  CHECK(tied.statistic == 10.0 * (8.0 + 23.0 + 38.0 + 53.0));
  CHECK(tied.p_value == Approx(std::erfc((1220.0 - 915.0 - 0.5) / std::sqrt(2.0 * variance))).epsilon(1e-12));
  // Where the exact test ends the two are close.
  x.assign(50, 0.0);
  for (std::size_t k = 0; k < 50; ++k) {
    x[k] = (k % 3 == 0 ? -1.0 : 1.0) * static_cast<double>(k + 1);
  }
  const auto exact = gal::wilcoxon_signed_rank_test(x, doubles(50, 0.0));
  const double away = std::abs(exact.statistic - 637.5) - 0.5;
  CHECK(exact.exact);
  CHECK(exact.p_value == Approx(std::erfc(away / std::sqrt(2.0 * 50.0 * 51.0 * 101.0 / 24.0))).epsilon(0.02));
}

TEST_CASE("Holm's correction") {
  // R: p.adjust(c(0.01, 0.04, 0.03, 0.005), "holm").
  const doubles corrected = gal::holm(doubles{0.01, 0.04, 0.03, 0.005});
  const doubles expected = {0.03, 0.06, 0.06, 0.02};
  for (std::size_t i = 0; i < expected.size(); ++i) {
    CHECK(corrected[i] == Approx(expected[i]).epsilon(1e-14));
  }
  CHECK(gal::holm(doubles{0.3}) == doubles{0.3});
  CHECK(gal::holm(doubles{0.9, 0.7}) == doubles{1.0, 1.0});
  CHECK(gal::holm(doubles{}).empty());
}

TEST_CASE("the power of a paired t-test, and the pairs it needs") {
  // G*Power 3 and R's pwr: pairs for power 0.8 at 0.05, and what they have.
  CHECK(gal::pairs_needed(0.2) == 199);
  CHECK(gal::pairs_needed(0.3) == 90);
  CHECK(gal::pairs_needed(0.5) == 34);
  CHECK(gal::pairs_needed(-0.5) == 34);
  CHECK(gal::pairs_needed(0.8) == 15);
  CHECK(gal::pairs_needed(1.0) == 10);
  CHECK(gal::paired_t_test_power(0.5, 34) == Approx(0.8077775).epsilon(1e-6));
  CHECK(gal::paired_t_test_power(0.8, 15) == Approx(0.8213105).epsilon(1e-6));
  CHECK(gal::paired_t_test_power(0.0, 20, 0.05) == 0.05);
  for (const double d : {0.01, 0.1, 0.7, 2.0, 10.0}) {
    for (const double significance : {0.05, 0.001}) {
      const std::int64_t pairs = gal::pairs_needed(d, 0.9, significance);
      CAPTURE(d);
      CHECK(gal::paired_t_test_power(d, pairs, significance) >= 0.9);
      CHECK((pairs == 2 || gal::paired_t_test_power(d, pairs - 1, significance) < 0.9));
    }
  }
  CHECK(gal::pairs_needed(1e100) == 2);
  CHECK(gal::pairs_needed(infinity) == 2);
}

TEST_CASE("ranks, corrections and power refuse what they cannot take") {
  using enum gal::error_code;
  CHECK(refusal(shape_mismatch, [&] { return gal::wilcoxon_signed_rank_test(a, c); }) ==
        "gal::wilcoxon_signed_rank_test: 8 values in a, 5 in b; expected pairs");
  CHECK(refusal(shape_mismatch, [&] { return gal::wilcoxon_signed_rank_test(doubles{}, doubles{}); }) ==
        "gal::wilcoxon_signed_rank_test: no pairs; expected at least one");
  CHECK(refusal(non_finite, [&] {
          return gal::wilcoxon_signed_rank_test(doubles{1, infinity}, doubles{1, 2});
        }) == "gal::wilcoxon_signed_rank_test: values inf and 2 at position 1; expected a finite difference");
  CHECK(refusal(invalid_option, [&] {
          return gal::holm(doubles{0.5, 1.5});
        }) == "gal::holm: p is 1.5 at position 1; expected a number in [0, 1]");
  CHECK(refusal(invalid_option, [&] { return gal::holm(doubles{not_a_number}); }) ==
        "gal::holm: p is nan at position 0; expected a number in [0, 1]");
  CHECK(refusal(invalid_option, [&] { return gal::paired_t_test_power(1.0, 1); }) ==
        "gal::paired_t_test_power: 1 pairs; expected at least two");
  CHECK(refusal(non_finite, [&] { return gal::paired_t_test_power(infinity, 5); }) ==
        "gal::paired_t_test_power: effect size inf; expected a finite number");
  CHECK(refusal(invalid_option, [&] { return gal::paired_t_test_power(1.0, 5, 1.0); }) ==
        "gal::paired_t_test_power: significance 1; expected a number in (0, 1)");
  CHECK(refusal(invalid_option, [&] { return gal::pairs_needed(0.0); }) ==
        "gal::pairs_needed: effect size 0; expected another number than 0");
  CHECK(refusal(invalid_option, [&] { return gal::pairs_needed(0.5, 1.0); }) ==
        "gal::pairs_needed: power 1; expected a number in (0, 1)");
  CHECK(refusal(invalid_option, [&] { return gal::pairs_needed(1e-9); }) ==
        "gal::pairs_needed: effect size 1e-09 needs more than a billion pairs; expected a larger one");
}
