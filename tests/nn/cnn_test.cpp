// Convolutional networks: against PyTorch's numbers, against finite differences, identities, and what is refused.
#include <gal/backends/eigen.hpp>
#include <gal/core/random.hpp>
#include <gal/gal.hpp>
#include <gal/nn/cnn.hpp>
#include <gal/taylor/check_gradients.hpp>

#include "testing.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <fstream>
#include <iterator>
#include <limits>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace gal::nn;
using layers = std::vector<layer>;

static_assert(gal::model<cnn<float>> && gal::model<cnn<double>>);
static_assert(std::copyable<cnn<float>>);

// The CPU backend without gathered products: convolutions take patches, as on a device.
class patching_backend : gal::eigen_backend {
 public:
  using eigen_backend::allocate, eigen_backend::deallocate, eigen_backend::copy, eigen_backend::fill,
      eigen_backend::for_each, eigen_backend::sum, eigen_backend::sum_rows, eigen_backend::product,
      eigen_backend::read, eigen_backend::memory_type;
};
static_assert(gal::backend<patching_backend> && !gal::gathering_backend<patching_backend>);

// Number i of wave p, as scripts/golden_cnn.py has it.
gal::matrix<double> wave(double phase, gal::index_type rows, gal::index_type columns) {
  gal::matrix<double> result(rows, columns);
  for (gal::index_type i = 0; i < result.size(); ++i) {
    const auto x = static_cast<double>(i);
    result.data()[i] = std::sin(phase + 1.7 * x + 0.01 * x * x);
  }
  return result;
}

layer gate(gal::index_type channels, gal::index_type inner) {
  return channel_gate{{global_average_pool{}, linear{inner}, silu, linear{channels}, sigmoid}};
}

// The networks of scripts/golden_cnn.py.
std::map<std::string, layers> golden_networks() {
  const auto after_convolution = [](layer l) {
    return layers{convolution{.channels = 3, .padding = 1}, std::move(l)};
  };
  return {
      {"convolution", {convolution{.channels = 4}}},
      {"convolution_padded", {convolution{.channels = 3, .kernel = 5, .padding = 2}}},
      {"convolution_chained",
       {convolution{.channels = 3, .kernel = 2},
        convolution{.channels = 2, .kernel = {3, 2}, .stride = {2, 3}, .padding = {2, 1}, .dilation = {1, 2}},
        convolution{.channels = 2, .padding = 1, .groups = 2}}},
      {"convolution_strided", {convolution{.channels = 3, .stride = 2, .padding = 1}}},
      {"convolution_dilated", {convolution{.channels = 3, .padding = 2, .dilation = 2}}},
      {"convolution_uneven",
       {convolution{
           .channels = 3, .kernel = {1, 4}, .stride = {3, 2}, .padding = {0, 3}, .dilation = {1, 2}}}},
      {"convolution_without_bias", {convolution{.channels = 5, .kernel = 1, .stride = 2, .bias = false}}},
      {"convolution_in_groups", {convolution{.channels = 6, .padding = 1, .groups = 2}}},
      {"depthwise", {depthwise_convolution{.stride = 2, .padding = 1}}},
      {"batch_normalization", {batch_normalization{}}},
      {"batch_normalization_flat",
       {batch_normalization{.momentum = 0.3, .epsilon = 1e-3}, flatten{}, batch_normalization{}}},
      {"relu", after_convolution(relu)},
      {"silu", after_convolution(silu)},
      {"max_pool", after_convolution(max_pool{2})},
      {"max_pool_overlapping", after_convolution(max_pool{.kernel = 3, .stride = 2, .padding = 1})},
      {"average_pool", after_convolution(average_pool{2})},
      {"average_pool_overlapping",
       after_convolution(average_pool{.kernel = {3, 2}, .stride = {1, 2}, .padding = 1})},
      {"global_average_pool", after_convolution(global_average_pool{})},
      {"linear", {flatten{}, linear{5}}},
      {"residual", {residual{{convolution{.channels = 3, .padding = 1}}}}},
      {"residual_projected",
       {residual{{batch_normalization{}, relu,
                  convolution{.channels = 4, .stride = 2, .padding = 1, .bias = false}},
                 {convolution{.channels = 4, .kernel = 1, .stride = 2, .bias = false}}}}},
      {"channel_gate", {gate(4, 2)}},
      {"lenet",
       {convolution{.channels = 4, .padding = 1}, relu, max_pool{2}, convolution{.channels = 6}, relu,
        flatten{}, linear{7}, relu, linear{3}}},
      {"mobile",
       {convolution{.channels = 4, .padding = 1, .bias = false}, batch_normalization{}, silu,
        residual{{convolution{.channels = 8, .kernel = 1, .bias = false}, batch_normalization{}, silu,
                  depthwise_convolution{.padding = 1, .bias = false}, batch_normalization{}, silu, gate(8, 2),
                  convolution{.channels = 4, .kernel = 1, .bias = false}, batch_normalization{}}},
        global_average_pool{}, linear{3}}},
  };
}

