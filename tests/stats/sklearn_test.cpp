// Splits, folds and measures of classifiers beside scikit-learn's, from tests/data/sklearn.json (scripts/golden_sklearn.py);
// then what scikit-learn does not say.
#include <gal/backends/eigen.hpp>
#include <gal/data/split.hpp>
#include <gal/loss/evaluate_loss.hpp>
#include <gal/loss/softmax_cross_entropy.hpp>
#include <gal/stats/classification.hpp>
#include <gal/stats/stats.hpp>

#include "testing.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <limits>
#include <string>
#include <vector>

namespace {

using doctest::Approx;
using indices = std::vector<gal::index_type>;
using json = nlohmann::json;
constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

const json& golden(const char* part) {
  static const json all = json::parse(std::ifstream(GAL_TEST_DATA_DIR "/sklearn.json"));
  return all.at(part);
}

gal::matrix<double> logits_of(const json& rows) {
  gal::matrix<double> result(static_cast<gal::index_type>(rows.at(0).size()),
                             static_cast<gal::index_type>(rows.size()));
  for (gal::index_type j = 0; j < result.columns(); ++j) {
    for (gal::index_type i = 0; i < result.rows(); ++i) {
      result(i, j) = rows.at(static_cast<std::size_t>(j)).at(static_cast<std::size_t>(i));
    }
  }
  return result;
}

void check_folds(const std::vector<gal::split_indices>& folds, const json& expected) {
  REQUIRE(folds.size() == expected.size());
  for (std::size_t k = 0; k < folds.size(); ++k) {
    CHECK(folds[k].train == expected[k].at("train").get<indices>());
    CHECK(folds[k].test == expected[k].at("test").get<indices>());
  }
}

}  // namespace

TEST_CASE("stratified splits and folds are scikit-learn's, in its order") {
  for (const json& entry : golden("splits")) {
    const auto labels = entry.at("labels").get<std::vector<int>>();
    const auto n = static_cast<gal::index_type>(labels.size());
    const std::uint32_t seed = entry.at("seed");
    for (const json& expected : entry.at("splits")) {
      const gal::split_options options{.test_fraction = expected.at("test_fraction"), .seed = seed};
      const auto [train, test] = gal::stratified_split(labels, options);
      CHECK(train == expected.at("train").get<indices>());
      CHECK(test == expected.at("test").get<indices>());
    }
    for (const json& expected : entry.at("folds")) {
      const gal::fold_options options{
          .folds = expected.at("folds"), .shuffle = expected.at("shuffle"), .seed = seed};
      check_folds(gal::k_folds(n, options), expected.at("plain"));
      check_folds(gal::stratified_k_folds(labels, options), expected.at("stratified"));
    }
  }
}

TEST_CASE("labels that are any integers divide as their order does") {
  const std::vector<int> small = {0, 1, 2, 0, 1, 2, 0, 0};
  const std::vector<long> other = {-7, 3, 900000, -7, 3, 900000, -7, -7};
  const gal::split_options options{.test_fraction = 0.4, .seed = 3};
  CHECK(gal::stratified_split(small, options).test == gal::stratified_split(other, options).test);
  CHECK(gal::stratified_k_folds(small, {.folds = 2}).front().test ==
        gal::stratified_k_folds(other, {.folds = 2}).front().test);
}

