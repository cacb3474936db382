// From a table to batches: datasets, splits, standardisation, shuffling.
#include <gal/backends/eigen.hpp>
#include <gal/data.hpp>

#include "testing.hpp"

#include <doctest/doctest.h>

#include <Eigen/Core>

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <limits>
#include <numeric>
#include <ranges>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace {

using indices = std::vector<gal::index_type>;

template <class T>
std::vector<T> values(gal::matrix_view<const T> view) {
  return {view.data(), view.data() + view.size()};
}

// Sample j has the features 10 j and 10 j + 1 and the target j.
gal::dataset<float, int> numbered(gal::index_type n) {
  gal::dataset<float, int> data;
  data.features.resize(2, n);
  data.targets.resize(1, n);
  for (gal::index_type j = 0; j < n; ++j) {
    data.features(0, j) = static_cast<float>(10 * j);
    data.features(1, j) = static_cast<float>(10 * j + 1);
    data.targets(0, j) = static_cast<int>(j);
  }
  return data;
}

// The targets in the order of one epoch. Features must belong to them.
std::vector<int> epoch(gal::batches<float, int>& batches) {
  std::vector<int> order;
  for (auto [x, y] : batches) {
    CHECK(x.rows() == 2);
    CHECK(y.rows() == 1);
    REQUIRE(x.columns() == y.columns());
    for (gal::index_type j = 0; j < x.columns(); ++j) {
      CHECK(x(0, j) == static_cast<float>(10 * y(0, j)));
      CHECK(x(1, j) == static_cast<float>(10 * y(0, j) + 1));
      order.push_back(y(0, j));
    }
  }
  return order;
}

std::vector<int> counting(int n) {
  std::vector<int> result(static_cast<std::size_t>(n));
  std::iota(result.begin(), result.end(), 0);
  return result;
}

std::vector<int> sorted(std::vector<int> numbers) {
  std::ranges::sort(numbers);
  return numbers;
}

}  // namespace

TEST_CASE("a dataset takes its targets from the last column or from those named") {
  const gal::table table = gal::parse_csv("a,b,c\n1,2,3\n4,5,6\n");
  const auto last = gal::make_dataset<float>(table);
  CHECK(last.size() == 2);
  CHECK(last.features.shape() == gal::shape{2, 2});
  CHECK(values(last.features.view()) == std::vector<float>{1, 2, 4, 5});
  CHECK(values(last.targets.view()) == std::vector<float>{3, 6});
  CHECK(gal::make_dataset<float>(table, {"c"}) == last);

  const auto two = gal::make_dataset<double>(table, {"c", "a"});
  CHECK(values(two.features.view()) == std::vector<double>{2, 5});
  CHECK(two.targets.shape() == gal::shape{2, 2});
  CHECK(values(two.targets.view()) == std::vector<double>{3, 1, 6, 4});

  const auto labelled = gal::make_dataset<float, int>(table, {"b"});
  CHECK(values(labelled.targets.view()) == std::vector<int>{2, 5});
}

TEST_CASE("labels are the integers of a column") {
  const gal::table table = gal::parse_csv("kind,x,label\n-2,0.5,0\n3,1.5,9\n");
  CHECK(gal::labels(table) == std::vector<int>{0, 9});
  CHECK(gal::labels(table, "kind") == std::vector<int>{-2, 3});
}

