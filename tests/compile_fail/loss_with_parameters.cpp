// A step trains the model's parameters alone: those of a loss would stay as they are, in silence.
// expected: gal::adjust: the loss has parameters(), which no step trains; expected them in the model, whose features then come behind them.
#include <gal/backends/eigen.hpp>
#include <gal/nn/point.hpp>
#include <gal/train/adjust.hpp>

#include <array>

// (scale x)^2 with a scale that is meant to be learned.
struct scaled_square {
  double scale = 1.0;
  double slope = 0.0;
  void evaluate(const gal::eigen_backend&, gal::matrix_view<const double> x, gal::nothing,
                gal::matrix_view<double> values, gal::matrix_view<double> gradient) const {
    values(0, 0) = scale * scale * x(0, 0) * x(0, 0);
    if (!gradient.empty()) {
      gradient(0, 0) = 2.0 * scale * scale * x(0, 0);
    }
  }
  auto parameters() { return std::array{gal::parameter<double>({&scale, 1}, {&slope, 1})}; }
};

int main() {
  gal::nn::point<double> model({1.0});
  gal::sgd<double> optimizer;
  gal::adjust trainer(model, optimizer, scaled_square());
  trainer.step();
}
