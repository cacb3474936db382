// The multilayer perceptron, and the finite-difference check of any model and loss.
#include <gal/backends/eigen.hpp>
#include <gal/core/random.hpp>
#include <gal/loss.hpp>
#include <gal/nn/mlp.hpp>
#include <gal/nn/point.hpp>
#include <gal/taylor/check_gradients.hpp>

#include "testing.hpp"

#include <doctest/doctest.h>

#include <Eigen/Core>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace {

using doctest::Approx;
using gal::nn::activation;
constexpr std::array activations = {gal::nn::identity, gal::nn::relu, gal::nn::tanh,
                                    gal::nn::sigmoid,  gal::nn::gelu, gal::nn::silu};
const std::vector<gal::index_type> widths = {3, 5, 4, 2};

double phi(activation which, double z) {
  switch (which) {
    case activation::relu:
      return std::max(z, 0.0);
    case activation::tanh:
      return std::tanh(z);
    case activation::sigmoid:
      return 1.0 / (1.0 + std::exp(-z));
    case activation::gelu:
      return z * 0.5 * std::erfc(-z / std::sqrt(2.0));
    case activation::silu:
      return z / (1.0 + std::exp(-z));
    case activation::identity:
      break;
  }
  return z;
}

// Features of one sample, from the weights' memory as C-order (outputs, inputs) arrays.
template <class T>
std::vector<double> features_of(gal::nn::mlp<T>& model, std::vector<double> x) {
  for (std::size_t l = 0; l < model.layer_count(); ++l) {
    const T* const weight = model.weight(l).data();
    const auto outputs = static_cast<std::size_t>(model.widths()[l + 1]);
    std::vector<double> y(outputs);
    for (std::size_t o = 0; o < outputs; ++o) {
      for (std::size_t i = 0; i < x.size(); ++i) {
        y[o] += static_cast<double>(weight[o * x.size() + i]) * x[i];
      }
      y[o] += model.options().bias ? static_cast<double>(model.bias(l).data()[o]) : 0.0;
      y[o] = l + 1 < model.layer_count() ? phi(model.options().activation, y[o]) : y[o];
    }
    x = y;
  }
  return x;
}

template <class T>
std::vector<T> all_values(gal::nn::mlp<T>& model) {
  std::vector<T> result;
  for (const auto& block : model.parameters()) {
    result.insert(result.end(), block.value.begin(), block.value.end());
  }
  return result;
}

template <class T>
std::vector<T> all_gradients(gal::nn::mlp<T>& model) {
  std::vector<T> result;
  for (const auto& block : model.parameters()) {
    result.insert(result.end(), block.gradient.begin(), block.gradient.end());
  }
  return result;
}

template <class T>
void clear_gradients(gal::nn::mlp<T>& model) {
  for (const auto& block : model.parameters()) {
    std::ranges::fill(block.gradient, T(0));
  }
}

// A model whose backward is wrong in one number.
struct crooked {
  using input_type = gal::matrix_view<const double>;
  using feature_type = gal::matrix<double>;
  gal::nn::mlp<double> right{{2, 3, 2}, {.activation = gal::nn::tanh, .seed = 4}};
  const feature_type& forward(const input_type& x) { return right.forward(x); }
  void backward(const feature_type& gradient) {
    right.backward(gradient);
    right.weight_gradient(1).data()[4] += 0.01;
  }
  auto parameters() { return right.parameters(); }
};

// The mean squared error, wrong in the gradient of one entry.
struct crooked_loss {
  template <class Backend, class T, class Memory, class Target>
  void evaluate(const Backend& backend, gal::matrix_view<const T, Memory> features, const Target& targets,
                gal::matrix_view<double, Memory> values, gal::matrix_view<T, Memory> gradient) const {
    gal::mse().evaluate(backend, features, targets, values, gradient);
    if (!gradient.empty()) {
      gradient(1, 2) *= factor;
    }
  }
  double factor = 1.1;
};

static_assert(gal::model<gal::nn::mlp<float>> && gal::model<gal::nn::mlp<double>>);
static_assert(gal::model<crooked>);
static_assert(std::copyable<gal::nn::mlp<float>>);

}  // namespace