TEST_CASE("targets that do not fit are refused") {
  using enum gal::error_code;
  const gal::table table = gal::parse_csv("a,b\n1,2\n1e39,2.5\n");
  CHECK(refusal(invalid_option, [&] { static_cast<void>(gal::make_dataset<double>(table, {"c"})); }) ==
        "gal::table: no column \"c\"; expected one of \"a\", \"b\"");
  CHECK(refusal(invalid_option, [&] {
          static_cast<void>(gal::make_dataset<double>(table, {"b", "b"}));
        }) == "gal::make_dataset: target \"b\" named twice; expected different columns");
  CHECK(
      refusal(invalid_option, [&] {
        static_cast<void>(gal::make_dataset<double>(table, {"a", "b"}));
      }) == "gal::make_dataset: 2 targets in a table of 2 columns; expected at least one column of features");
  CHECK(refusal(invalid_option, [] {
          static_cast<void>(gal::make_dataset<double>(gal::table{}));
        }).starts_with("gal::make_dataset: 1 targets in a table of 0 columns"));
  CHECK(refusal(malformed_data, [&] { static_cast<void>(gal::make_dataset<double, int>(table)); }) ==
        "gal::table: row 2, column \"b\": value 2.5; expected an integer in the range of the label type");
  CHECK(refusal(malformed_data, [&] { static_cast<void>(gal::make_dataset<float>(table)); }) ==
        "gal::table: row 2, column \"a\": value 1e+39; expected a finite number in the range of the scalar "
        "type");
  CHECK(refusal(malformed_data, [&] {
          static_cast<void>(gal::labels(table, "a"));
        }).starts_with("gal::table: row 2, column \"a\": value 1e+39; expected an integer"));
  CHECK(refusal(invalid_option, [] { static_cast<void>(gal::labels(gal::table{})); }) ==
        "gal::labels: a table of 0 columns; expected at least one");
}

TEST_CASE("tables made by hand are checked like those from a file") {
  using enum gal::error_code;
  for (const double wrong : {std::nan(""), std::numeric_limits<double>::infinity()}) {
    const gal::table table = {{"a", "b"}, {1, 2, wrong, 4}};
    const std::string value = std::isnan(wrong) ? "nan" : "inf";
    const std::string message = "gal::table: row 2, column \"a\": value " + value + "; expected ";
    CHECK(refusal(malformed_data, [&] { return gal::make_dataset<float>(table); }) ==
          message + "a finite number in the range of the scalar type");
    CHECK(refusal(malformed_data, [&] { return gal::make_dataset<double>(table, {"a"}); }) ==
          message + "a finite number in the range of the scalar type");
    CHECK(refusal(malformed_data, [&] { return gal::labels(table, "a"); }) ==
          message + "an integer in the range of the label type");
  }
  const gal::table ragged = {{"a", "b"}, {1, 2, 3}};
  const std::string message = "gal::table: 3 values for 2 columns; expected a whole number of rows";
  CHECK(refusal(malformed_data, [&] { return gal::make_dataset<float>(ragged); }) == message);
  CHECK(refusal(malformed_data, [&] { return gal::labels(ragged); }) == message);
}

TEST_CASE("the bounds of a label type are exact") {
  const gal::table inside = gal::parse_csv("-2147483648\n2147483647\n");
  CHECK(gal::labels(inside) ==
        std::vector<int>{std::numeric_limits<int>::min(), std::numeric_limits<int>::max()});
  CHECK_THROWS_AS(static_cast<void>(gal::labels(gal::parse_csv("2147483648\n"))), gal::error);
  CHECK_THROWS_AS(static_cast<void>(gal::labels(gal::parse_csv("-2147483649\n"))), gal::error);
  using bytes = gal::dataset<float, std::uint8_t>;
  const bytes data = gal::make_dataset<float, std::uint8_t>(gal::parse_csv("0.5,0\n1,255\n"));
  CHECK(data.targets(0, 1) == 255);
  CHECK_THROWS_AS(static_cast<void>(gal::make_dataset<float, std::uint8_t>(gal::parse_csv("1,256\n"))),
                  gal::error);
  CHECK_THROWS_AS(static_cast<void>(gal::make_dataset<float, std::uint8_t>(gal::parse_csv("1,-1\n"))),
                  gal::error);
}