TEST_CASE(
    "confusion matrices, precision, recall, F1, top-k, log loss, areas and calibration are the reference's") {
  for (const json& entry : golden("measures")) {
    const gal::matrix<double> logits = logits_of(entry.at("logits"));
    const auto labels = entry.at("labels").get<std::vector<int>>();
    const gal::index_type classes = logits.rows();
    gal::confusion_matrix counts(classes);
    counts.add(logits, labels);
    CHECK(counts.samples() == logits.columns());
    for (gal::index_type k = 0; k < classes; ++k) {
      const auto at = static_cast<std::size_t>(k);
      CAPTURE(k);
      for (gal::index_type answer = 0; answer < classes; ++answer) {
        CHECK(counts.count(k, answer) == entry.at("confusion")[at][static_cast<std::size_t>(answer)]);
      }
      CHECK(counts.support(k) == entry.at("support")[at]);
      CHECK(counts.precision(k) == Approx(entry.at("precision")[at].get<double>()).epsilon(1e-14));
      CHECK(counts.recall(k) == Approx(entry.at("recall")[at].get<double>()).epsilon(1e-14));
      CHECK(counts.f1(k) == Approx(entry.at("f1")[at].get<double>()).epsilon(1e-14));
    }
    CHECK(counts.accuracy() == entry.at("accuracy").get<double>());
    CHECK(counts.accuracy() == Approx(entry.at("micro_f1").get<double>()).epsilon(1e-14));
    CHECK(counts.accuracy() == Approx(1.0 - gal::error_rate(logits, labels)).epsilon(1e-14));
    CHECK(counts.macro_precision() == Approx(entry.at("macro")[0].get<double>()).epsilon(1e-14));
    CHECK(counts.macro_recall() == Approx(entry.at("macro")[1].get<double>()).epsilon(1e-14));
    CHECK(counts.macro_f1() == Approx(entry.at("macro")[2].get<double>()).epsilon(1e-14));
    for (gal::index_type k = 1; k < classes; ++k) {
      CHECK(gal::top_k_accuracy(logits, labels, k) ==
            Approx(entry.at("top_k")[static_cast<std::size_t>(k - 1)].get<double>()).epsilon(1e-14));
    }
    CHECK(gal::top_k_accuracy(logits, labels, classes) == 1.0);
    CHECK(gal::evaluate_loss(gal::softmax_cross_entropy(), logits, labels).mean ==
          Approx(entry.at("log_loss").get<double>()).epsilon(1e-12));
    std::vector<int> positive;
    for (const int label : labels) {
      positive.push_back(label == 1 ? 1 : 0);
    }
    CHECK(gal::area_under_roc(entry.at("scores").get<std::vector<double>>(), positive) ==
          Approx(entry.at("area").get<double>()).epsilon(1e-14));
    for (std::size_t k = 0; k < 3; ++k) {
      CHECK(gal::calibration_error(logits, labels, std::vector{1, 10, 15}[k]) ==
            Approx(entry.at("calibration")[k].get<double>()).epsilon(1e-12));
    }
  }
}

TEST_CASE("batches of a confusion matrix add up") {
  const json& entry = golden("measures").at(1);
  const gal::matrix<double> logits = logits_of(entry.at("logits"));
  const auto labels = entry.at("labels").get<std::vector<int>>();
  gal::confusion_matrix whole(logits.rows());
  whole.add(logits, labels);
  gal::confusion_matrix parts(logits.rows());
  const gal::index_type first = 77;
  const auto x = logits.view();
  parts.add(gal::matrix_view<const double>(x.data(), x.rows(), first),
            std::vector<int>(labels.begin(), labels.begin() + first));
  parts.add(gal::matrix_view<const double>(x.data() + x.rows() * first, x.rows(), x.columns() - first),
            std::vector<int>(labels.begin() + first, labels.end()));
  CHECK(parts.macro_f1() == whole.macro_f1());
  CHECK(parts.accuracy() == whole.accuracy());
}

TEST_CASE("an area does not change with what keeps the order of the scores, and turns with their sign") {
  const std::vector<double> scores = {-infinity, 0.1, 0.4, 0.35, 0.8, 2.0, infinity};
  const std::vector<int> labels = {0, 0, 1, 0, 1, 0, 1};
  std::vector<double> grown;
  std::vector<double> turned;
  for (const double s : scores) {
    grown.push_back(std::exp(3.0 * s));
    turned.push_back(-s);
  }
  const double area = gal::area_under_roc(scores, labels);
  CHECK(area == doctest::Approx(10.0 / 12.0).epsilon(1e-14));
  CHECK(gal::area_under_roc(grown, labels) == area);
  CHECK(gal::area_under_roc(turned, labels) == doctest::Approx(1.0 - area).epsilon(1e-14));
}

