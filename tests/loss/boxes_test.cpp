// Boxes: overlaps by hand, the loss against its definition, gradients by finite differences, and what is refused.
#include <gal/backends/eigen.hpp>
#include <gal/gal.hpp>
#include <gal/loss/boxes.hpp>
#include <gal/taylor/check_gradients.hpp>

#include "testing.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

namespace {

using enum gal::error_code;
using box = std::array<double, 4>;  // centre, size

// Of corners, by definition.
double generalised_iou(const box& a, const box& b) {
  const auto low = [](const box& x, std::size_t k) { return x[k] - x[k + 2] / 2; };
  const auto high = [](const box& x, std::size_t k) { return x[k] + x[k + 2] / 2; };
  double overlap = 1.0, hull = 1.0;
  for (const std::size_t k : {0U, 1U}) {
    overlap *= std::max(0.0, std::min(high(a, k), high(b, k)) - std::max(low(a, k), low(b, k)));
    hull *= std::max(high(a, k), high(b, k)) - std::min(low(a, k), low(b, k));
  }
  const double all = a[2] * a[3] + b[2] * b[3] - overlap;
  return overlap / all - (hull - all) / hull;
}

gal::matrix<double> columns(const std::vector<box>& boxes) {
  gal::matrix<double> result(4, static_cast<gal::index_type>(boxes.size()));
  for (std::size_t j = 0; j < boxes.size(); ++j) {
    std::ranges::copy(boxes[j], result.data() + 4 * j);
  }
  return result;
}

std::vector<double> losses(const gal::box_loss& loss, const gal::matrix<double>& x,
                           const gal::matrix<double>& y) {
  std::vector<double> values(static_cast<std::size_t>(x.columns()));
  loss.evaluate(gal::eigen_backend(), x.view(), y, gal::matrix_view<double>(values),
                gal::matrix_view<double>());
  return values;
}

// Boxes at random: overlapping, inside each other, apart.
std::vector<box> random_boxes(std::size_t count, std::uint64_t seed) {
  gal::random_stream random{seed};
  std::vector<box> result(count);
  for (box& b : result) {
    b = {random.uniform(), random.uniform(), 0.05 + 0.6 * random.uniform(), 0.05 + 0.6 * random.uniform()};
  }
  return result;
}

}  // namespace

TEST_CASE("overlaps by hand") {
  const auto truth = columns({{0, 0, 2, 2}, {0, 0, 2, 2}, {0, 0, 2, 2}, {0, 0, 2, 2}});
  const auto boxes = columns({{0, 0, 2, 2}, {1, 1, 2, 2}, {3, 0, 2, 2}, {0, 0, 1, 2}});
  const std::array iou = {1.0, 1.0 / 7.0, 0.0, 0.5};
  for (gal::index_type j = 0; j < 4; ++j) {
    CHECK(gal::intersection_over_union(boxes, truth, j) == doctest::Approx(iou[static_cast<std::size_t>(j)]));
  }
  CHECK(gal::mean_intersection_over_union(boxes, truth) == doctest::Approx((1.5 + 1.0 / 7.0) / 4.0));
  // Equal; 1/7 - 2/9; apart, 8 of 10 filled; 1/2 - 0.
  const auto values = losses(gal::box_loss({.distance = 0.0, .overlap = 1.0}), boxes, truth);
  CHECK(values[0] == doctest::Approx(0.0));
  CHECK(values[1] == doctest::Approx(1.0 - 1.0 / 7.0 + 2.0 / 9.0));
  CHECK(values[2] == doctest::Approx(1.0 + 2.0 / 10.0));
  CHECK(values[3] == doctest::Approx(0.5));
  const auto distances = losses(gal::box_loss({.distance = 3.0, .overlap = 0.0}), boxes, truth);
  CHECK(distances == std::vector<double>{0.0, 6.0, 9.0, 3.0});
}