TEST_CASE("take copies the chosen columns") {
  const auto data = numbered(4);
  const auto chosen = gal::take(data, indices{3, 0, 3});
  CHECK(chosen.size() == 3);
  CHECK(values(chosen.features.view()) == std::vector<float>{30, 31, 0, 1, 30, 31});
  CHECK(values(chosen.targets.view()) == std::vector<int>{3, 0, 3});
  CHECK(gal::take(data, indices{}).size() == 0);
  CHECK(gal::take(data.features, indices{1}).shape() == gal::shape{2, 1});
  CHECK(gal::take(data.features.view().columns(2, 2), indices{0})(0, 0) == 20.0f);
  CHECK(gal::take(std::vector<int>{5, 6, 7}, indices{2, 1})(0, 1) == 6);

  CHECK(refusal(gal::error_code::shape_mismatch, [&] {
          static_cast<void>(gal::take(data, indices{0, 4}));
        }) == "gal::take: column 4 of 4; expected 0 to 3");
  CHECK(refusal(gal::error_code::shape_mismatch, [&] {
          static_cast<void>(gal::take(data.targets, indices{-1}));
        }) == "gal::take: column -1 of 4; expected 0 to 3");
}

// Expected values: scikit-learn 1.2.1, train_test_split(numpy.arange(n), test_size=..., random_state=...).
TEST_CASE("a split has the parts of scikit-learn's, in its order") {
  const auto check = [](gal::index_type n, gal::split_options options, const indices& train,
                        const indices& test) {
    CAPTURE(n);
    const auto split = gal::train_test_split(n, options);
    CHECK(split.train == train);
    CHECK(split.test == test);
  };
  check(2, {.seed = 0}, {0}, {1});
  check(7, {}, {1, 0, 4, 3, 5}, {6, 2});
  check(10, {.test_fraction = 0.3, .seed = 42}, {0, 7, 2, 9, 4, 3, 6}, {8, 1, 5});
  check(10, {.test_fraction = 0.7, .seed = 3}, {0, 3, 8}, {5, 4, 1, 2, 9, 6, 7});
  check(16, {.test_fraction = 0.5, .seed = 123456789}, {3, 4, 7, 10, 9, 2, 12, 8},
        {1, 13, 11, 15, 0, 6, 14, 5});
  check(17, {.test_fraction = 0.1, .seed = 4294967295}, {5, 14, 10, 15, 16, 13, 11, 9, 6, 0, 4, 7, 12, 2, 3},
        {8, 1});
}

TEST_CASE("large splits have the fingerprint of scikit-learn's") {
  const auto fingerprint = [](const gal::split_indices& split) {
    std::uint64_t hash = 0;
    for (const indices& part : {split.train, split.test}) {
      for (const gal::index_type i : part) {
        hash = hash * 31 + static_cast<std::uint64_t>(i);
      }
    }
    return hash;
  };
  CHECK(fingerprint(gal::train_test_split(1000, {.test_fraction = 0.2, .seed = 7})) == 8731856088258242650U);
  CHECK(fingerprint(gal::train_test_split(100000, {.test_fraction = 0.05, .seed = 11})) ==
        2092011741471206234U);
}

TEST_CASE("the splits of the experiments are those on file") {
  for (const gal::index_type n : {442, 506, 1797, 20640}) {
    for (const std::uint32_t seed : {0U, 1U}) {
      const auto split = gal::train_test_split(n, {.seed = seed});
      const std::string stem =
          GAL_TEST_DATA_DIR "/splits/n" + std::to_string(n) + "_seed" + std::to_string(seed) + "_";
      CAPTURE(stem);
      const auto on_file = [&](const char* part) {
        const auto column = gal::labels(gal::read_csv(stem + part + ".csv"));
        return indices(column.begin(), column.end());
      };
      CHECK(split.test == on_file("test"));
      if (n != 20640 || seed != 0) {  // too large to be kept
        CHECK(split.train == on_file("train"));
      }
    }
  }
}

TEST_CASE("impossible splits are refused") {
  const auto message = [](gal::index_type n, gal::split_options options) {
    return refusal(gal::error_code::invalid_option,
                   [&] { static_cast<void>(gal::train_test_split(n, options)); });
  };
  CHECK(message(1, {}) == "gal::train_test_split: 1 samples; expected 2 to 2^32");
  CHECK(message(-5, {}) == "gal::train_test_split: -5 samples; expected 2 to 2^32");
  CHECK(message(8, {.test_fraction = 0.0}) ==
        "gal::train_test_split: test_fraction 0; expected a number in (0, 1)");
  CHECK(message(8, {.test_fraction = 1.0}) ==
        "gal::train_test_split: test_fraction 1; expected a number in (0, 1)");
  CHECK(message(8, {.test_fraction = std::nan("")}) ==
        "gal::train_test_split: test_fraction nan; expected a number in (0, 1)");
  CHECK(message(8, {.test_fraction = 0.9}) ==
        "gal::train_test_split: test_fraction 0.9 of 8 samples leaves none for training; expected a smaller "
        "fraction");
}

