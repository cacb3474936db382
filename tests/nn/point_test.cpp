// The model that is its own features.
#include <gal/backends/eigen.hpp>
#include <gal/core/concepts.hpp>
#include <gal/nn/point.hpp>

#include "testing.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <concepts>
#include <utility>

namespace {

static_assert(gal::model<gal::nn::point<float>> && gal::model<gal::nn::point<double>>);
static_assert(std::copyable<gal::nn::point<float>>);

}  // namespace

TEST_CASE_TEMPLATE("a point is its own features", T, float, double) {
  gal::nn::point<T> point({T(0.75), T(1)});
  CHECK(point.forward() == matrix<T>({{T(0.75)}, {1}}));
  CHECK(point.coordinates().shape() == gal::shape{2, 1});
  CHECK(std::as_const(point).coordinates()(0, 0) == T(0.75));

  const auto blocks = point.parameters();
  REQUIRE(blocks.size() == 1);
  REQUIRE(blocks[0].value.size() == 2);
  CHECK(blocks[0].value.data() == point.coordinates().data());
  CHECK(blocks[0].group == 0);
  CHECK(std::ranges::equal(blocks[0].gradient, std::array<T, 2>{0, 0}));
  point.backward(matrix<T>({{3}, {-1}}));
  point.backward(matrix<T>({{0.5}, {0.25}}));
  CHECK(std::ranges::equal(blocks[0].gradient, std::array<T, 2>{T(3.5), T(-0.75)}));

  blocks[0].value[1] = T(5);
  CHECK(point.forward()(1, 0) == T(5));
  point.coordinates()(0, 0) = T(-2);
  CHECK(point.forward(gal::nothing{})(0, 0) == T(-2));

  gal::nn::point<T> copy = point;
  copy.coordinates()(0, 0) = T(9);
  CHECK(point.coordinates()(0, 0) == T(-2));
  CHECK(copy.parameters()[0].value[0] == T(9));

  const auto several = random_matrix<T>(3, 4, 1);
  gal::nn::point<T> points(several);
  CHECK(points.forward() == several);
  CHECK(points.parameters()[0].value.size() == 12);
}

TEST_CASE("a point refuses what does not fit") {
  using enum gal::error_code;
  gal::nn::point<double> point({1.0, 2.0});
  CHECK(refusal(shape_mismatch, [&] { return point.backward(gal::matrix<double>(1, 2)), 0; }) ==
        "gal::nn::point::backward: gradient is 1 x 2; expected 2 x 1");
  CHECK(refusal(shape_mismatch, [] { return gal::nn::point<double>(gal::matrix<double>(2, 0)); }) ==
        "gal::nn::point: coordinates are 2 x 0; expected at least one row and column");
}