TEST_CASE("the loss is its definition, symmetric in the overlap, and does not change with the unit") {
  const auto a = random_boxes(200, 1);
  const auto b = random_boxes(200, 2);
  const gal::box_loss overlap({.distance = 0.0, .overlap = 1.0});
  const auto values = losses(overlap, columns(a), columns(b));
  const auto swapped = losses(overlap, columns(b), columns(a));
  auto larger_a = a, larger_b = b;
  for (std::size_t j = 0; j < a.size(); ++j) {
    for (std::size_t k = 0; k < 4; ++k) {
      larger_a[j][k] *= 224.0;
      larger_b[j][k] *= 224.0;
    }
  }
  const auto larger = losses(overlap, columns(larger_a), columns(larger_b));
  const auto both = losses(gal::box_loss(), columns(a), columns(b));
  for (std::size_t j = 0; j < a.size(); ++j) {
    CHECK(values[j] == doctest::Approx(1.0 - generalised_iou(a[j], b[j])).epsilon(1e-12));
    CHECK(swapped[j] == doctest::Approx(values[j]).epsilon(1e-12));
    CHECK(larger[j] == doctest::Approx(values[j]).epsilon(1e-12));
    double distance = 0.0;
    for (std::size_t k = 0; k < 4; ++k) {
      distance += std::abs(a[j][k] - b[j][k]);
    }
    CHECK(both[j] == doctest::Approx(5.0 * distance + 2.0 * values[j]).epsilon(1e-12));
  }
}

TEST_CASE("gradients agree with central differences") {
  const auto a = random_boxes(60, 3);
  const auto b = random_boxes(60, 4);
  for (const gal::box_loss_options options :
       {gal::box_loss_options{}, {.distance = 0.0, .overlap = 1.0}, {.distance = 1.0, .overlap = 0.0}}) {
    const gal::box_loss loss(options);
    for (std::size_t j = 0; j < a.size(); ++j) {  // one by one: each counts in full
      gal::nn::point<double> point(columns({a[j]}).view());
      const auto check = gal::check_gradients(point, loss, gal::nothing{}, columns({b[j]}),
                                              {.step = 1e-7, .tolerance = 1e-6});
      INFO("pair " << j << ", " << check.where << ": " << check.analytic << " against " << check.numerical);
      CHECK(check.passed);
    }
  }
  // In a batch each sample has its share.
  gal::nn::point<double> all(columns(a).view());
  CHECK(gal::check_gradients(all, gal::box_loss(), gal::nothing{}, columns(b), {.step = 1e-7}).passed);
}

TEST_CASE("a box of negative size has no area and is pulled back by the distance") {
  const auto truth = columns({{0, 0, 2, 2}});
  const auto x = columns({{0, 0, -1, 2}});
  gal::matrix<double> value(1, 1), gradient(4, 1);
  gal::box_loss().evaluate(gal::eigen_backend(), x.view(), truth, value.view(), gradient.view());
  CHECK(value(0, 0) == doctest::Approx(5.0 * 3.0 + 2.0 * 1.0));
  CHECK(gradient(2, 0) == -5.0);
  CHECK(gal::intersection_over_union(x, truth, 0) == 0.0);
}

TEST_CASE_TEMPLATE("a box that is not finite overlaps by NaN, and its loss is never finite", T, float,
                   double) {
  const gal::matrix<T> truth = matrix<T>({{0, 1}, {0, 1}, {2, 2}, {2, 2}});
  constexpr T nan = std::numeric_limits<T>::quiet_NaN();
  constexpr T infinity = std::numeric_limits<T>::infinity();
  const auto check = [&](const gal::matrix<T>& boxes) {
    CHECK(std::isnan(gal::intersection_over_union(boxes, truth, 0)));
    CHECK(gal::intersection_over_union(boxes, truth, 1) == 1.0);
    CHECK(std::isnan(gal::mean_intersection_over_union(boxes, truth)));
    for (const gal::box_loss_options options :
         {gal::box_loss_options{}, {.distance = 0.0, .overlap = 1.0}, {.distance = 1.0, .overlap = 0.0}}) {
      const auto result = gal::evaluate_loss(gal::box_loss(options), boxes, truth);
      CHECK_FALSE(std::isfinite(result.samples(0, 0)));
      CHECK(result.samples(0, 1) == 0.0);
    }
  };
  for (const T bad : {nan, infinity, -infinity}) {
    CAPTURE(bad);
    for (gal::index_type i = 0; i < 4; ++i) {
      CAPTURE(i);
      auto boxes = truth;
      boxes(i, 0) = bad;
      check(boxes);
    }
    auto boxes = truth;
    std::fill_n(boxes.data(), 4, bad);
    check(boxes);
  }
}