TEST_CASE("samples without an answer are wrong, and are not hidden by a measure") {
  const auto logits = matrix<>({{1.0, not_a_number, 2.0}, {0.0, 1.0, infinity}});
  const std::vector<int> labels = {0, 1, 1};
  gal::confusion_matrix counts(2);
  counts.add(logits, labels);
  CHECK(counts.unanswered(1) == 2);
  CHECK(counts.recall(1) == 0.0);
  CHECK(counts.precision(1) == 0.0);
  CHECK(counts.accuracy() == Approx(1.0 / 3.0));
  CHECK(std::isnan(gal::top_k_accuracy(logits, labels, 1)));
  CHECK(std::isnan(gal::calibration_error(logits, labels)));
  CHECK(std::isnan(gal::area_under_roc(std::vector{1.0, not_a_number, 3.0}, labels)));
  CHECK(std::isnan(gal::confusion_matrix(3).accuracy()));
  CHECK(std::isnan(gal::confusion_matrix(3).macro_f1()));
}

TEST_CASE("of equal logits the first is the answer") {
  const auto logits = matrix<>({{1.0, 1.0}, {1.0, 1.0}, {0.0, 0.0}});
  const std::vector<int> labels = {0, 1};
  CHECK(gal::top_k_accuracy(logits, labels, 1) == 1.0 - gal::error_rate(logits, labels));
  CHECK(gal::top_k_accuracy(logits, labels, 2) == 1.0);
}

TEST_CASE("misuse is refused with what was given and what was expected") {
  const auto logits = matrix<>({{1.0, 2.0}, {0.0, 1.0}});
  const std::vector<int> labels = {0, 1};
  CHECK_THROWS_WITH_AS(gal::confusion_matrix(0), "gal::confusion_matrix: 0 classes; expected at least 1",
                       gal::error);
  gal::confusion_matrix counts(3);
  CHECK_THROWS_WITH_AS(counts.add(logits, labels),
                       "gal::confusion_matrix::add: logits are 2 x 2; expected 3 rows", gal::error);
  CHECK_THROWS_WITH_AS(static_cast<void>(counts.f1(3)), "gal::confusion_matrix: class 3; expected 0 to 2",
                       gal::error);
  gal::confusion_matrix two(2);
  CHECK_THROWS_WITH_AS(two.add(logits, std::vector{0, 2}),
                       "gal::confusion_matrix::add: label 2 of sample 1; expected 0 to 1", gal::error);
  CHECK(two.samples() == 0);
  CHECK_THROWS_WITH_AS(static_cast<void>(gal::top_k_accuracy(logits, labels, 3)),
                       "gal::top_k_accuracy: k is 3; expected 1 to 2", gal::error);
  CHECK_THROWS_WITH_AS(static_cast<void>(gal::calibration_error(logits, labels, 0)),
                       "gal::calibration_error: 0 bins; expected at least 1", gal::error);
  CHECK_THROWS_WITH_AS(static_cast<void>(gal::area_under_roc(std::vector{1.0, 2.0}, std::vector{0, 2})),
                       "gal::area_under_roc: label 2 of sample 1; expected 0 or 1", gal::error);
  CHECK_THROWS_WITH_AS(static_cast<void>(gal::area_under_roc(std::vector{1.0, 2.0}, std::vector{1, 1})),
                       "gal::area_under_roc: 2 samples of label 1 and 0 of label 0; expected both",
                       gal::error);
  CHECK_THROWS_WITH_AS(
      static_cast<void>(gal::stratified_split(std::vector{0, 1, 1, 1})),
      "gal::stratified_split: test_fraction 0.25 of 4 samples makes a part of 1; expected at least 2, a "
      "sample of each class",
      gal::error);
  CHECK_THROWS_WITH_AS(
      static_cast<void>(gal::stratified_split(std::vector{0, 1, 1, 1, 1, 1}, {.test_fraction = 0.5})),
      "gal::stratified_split: a class has one sample; expected at least 2, one for each part", gal::error);
  CHECK_THROWS_WITH_AS(static_cast<void>(gal::k_folds(4, {.folds = 5})),
                       "gal::k_folds: 5 folds of 4 samples; expected 2 to 4", gal::error);
  CHECK_THROWS_WITH_AS(
      static_cast<void>(gal::stratified_k_folds(std::vector{0, 1, 0, 1}, {.folds = 3})),
      "gal::stratified_k_folds: the largest class has 2 samples; expected at least one for each of 3 "
      "folds",
      gal::error);
}