TEST_CASE("gradients of every activation agree with central differences") {
  for (const activation which : activations) {
    for (const bool bias : {true, false}) {
      for (const gal::index_type samples : {1, 7}) {
        INFO("activation " << static_cast<int>(which) << ", bias " << bias << ", samples " << samples);
        gal::nn::mlp<double> model(widths, {.activation = which, .bias = bias, .seed = 3});
        const auto x = random_matrix<double>(3, samples, 1);
        const auto y = random_matrix<double>(2, samples, 2);
        const auto check = gal::check_gradients(model, gal::mse(), x, y, {.tolerance = 1e-8});
        INFO(check.where << ": " << check.analytic << " against " << check.numerical);
        CHECK(check.passed);
        CHECK(check.checked == 2 * samples + 15 + 20 + 8 + (bias ? 11 : 0));

        gal::nn::mlp<float> narrow(widths, {.activation = which, .bias = bias, .seed = 3});
        const auto narrow_check =
            gal::check_gradients(narrow, gal::mse(), random_matrix<float>(3, samples, 1),
                                 random_matrix<float>(2, samples, 2), {.step = 1e-2, .tolerance = 2e-3});
        INFO(narrow_check.where << ": " << narrow_check.analytic << " against " << narrow_check.numerical);
        CHECK(narrow_check.passed);
      }
    }
  }
}

TEST_CASE_TEMPLATE("features agree with plain loops over C-order weights", T, float, double) {
  for (const activation which : activations) {
    for (const bool bias : {true, false}) {
      for (const std::vector<gal::index_type>& sizes : std::vector<std::vector<gal::index_type>>{
               {3, 5, 4, 2}, {1, 1}, {4, 1}, {1, 6, 1}, {13, 33, 17, 3}}) {
        gal::nn::mlp<T> model(sizes, {.activation = which, .bias = bias, .seed = 5});
        const auto x = random_matrix<T>(sizes.front(), 6, 6);
        const gal::matrix<T> y = model.forward(x);
        REQUIRE(y.shape() == gal::shape{sizes.back(), 6});
        for (gal::index_type j = 0; j < 6; ++j) {
          const auto expected = features_of(model, {x.data() + j * x.rows(), x.data() + (j + 1) * x.rows()});
          for (gal::index_type i = 0; i < y.rows(); ++i) {
            CHECK(std::abs(static_cast<double>(y(i, j)) - expected[static_cast<std::size_t>(i)]) <
                  16 * static_cast<double>(std::numeric_limits<T>::epsilon()));
          }
        }
      }
    }
  }
}

TEST_CASE_TEMPLATE("a network by hand", T, float, double) {
  gal::nn::mlp<T> model({2, 3, 1});
  // Row o of a weight, as NumPy prints it, holds what output o reads.
  const std::array<T, 6> first = {1,  2,  //
                                  -1, 0.5, 0, -3};
  std::ranges::copy(first, model.weight(0).data());
  std::ranges::copy(std::array<T, 3>{0.5, -1, 0}, model.bias(0).data());
  std::ranges::copy(std::array<T, 3>{2, -4, 8}, model.weight(1).data());
  model.bias(1)(0, 0) = T(0.25);
  CHECK(model.weight(0).shape() == gal::shape{2, 3});  // inputs x outputs
  CHECK(model.weight(0)(1, 0) == T(2));
  CHECK(model.bias(0).shape() == gal::shape{3, 1});

  const auto x = matrix<T>({{1, -2}, {1, -0.5}});
  const gal::matrix<T> y = model.forward(x);
  // Hidden: relu(3.5, -1.5, -3) = (3.5, 0, 0), and relu(-2.5, 0.75, 1.5) = (0, 0.75, 1.5).
  CHECK(y == matrix<T>({{7.25, 9.25}}));

  model.backward(matrix<T>({{1, 10}}));
  CHECK(all_gradients(model) == std::vector<T>{2, 2,          // of sample 1: 2 (1, 1)
                                               80, 20,        // of sample 2: -40 (-2, -0.5)
                                               -160, -40,     // and 80 (-2, -0.5)
                                               2, -40, 80,    // biases
                                               3.5, 7.5, 15,  // second layer: 1 * 3.5, 10 * 0.75, 10 * 1.5
                                               11});
}