TEST_CASE("adjusted gradients bring boxes onto their targets") {
  const auto truth = columns(random_boxes(8, 5));
  gal::nn::point<float> boxes([] {
    gal::matrix<float> start(4, 8, 0.5f);
    return start;
  }()
                                  .view());
  gal::adam<float> optimizer({.learning_rate = 0.02});
  gal::adjust trainer(boxes, optimizer, gal::box_loss(), {.epsilon = 0.5, .hidden = {64, 16}});
  const double before = gal::mean_intersection_over_union(boxes.forward(), truth);
  for (int k = 0; k < 300; ++k) {
    CHECK_FALSE(trainer.step(gal::nothing{}, truth).non_finite);
  }
  CHECK(before < 0.5);
  CHECK(gal::mean_intersection_over_union(boxes.forward(), truth) > 0.8);
}

TEST_CASE("what is refused") {
  const auto message = [](gal::error_code code, const gal::matrix<double>& x, const gal::matrix<double>& y) {
    return refusal(code, [&] { return losses(gal::box_loss(), x, y); });
  };
  const gal::matrix<double> box(4, 2, 1.0);
  CHECK(message(shape_mismatch, gal::matrix<double>(3, 2, 1.0), gal::matrix<double>(3, 2, 1.0)) ==
        "gal::box_loss: boxes are 3 x 2, true boxes 3 x 2; expected 4 rows and as many columns for both");
  CHECK(message(shape_mismatch, box, gal::matrix<double>(4, 3, 1.0)) ==
        "gal::box_loss: boxes are 4 x 2, true boxes 4 x 3; expected 4 rows and as many columns for both");
  auto flat = box;
  flat(3, 1) = 0.0;
  CHECK(message(invalid_target, box, flat) ==
        "gal::box_loss: true box of sample 1 is 1 wide and 0 high; expected positive numbers");
  auto nowhere = box;
  nowhere(1, 0) = std::nan("");
  CHECK(message(invalid_target, box, nowhere) ==
        "gal::box_loss: number 1 of the true box of sample 0 is nan; expected a finite number");
  auto endless = box;
  endless(2, 1) = INFINITY;
  CHECK(refusal(invalid_target, [&] { return gal::mean_intersection_over_union(box, endless); }) ==
        "gal::mean_intersection_over_union: number 2 of the true box of sample 1 is inf; expected a finite "
        "number");
  CHECK(refusal(invalid_option, [] { return gal::box_loss({.distance = -1.0}); }) ==
        "gal::box_loss: distance is -1; expected a non-negative number");
  CHECK(refusal(invalid_option, [] { return gal::box_loss({.overlap = INFINITY}); }) ==
        "gal::box_loss: overlap is inf; expected a non-negative number");
  CHECK(refusal(shape_mismatch, [&] { return gal::intersection_over_union(box, box, 2); }) ==
        "gal::intersection_over_union: sample 2 of 2");
  CHECK(refusal(shape_mismatch, [&] {
          return gal::mean_intersection_over_union(gal::matrix<double>(4, 0), gal::matrix<double>(4, 0));
        }) == "gal::mean_intersection_over_union: 0 samples; expected at least one");
}
