// The backend with oneDNN's convolutions: against the default in double, and what it promises beside.
#include <gal/adapters/onednn.hpp>  // first: it compiles alone

#include <gal/gal.hpp>

#include "counted_allocations.hpp"
#include "testing.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <vector>

namespace {

using namespace gal::nn;
using layers = std::vector<layer>;
using gal::onednn_backend;

static_assert(gal::model<cnn<float, onednn_backend>> && gal::model<cnn<double, onednn_backend>>);
static_assert(std::copyable<cnn<float, onednn_backend>>);

gal::matrix<double> to_double(gal::matrix_view<const float> x) {
  gal::matrix<double> result(x.rows(), x.columns());
  std::transform(x.data(), x.data() + x.size(), result.data(),
                 [](float v) { return static_cast<double>(v); });
  return result;
}

// The largest difference over the largest number.
double difference(gal::matrix_view<const float> a, gal::matrix_view<const double> b) {
  REQUIRE(a.shape() == b.shape());
  double largest = 0.0, scale = 1e-30;
  for (gal::index_type i = 0; i < a.size(); ++i) {
    largest = std::max(largest, std::abs(static_cast<double>(a.data()[i]) - b.data()[i]));
    scale = std::max(scale, std::abs(b.data()[i]));
  }
  return largest / scale;
}

// Features, gradients and statistics of the default network in double with the same weights.
void check_against_default(image_shape shape, const layers& list, int threads = 1) {
  cnn<float, onednn_backend> model(shape, list, {.seed = 1}, onednn_backend(threads));
  cnn<double> expected(shape, list, {.seed = 1});
  for (const gal::index_type samples : {5, 1, 20, 5}) {
    INFO("samples " << samples);
    const auto x = random_matrix<float>(shape.size(), samples, 2);
    const auto gradient = random_matrix<float>(model.output_shape().size(), samples, 3);
    for (gal::index_type i = 0; i < model.values().size(); ++i) {
      expected.values().data()[i] = static_cast<double>(model.values().data()[i]);
    }
    const auto x_in_double = to_double(x.view());
    CHECK(difference(model.forward(x.view()).view(), expected.forward(x_in_double.view()).view()) <= 2e-6);
    model.gradients().data()[0] += 1.0f;  // to which the others are added
    expected.gradients().data()[0] += 1.0;
    model.backward(gradient.view());
    expected.backward(to_double(gradient.view()).view());
    CHECK(difference(model.gradients().as_const(), expected.gradients().as_const()) <= 5e-6);
  }
}

}  // namespace

TEST_CASE("convolutions are the default's, up to rounding") {
  const auto check = [](image_shape shape, const convolution& options) {
    INFO("input " << to_string(shape) << gal::nn::detail::options_of(options));
    // A second one, since the gradient of the first with respect to its input is not computed.
    check_against_default(shape, {convolution{.channels = shape.channels, .kernel = 1}, options});
  };
  for (const image_shape shape : {image_shape{4, 17, 35}, image_shape{6, 9, 8}, image_shape{16, 6, 32}}) {
    for (const gal::index_type stride : {1, 2, 3}) {
      for (const gal::index_type padding : {0, 1, 4}) {
        check(shape, {.channels = 7, .stride = stride, .padding = padding});
        check(shape,
              {.channels = 8, .kernel = {2, 5}, .stride = {1, stride}, .padding = padding, .groups = 2});
        check(shape, {.channels = 16, .kernel = 1, .stride = stride, .padding = padding, .groups = 2});
        check(shape,
              {.channels = 16, .stride = stride, .padding = padding, .dilation = {1, 2}, .bias = false});
      }
    }
    check(shape, {.channels = 3, .kernel = 2, .stride = 5});
  }
}

TEST_CASE("so are networks of all layers, on one thread and on two") {
  for (const int threads : {1, 2}) {
    check_against_default({3, 16, 20}, lenet({3, 16, 20}, 10), threads);
    check_against_default({3, 16, 20},
                          {convolution{.channels = 16, .padding = 1}, batch_normalization{}, gal::nn::silu,
                           residual{{depthwise_convolution{.padding = 1}, gal::nn::tanh,
                                     convolution{.channels = 24, .stride = 2, .padding = 1, .groups = 2}},
                                    {average_pool{2}, convolution{.channels = 24, .kernel = 1}}},
                           global_average_pool{}, linear{10}},
                          threads);
  }
}