TEST_CASE("activations keep NaN and their limits") {
  gal::nn::mlp<double> model({1, 1, 1}, {.bias = false});
  for (const activation which : activations) {
    model = gal::nn::mlp<double>({1, 1, 1}, {.activation = which, .bias = false});
    model.weight(0)(0, 0) = 1.0;
    model.weight(1)(0, 0) = 1.0;
    const auto x = matrix({{std::numeric_limits<double>::quiet_NaN(), 800.0, -800.0}});
    const auto y = model.forward(x);
    CHECK(std::isnan(y(0, 0)));
    CHECK(y(0, 1) == phi(which, 800.0));
    CHECK(y(0, 2) == phi(which, -800.0));
    model.backward(matrix({{0, 1, 1}}));
    CHECK_FALSE(std::isfinite(model.weight_gradient(0)(0, 0)));  // 0 times NaN
    const auto far = matrix({{800.0, -800.0}});
    clear_gradients(model);
    model.forward(far);
    model.backward(matrix({{1, 1}}));
    CHECK(std::isfinite(model.weight_gradient(0)(0, 0)));
  }
}

TEST_CASE_TEMPLATE("backward adds to the gradients", T, float, double) {
  gal::nn::mlp<T> model(widths, {.activation = gal::nn::tanh, .seed = 1});
  const auto x = random_matrix<T>(3, 4, 1);
  const auto g = random_matrix<T>(2, 4, 2);
  CHECK(all_gradients(model) == std::vector<T>(all_values(model).size(), T(0)));
  model.forward(x);
  model.backward(g);
  const std::vector<T> once = all_gradients(model);
  CHECK(std::ranges::none_of(once, [](T number) { return number == T(0); }));
  model.backward(g);
  const std::vector<T> twice = all_gradients(model);
  for (std::size_t i = 0; i < once.size(); ++i) {
    CHECK(twice[i] == Approx(2 * once[i]).epsilon(1e-5));
  }
  // It is linear: the gradients of a batch are those of its samples, added.
  clear_gradients(model);
  for (gal::index_type j = 0; j < 4; ++j) {
    model.forward(x.view().columns(j, 1));
    model.backward(g.view().columns(j, 1));
  }
  const std::vector<T> by_samples = all_gradients(model);
  for (std::size_t i = 0; i < once.size(); ++i) {
    CHECK(std::abs(by_samples[i] - once[i]) < 20 * std::numeric_limits<T>::epsilon());
  }
  // Neither forward nor backward touches the values.
  gal::nn::mlp<T> fresh(widths, {.activation = gal::nn::tanh, .seed = 1});
  CHECK(all_values(model) == all_values(fresh));
}

TEST_CASE("parameters come layer by layer, weights before biases, without gaps") {
  gal::nn::mlp<float> model(widths);
  model.set_group(1, 2, 3);
  const auto blocks = model.parameters();
  REQUIRE(blocks.size() == 6);
  const std::vector<std::size_t> sizes = {15, 5, 20, 4, 8, 2};
  const std::vector<std::size_t> groups = {0, 0, 2, 3, 0, 0};
  for (std::size_t b = 0; b < blocks.size(); ++b) {
    CAPTURE(b);
    CHECK(blocks[b].value.size() == sizes[b]);
    CHECK(blocks[b].gradient.size() == sizes[b]);
    CHECK(blocks[b].group == groups[b]);
    if (b > 0) {
      CHECK(blocks[b].value.data() == blocks[b - 1].value.data() + sizes[b - 1]);
      CHECK(blocks[b].gradient.data() == blocks[b - 1].gradient.data() + sizes[b - 1]);
    }
  }
  CHECK(blocks[2].value.data() == model.weight(1).data());
  CHECK(blocks[2].gradient.data() == model.weight_gradient(1).data());
  CHECK(blocks[3].value.data() == model.bias(1).data());
  CHECK(blocks[3].gradient.data() == model.bias_gradient(1).data());
  CHECK(model.parameters().data() == blocks.data());  // the same every time

  gal::nn::mlp<float> without_bias(widths, {.bias = false});
  without_bias.set_group(2, 5, 6);
  const auto weights = without_bias.parameters();
  REQUIRE(weights.size() == 3);
  CHECK(weights[1].value.data() == weights[0].value.data() + 15);
  CHECK(weights[2].group == 5);
  CHECK(without_bias.bias(0).empty());
}

