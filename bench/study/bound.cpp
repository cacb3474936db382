// Theorem IV.4 of arXiv 2201.09193: f(y) - f(x) - <g(x), y - x> is in size at most (L/2) max |cos| norm(y - x)^2, L the
// Lipschitz constant of the gradient g, cos of the angle between its change along the segment and y - x.
#include "support/walks.hpp"

#include <gal/gal.hpp>
#include "experiments.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace study {

namespace {

constexpr int points = 32;          // of a segment, where L and the largest cosine are looked for
constexpr double rounding = 1e-11;  // a bound below it is about the rounding of a subtraction
constexpr double tolerance = 1e-3;  // L between the points

// What was found on one segment.
struct segment {
  double remainder;  // in size
  double largest_cosine;
  double bound;
};

double product(const std::vector<double>& a, const std::vector<double>& b) {
  double sum = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    sum += a[i] * b[i];
  }
  return sum;
}

// `value(x, gradient)` is f, and writes its gradient.
template <class Value>
segment examine(const std::vector<double>& from, const std::vector<double>& to, Value value) {
  std::vector<double> step(from.size());
  std::vector<double> start(from.size());
  std::vector<double> gradient(from.size());
  for (std::size_t i = 0; i < from.size(); ++i) {
    step[i] = to[i] - from[i];
  }
  const double length = std::sqrt(product(step, step));
  const double before = value(from, start);
  segment result{};
  double lipschitz = 0.0;
  // std::max would lose NaN.
  const auto largest = [](double a, double b) { return a < b || std::isnan(b) ? b : a; };
  for (int k = 1; k <= points; ++k) {
    const double share = static_cast<double>(k) / points;
    std::vector<double> place = from;
    for (std::size_t i = 0; i < place.size(); ++i) {
      place[i] += share * step[i];
    }
    const double here = value(place, gradient);
    if (k == points) {
      result.remainder = std::abs(here - before - product(start, step));
    }
    for (std::size_t i = 0; i < place.size(); ++i) {
      gradient[i] -= start[i];
    }
    const double change = std::sqrt(product(gradient, gradient));
    if (change != 0.0) {
      lipschitz = largest(lipschitz, change / (share * length));
      result.largest_cosine =
          largest(result.largest_cosine, std::abs(product(gradient, step)) / (change * length));
    }
  }
  result.bound = 0.5 * lipschitz * result.largest_cosine * length * length;
  return result;
}

json summary(const std::vector<segment>& segments) {
  std::vector<double> ratios;
  std::vector<double> cosines;
  double held = 0.0;
  for (const segment& s : segments) {
    if (!(s.bound <= rounding)) {  // where it is NaN, it does not hold
      ratios.push_back(s.remainder / s.bound);
      cosines.push_back(s.largest_cosine);
      held += s.remainder <= (1.0 + tolerance) * s.bound ? 1.0 : 0.0;
    }
  }
  if (ratios.empty()) {
    return nullptr;
  }
  return {{"segments", ratios.size()},
          {"held_share", rounded(held / static_cast<double>(ratios.size()))},
          {"largest_ratio",
           rounded(*std::ranges::max_element(
               ratios, [](double a, double b) { return std::isnan(b) ? !std::isnan(a) : a < b; }))},
          {"median_ratio", rounded(median(ratios))},
          {"median_cosine", rounded(median(cosines))}};
}

std::vector<segment> along(const support::walk_result& walk) {
  const auto value = [](const std::vector<double>& place, std::vector<double>& gradient) {
    return support::surfaces.front().value(place, gradient);
  };
  std::vector<segment> result;
  for (std::size_t k = 1; k < walk.path.size(); ++k) {
    const support::position& a = walk.path[k - 1];
    const support::position& b = walk.path[k];
    result.push_back(examine({a.x, a.y}, {b.x, b.y}, value));
  }
  return result;
}

// All parameters, one after the other.
std::vector<double> values_of(gal::nn::mlp<double>& model) {
  std::vector<double> result;
  for (const auto& block : model.parameters()) {
    result.insert(result.end(), block.value.begin(), block.value.end());
  }
  return result;
}

