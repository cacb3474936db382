// A model whose arithmetic is xtensor's: bumps with centres and heights to be learned, fitted to a landscape by Adam, plain
// and with adjusted gradients.
#include <gal/adapters/xtensor.hpp>
#include <gal/gal.hpp>

#include <xtensor/xmath.hpp>
#include <xtensor/xnoalias.hpp>
#include <xtensor/xview.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <span>
#include <utility>

namespace {

using matrix = xt::xtensor<double, 2>;  // a sample per row

// f(x) = sum over k of height_k exp(-|x - centre_k|^2 / (2 width^2)).
class bumps {
 public:
  using input_type = matrix;    // (samples, 2): places
  using feature_type = matrix;  // (samples, 1): heights of the landscape there

  bumps(std::size_t count, std::uint64_t seed)
      : centres_({count, 2}),
        centre_gradients_(xt::zeros<double>({count, std::size_t{2}})),
        heights_(xt::zeros<double>({count})),
        height_gradients_(xt::zeros<double>({count})) {
    gal::random_stream random{seed};
    for (double& coordinate : centres_) {
      coordinate = 2.0 * random.uniform() - 1.0;
    }
  }

  const matrix& forward(const matrix& x) {
    apart_ = xt::view(x, xt::all(), xt::newaxis(), xt::all()) - centres_;  // (samples, bumps, 2)
    shares_ = xt::exp(-xt::sum(xt::square(apart_), {2}) / (2.0 * width * width));
    result_ = xt::view(xt::sum(shares_ * heights_, {1}), xt::all(), xt::newaxis());
    return result_;
  }

  void backward(const matrix& g) {
    // Immediate: GCC 14 warns of what xtensor does with the lazy sum.
    xt::noalias(height_gradients_) += xt::sum(g * shares_, {0}, xt::evaluation_strategy::immediate);
    const matrix pull = g * shares_ * heights_ / (width * width);
    xt::noalias(centre_gradients_) +=
        xt::sum(xt::view(pull, xt::all(), xt::all(), xt::newaxis()) * apart_, {0});
  }

  // (value, gradient) pairs of contiguous memory.
  auto parameters() {
    return std::array{std::pair{std::span(centres_), std::span(centre_gradients_)},
                      std::pair{std::span(heights_), std::span(height_gradients_)}};
  }

 private:
  static constexpr double width = 0.3;

  matrix centres_, centre_gradients_;                  // (bumps, 2)
  xt::xtensor<double, 1> heights_, height_gradients_;  // (bumps)
  xt::xtensor<double, 3> apart_;
  matrix shares_;  // (samples, bumps)
  matrix result_;
};

// Places at random in the square [-1, 1] x [-1, 1], and the landscape's height there.
std::pair<matrix, matrix> survey(std::size_t samples, std::uint64_t seed) {
  matrix places({samples, 2});
  gal::random_stream random{seed};
  for (double& coordinate : places) {
    coordinate = 2.0 * random.uniform() - 1.0;
  }
  const auto x = xt::view(places, xt::all(), xt::range(0, 1));
  const auto y = xt::view(places, xt::all(), xt::range(1, 2));
  const matrix heights = xt::sin(3.0 * x) * xt::cos(2.0 * y) + 0.5 * x * y;
  return {places, heights};
}

// Mean squared errors on unseen places, every 20 epochs of the trainer that is made of model and optimizer.
template <class Make>
std::array<double, 5> train(Make make) {
  const auto [x, y] = survey(512, 1);
  const auto [test_x, test_y] = survey(512, 2);
  bumps model(24, /*seed=*/3);
  gal::adam<double> optimizer({.learning_rate = 5e-3});
  auto trainer = make(model, optimizer);
  gal::batches batches(x, y, 32, /*seed=*/4);  // xtensor's arrays as they are

  std::array<double, 5> errors{};
  for (double& error : errors) {
    for (int epoch = 0; epoch < 20; ++epoch) {
      for (auto [places, heights] : batches) {
        trainer.step(gal::as_xtensor(places), heights);
      }
    }
    error = gal::mean_squared_error(model.forward(test_x), test_y);
  }
  return errors;
}

}  // namespace

int main() {
  const std::array<double, 5> plain =
      train([](auto& model, auto& optimizer) { return gal::plain(model, optimizer, gal::mse()); });
  const std::array<double, 5> adjusted =
      train([](auto& model, auto& optimizer) { return gal::adjust(model, optimizer, gal::mse()); });
  std::printf("test error after epoch   vanilla       GAL\n");
  for (std::size_t k = 0; k < plain.size(); ++k) {
    std::printf("%22zu %9.6f %9.6f\n", 20 * (k + 1), plain[k], adjusted[k]);
  }
}