void check_numbers(gal::matrix_view<const double> actual, const nlohmann::json& expected) {
  REQUIRE(static_cast<std::size_t>(actual.size()) == expected.size());
  for (gal::index_type i = 0; i < actual.size(); ++i) {
    const auto number = expected[static_cast<std::size_t>(i)].get<double>();
    INFO("number " << i);
    REQUIRE(std::abs(actual.data()[i] - number) <= 1e-11 * std::max(1.0, std::abs(number)));
  }
}

// A network whose dropout draws the same in every forward pass, as finite differences need it.
template <class T>
struct steady : cnn<T> {
  using cnn<T>::cnn;
  const gal::matrix<T>& forward(const typename cnn<T>::input_type& x) {
    this->set_noise({7, 3});
    return cnn<T>::forward(x);
  }
};

void check_layers(image_shape shape, const layers& list, gal::index_type samples, bool training = true,
                  double tolerance = 2e-8) {
  INFO("input " << to_string(shape) << ", samples " << samples << ", training " << training);
  steady<double> model(shape, list, {.seed = 3, .training = training});
  // Scales and shifts that are not 1 and 0.
  for (gal::index_type i = 0; i < model.values().size(); ++i) {
    model.values().data()[i] += 0.3 * std::sin(2.0 + 1.3 * static_cast<double>(i));
  }
  for (gal::index_type i = 0; i < model.statistics().size(); ++i) {
    model.statistics().data()[i] += 0.2 + 0.1 * std::sin(static_cast<double>(i));
  }
  const auto x = random_matrix(shape.size(), samples, 1);
  const auto y = random_matrix(model.output_shape().size(), samples, 2);
  const auto check = gal::check_gradients(model, gal::mse(), x, y, {.tolerance = tolerance});
  INFO(check.where << ": " << check.analytic << " against " << check.numerical);
  CHECK(check.passed);
  CHECK(check.checked == y.size() + model.values().size());
}

// A layer between others, so that its own gradients and those that it hands on are checked.
layers amid(layer l) {
  return {convolution{.channels = 4, .kernel = 2, .padding = 1}, gal::nn::tanh, std::move(l)};
}

template <class T>
std::vector<T> numbers_of(gal::matrix_view<const T> x) {
  return {x.data(), x.data() + x.size()};
}

template <class T>
std::vector<T> numbers_of(gal::matrix_view<T> x) {
  return numbers_of(x.as_const());
}

std::string refusal_of(gal::error_code code, image_shape input, const layers& list) {
  return refusal(code, [&] { return cnn<float>(input, list); });
}

}  // namespace

TEST_CASE("values, gradients and statistics are PyTorch's") {
  std::ifstream file(GAL_TEST_GOLDEN_DIR "/cnn/layers.json");
  REQUIRE(file);
  const auto cases = nlohmann::json::parse(file);
  const auto networks = golden_networks();
  CHECK(cases.size() == networks.size());
  for (const auto& expected : cases) {
    const auto name = expected["name"].get<std::string>();
    INFO(name);
    const auto size = expected["input"].get<std::vector<gal::index_type>>();
    cnn<double> model({size[1], size[2], size[3]}, networks.at(name), {.seed = 5});
    gal::index_type first = 0;
    for (const auto& block : model.parameters()) {
      const auto count = static_cast<gal::index_type>(block.value.size());
      std::ranges::copy(numbers_of(wave(2.0 + static_cast<double>(first), count, 1).view()),
                        block.value.begin());
      first += count;
    }
    const auto x = wave(1.0, model.input_shape().size(), size[0]);
    const auto& y = model.forward(x);
    check_numbers(y.view(), expected["output"]);
    model.backward(wave(3.0, y.rows(), y.columns()));
    check_numbers(model.gradients(), expected["parameter_gradients"]);
    check_numbers(model.statistics(), expected["statistics"]);
    model.set_training(false);
    check_numbers(model.forward(x).view(), expected["evaluated"]);
  }
}

TEST_CASE("gradients of every layer agree with central differences") {
  for (const gal::index_type samples : {1, 3}) {
    for (const image_shape shape : {image_shape{2, 5, 7}, image_shape{1, 4, 4}, image_shape{3, 7, 3}}) {
      for (const layer& l :
           {layer(convolution{.channels = 3}), layer(convolution{.channels = 2, .kernel = 1, .bias = false}),
            layer(convolution{.channels = 6, .stride = 2, .padding = 2, .dilation = 2, .groups = 2}),
            layer(convolution{.channels = 2, .kernel = {1, 3}, .stride = {3, 1}, .padding = {0, 2}}),
            layer(depthwise_convolution{.padding = 1}),
            layer(depthwise_convolution{.stride = 3, .bias = false}), layer(batch_normalization{}),
            layer(silu), layer(gelu), layer(max_pool{2}),
            layer(max_pool{.kernel = 3, .stride = 1, .padding = 1}), layer(average_pool{3}),
            layer(average_pool{.kernel = {3, 2}, .stride = 1, .padding = 1}), layer(global_average_pool{}),
            layer(dropout{0.4}), layer(flatten{}),
            layer(residual{{convolution{.channels = 4, .padding = 1}}}),
            layer(residual{{convolution{.channels = 3, .stride = 2, .padding = 1}, silu},
                           {convolution{.channels = 3, .kernel = 1, .stride = 2}}}),
            layer(gate(4, 3))}) {
        INFO(gal::nn::detail::name_of(l));
        for (const bool training : {true, false}) {
          check_layers(shape, amid(l), samples, training);
        }
      }
      check_layers(shape, {convolution{.channels = 3, .padding = 1}, relu}, samples);
      check_layers(shape, {flatten{}, linear{5}, sigmoid, linear{.outputs = 2, .bias = false}}, samples);
    }
  }
}