TEST_CASE_TEMPLATE("weights start uniform within the bounds of their scheme", T, float, double) {
  for (const auto scheme : {gal::nn::initialization::fan_in, gal::nn::initialization::xavier}) {
    const bool xavier = scheme == gal::nn::initialization::xavier;
    gal::nn::mlp<T> model({100, 400, 30}, {.initialization = scheme, .seed = 9});
    for (std::size_t l = 0; l < 2; ++l) {
      const auto weight = model.weight(l);
      const auto inputs = static_cast<double>(weight.rows());
      const auto outputs = static_cast<double>(weight.columns());
      const double bound = xavier ? std::sqrt(6.0 / (inputs + outputs)) : 1.0 / std::sqrt(inputs);
      const auto count = static_cast<double>(weight.size());
      double sum = 0.0, squares = 0.0, largest = 0.0;
      for (gal::index_type i = 0; i < weight.size(); ++i) {
        const auto w = static_cast<double>(weight.data()[i]) / bound;
        sum += w;
        squares += w * w;
        largest = std::max(largest, std::abs(w));
      }
      CHECK(largest <= 1.0 + 1e-7);
      CHECK(largest > 0.999);
      CHECK(std::abs(sum / count) < 4.0 * std::sqrt(1.0 / 3.0 / count));
      CHECK(std::abs(squares / count - 1.0 / 3.0) < 4.0 * std::sqrt((1.0 / 5.0 - 1.0 / 9.0) / count));

      double largest_bias = 0.0, bias_squares = 0.0;
      for (const T b : model.bias(l).column(0)) {
        largest_bias = std::max(largest_bias, std::abs(static_cast<double>(b)) / bound);
        bias_squares += static_cast<double>(b) * static_cast<double>(b) / bound / bound;
      }
      CHECK(largest_bias <= (xavier ? 0.0 : 1.0 + 1e-7));
      if (!xavier) {
        CHECK(std::abs(bias_squares / outputs - 1.0 / 3.0) <
              4.0 * std::sqrt((1.0 / 5.0 - 1.0 / 9.0) / outputs));
      }
    }
  }
}

TEST_CASE("weights follow from the seed") {
  gal::nn::mlp<double> one(widths, {.seed = 1});
  gal::nn::mlp<double> again(widths, {.seed = 1});
  gal::nn::mlp<double> two(widths, {.seed = 2});
  CHECK(all_values(one) == all_values(again));
  const auto a = all_values(one);
  const auto b = all_values(two);
  for (std::size_t i = 0; i < a.size(); ++i) {
    CHECK(a[i] != b[i]);
  }
  // The numbers of the stream, in the order of the parameters.
  CHECK(a[0] == (1.0 / std::sqrt(3.0)) * (2.0 * gal::random_uniform(1, 0) - 1.0));
  CHECK(a[15] == (1.0 / std::sqrt(3.0)) * (2.0 * gal::random_uniform(1, 15) - 1.0));
  CHECK(a[20] == (1.0 / std::sqrt(5.0)) * (2.0 * gal::random_uniform(1, 20) - 1.0));
  // No two weights are equal, within a layer or between layers.
  auto sorted = a;
  std::ranges::sort(sorted);
  CHECK(std::ranges::adjacent_find(sorted) == sorted.end());

  gal::nn::mlp<float> narrow(widths, {.seed = 1});
  const auto c = all_values(narrow);
  for (std::size_t i = 0; i < a.size(); ++i) {
    CHECK(c[i] == static_cast<float>(a[i]));
  }
}