// Expected values: scikit-learn 1.2.1, StandardScaler.
TEST_CASE_TEMPLATE("standardisation agrees with scikit-learn", T, float, double) {
  const double tolerance = std::same_as<T, float> ? 1e-6 : 1e-14;
  gal::matrix<T> x(3, 4);
  const T rows[3][4] = {{1, 2, 4, 8}, {T(0.1), T(0.1), T(0.1), T(0.1)}, {-3, 0, 5, 1}};
  const double expected[3][4] = {
      {-1.025755289064345, -0.6527533657682196, 0.09325048082403138, 1.5852581740085334},
      {0.0, 0.0, 0.0, 0.0},
      {-1.310556084991557, -0.26211121699831136, 1.4852968963237645, 0.0873704056661038}};
  for (gal::index_type i = 0; i < 3; ++i) {
    for (gal::index_type j = 0; j < 4; ++j) {
      x(i, j) = rows[i][j];
    }
  }
  gal::standardizer<T> scale;
  scale.fit(x);
  CHECK(scale.mean()[0] == 3.75);
  CHECK(scale.mean()[2] == 0.75);
  CHECK(scale.deviation()[0] == doctest::Approx(2.680951323690902).epsilon(1e-15));
  CHECK(scale.deviation()[1] == 1.0);
  CHECK(scale.deviation()[2] == doctest::Approx(2.8613807855648994).epsilon(1e-15));

  auto y = x;
  scale.apply(y);
  for (gal::index_type i = 0; i < 3; ++i) {
    for (gal::index_type j = 0; j < 4; ++j) {
      CHECK(std::abs(static_cast<double>(y(i, j)) - expected[i][j]) < tolerance);
    }
  }
  scale.apply_inverse(y);
  for (gal::index_type k = 0; k < x.size(); ++k) {
    CHECK(std::abs(static_cast<double>(y.data()[k] - x.data()[k])) < 4 * tolerance);
  }

  // A part of the samples, and the numbers of an earlier fit.
  auto z = x;
  const std::vector<double> mean(scale.mean().begin(), scale.mean().end());
  const std::vector<double> deviation(scale.deviation().begin(), scale.deviation().end());
  const gal::standardizer<T> restored(mean, deviation);
  CHECK(restored == scale);
  restored.apply(z.view().columns(3, 1));
  CHECK(z(0, 2) == x(0, 2));
  CHECK(std::abs(static_cast<double>(z(0, 3)) - expected[0][3]) < tolerance);
}

TEST_CASE("a constant row stays finite, however long and large") {
  for (const double constant : {0.1, 1.0 / 3.0, 1e9 + 0.1, -7e-8, 0.0}) {
    gal::matrix<double> x(1, 10007, constant);
    gal::standardizer<double> scale;
    scale.fit(x);
    CHECK(scale.deviation()[0] == 1.0);
    scale.apply(x);
    CHECK(std::abs(x(0, 5000)) <= 1e-10 * std::abs(constant));
  }
}