TEST_CASE("gradients of whole networks agree with central differences") {
  check_layers({1, 5, 5},
               {convolution{.channels = 3, .padding = 1}, silu, max_pool{2}, flatten{}, linear{6}, silu,
                dropout{0.2}, linear{4}},
               5);
  // The presets are large: some of their numbers.
  const auto some = [](image_shape shape, const layers& list, gal::index_type samples) {
    steady<double> model(shape, list, {.seed = 3});
    const auto x = random_matrix(shape.size(), samples, 1);
    std::vector<int> labels(static_cast<std::size_t>(samples), 2);
    const auto check = gal::check_gradients(model, gal::softmax_cross_entropy(), x, labels,
                                            {.step = 1e-6, .tolerance = 1e-6, .stride = 997});
    INFO(check.where << ": " << check.analytic << " against " << check.numerical);
    CHECK(check.passed);
    CHECK(check.checked > 30);
  };
  some({1, 8, 8}, lenet({1, 8, 8}, 10), 2);
  some({3, 9, 7}, resnet(8, 10), 2);
  some({3, 9, 7}, efficientnet(10), 2);
}

TEST_CASE("the presets have the sizes they are known for") {
  // LeNet-5 of the textbooks: 61706 parameters.
  cnn<float> lenet5({1, 28, 28}, lenet({1, 28, 28}, 10));
  CHECK(lenet5.values().size() == 61706);
  CHECK(lenet5.output_shape() == image_shape{10, 1, 1});
  // He et al., arXiv 1512.03385, table 6: ResNet-20 has 0.27 million.
  cnn<float> resnet20({3, 32, 32}, resnet(20, 10));
  CHECK(resnet20.values().size() > 265'000);
  CHECK(resnet20.values().size() < 275'000);
  CHECK(cnn<float>({3, 32, 32}, efficientnet(10)).output_shape() == image_shape{10, 1, 1});
  CHECK(refusal(gal::error_code::invalid_option, [] { return resnet(9, 10); }) ==
        "gal::nn::resnet: depth is 9; expected 6 n + 2, such as 8 or 20");
}

TEST_CASE_TEMPLATE("a convolution by hand", T, float, double) {
  cnn<T> model({1, 2, 3}, {convolution{.channels = 2, .kernel = {1, 2}}});
  std::ranges::copy(std::vector<T>{1, 10, -1, 0, 5, 0.5}, model.values().data());
  const auto x = matrix<T>({{1}, {2}, {3}, {4}, {5}, {6}});
  // Channel 0: x + 10 times its right neighbour + 5; channel 1: -x + 0.5.
  CHECK(numbers_of(model.forward(x).view()) == std::vector<T>{26, 37, 59, 70, -0.5, -1.5, -3.5, -4.5});
  CHECK(model.output_shape() == image_shape{2, 2, 2});
  model.backward(matrix<T>({{1}, {0}, {0}, {0}, {0}, {0}, {0}, {2}}));
  CHECK(numbers_of(model.gradients()) == std::vector<T>{1, 2, 10, 12, 1, 2});
}

TEST_CASE("convolutions of gathered factors and of patches are the same") {
  const auto check = [](image_shape shape, const convolution& options) {
    INFO("input " << to_string(shape) << gal::nn::detail::options_of(options));
    // A second one, since the gradient of the first with respect to its input is not computed.
    const layers list = {convolution{.channels = shape.channels, .kernel = 1}, options};
    cnn<double> direct(shape, list, {.seed = 1});
    cnn<double, patching_backend> patches(shape, list, {.seed = 1});
    for (const gal::index_type samples : {5, 1, 20}) {
      const auto x = random_matrix(shape.size(), samples, 2);
      const auto gradient = random_matrix(direct.output_shape().size(), samples, 3);
      const auto features = numbers_of(direct.forward(x).view());
      const auto expected = numbers_of(patches.forward(x).view());
      direct.gradients().data()[0] += 1.0;  // to which the others are added
      patches.gradients().data()[0] += 1.0;
      direct.backward(gradient);
      patches.backward(gradient);
      REQUIRE(features.size() == expected.size());
      for (std::size_t i = 0; i < features.size(); ++i) {
        REQUIRE(std::abs(features[i] - expected[i]) <= 1e-12 * (1.0 + std::abs(expected[i])));
      }
      for (gal::index_type i = 0; i < direct.gradients().size(); ++i) {
        const double wanted = patches.gradients().data()[i];
        REQUIRE(std::abs(direct.gradients().data()[i] - wanted) <= 1e-11 * (10.0 + std::abs(wanted)));
      }
    }
  };
  for (const image_shape shape : {image_shape{4, 17, 35}, image_shape{6, 9, 8}, image_shape{2, 6, 64}}) {
    for (const gal::index_type stride : {1, 2, 3}) {
      for (const gal::index_type padding : {0, 1, 4}) {  // wider than the kernel too
        check(shape, {.channels = 7, .stride = stride, .padding = padding});
        check(shape,
              {.channels = 8, .kernel = {2, 5}, .stride = {1, stride}, .padding = padding, .groups = 2});
        check(shape, {.channels = 2, .kernel = 1, .stride = stride, .padding = padding, .groups = 2});
        check(shape,
              {.channels = 4, .stride = stride, .padding = padding, .dilation = {1, 2}, .bias = false});
      }
    }
    check(shape, {.channels = 3, .kernel = 2, .stride = 5});
    check(shape, {.channels = 3, .kernel = {1, 3}, .padding = {0, 2}});
    check(shape, {.channels = 3, .kernel = 3, .stride = {3, 1}, .padding = 2});
    check(shape, {.channels = 3, .kernel = {3, 1}, .padding = {2, 0}, .dilation = {2, 1}});
  }
  check({2, 1, 1}, {.channels = 3, .kernel = 3, .padding = 1});
}

TEST_CASE("the number of threads does not change a bit of a convolution of one sample") {
  const auto x = random_matrix(8 * 9 * 11, 1, 1);
  const auto gradient = random_matrix(16 * 9 * 11, 1, 2);
  const layers list = {convolution{.channels = 16, .padding = 1}, convolution{.channels = 16, .padding = 1}};
  const auto numbers = [&](int threads) {
    cnn<double> model({8, 9, 11}, list, {.seed = 3}, gal::eigen_backend(threads));
    auto result = numbers_of(model.forward(x).view());
    model.backward(gradient);
    std::ranges::copy(numbers_of(model.gradients()), std::back_inserter(result));
    return result;
  };
  const auto once = numbers(1);
  CHECK(numbers(2) == once);
  CHECK(numbers(3) == once);
}

TEST_CASE("a group sees its own channels, and a depthwise convolution one") {
  const auto x = random_matrix(4 * 15, 2, 1);
  cnn<double> grouped({4, 3, 5}, {convolution{.channels = 6, .padding = 1, .groups = 2}}, {.seed = 1});
  const auto y = grouped.forward(x);
  auto moved = x;
  for (gal::index_type i = 0; i < 30; ++i) {
    moved(i, 0) += 1.0;  // the channels of the first group of the first sample
  }
  const auto z = grouped.forward(moved);
  for (gal::index_type i = 0; i < y.rows(); ++i) {
    CHECK((z(i, 0) == y(i, 0)) == (i >= 45));
    CHECK(z(i, 1) == y(i, 1));
  }
  cnn<double> depthwise({4, 3, 5}, {depthwise_convolution{.padding = 1}}, {.seed = 1});
  cnn<double> as_groups({4, 3, 5}, {convolution{.channels = 4, .padding = 1, .groups = 4}}, {.seed = 1});
  CHECK(depthwise.forward(x) == as_groups.forward(x));
}

TEST_CASE("a sample's features do not depend on the batch beside it, outside batch normalisation") {
  for (const auto& list : {lenet({1, 9, 8}, 5), efficientnet(5)}) {
    cnn<double> model({1, 9, 8}, list, {.seed = 2, .training = false});
    const auto x = random_matrix(72, 67, 3);
    const auto together = model.forward(x);
    for (const gal::index_type j : {0, 1, 33, 66}) {
      const auto alone = model.forward(x.view().columns(j, 1));
      for (gal::index_type i = 0; i < alone.rows(); ++i) {
        CHECK(std::abs(alone(i, 0) - together(i, j)) < 1e-13);
      }
    }
  }
}

TEST_CASE("batch normalisation: zero mean and unit variance in training, the running ones in evaluation") {
  cnn<double> model({2, 3, 2}, {batch_normalization{.momentum = 0.25, .epsilon = 1e-12}});
  auto x = random_matrix(12, 7, 1, 3.0);
  for (gal::index_type j = 0; j < 7; ++j) {
    for (gal::index_type i = 0; i < 6; ++i) {
      x(i, j) += 50.0;
    }
  }
  const auto y = model.forward(x);
  std::vector<double> mean(2), variance(2);
  for (gal::index_type c = 0; c < 2; ++c) {
    double sum = 0.0, squares = 0.0, sum_x = 0.0, squares_x = 0.0;
    for (gal::index_type j = 0; j < 7; ++j) {
      for (gal::index_type i = 6 * c; i < 6 * c + 6; ++i) {
        sum += y(i, j);
        squares += y(i, j) * y(i, j);
        sum_x += x(i, j);
      }
    }
    const auto k = static_cast<std::size_t>(c);
    mean[k] = sum_x / 42;
    for (gal::index_type j = 0; j < 7; ++j) {
      for (gal::index_type i = 6 * c; i < 6 * c + 6; ++i) {
        squares_x += (x(i, j) - mean[k]) * (x(i, j) - mean[k]);
      }
    }
    variance[k] = squares_x / 41;
    CHECK(std::abs(sum / 42) < 1e-13);
    CHECK(std::abs(squares / 42 - 1.0) < 1e-11);
  }
  // Nothing has been learned yet.
  CHECK(numbers_of(model.statistics()) == std::vector<double>{0, 0, 1, 1});
  model.backward(y);
  const auto once = numbers_of(model.statistics());
  for (const std::size_t c : {0U, 1U}) {
    CHECK(once[c] == doctest::Approx(0.25 * mean[c]));
    CHECK(once[2 + c] == doctest::Approx(0.75 + 0.25 * variance[c]));
  }
  model.backward(y);  // of the same forward pass
  CHECK(numbers_of(model.statistics()) == once);

  // Evaluation is an affine map of each sample by itself, and learns nothing.
  model.set_training(false);
  const auto z = model.forward(x);
  model.backward(y);
  CHECK(numbers_of(model.statistics()) == once);
  for (gal::index_type j = 0; j < 7; ++j) {
    for (gal::index_type i = 0; i < 12; ++i) {
      const auto c = static_cast<std::size_t>(i / 6);
      CHECK(z(i, j) == doctest::Approx((x(i, j) - once[c]) / std::sqrt(once[2 + c])));
    }
  }
}

TEST_CASE("batch normalisation: with the batch's own statistics evaluation is training") {
  cnn<double> model({3, 4, 4}, {convolution{.channels = 5}, batch_normalization{.momentum = 1.0}},
                    {.seed = 1});
  const auto x = random_matrix(48, 9, 1);
  const auto trained = model.forward(x);
  model.backward(trained);
  for (gal::index_type c = 5; c < 10; ++c) {
    model.statistics().data()[c] *= 35.0 / 36.0;  // 9 x 2 x 2 numbers: unbiased to biased
  }
  model.set_training(false);
  const auto evaluated = model.forward(x);
  for (gal::index_type i = 0; i < trained.size(); ++i) {
    CHECK(evaluated.data()[i] == doctest::Approx(trained.data()[i]).epsilon(1e-12));
  }
}

TEST_CASE("batch normalisation: features do not change with the scale of what comes before") {
  const auto x = random_matrix(32, 6, 1);
  auto scaled = x;
  for (gal::index_type i = 0; i < x.size(); ++i) {
    scaled.data()[i] = 1000.0 * x.data()[i] - 3.0;
  }
  cnn<double> model({2, 4, 4}, {batch_normalization{.epsilon = 1e-14}}, {.seed = 1});
  const auto y = model.forward(x);
  const auto z = model.forward(scaled);
  for (gal::index_type i = 0; i < y.size(); ++i) {
    CHECK(std::abs(z.data()[i] - y.data()[i]) < 1e-9);
  }
}

TEST_CASE("a step of the trainer counts a batch once, and a refused one not at all") {
  const auto x = random_matrix<float>(48, 6, 1);
  const std::vector<int> labels = {0, 1, 2, 0, 1, 2};
  const layers list = {
      convolution{.channels = 4}, batch_normalization{}, relu, dropout{0.3}, flatten{}, linear{3}};
  cnn<float> alone({3, 4, 4}, list, {.seed = 1});
  const auto features = alone.forward(x);
  alone.backward(features);
  const auto once = numbers_of(alone.statistics());

  // Several tentative evaluations and steps of the adjuster.
  cnn<float> model({3, 4, 4}, list, {.seed = 1});
  gal::adam<float> optimizer;
  gal::adjust trainer(model, optimizer, gal::softmax_cross_entropy(), {.adjuster_steps = 4});
  trainer.step(x, labels);
  CHECK(numbers_of(model.statistics()) == once);
  CHECK(model.noise() == gal::random_stream{1, 1});

  auto broken = x;
  broken(0, 0) = std::numeric_limits<float>::quiet_NaN();
  const auto values = numbers_of(model.values());
  CHECK(trainer.step(broken, labels).non_finite);
  CHECK(numbers_of(model.statistics()) == once);
  CHECK(numbers_of(model.values()) == values);
  CHECK(model.noise() == gal::random_stream{1, 1});
}

TEST_CASE("dropout keeps its share, scales what it keeps, and draws anew after every backward pass") {
  cnn<double> model({1, 50, 50}, {dropout{0.25}}, {.seed = 9});
  const gal::matrix<double> x(2500, 8, 1.0);
  const auto y = model.forward(x);
  double kept = 0.0;
  for (gal::index_type i = 0; i < y.size(); ++i) {
    CHECK((y.data()[i] == 0.0 || y.data()[i] == 1.0 / 0.75));
    kept += y.data()[i] == 0.0 ? 0.0 : 1.0;
  }
  CHECK(kept / static_cast<double>(y.size()) == doctest::Approx(0.75).epsilon(0.02));
  CHECK(model.forward(x) == y);
  model.backward(y);
  const auto z = model.forward(x);
  CHECK_FALSE(z == y);
  model.set_noise({9, 0});
  CHECK(model.forward(x) == y);
  model.set_training(false);
  CHECK(model.forward(x) == x);
  // Two layers draw different numbers.
  cnn<double> two({1, 50, 50}, {dropout{0.25}, dropout{0.25}}, {.seed = 9});
  const auto both = two.forward(x);
  CHECK(std::ranges::count(numbers_of(both.view()), 0.0) >
        std::ranges::count(numbers_of(y.view()), 0.0) + 3000);
}

TEST_CASE("max pooling: the first of equal numbers has the gradient, and NaN shows") {
  cnn<double> model({1, 2, 2}, {convolution{.channels = 1, .kernel = 1}, max_pool{2}});
  std::ranges::copy(std::vector<double>{1.0, 0.0}, model.values().data());
  const auto x = matrix({{3}, {5}, {5}, {1}});
  model.forward(x);
  model.backward(matrix({{2.0}}));
  CHECK(numbers_of(model.gradients()) == std::vector<double>{10, 2});
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  CHECK(std::isnan(model.forward(matrix({{nan}, {5}, {5}, {1}}))(0, 0)));
  CHECK(std::isnan(model.forward(matrix({{1}, {5}, {nan}, {7}}))(0, 0)));
  const double low = -std::numeric_limits<double>::infinity();
  CHECK(model.forward(matrix({{low}, {low}, {low}, {low}}))(0, 0) == low);
}

TEST_CASE("weights start as PyTorch's, and a seed is a network") {
  cnn<double> model({2, 8, 8},
                    {convolution{.channels = 50, .kernel = 5}, batch_normalization{}, flatten{}, linear{40}},
                    {.seed = 4});
  const auto blocks = model.parameters();
  REQUIRE(blocks.size() == 6);
  const auto within = [&](std::size_t b, double bound) {
    double largest = 0.0, mean = 0.0;
    for (const double value : blocks[b].value) {
      largest = std::max(largest, std::abs(value));
      mean += value / static_cast<double>(blocks[b].value.size());
    }
    CHECK(largest <= bound);
    CHECK(largest > 0.9 * bound);
    CHECK(std::abs(mean) < 4.0 * bound / std::sqrt(3.0 * static_cast<double>(blocks[b].value.size())));
  };
  within(0, 1.0 / std::sqrt(50.0));
  within(1, 1.0 / std::sqrt(50.0));
  CHECK(std::ranges::count(blocks[2].value, 1.0) == 50);
  CHECK(std::ranges::count(blocks[3].value, 0.0) == 50);
  within(4, 1.0 / std::sqrt(800.0));
  CHECK(blocks[4].value.size() == 800 * 40);
  cnn<double> again({2, 8, 8}, {convolution{.channels = 50, .kernel = 5}}, {.seed = 4});
  CHECK(std::ranges::equal(again.parameters()[0].value, blocks[0].value));
  cnn<double> other({2, 8, 8}, {convolution{.channels = 50, .kernel = 5}}, {.seed = 5});
  CHECK_FALSE(std::ranges::equal(other.parameters()[0].value, blocks[0].value));
}

TEST_CASE("parameters lie in one buffer, and biases may have a group") {
  cnn<float> model({1, 4, 4}, {convolution{.channels = 2}, batch_normalization{}, flatten{}, linear{3}},
                   {.bias_group = 1});
  const float* next = model.values().data();
  const float* next_gradient = model.gradients().data();
  std::vector<std::size_t> groups;
  for (const auto& block : model.parameters()) {
    CHECK(block.value.data() == next);
    CHECK(block.gradient.data() == next_gradient);
    next += block.value.size();
    next_gradient += block.gradient.size();
    groups.push_back(block.group);
  }
  CHECK(next == model.values().data() + model.values().size());
  CHECK(groups == std::vector<std::size_t>{0, 1, 1, 1, 0, 1});
}

TEST_CASE("a copy goes on as the original") {
  const auto x = random_matrix<float>(3 * 81, 5, 1);
  const std::vector<int> labels = {0, 1, 2, 3, 4};
  cnn<float> model({3, 9, 9}, efficientnet(5), {.seed = 1});
  const auto train = [&](cnn<float>& m) {
    gal::sgd<float> optimizer({.learning_rate = 0.1});
    gal::adjust trainer(m, optimizer, gal::softmax_cross_entropy());
    trainer.step(x, labels);
    trainer.step(x, labels);
    return numbers_of(m.values());
  };
  train(model);
  cnn<float> copy = model;
  CHECK(train(model) == train(copy));
  CHECK(numbers_of(model.statistics()) == numbers_of(copy.statistics()));
}

TEST_CASE("the number of threads does not change a bit") {
  // Large enough that products, windows and sums are shared out; every kind of layer.
  const layers list = {convolution{.channels = 16, .padding = 1},
                       batch_normalization{},
                       silu,
                       max_pool{.kernel = 3, .stride = 1, .padding = 1},
                       residual{{depthwise_convolution{.padding = 1}, relu,
                                 convolution{.channels = 24, .stride = 2, .padding = 1, .groups = 2}},
                                {average_pool{2}, convolution{.channels = 24, .kernel = 1}}},
                       gate(24, 6),
                       dropout{0.2},
                       global_average_pool{},
                       linear{10}};
  const auto x = random_matrix<float>(3 * 16 * 20, 12, 1);
  const std::vector<int> labels = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1};
  const auto train = [&](int threads) {
    const gal::eigen_backend backend(threads);
    cnn<float> model({3, 16, 20}, list, {.seed = 1}, backend);
    gal::adam<float> optimizer;
    gal::adjust trainer(model, optimizer, gal::softmax_cross_entropy(), {}, backend);
    trainer.step(x, labels);
    trainer.step(x, labels);
    return std::pair(numbers_of(model.values()), numbers_of(model.statistics()));
  };
  const auto once = train(1);
  for (const int threads : {2, 3, 5}) {
    CHECK(train(threads) == once);
  }
}

TEST_CASE("shapes that do not fit are refused with the layer's name") {
  using enum gal::error_code;
  CHECK(refusal_of(invalid_option, {1, 0, 3}, {relu}) ==
        "gal::nn::cnn: input is 1 x 0 x 3; expected positive numbers");
  constexpr gal::index_type wide = gal::index_type{1} << 31;
  constexpr gal::index_type wider = gal::index_type{1} << 40;
  constexpr gal::index_type largest = std::numeric_limits<gal::index_type>::max();
  for (const image_shape input : {image_shape{wide, 1, 1}, image_shape{1, largest, 1},
                                  image_shape{3, 1, largest}, image_shape{wide - 1, wide - 1, 3}}) {
    CHECK(refusal_of(invalid_option, input, {relu})
              .ends_with("; expected numbers up to 2147483647 and a product below 2^63"));
  }
  CHECK(refusal_of(invalid_option, {1, 4, 4}, {convolution{.channels = 1, .kernel = {1, wide}}}) ==
        "gal::nn::cnn: layer 0, convolution: kernel is 1 x 2147483648; expected at most 2147483647");
  CHECK(refusal_of(invalid_option, {1, 4, 4}, {convolution{.channels = 1, .padding = largest}})
            .ends_with("padding is 9223372036854775807 x 9223372036854775807; expected at most 2147483647"));
  CHECK(refusal_of(invalid_option, {1, 4, 4}, {convolution{.channels = 1, .dilation = {largest, 1}}})
            .ends_with("dilation is 9223372036854775807 x 1; expected at most 2147483647"));
  CHECK(refusal_of(invalid_option, {8, 4, 4}, {max_pool{.kernel = wide - 1, .padding = wide / 2 - 1}})
            .ends_with("with padding; expected a product below 2^63"));
  CHECK(
      refusal_of(out_of_memory, {3, 4, 4}, {convolution{.channels = largest}}) ==
      "gal::nn::cnn: layer 0, convolution: weights of sizes (9223372036854775807, 3, 3, 3); expected at most "
      "2305843009213693951 parameters");
  CHECK(refusal_of(out_of_memory, {1, 400, 400}, {convolution{.channels = wider * 524288, .kernel = 1}})
            .ends_with(
                "output is 576460752303423488 x 400 x 400; expected at most 2305843009213693951 numbers"));
  CHECK(refusal_of(out_of_memory, {3, 4, 4}, {flatten{}, linear{wider * 1048576}}) ==
        "gal::nn::cnn: layer 1, linear: weights of sizes (1152921504606846976, 48); expected at most "
        "2305843009213693951 parameters");
  CHECK(refusal_of(invalid_option, {1, 4, 4}, {}) ==
        "gal::nn::cnn: 0 layers that compute nothing; expected at least one that does");
  CHECK(refusal_of(invalid_option, {1, 4, 4}, {flatten{}}) ==
        "gal::nn::cnn: 1 layers that compute nothing; expected at least one that does");
  CHECK(refusal_of(shape_mismatch, {1, 4, 8}, {relu, convolution{.channels = 2, .kernel = 5}}) ==
        "gal::nn::cnn: layer 1, convolution: input is 1 x 4 x 8, 4 x 8 with padding; expected at least 5 x "
        "5, which "
        "the kernel reaches over");
  CHECK(refusal_of(shape_mismatch, {1, 4, 8},
                   {depthwise_convolution{.kernel = 3, .padding = 1, .dilation = 3}}) ==
        "gal::nn::cnn: layer 0, depthwise_convolution: input is 1 x 4 x 8, 6 x 10 with padding; expected at "
        "least "
        "7 x 7, which the kernel reaches over");
  CHECK(refusal_of(invalid_option, {3, 4, 4}, {convolution{}}) ==
        "gal::nn::cnn: layer 0, convolution: channels is 0; expected a positive multiple of groups, which is "
        "1");
  CHECK(refusal_of(invalid_option, {3, 4, 4}, {convolution{.channels = 4, .groups = 3}}) ==
        "gal::nn::cnn: layer 0, convolution: channels is 4; expected a positive multiple of groups, which is "
        "3");
  CHECK(refusal_of(invalid_option, {3, 4, 4}, {convolution{.channels = 4, .groups = 2}}) ==
        "gal::nn::cnn: layer 0, convolution: groups is 2; expected a divisor of the input's channels, which "
        "are 3");
  CHECK(refusal_of(invalid_option, {3, 4, 4}, {convolution{.channels = 4, .groups = 0}}) ==
        "gal::nn::cnn: layer 0, convolution: groups is 0; expected a divisor of the input's channels, which "
        "are 3");
  CHECK(refusal_of(invalid_option, {3, 4, 4}, {convolution{.channels = 1, .kernel = {3, 0}}}) ==
        "gal::nn::cnn: layer 0, convolution: kernel is 3 x 0; expected at least 1");
  CHECK(refusal_of(invalid_option, {3, 4, 4}, {convolution{.channels = 1, .stride = 0}}) ==
        "gal::nn::cnn: layer 0, convolution: stride is 0 x 0; expected at least 1");
  CHECK(refusal_of(invalid_option, {3, 4, 4}, {convolution{.channels = 1, .padding = {1, -1}}}) ==
        "gal::nn::cnn: layer 0, convolution: padding is 1 x -1; expected at least 0");
  CHECK(refusal_of(invalid_option, {3, 4, 4}, {convolution{.channels = 1, .dilation = 0}}) ==
        "gal::nn::cnn: layer 0, convolution: dilation is 0 x 0; expected at least 1");
  CHECK(refusal_of(shape_mismatch, {3, 2, 4}, {max_pool{.kernel = 3}}) ==
        "gal::nn::cnn: layer 0, max_pool: input is 3 x 2 x 4, 2 x 4 with padding; expected at least 3 x 3, "
        "which the "
        "kernel reaches over");
  CHECK(refusal_of(invalid_option, {3, 4, 4}, {average_pool{.kernel = 3, .padding = 2}}) ==
        "gal::nn::cnn: layer 0, average_pool: padding is 2 x 2; expected at most half the kernel, which is 3 "
        "x 3");
  CHECK(refusal_of(invalid_option, {3, 4, 4}, {batch_normalization{.momentum = 1.5}}) ==
        "gal::nn::cnn: layer 0, batch_normalization: momentum is 1.5; expected a number in [0, 1]");
  CHECK(refusal_of(invalid_option, {3, 4, 4}, {batch_normalization{.epsilon = 0.0}}) ==
        "gal::nn::cnn: layer 0, batch_normalization: epsilon is 0; expected a positive number");
  CHECK(refusal_of(invalid_option, {3, 4, 4}, {relu, dropout{1.0}}) ==
        "gal::nn::cnn: layer 1, dropout: probability is 1; expected a number in [0, 1)");
  CHECK(refusal_of(shape_mismatch, {3, 4, 4}, {linear{10}}) ==
        "gal::nn::cnn: layer 0, linear: input is 3 x 4 x 4; expected flat features, as after flatten or "
        "global_average_pool");
  CHECK(refusal_of(invalid_option, {3, 4, 4}, {flatten{}, linear{}}) ==
        "gal::nn::cnn: layer 1, linear: outputs is 0; expected a positive number");
  CHECK(refusal_of(invalid_option, {3, 4, 4}, {residual{{}}}) ==
        "gal::nn::cnn: layer 0, residual: body computes nothing of 3 x 4 x 4; expected at least one layer");
  CHECK(refusal_of(shape_mismatch, {3, 4, 4}, {relu, residual{{convolution{.channels = 3}}}}) ==
        "gal::nn::cnn: layer 1, residual: body makes 3 x 2 x 2 of 3 x 4 x 4, shortcut 3 x 4 x 4; expected "
        "the same");
  CHECK(refusal_of(shape_mismatch, {3, 4, 4},
                   {residual{{relu, convolution{.channels = 3, .padding = 1}},
                             {convolution{.channels = 3, .kernel = 7}}}}) ==
        "gal::nn::cnn: layer 0.shortcut.0, convolution: input is 3 x 4 x 4, 4 x 4 with padding; expected at "
        "least 7 "
        "x 7, which the kernel reaches over");
  CHECK(refusal_of(shape_mismatch, {3, 4, 4}, {channel_gate{{relu}}}) ==
        "gal::nn::cnn: layer 0, channel_gate: body makes 3 x 4 x 4 of 3 x 4 x 4; expected one number per "
        "channel, 3 x "
        "1 x 1");
}

TEST_CASE("batches that do not fit are refused") {
  using enum gal::error_code;
  cnn<double> model({2, 3, 1}, {convolution{.channels = 1, .kernel = {2, 1}}});
  CHECK(refusal(shape_mismatch, [&] { return model.backward(gal::matrix<double>(2, 1)), 0; }) ==
        "gal::nn::cnn::backward: gradient is 2 x 1; expected the features' size 0 x 0");
  CHECK(refusal(shape_mismatch, [&] { return model.forward(gal::matrix<double>(5, 2)); }) ==
        "gal::nn::cnn::forward: input is 5 x 2; expected 6 rows (2 x 3 x 1) and at least one column");
  CHECK(refusal(shape_mismatch, [&] { return model.forward(gal::matrix<double>(6, 0)); }) ==
        "gal::nn::cnn::forward: input is 6 x 0; expected 6 rows (2 x 3 x 1) and at least one column");
  model.forward(gal::matrix<double>(6, 2));
  CHECK(refusal(shape_mismatch, [&] { return model.backward(gal::matrix<double>(2, 3)), 0; }) ==
        "gal::nn::cnn::backward: gradient is 2 x 3; expected the features' size 2 x 2");

  cnn<double> normalised({2, 1, 1}, {relu, batch_normalization{}});
  const gal::matrix<double> one(2, 1, 1.0);
  CHECK(refusal(shape_mismatch, [&] { return normalised.forward(one); }) ==
        "gal::nn::cnn: layer 1, batch_normalization: one number per channel, whose variance is zero; "
        "expected a batch "
        "of at least 2 samples, or evaluation");
  normalised.set_training(false);
  CHECK(normalised.forward(one).rows() == 2);
}
