// Types of one's own: a matrix, a model, a loss and an optimizer that know nothing of the library's. Fits a curve in
// the plane, two polynomials of time, to points of which every tenth is an outlier.
#include <gal/gal.hpp>

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <span>
#include <utility>
#include <vector>

// A matrix type from elsewhere, used as it is.
namespace lab {
struct grid {
  std::size_t height = 0;
  std::size_t width = 0;
  std::vector<double> values;  // column after column
};
}  // namespace lab

// How the library looks at it: the one thing it has to be told.
template <>
struct gal::view_of<lab::grid> {
  template <class Grid>  // lab::grid or const lab::grid
  static auto get(Grid& g) {
    return gal::matrix_view(g.values.data(), static_cast<gal::index_type>(g.height),
                            static_cast<gal::index_type>(g.width));
  }
};

// The model: each of two features is a polynomial of time.
class curve {
 public:
  using input_type = std::vector<double>;  // times, one per sample
  using feature_type = lab::grid;          // 2 x samples

  explicit curve(std::size_t degree) : terms_(degree + 1), values_(2 * terms_), gradients_(2 * terms_) {}

  const lab::grid& forward(const std::vector<double>& times) {
    times_ = times;
    points_ = {2, times.size(), std::vector<double>(2 * times.size())};
    for_each_term([&](double& point, std::size_t k, double power) { point += values_[k] * power; }, points_);
    return points_;
  }

  void backward(const lab::grid& gradient) {
    for_each_term([&](double g, std::size_t k, double power) { gradients_[k] += g * power; }, gradient);
  }

  // (value, gradient) pairs of contiguous memory.
  auto parameters() { return std::array{std::pair{std::span(values_), std::span(gradients_)}}; }

 private:
  // Calls f(entry, coefficient number, power of time) for every term of every entry.
  template <class F, class Grid>
  void for_each_term(F f, Grid& entries) const {
    for (std::size_t j = 0; j < times_.size(); ++j) {
      double power = 1.0;
      for (std::size_t k = 0; k < terms_; ++k, power *= times_[j]) {
        f(entries.values[2 * j], k, power);
        f(entries.values[2 * j + 1], terms_ + k, power);
      }
    }
  }

  std::size_t terms_;
  std::vector<double> values_;
  std::vector<double> gradients_;
  std::vector<double> times_;
  lab::grid points_;
};

// The optimizer: descent with momentum.
class heavy_ball {
 public:
  explicit heavy_ball(double learning_rate) : learning_rate_(learning_rate) {}

  [[nodiscard]] double learning_rate() const { return learning_rate_; }

  void step(std::span<const gal::parameter<double>> parameters) {
    velocity_.resize(parameters[0].value.size());  // `curve` has one block
    for (std::size_t i = 0; i < velocity_.size(); ++i) {
      velocity_[i] = 0.9 * velocity_[i] + parameters[0].gradient[i];
      parameters[0].value[i] -= learning_rate_ * velocity_[i];
    }
  }

 private:
  double learning_rate_;
  std::vector<double> velocity_;
};

int main() {
  std::vector<double> times;
  lab::grid targets{2, 200, {}};
  for (std::size_t j = 0; j < targets.width; ++j) {
    const double t = -1.0 + 2.0 * static_cast<double>(j) / static_cast<double>(targets.width - 1);
    times.push_back(t);
    targets.values.push_back(std::cos(2.0 * t));
    targets.values.push_back(std::sin(2.0 * t) + (j % 10 == 0 ? 3.0 : 0.0));
  }

  // The loss of one sample: its distance from the target, rounded off near zero, which outliers hardly move.
  gal::sample_loss distance(
      [](std::span<const double> x, std::span<const double> y, std::span<double> gradient) {
        const double dx = x[0] - y[0];
        const double dy = x[1] - y[1];
        const double length = std::sqrt(0.01 + dx * dx + dy * dy);
        gradient[0] = dx / length;
        gradient[1] = dy / length;
        return length - 0.1;
      });

  curve model(5);
  heavy_ball optimizer(0.02);
  gal::adjust trainer(model, optimizer, distance);
  for (int iteration = 0; iteration <= 500; ++iteration) {
    const gal::adjust_report report = trainer.step(times, targets);
    if (iteration % 100 == 0) {
      std::printf("iteration %3d: loss %.4f, remainder %9.2e, adjusted %3.0f %% of the samples\n", iteration,
                  report.loss, report.remainder, 100.0 * report.accepted_share);
    }
  }
}