TEST_CASE_TEMPLATE("large and small numbers are standardised like others", T, float, double) {
  constexpr T most = std::numeric_limits<T>::max();
  constexpr T least = std::numeric_limits<T>::min();
  gal::matrix<T> x(6, 4);
  const T rows[6][4] = {
      {most, most, most, most}, {most, -most, most, -most},           {most, most, 0, 0},
      {least, least, 0, 0},     {3 * least, least, least, 3 * least}, {-most, -most, -most, -most}};
  for (gal::index_type i = 0; i < 6; ++i) {
    for (gal::index_type j = 0; j < 4; ++j) {
      x(i, j) = rows[i][j];
    }
  }
  gal::standardizer<T> scale;
  scale.fit(x);
  const std::vector<double> mean = {most, 0, most / 2, least / 2, 2 * least, -most};
  const std::vector<double> deviation = {1, most, most / 2, least / 2, least, 1};
  for (std::size_t i = 0; i < 6; ++i) {
    CAPTURE(i);
    CHECK(scale.mean()[i] == mean[i]);
    CHECK(scale.deviation()[i] == deviation[i]);
  }
  auto y = x;
  scale.apply(y);
  const T expected[6][4] = {{0, 0, 0, 0},   {1, -1, 1, -1}, {1, 1, -1, -1},
                            {1, 1, -1, -1}, {1, -1, -1, 1}, {0, 0, 0, 0}};
  for (gal::index_type i = 0; i < 6; ++i) {
    for (gal::index_type j = 0; j < 4; ++j) {
      CHECK(y(i, j) == expected[i][j]);
    }
  }
  scale.apply_inverse(y);
  CHECK(y == x);
  // Numbers whose difference from the mean, or product with the deviation, is beyond the range of double.
  const gal::standardizer<T> wide({-most, most}, {most, most});
  gal::matrix<T> z(2, 1);
  z(0, 0) = most;
  z(1, 0) = -most;
  wide.apply(z);
  CHECK(z(0, 0) == T(2));
  CHECK(z(1, 0) == T(-2));
  wide.apply_inverse(z);
  CHECK(z(0, 0) == most);
  CHECK(z(1, 0) == -most);
}

TEST_CASE("the sum of many large numbers is in range") {
  for (const gal::index_type n : {2, 3, 5, 7, 100, 1001}) {
    gal::standardizer<double> scale;
    scale.fit(gal::matrix<double>(1, n, std::numeric_limits<double>::max()));
    CHECK(scale.mean()[0] == doctest::Approx(std::numeric_limits<double>::max()));
    CHECK(scale.deviation()[0] == 1.0);
    scale.fit(gal::matrix<double>(1, n, 1.5e308));
    CHECK(scale.mean()[0] == doctest::Approx(1.5e308).epsilon(1e-12));
    CHECK(scale.deviation()[0] == 1.0);
  }
  gal::standardizer<double> scale;
  scale.fit(matrix({{1e160, -1e160}}));
  CHECK(scale.deviation()[0] == 1e160);
}

TEST_CASE("standardisation refuses what it cannot measure and what does not fit") {
  using enum gal::error_code;
  gal::standardizer<float> scale;
  gal::matrix<float> x(2, 3, 1.0f);
  CHECK(refusal(shape_mismatch, [&] { scale.apply(x); }) ==
        "gal::standardizer::apply: a matrix of 2 rows; expected 0 (not fitted yet)");
  CHECK(refusal(shape_mismatch, [&] { scale.fit(gal::matrix<float>(2, 0)); }) ==
        "gal::standardizer::fit: a 2 x 0 matrix; expected at least one row and one sample");
  scale.fit(x);
  const auto fitted = scale;
  gal::matrix<float> narrow(1, 3, 1.0f);
  CHECK(refusal(shape_mismatch, [&] { scale.apply_inverse(narrow); }) ==
        "gal::standardizer::apply_inverse: a matrix of 1 rows; expected 2, as in the fit");
  x(1, 2) = std::numeric_limits<float>::quiet_NaN();
  CHECK(refusal(non_finite, [&] { scale.fit(x); }) ==
        "gal::standardizer::fit: value nan in row 1, column 2; expected a finite number");
  CHECK(scale == fitted);
  CHECK(refusal(shape_mismatch, [] { gal::standardizer<float>({1.0}, {}); }) ==
        "gal::standardizer: 1 means and 0 deviations; expected one of each per row");
  CHECK(refusal(invalid_option, [] { gal::standardizer<float>({1.0}, {0.0}); }) ==
        "gal::standardizer: deviation 0; expected a positive finite number");
  constexpr double infinity = std::numeric_limits<double>::infinity();
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  CHECK(refusal(invalid_option, [=] {
          gal::standardizer<float>({1.0, nan}, {1.0, 1.0});
        }) == "gal::standardizer: mean nan; expected a finite number");
  CHECK(refusal(invalid_option, [=] { gal::standardizer<float>({-infinity}, {1.0}); }) ==
        "gal::standardizer: mean -inf; expected a finite number");
  CHECK(refusal(invalid_option, [=] { gal::standardizer<float>({1.0}, {infinity}); }) ==
        "gal::standardizer: deviation inf; expected a positive finite number");
  CHECK(refusal(invalid_option, [=] { gal::standardizer<float>({1.0}, {nan}); }) ==
        "gal::standardizer: deviation nan; expected a positive finite number");
}

