// Arrays of xtensor at the border: what is seen of them, models whose arithmetic is xtensor's, and what is refused.
#include <gal/adapters/xtensor.hpp>
#include <gal/data/npy.hpp>
#include <gal/gal.hpp>

#include "testing.hpp"

#include <doctest/doctest.h>

#include <xtensor/xfixed.hpp>
#include <xtensor/xmath.hpp>
#include <xtensor/xnpy.hpp>
#include <xtensor/xstrided_view.hpp>
#include <xtensor/xview.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <numeric>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace {

using gal::error_code;
using gal::shape;

// Numbers 0, 1, 2, ... in memory order.
template <class Array>
Array counted(Array array) {
  std::iota(array.storage().begin(), array.storage().end(), typename Array::value_type(0));
  return array;
}

// An MLP of two layers with tanh, weights in PyTorch's order: (outputs, inputs). Its gradients are added to as xtensor does
// by default, which moves them in memory.
template <class T>
class two_layers {
 public:
  using input_type = xt::xtensor<T, 2>;    // (samples, inputs)
  using feature_type = xt::xtensor<T, 2>;  // (samples, outputs)

  // The weights of the library's own network.
  explicit two_layers(gal::nn::mlp<T>& like) {
    for (std::size_t l = 0; l < 2; ++l) {
      weight_[l] = gal::as_xtensor(like.weight(l));
      bias_[l] = xt::view(gal::as_xtensor(like.bias(l)), 0);
      weight_gradient_[l] = xt::zeros_like(weight_[l]);
      bias_gradient_[l] = xt::zeros_like(bias_[l]);
    }
  }

  const feature_type& forward(const input_type& x) {
    input_ = x;
    hidden_ = xt::tanh(affine(0, x));
    output_ = affine(1, hidden_);
    return output_;
  }

  void backward(const feature_type& g) {
    add_gradients(1, g, hidden_);
    const xt::xtensor<T, 2> back =
        xt::sum(xt::view(g, xt::all(), xt::all(), xt::newaxis()) * weight_[1], {1});
    const xt::xtensor<T, 2> slope = back * (T(1) - hidden_ * hidden_);
    add_gradients(0, slope, input_);
  }

  auto parameters() {
    return std::array{std::pair{std::span(weight_[0]), std::span(weight_gradient_[0])},
                      std::pair{std::span(bias_[0]), std::span(bias_gradient_[0])},
                      std::pair{std::span(weight_[1]), std::span(weight_gradient_[1])},
                      std::pair{std::span(bias_[1]), std::span(bias_gradient_[1])}};
  }

 private:
  xt::xtensor<T, 2> affine(std::size_t l, const xt::xtensor<T, 2>& x) const {
    return xt::sum(xt::view(x, xt::all(), xt::newaxis(), xt::all()) * weight_[l], {2}) + bias_[l];
  }

  void add_gradients(std::size_t l, const xt::xtensor<T, 2>& g, const xt::xtensor<T, 2>& x) {
    weight_gradient_[l] += xt::sum(
        xt::view(g, xt::all(), xt::all(), xt::newaxis()) * xt::view(x, xt::all(), xt::newaxis(), xt::all()),
        {0});
    bias_gradient_[l] += xt::sum(g, {0});
  }

  std::array<xt::xtensor<T, 2>, 2> weight_, weight_gradient_;
  std::array<xt::xtensor<T, 1>, 2> bias_, bias_gradient_;
  xt::xtensor<T, 2> input_, hidden_, output_;
};

static_assert(gal::model<two_layers<float>>);

// y = a x of any rank, in xt::xarray.
struct proportional {
  using input_type = xt::xarray<double>;
  using feature_type = xt::xarray<double>;
  xt::xarray<double> a = {0.5}, da = {0.0}, x, y;
  const feature_type& forward(const input_type& input) {
    x = input;
    y = a(0) * x;
    return y;
  }
  void backward(const feature_type& g) { da += xt::sum(g * x); }
  auto parameters() { return std::array{std::pair{std::span(a), std::span(da)}}; }
};

static_assert(gal::model<proportional>);

}  // namespace