TEST_CASE("doubles are the default's, bit for bit") {
  const layers list = {convolution{.channels = 16, .padding = 1}, convolution{.channels = 8, .kernel = 1}};
  const auto x = random_matrix<double>(3 * 64, 20, 1);
  const auto train = [&](auto& model) {
    const auto features = model.forward(x.view());
    model.backward(features.view());
    std::vector<double> numbers(features.data(), features.data() + features.size());
    numbers.insert(numbers.end(), model.gradients().data(),
                   model.gradients().data() + model.gradients().size());
    return numbers;
  };
  cnn<double, onednn_backend> model({3, 8, 8}, list, {.seed = 1}, onednn_backend(2));
  cnn<double> expected({3, 8, 8}, list, {.seed = 1});
  CHECK(train(model) == train(expected));
}

TEST_CASE("copies share nothing") {
  cnn<float, onednn_backend> model({3, 8, 8}, {convolution{.channels = 16}, convolution{.channels = 4}},
                                   {.seed = 1});
  const auto x = random_matrix<float>(3 * 64, 4, 1);
  const auto other = random_matrix<float>(3 * 64, 4, 2);
  const auto gradient = random_matrix<float>(4 * 16, 4, 3);
  model.forward(x.view());
  auto copy = model;
  auto remembering = model;
  copy.forward(other.view());  // changes nothing of what the model remembers
  model.backward(gradient.view());
  remembering.backward(gradient.view());
  CHECK(std::ranges::equal(std::span(model.gradients().data(), 100),
                           std::span(remembering.gradients().data(), 100)));
  auto fresh = copy;
  fresh.forward(x.view());
  fresh.backward(gradient.view());
  CHECK(
      std::ranges::equal(std::span(model.gradients().data(), 100), std::span(fresh.gradients().data(), 100)));
  fresh = model;
  CHECK(difference(fresh.forward(x.view()).view(), to_double(model.forward(x.view()).view()).view()) == 0.0);
}

TEST_CASE("a trainer steps as with the default") {
  const auto x = random_matrix<float>(3 * 16 * 16, 8, 1);
  const std::vector<int> labels = {0, 1, 2, 3, 4, 5, 6, 7};
  const auto train = [&](auto backend) {
    using backend_type = decltype(backend);
    cnn<float, backend_type> model({3, 16, 16}, resnet(8, 10), {.seed = 1}, backend);
    gal::sgd<float, backend_type> optimizer({.learning_rate = 0.01, .momentum = 0.9}, backend);
    gal::adjust trainer(model, optimizer, gal::softmax_cross_entropy(), {}, backend);
    std::vector<double> losses;
    for (int step = 0; step < 10; ++step) {
      losses.push_back(trainer.step(x, labels).loss);
    }
    return losses;
  };
  const auto losses = train(onednn_backend(2));
  const auto expected = train(gal::eigen_backend(2));
  for (std::size_t step = 0; step < losses.size(); ++step) {
    CHECK(losses[step] == doctest::Approx(expected[step]).epsilon(1e-4));
  }
  CHECK(losses.back() < losses.front());
}

#ifdef GAL_TEST_COUNTS_MALLOC
TEST_CASE("after the first batch of a size nothing is made but oneDNN's lists of arguments") {
  cnn<float, onednn_backend> model({3, 16, 16}, resnet(8, 10), {.seed = 1});
  const auto large = random_matrix<float>(3 * 16 * 16, 8, 1);
  const auto small = random_matrix<float>(3 * 16 * 16, 3, 1);
  const auto step = [&](const gal::matrix<float>& x) {
    const auto& y = model.forward(x.view());
    model.backward(y.view());
  };
  step(large);
  step(small);
  for (int repeat = 0; repeat < 3; ++repeat) {
    largest_allocation = 0;
    const long before = allocations;
    step(large);
    step(small);
    const std::size_t largest = largest_allocation;
    CHECK(largest <= 256);
    CHECK((allocations - before) <= 1000);
  }
  largest_allocation = 0;
  step(random_matrix<float>(3 * 16 * 16, 2, 1));  // of another size
  const std::size_t largest = largest_allocation;
  CHECK(largest > 4096);
}
#endif