TEST_CASE("an epoch shows every sample once, its features with its target") {
  const auto data = numbered(10);
  gal::batches batches(data, 4, 1);
  static_assert(std::same_as<decltype(batches), gal::batches<float, int>>);
  static_assert(std::ranges::input_range<decltype(batches)>);
  CHECK(batches.size() == 3);
  const auto first = epoch(batches);
  CHECK(sorted(first) == counting(10));
  CHECK(first != counting(10));
  const auto second = epoch(batches);
  CHECK(sorted(second) == counting(10));
  CHECK(second != first);

  std::vector<gal::index_type> sizes;
  for (auto [x, y] : batches) {
    sizes.push_back(x.columns());
  }
  CHECK(sizes == indices{4, 4, 2});
}

TEST_CASE("the order depends on the seed and the epoch only") {
  const auto data = numbered(12);
  gal::batches a(data, 5, 7);
  gal::batches b(data, 5, {.seed = 7});
  gal::batches c(data, 3, {.seed = 7, .last_batch = gal::last_batch::drop});
  gal::batches other(data, 5, 8);
  const auto first = epoch(a);
  CHECK(epoch(b) == first);
  CHECK(epoch(c) == first);
  CHECK(epoch(other) != first);

  // An epoch that is left half way counts like any other.
  for ([[maybe_unused]] auto batch : b) {
    break;
  }
  CHECK(epoch(a) != first);
  CHECK(epoch(b) == epoch(a));
}

TEST_CASE("every order is as likely as any other") {
  const auto data = numbered(3);
  gal::batches batches(data, 3, 5);
  std::vector<int> counts(27, 0);
  constexpr int epochs = 6000;
  for (int i = 0; i < epochs; ++i) {
    const auto order = (*batches.begin()).targets;
    ++counts[static_cast<std::size_t>(9 * order(0, 0) + 3 * order(0, 1) + order(0, 2))];
  }
  std::erase(counts, 0);
  CHECK(counts.size() == 6);
  for (const int count : counts) {
    CHECK(std::abs(count - epochs / 6) < 145);  // five standard deviations
  }
}

TEST_CASE("an experiment resumes from the random state between two epochs") {
  const auto data = numbered(9);
  gal::batches batches(data, 2, 3);
  epoch(batches);
  const gal::random_stream state = batches.state();
  const auto expected = epoch(batches);
  CHECK(batches.state() != state);

  gal::batches resumed(data, 2, 99);
  resumed.set_state(state);
  CHECK(epoch(resumed) == expected);
  CHECK(resumed.state() == batches.state());
}

TEST_CASE("a small last batch is kept or dropped") {
  const auto data = numbered(10);
  gal::batches kept(data, 4, 1, gal::last_batch::keep);
  gal::batches dropped(data, 4, 1, gal::last_batch::drop);
  CHECK(dropped.size() == 2);
  const auto all = epoch(kept);
  CHECK(epoch(dropped) == std::vector<int>(all.begin(), all.begin() + 8));
  gal::batches even(data, 5, {.last_batch = gal::last_batch::drop});
  CHECK(even.size() == 2);
  CHECK(epoch(even).size() == 10);
  gal::batches large(data, 64, 1);
  CHECK(large.size() == 1);
  CHECK(sorted(epoch(large)) == counting(10));
}