TEST_CASE("a copy of a model is a model of its own") {
  const auto x = random_matrix<double>(3, 4, 1);
  const auto g = random_matrix<double>(2, 4, 2);
  gal::nn::mlp<double> model(widths, {.activation = gal::nn::gelu, .seed = 1});
  model.set_group(0, 1, 2);
  static_cast<void>(model.parameters());
  model.forward(x);
  gal::nn::mlp<double> copy = model;
  CHECK(all_values(copy) == all_values(model));
  CHECK(copy.parameters()[0].value.data() == copy.weight(0).data());
  CHECK(copy.parameters()[0].value.data() != model.weight(0).data());
  CHECK(copy.parameters()[1].group == 2);

  copy.backward(g);  // of the original's last forward
  CHECK(all_gradients(model) == std::vector<double>(all_values(model).size(), 0.0));
  model.backward(g);
  CHECK(all_gradients(copy) == all_gradients(model));

  const std::vector<double> before = all_values(model);
  copy.weight(0)(0, 0) += 1.0;
  copy.bias(2)(1, 0) += 1.0;
  CHECK(all_values(model) == before);
  CHECK_FALSE(copy.forward(x) == model.forward(x));
  copy = model;
  CHECK(all_values(copy) == before);
  CHECK(copy.forward(x) == model.forward(x));

  const double* const memory = model.weight(0).data();
  gal::nn::mlp<double> moved = std::move(model);
  CHECK(moved.weight(0).data() == memory);
  CHECK(moved.forward(x) == copy.forward(x));
}

TEST_CASE("batches may grow and shrink") {
  for (const activation which : activations) {
    gal::nn::mlp<double> used(widths, {.activation = which, .seed = 1});
    for (const gal::index_type samples : {2, 9, 1, 4, 9}) {
      gal::nn::mlp<double> fresh(widths, {.activation = which, .seed = 1});
      const auto x = random_matrix<double>(3, samples, 10 + static_cast<std::uint64_t>(samples));
      const auto g = random_matrix<double>(2, samples, 20 + static_cast<std::uint64_t>(samples));
      clear_gradients(used);
      CHECK(used.forward(x) == fresh.forward(x));
      used.backward(g);
      fresh.backward(g);
      CHECK(all_gradients(used) == all_gradients(fresh));
    }
  }
}

TEST_CASE_TEMPLATE("an affine network agrees with its layers on any batch", T, float, double) {
  const double tolerance = 100.0 * static_cast<double>(std::numeric_limits<T>::epsilon());
  for (const bool bias : {true, false}) {
    for (const gal::index_type samples :
         {4, 5, 40}) {  // the layers run on the samples up to 4, beyond on 4 probes
      INFO("bias " << bias << ", samples " << samples);
      const gal::nn::mlp_options options{.activation = gal::nn::identity, .bias = bias, .seed = 3};
      gal::nn::mlp<T> whole(widths, options);
      gal::nn::mlp<T> layers(widths, options);
      const auto x = random_matrix<T>(3, samples, 1);
      const auto g = random_matrix<T>(2, samples, 2);
      const gal::matrix<T> y = whole.forward(x);
      whole.backward(g);
      for (gal::index_type j = 0; j < samples; ++j) {  // one sample at a time
        const gal::matrix<T> column = layers.forward(x.view().columns(j, 1));
        layers.backward(g.view().columns(j, 1));
        for (gal::index_type i = 0; i < 2; ++i) {
          CHECK(std::abs(y(i, j) - column(i, 0)) <= tolerance);
        }
      }
      const std::vector<T> expected = all_gradients(layers);
      const std::vector<T> gradients = all_gradients(whole);
      for (std::size_t k = 0; k < expected.size(); ++k) {
        CHECK(std::abs(gradients[k] - expected[k]) <= tolerance * static_cast<double>(samples));
      }
    }
  }
}