TEST_CASE("an array is a matrix with a column per sample, on the same memory") {
  auto samples = counted(xt::xtensor<float, 2>({5, 3}));
  const auto view = gal::view(samples);
  CHECK(view.shape() == shape{3, 5});
  CHECK(view.data() == samples.data());
  for (gal::index_type j = 0; j < 5; ++j) {
    for (gal::index_type i = 0; i < 3; ++i) {
      CHECK(&view(i, j) == &samples(j, i));
    }
  }
  static_assert(std::is_same_v<decltype(gal::view(samples)), gal::matrix_view<float>>);
  static_assert(std::is_same_v<decltype(gal::view(std::as_const(samples))), gal::matrix_view<const float>>);

  CHECK(gal::view(xt::xtensor<double, 1>::from_shape({7})).shape() == shape{1, 7});
  const xt::xtensor<float, 4> images({6, 3, 4, 5});
  CHECK(gal::view(images).shape() == shape{60, 6});
  CHECK(gal::view(xt::xarray<int>(std::vector<std::size_t>{6, 3, 2})).shape() == shape{6, 6});
  CHECK(gal::view(xt::xarray<int>(std::vector<std::size_t>{6})).shape() == shape{1, 6});
  CHECK(gal::view(xt::xtensor_fixed<double, xt::xshape<4, 2>>()).shape() == shape{2, 4});
  CHECK(gal::view(xt::xtensor<double, 2>({0, 3})).shape() == shape{3, 0});
  const xt::xtensor<double, 1, xt::layout_type::column_major> fortran_row = xt::zeros<double>({4});
  CHECK(gal::view(fortran_row).shape() == shape{1, 4});

  std::vector<float> memory(12);
  auto adapted = xt::adapt(memory, {4, 3});
  CHECK(gal::view(adapted).data() == memory.data());
  CHECK(gal::view(adapted).shape() == shape{3, 4});
}

TEST_CASE("whole samples of an array are one too, and dimensions of size 1 have no order") {
  auto samples = counted(xt::xtensor<double, 3>({5, 2, 3}));
  auto some = xt::view(samples, xt::range(1, 3));
  CHECK(gal::view(some).shape() == shape{6, 2});
  CHECK(gal::view(some).data() == &samples(1, 0, 0));
  auto strided = xt::strided_view(samples, {xt::range(2, 5), xt::ellipsis()});
  CHECK(gal::view(strided).shape() == shape{6, 3});
  CHECK(gal::view(strided).data() == &samples(2, 0, 0));
  auto second_of_one = xt::view(samples, xt::range(4, 5), xt::range(1, 2));
  CHECK(gal::view(second_of_one).shape() == shape{3, 1});
  CHECK(gal::view(second_of_one).data() == &samples(4, 1, 0));
  CHECK(gal::view(xt::xtensor<double, 3>({4, 1, 1})).shape() == shape{1, 4});
  const xt::xtensor<double, 2, xt::layout_type::dynamic> column({4, 1}, xt::layout_type::column_major);
  CHECK(gal::view(column).shape() == shape{1, 4});
}

TEST_CASE("arrays with gaps, in another order or without dimensions are refused, with their strides") {
  auto samples = counted(xt::xtensor<double, 2>({5, 3}));
  CHECK(refusal(error_code::shape_mismatch,
                [&] { return gal::view(xt::view(samples, xt::all(), xt::range(0, 2))); }) ==
        "gal::view: a strided xtensor array of shape (5, 2) with strides (3, 1); expected row-major memory "
        "without "
        "gaps, strides (2, 1), such as whole samples or a copy");
  CHECK(
      refusal(error_code::shape_mismatch, [&] { return gal::view(xt::transpose(samples)); })
          .find("shape (3, 5) with strides (1, 3); expected row-major memory without gaps, strides (5, 1)") !=
      std::string::npos);
  CHECK(refusal(error_code::shape_mismatch, [&] {
          return gal::view(xt::view(samples, xt::range(4, 0, -1)));
        }).find("strides (-3, 1); expected") != std::string::npos);
  const xt::xtensor<float, 3, xt::layout_type::dynamic> fortran({2, 3, 4}, xt::layout_type::column_major);
  CHECK(
      refusal(error_code::shape_mismatch, [&] { return gal::view(fortran); }) ==
      "gal::view: a column-major xtensor array of shape (2, 3, 4) with strides (1, 2, 6); expected row-major "
      "memory without gaps, strides (12, 4, 1), such as whole samples or a copy");
  CHECK(refusal(error_code::shape_mismatch, [&] { return gal::view(xt::xarray<double>(3.0)); }) ==
        "gal::view: an xtensor array of no dimensions; expected at least one, which counts the samples");
}

TEST_CASE("a view is an array again, on the same memory") {
  auto samples = counted(xt::xtensor<double, 2>({5, 3}));
  auto array = gal::as_xtensor(gal::view(samples));
  CHECK(array == samples);
  array(4, 2) = -1.0;
  CHECK(samples(4, 2) == -1.0);
  const gal::matrix<float> m = matrix<float>({{1, 2, 3}, {4, 5, 6}});
  const xt::xarray<float> copy = gal::as_xtensor(m);
  CHECK(copy == xt::xarray<float>{{1, 4}, {2, 5}, {3, 6}});
}