void set_values(gal::nn::mlp<double>& model, const std::vector<double>& values) {
  auto from = values.begin();
  for (const auto& block : model.parameters()) {
    std::copy_n(from, block.value.size(), block.value.begin());
    from += static_cast<std::ptrdiff_t>(block.value.size());
  }
}

gal::matrix<double> to_double(const gal::matrix<float>& from) {
  gal::matrix<double> result(from.rows(), from.columns());
  std::copy_n(from.data(), from.size(), result.data());
  return result;
}

// Of every tenth step of a training, in the space of the parameters, the loss being that of the step's batch.
template <class Optimizer, class Loss, class Features, class Targets>
std::vector<segment> along_training(const network_task& task, const support::maybe_adjusted& options,
                                    int epochs, Optimizer optimizer, const Loss& loss,
                                    const Features& features, const Targets& targets) {
  gal::nn::mlp<double> model(task.widths, {.activation = gal::nn::relu, .seed = 1});
  gal::batches batches(features, targets, batch, 1);
  std::vector<segment> result;
  support::with_trainer(model, optimizer, loss, options, [&](auto& trainer) {
    for (int epoch = 0; epoch < epochs; ++epoch) {
      for (const auto& [x, y] : batches) {
        const bool looks = trainer.steps() % 10 == 0;
        const std::vector<double> from = looks ? values_of(model) : std::vector<double>();
        trainer.step(x, y);
        if (!looks) {
          continue;
        }
        const std::vector<double> to = values_of(model);
        result.push_back(
            examine(from, to, [&](const std::vector<double>& place, std::vector<double>& gradient) {
              set_values(model, place);
              const auto at = gal::evaluate_loss(loss, model.forward(x), y);
              for (const auto& block : model.parameters()) {
                std::ranges::fill(block.gradient, 0.0);
              }
              model.backward(at.gradient);
              auto to_gradient = gradient.begin();
              for (const auto& block : model.parameters()) {
                to_gradient = std::ranges::copy(block.gradient, to_gradient).out;
              }
              return at.mean;
            }));
        set_values(model, to);
      }
    }
  });
  return result;
}

// The methods that are looked at.
std::vector<std::pair<const char*, support::maybe_adjusted>> methods_of(
    const gal::adjust_options& recommended, const gal::adjust_options& paper) {
  return {{"plain", std::nullopt}, {"GAL, recommended", recommended}, {"GAL, paper", paper}};
}

}  // namespace

json bound_of_walks() {
  json result{{"title", "3D problem"}};
  for (const support::optimizer_entry& optimizer : support::optimizers) {
    const support::walk_settings settings = support::settings_for("paper", optimizer.name);
    for (const auto& [name, options] : methods_of(support::walk_options("recommended", optimizer, settings),
                                                  support::walk_options("paper", optimizer, settings))) {
      const support::walk_result walk =
          support::walk_down(support::surfaces.front(), support::make_optimizer(settings),
                             support::with_seed(options, 1), settings.steps);
      result["paths"].push_back(
          {{"path", optimizer.title}, {"method", name}, {"numbers", summary(along(walk))}});
    }
  }
  return result;
}

json bound(const network_task& task, const scope& s) {
  json result{{"title", task.title}};
  const int epochs = s.epochs > 0 ? s.epochs : std::min(task.epochs, 20);
  const double rate = task.learning_rate;
  for (const auto& [name, options] : methods_of(gal::recommended(), task.paper)) {
    std::vector<segment> segments;
    if (const auto* samples = std::get_if<gal::dataset<float>>(&task.samples)) {
      const auto train = divide(*samples, 1).train;
      segments = along_training(task, options, epochs, gal::adam<double>({.learning_rate = rate}), gal::mse(),
                                to_double(train.features), to_double(train.targets));
    } else {
      const auto train = divide(std::get<gal::dataset<float, int>>(task.samples), 1).train;
      segments =
          along_training(task, options, epochs, gal::sgd<double>({.learning_rate = rate, .momentum = 0.9}),
                         gal::softmax_cross_entropy(), to_double(train.features), train.targets);
    }
    result["paths"].push_back({{"path", task.title}, {"method", name}, {"numbers", summary(segments)}});
  }
  return result;
}

}  // namespace study
