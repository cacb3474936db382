// Theorem IV.4 of arXiv 2201.09193: f(y) - f(x) - <g(x), y - x> is in size at most (L/2) max |cos| norm(y - x)^2, L the
// Lipschitz constant of the gradient g, cos of the angle between its change along the segment and y - x.
#include "support/walks.hpp"

#include "experiments.hpp"
#include "methods.hpp"

#include "support/console.hpp"

#include <gal/gal.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <utility>

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
  std::vector<double> remainders;
  double held = 0.0;
  for (const segment& s : segments) {
    if (!(s.bound <= rounding)) {  // where it is NaN, it does not hold
      ratios.push_back(s.remainder / s.bound);
      cosines.push_back(s.largest_cosine);
      remainders.push_back(s.remainder);
      held += s.remainder <= (1.0 + tolerance) * s.bound ? 1.0 : 0.0;
    }
  }
  if (ratios.empty()) {
    return nullptr;
  }
  return {
      {"segments", ratios.size()},
      {"held_share", rounded(held / static_cast<double>(ratios.size()))},
      {"largest_ratio", rounded(all_finite(ratios) ? std::ranges::max(ratios) : gal::adjust_report::none)},
      {"median_ratio", rounded(median(ratios))},
      {"median_cosine", rounded(median(cosines))},
      {"median_remainder", rounded(median(remainders))}};
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
  gal::batches batches(features, targets, 32, 1);
  std::vector<segment> result;
  support::with_trainer(model, optimizer, loss, options, [&](auto& trainer) {
    for (int epoch = 0; epoch < epochs; ++epoch) {
      for (const auto& batch : batches) {
        const auto& x = batch.features;
        const auto& y = batch.targets;
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

}  // namespace

json bound_of_walks() {
  json result{{"seeds", 1}};
  for (const support::optimizer_entry& optimizer : support::optimizers) {
    const support::walk_settings settings = support::settings_for("paper", optimizer.name);
    auto methods = methods_of(support::walk_options("recommended", optimizer, settings),
                              support::walk_options("paper", optimizer, settings));
    methods.resize(3);
    for (const method& m : methods) {
      const support::walk_result walk =
          support::walk_down(support::surfaces.front(), support::make_optimizer(settings),
                             support::with_seed(m.adjusted(), 1), settings.steps);
      result["paths"].push_back(
          {{"path", optimizer.title}, {"method", m.title}, {"numbers", summary(along(walk))}});
    }
  }
  return result;
}

json bound(const network_task& task, const scope& s) {
  json result{{"seeds", 1}};
  const prepared data = task.divide(1, false);
  auto methods = methods_of(gal::recommended(), task.paper);
  methods.resize(3);
  const int epochs = s.epochs > 0 ? s.epochs : std::min(task.epochs, 20);
  support::progress_bar progress(task.name + " bound", methods.size());
  for (const method& m : methods) {
    std::vector<segment> segments;
    if (const auto* regression = std::get_if<support::parts<float>>(&data)) {
      segments = along_training(task, m.adjusted(), epochs,
                                gal::adam<double>({.learning_rate = task.learning_rate}), gal::mse(),
                                to_double(regression->train.features), to_double(regression->train.targets));
    } else {
      const auto& digits = std::get<support::parts<int>>(data);
      segments = along_training(task, m.adjusted(), epochs,
                                gal::sgd<double>({.learning_rate = task.learning_rate, .momentum = 0.9}),
                                gal::softmax_cross_entropy(), to_double(digits.train.features),
                                digits.train.targets);
    }
    result["paths"].push_back({{"path", task.title}, {"method", m.title}, {"numbers", summary(segments)}});
    progress.advance();
  }
  return result;
}

}  // namespace study