TEST_CASE("arrays pass wherever data do") {
  auto x = counted(xt::xtensor<double, 2>({10, 3}));
  xt::xtensor<int, 1> labels = xt::arange<int>(10);
  gal::standardizer<double> scale;
  scale.fit(x);
  scale.apply(x);
  CHECK(xt::mean(x)() == doctest::Approx(0.0));
  gal::index_type seen = 0;
  for (auto [features, targets] : gal::batches(x, labels, 4, /*seed=*/1)) {
    for (gal::index_type j = 0; j < features.columns(); ++j) {
      CHECK(features(1, j) == x(static_cast<std::size_t>(targets(0, j)), 1));
    }
    seen += targets.columns();
  }
  CHECK(seen == 10);
  CHECK(gal::mean_squared_error(x, x) == 0.0);

  // Images in the order of a network's input.
  const xt::xtensor<float, 4> images = xt::ones<float>({2, 1, 8, 8});
  gal::nn::cnn<float> network({1, 8, 8}, gal::nn::lenet({1, 8, 8}, 10), {.seed = 1});
  CHECK(network.forward(images).view().shape() == shape{10, 2});
}

TEST_CASE("a model in xtensor computes what the library's own does, and its gradients are right") {
  gal::nn::mlp<double> own({3, 7, 2}, {.activation = gal::nn::tanh, .seed = 3});
  two_layers<double> model(own);
  const auto features = random_matrix(3, 20, 1);
  const auto goals = random_matrix(2, 20, 2);
  const xt::xtensor<double, 2> x = gal::as_xtensor(features);
  const xt::xtensor<double, 2> y = gal::as_xtensor(goals);

  const gal::gradient_check check = gal::check_gradients(model, gal::mse(), x, y);
  CAPTURE(check.where);
  CHECK(check.passed);
  CHECK(check.checked == 20 * 2 + 3 * 7 + 7 + 7 * 2 + 2);

  gal::adam<double> optimizer({.learning_rate = 1e-2});
  gal::adam<double> own_optimizer({.learning_rate = 1e-2});
  gal::adjust trainer(model, optimizer, gal::mse());
  gal::adjust own_trainer(own, own_optimizer, gal::mse());
  for (int step = 0; step < 50; ++step) {
    const gal::adjust_report report = trainer.step(x, y);
    const gal::adjust_report expected = own_trainer.step(features, goals);
    CHECK(report.loss == doctest::Approx(expected.loss).epsilon(1e-9));
    CHECK(report.remainder == doctest::Approx(expected.remainder).epsilon(1e-9));
    CHECK(report.accepted_share == expected.accepted_share);
  }
  const auto& outputs = model.forward(x);
  const auto& own_outputs = own.forward(features);
  for (gal::index_type i = 0; i < own_outputs.size(); ++i) {
    CHECK(outputs.data()[i] == doctest::Approx(own_outputs.data()[i]).epsilon(1e-9));
  }
}

TEST_CASE("features of any rank train, and batches convert to the model's input") {
  auto x = xt::xarray<double>::from_shape({6, 2, 2});
  std::iota(x.begin(), x.end(), -12.0);
  const xt::xarray<double> y = 3.0 * x;
  proportional model;
  CHECK(gal::check_gradients(model, gal::mse(), x, y).passed);
  gal::sgd<double> optimizer({.learning_rate = 1e-3});
  gal::adjust trainer(model, optimizer, gal::mse());
  for (int step = 0; step < 200; ++step) {
    trainer.step(x, y);
  }
  CHECK(model.a(0) == doctest::Approx(3.0).epsilon(1e-6));
  for (auto [inputs, targets] : gal::batches(x, y, 4)) {
    CHECK(trainer.step(gal::as_xtensor(inputs), targets).loss < 1e-6);
  }
  const xt::xarray<double> short_targets = xt::zeros<double>({5, 2, 2});
  CHECK(refusal(error_code::shape_mismatch, [&] { return trainer.step(x, short_targets); }).find("4 x 5") !=
        std::string::npos);
}

TEST_CASE("arrays go through NumPy's files with their shape, and xtensor reads ours as we read its own") {
  const std::string path = "xtensor_test.npy";
  auto images = counted(xt::xtensor<float, 4>({5, 3, 2, 4}));
  gal::write_npy(path, images);
  const gal::npy_array<float> read = gal::read_npy<float>(path);
  CHECK(read.shape == std::vector<gal::index_type>{5, 3, 2, 4});
  CHECK(read.view().shape() == shape{24, 5});
  const auto array = xt::adapt(read.values, read.shape);
  CHECK(array == images);
  CHECK(array.data() == read.values.data());
  CHECK(xt::load_npy<float>(path) == images);
  std::remove(path.c_str());

  const xt::xarray<std::int16_t> numbers = {3, -1, 2};
  CHECK(gal::parse_npy<std::int16_t>(xt::dump_npy(numbers)) ==
        gal::npy_array<std::int16_t>{.shape = {3}, .values = {3, -1, 2}});
}