TEST_CASE("a network takes what is viewable, without a copy") {
  gal::nn::mlp<float> model({2, 2}, {.seed = 1});
  Eigen::MatrixXf x = Eigen::MatrixXf::Random(2, 3);
  const gal::matrix<float> y = model.forward(x);
  const Eigen::Map<const Eigen::MatrixXf> map(x.data(), 2, 3);
  CHECK(model.forward(map) == y);
  CHECK(model.forward(x.leftCols(2)).columns() == 2);
  const Eigen::Map<const Eigen::Matrix2f> weight(model.weight(0).data());
  const Eigen::MatrixXf expected = (weight.transpose() * x).colwise() + Eigen::Vector2f(model.bias(0).data());
  for (gal::index_type j = 0; j < 3; ++j) {
    CHECK(y(0, j) == Approx(expected(0, j)).epsilon(1e-6));
    CHECK(y(1, j) == Approx(expected(1, j)).epsilon(1e-6));
  }
}

TEST_CASE("a network refuses what does not fit") {
  using enum gal::error_code;
  CHECK(refusal(invalid_option, [] { return gal::nn::mlp<float>({}); }) ==
        "gal::nn::mlp: 0 widths; expected at least an input and an output width");
  CHECK(refusal(invalid_option, [] { return gal::nn::mlp<float>({3}); }) ==
        "gal::nn::mlp: 1 widths; expected at least an input and an output width");
  CHECK(refusal(invalid_option, [] {
          return gal::nn::mlp<float>({3, 0, 1});
        }) == "gal::nn::mlp: width 0; expected a positive number");
  CHECK(refusal(invalid_option, [] {
          return gal::nn::mlp<float>({3, 4, -1});
        }) == "gal::nn::mlp: width -1; expected a positive number");
  // More parameters than can be counted, of one layer or of all.
  constexpr gal::index_type wide = gal::index_type{1} << 32;
  constexpr gal::index_type largest = std::numeric_limits<gal::index_type>::max();
  constexpr gal::index_type half = gal::index_type{1}
                                   << 60;  // of all the addresses of double, a quarter of float's bytes
  for (const std::vector<gal::index_type>& too_many : std::vector<std::vector<gal::index_type>>{
           {wide, wide}, {2 * wide, 2 * wide}, {largest, 1}, {1, largest}, {2, half, 2, half}}) {
    CAPTURE(too_many.front());
    CHECK(refusal(out_of_memory, [&] {
            return gal::nn::mlp<double>(too_many);
          }).ends_with("; expected at most 1152921504606846975 parameters"));
    CHECK(refusal(out_of_memory, [&] {
            return gal::nn::mlp<double>(too_many, {.bias = false});
          }).ends_with("; expected at most 1152921504606846975 parameters"));
  }
  CHECK(refusal(out_of_memory,
                [&] {
                  return gal::nn::mlp<float>({2, wide, wide});
                }) ==
        "gal::nn::mlp: widths 4294967296 and 4294967296; expected at most 2305843009213693951 parameters");

  gal::nn::mlp<float> model({3, 2});
  CHECK(refusal(shape_mismatch, [&] { return model.forward(gal::matrix<float>(2, 5)); }) ==
        "gal::nn::mlp::forward: input is 2 x 5; expected 3 rows and at least one column");
  CHECK(refusal(shape_mismatch, [&] { return model.forward(gal::matrix<float>(3, 0)); }) ==
        "gal::nn::mlp::forward: input is 3 x 0; expected 3 rows and at least one column");
  const gal::matrix<float> x(3, 5);
  model.forward(x);
  CHECK(refusal(shape_mismatch, [&] { return model.backward(gal::matrix<float>(2, 4)), 0; }) ==
        "gal::nn::mlp::backward: gradient is 2 x 4; expected the features' size 2 x 5");
  CHECK(refusal(shape_mismatch, [&] { return model.backward(gal::matrix<float>(3, 5)), 0; }) ==
        "gal::nn::mlp::backward: gradient is 3 x 5; expected the features' size 2 x 5");
  CHECK(refusal(invalid_option, [&] { return model.weight(1); }) ==
        "gal::nn::mlp: layer 1; expected a number below 1");
  CHECK(refusal(invalid_option, [&] { return model.bias_gradient(7); }) ==
        "gal::nn::mlp: layer 7; expected a number below 1");
  CHECK(refusal(invalid_option, [&] { return model.set_group(1, 0, 0), 0; }) ==
        "gal::nn::mlp: layer 1; expected a number below 1");
}