TEST_CASE("without shuffling the batches are the data themselves") {
  const auto data = numbered(5);
  gal::batches batches(data, 2, {.shuffle = false});
  CHECK(epoch(batches) == counting(5));
  CHECK(epoch(batches) == counting(5));
  gal::index_type first = 0;
  for (auto [x, y] : batches) {
    CHECK(x.data() == data.features.view().columns(first, 1).data());
    CHECK(y.data() == data.targets.data() + first);
    first += 2;
  }
}

TEST_CASE("features and targets of any viewable type make batches") {
  const auto data = numbered(6);
  const std::vector<int> labels = counting(6);
  gal::batches from_vector(data.features, labels, 4, 2);
  static_assert(std::same_as<decltype(from_vector), gal::batches<float, int>>);
  gal::batches from_views(data.features.view(), data.targets.view(), 4, {.seed = 2});
  gal::batches from_dataset(data, 4, 2);
  const auto order = epoch(from_dataset);
  CHECK(epoch(from_vector) == order);
  CHECK(epoch(from_views) == order);

  // n numbers as a column, which is a row of targets.
  const Eigen::VectorXi column = Eigen::VectorXi::LinSpaced(6, 0, 5);
  gal::batches from_column(data.features, column, 4, 2);
  CHECK(epoch(from_column) == order);

  gal::dataset<double> houses = {gal::matrix<double>(3, 2, 1.0), gal::matrix<double>(2, 2, 5.0)};
  for (auto [x, y] : gal::batches(houses, 2, 1)) {
    static_assert(std::same_as<decltype(y), gal::matrix_view<const double>>);
    CHECK(x.shape() == gal::shape{3, 2});
    CHECK(y.shape() == gal::shape{2, 2});
  }
}

TEST_CASE("a copy goes its own way") {
  const auto data = numbered(8);
  gal::batches a(data, 3, 4);
  epoch(a);
  auto b = a;
  const auto next = epoch(b);
  CHECK(epoch(a) == next);
  auto c = std::move(b);
  CHECK(epoch(c) == epoch(a));
}

TEST_CASE("temporaries that own their memory make no batches") {
  using dataset = gal::dataset<float>;
  using batches = gal::batches<float>;
  using labelled = gal::batches<float, int>;
  static_assert(std::is_constructible_v<batches, dataset&, int>);
  static_assert(std::is_constructible_v<batches, const dataset&, int, int>);
  static_assert(!std::is_constructible_v<batches, dataset, int>);
  static_assert(!std::is_constructible_v<batches, const dataset, int, int>);
  static_assert(!std::is_constructible_v<batches, dataset, int, gal::batch_options>);
  static_assert(std::is_constructible_v<labelled, gal::matrix<float>&, std::vector<int>&, int>);
  static_assert(!std::is_constructible_v<labelled, gal::matrix<float>, std::vector<int>&, int>);
  static_assert(!std::is_constructible_v<labelled, gal::matrix<float>&, std::vector<int>, int, int>);
  static_assert(std::is_constructible_v<labelled, gal::matrix_view<float>, std::span<const int>, int, int>);
}

TEST_CASE("impossible batches are refused") {
  using enum gal::error_code;
  const auto data = numbered(10);
  const std::vector<int> labels(7);
  CHECK(refusal(invalid_option, [&] { gal::batches(data, 0, 1); }) ==
        "gal::batches: size 0; expected a positive number of samples");
  CHECK(refusal(invalid_option, [&] { gal::batches(data, -3, {.shuffle = false}); }) ==
        "gal::batches: size -3; expected a positive number of samples");
  CHECK(refusal(shape_mismatch, [&] { gal::batches(data.features, labels, 2); }) ==
        "gal::batches: features of 10 samples and targets of 7; expected as many");
  const auto none = numbered(0);
  CHECK(refusal(shape_mismatch, [&] { gal::batches(none, 2); }) ==
        "gal::batches: 0 samples; expected at least one");
  CHECK(refusal(invalid_option, [&] { gal::batches(data, 11, 1, gal::last_batch::drop); }) ==
        "gal::batches: size 11 with 10 samples leaves no batch once the last is dropped; expected a size of "
        "at most "
        "10");
}