TEST_CASE("the check of gradients passes what is right, and leaves the parameters as they were") {
  gal::nn::point<double> point({0.75, 1.0});
  const gal::sample_loss wave([](auto x, auto gradient) {
    gradient[0] = std::cos(x[0]) * x[1];
    gradient[1] = std::sin(x[0]);
    return std::sin(x[0]) * x[1];
  });
  const auto check = gal::check_gradients(point, wave);
  CHECK(check.passed);
  CHECK(check.checked == 4);
  CHECK(check.largest_difference < 1e-9);
  CHECK(point.forward() == matrix({{0.75}, {1.0}}));

  gal::nn::mlp<double> model(widths, {.seed = 1});
  const std::vector<double> before = all_values(model);
  const auto x = random_matrix<double>(3, 4, 1);
  const std::vector<int> y = {0, 1, 1, 0};
  CHECK(gal::check_gradients(model, gal::softmax_cross_entropy(), x, y).passed);
  CHECK(all_values(model) == before);
  // Every third number of 8 features and 54 parameters.
  CHECK(gal::check_gradients(model, gal::softmax_cross_entropy(), x, y, {.stride = 3}).checked == 3 + 18);
}

TEST_CASE("the check of gradients finds a wrong model and says where") {
  crooked model;
  const auto x = random_matrix<double>(2, 5, 1);
  const auto y = random_matrix<double>(2, 5, 2);
  const auto check = gal::check_gradients(model, gal::mse(), x, y);
  CHECK_FALSE(check.passed);
  CHECK(check.where == "parameter block 2, number 4");
  CHECK(check.analytic - check.numerical == Approx(0.01).epsilon(1e-6));
  CHECK(check.largest_difference == Approx(0.01 / std::max(1.0, std::abs(check.analytic))).epsilon(1e-6));
  CHECK(gal::check_gradients(model, gal::mse(), x, y, {.tolerance = 0.02}).passed);
}

TEST_CASE("the check of gradients finds a wrong loss and says where") {
  gal::nn::mlp<double> model({2, 3, 2}, {.activation = gal::nn::tanh, .seed = 4});
  const auto x = random_matrix<double>(2, 5, 1);
  const auto y = random_matrix<double>(2, 5, 2);
  CHECK(gal::check_gradients(model, crooked_loss{1.0}, x, y).passed);
  const auto check = gal::check_gradients(model, crooked_loss{1.5}, x, y);
  CHECK_FALSE(check.passed);
  CHECK(check.where == "feature 1 of sample 2");
  CHECK(check.analytic == Approx(1.5 * check.numerical).epsilon(1e-6));

  const auto nan = gal::check_gradients(model, crooked_loss{std::numeric_limits<double>::quiet_NaN()}, x, y);
  CHECK_FALSE(nan.passed);
  CHECK(std::isnan(nan.analytic));
}

TEST_CASE("the check of gradients refuses settings out of range") {
  using enum gal::error_code;
  gal::nn::point<double> point({0.75});
  const gal::sample_loss square([](auto x, auto gradient) {
    gradient[0] = 2 * x[0];
    return x[0] * x[0];
  });
  const auto with = [&](gal::gradient_check_options options) {
    return refusal(invalid_option,
                   [&] { return gal::check_gradients(point, square, {}, gal::nothing{}, options); });
  };
  CHECK(with({.step = 0.0}) ==
        "gal::check_gradients: step 0, tolerance 1e-06, stride 1; expected positive numbers");
  CHECK(with({.tolerance = -1.0}) ==
        "gal::check_gradients: step 1e-05, tolerance -1, stride 1; expected positive numbers");
  CHECK(with({.stride = 0}) ==
        "gal::check_gradients: step 1e-05, tolerance 1e-06, stride 0; expected positive numbers");
}
