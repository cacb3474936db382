// Replays golden traces through the public interface, in double, and compares every number.
//
//     gal_golden FILE...
//
// prints `FILE max_difference=...` for each file and fails where a difference passes 1e-9 (1e-7 for whole toy paths,
// along which rounding grows), or a file cannot be replayed.

#include <gal/gal.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <exception>
#include <fstream>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace {

using nlohmann::json;

/// The largest difference seen; a NaN on one side only is an infinite one.
class comparison {
 public:
  void add(double expected, double actual) {
    const double difference = std::isnan(expected) && std::isnan(actual) ? 0.0 : std::abs(expected - actual);
    largest_ =
        std::isnan(difference) ? std::numeric_limits<double>::infinity() : std::max(largest_, difference);
  }
  void add(const json& rows, gal::matrix_view<const double> columns) {
    gal::detail::require(static_cast<gal::index>(rows.size()) == columns.columns(),
                         gal::error_code::malformed_data, "expected ", columns.columns(), " rows, found ",
                         rows.size());
    for (gal::index j = 0; j < columns.columns(); ++j) {
      const json& row = rows.at(static_cast<std::size_t>(j));
      for (gal::index i = 0; i < columns.rows(); ++i) {
        add(row.at(static_cast<std::size_t>(i)).get<double>(), columns(i, j));
      }
    }
  }
  [[nodiscard]] double largest() const { return largest_; }

 private:
  double largest_ = 0.0;
};

/// Rows of numbers as columns: a row of a golden file is a sample.
gal::matrix<double> matrix_from_rows(const json& rows) {
  const auto columns = static_cast<gal::index>(rows.size());
  const auto height = static_cast<gal::index>(rows.at(0).size());
  gal::matrix<double> result(height, columns);
  for (gal::index j = 0; j < columns; ++j) {
    const json& row = rows.at(static_cast<std::size_t>(j));
    gal::detail::require(static_cast<gal::index>(row.size()) == height, gal::error_code::malformed_data,
                         "row ", j, " has ", row.size(), " numbers; expected ", height);
    for (gal::index i = 0; i < height; ++i) {
      result(i, j) = row.at(static_cast<std::size_t>(i)).get<double>();
    }
  }
  return result;
}

gal::adjuster<double> adjuster_from(const json& layers) {
  std::vector<gal::index> widths{static_cast<gal::index>(layers.at(0).at("weight").at(0).size())};
  const bool bias = !layers.at(0).at("bias").is_null();
  for (const json& layer : layers) {
    widths.push_back(static_cast<gal::index>(layer.at("weight").size()));
    gal::detail::require(bias == !layer.at("bias").is_null(), gal::error_code::malformed_data,
                         "an adjuster with and without biases");
  }
  gal::adjuster<double> h(widths, {.activation = gal::nn::identity, .bias = bias});
  for (std::size_t l = 0; l < layers.size(); ++l) {
    // `weight` has a row per output: a column of the library's weight.
    const gal::matrix<double> weight = matrix_from_rows(layers[l].at("weight"));
    std::copy_n(weight.data(), weight.size(), h.network().weight(l).data());
    if (bias) {
      const auto values = layers[l].at("bias").get<std::vector<double>>();
      std::copy(values.begin(), values.end(), h.network().bias(l).data());
    }
  }
  return h;
}

/// Settings by PyTorch's names.
class settings {
 public:
  settings(const json& config, double learning_rate) : config_(config), learning_rate_(learning_rate) {}

  [[nodiscard]] double learning_rate() const { return config_.value("lr", learning_rate_); }
  [[nodiscard]] double number(const char* name, double otherwise) const {
    return config_.value(name, otherwise);
  }
  [[nodiscard]] double beta(std::size_t which, double otherwise) const {
    if (config_.contains("betas")) {
      return config_.at("betas").at(which).get<double>();
    }
    return number(which == 0 ? "beta1" : "beta2", otherwise);
  }
  [[nodiscard]] bool flag(const char* name) const {
    const auto found = config_.find(name);
    return found != config_.end() && (found->is_boolean() ? found->get<bool>() : found->get<double>() != 0.0);
  }
  /// Throws on a name that no optimizer here reads: a setting left out would be a wrong replay.
  void check_names() const {
    static constexpr std::string_view known[] = {"lr",    "momentum", "nesterov", "weight_decay", "alpha",
                                                 "eps",   "centered", "betas",    "beta1",        "beta2",
                                                 "gamma", "final_lr", "k",        "dampening"};
    for (const auto& entry : config_.items()) {
      gal::detail::require(std::ranges::find(known, entry.key()) != std::end(known),
                           gal::error_code::malformed_data, "unknown setting ", entry.key());
    }
    gal::detail::require(number("dampening", 0.0) == 0.0, gal::error_code::malformed_data,
                         "dampening is not supported");
  }

 private:
  json config_;
  double learning_rate_;
};

/// Calls `use` with the optimizer of that name.
template <class Use>
void with_optimizer(const std::string& name, const json& config, double learning_rate, Use use) {
  const settings s(config, learning_rate);
  s.check_names();
  const double decay = s.number("weight_decay", 0.0);
  if (name == "sgd" || name == "gd") {
    use(gal::sgd<double>({.learning_rate = s.learning_rate(),
                          .momentum = s.number("momentum", 0.0),
                          .nesterov = s.flag("nesterov"),
                          .weight_decay = decay}));
  } else if (name == "lookahead") {
    use(gal::lookahead(
        gal::sgd<double>({.learning_rate = s.learning_rate(),
                          .momentum = s.number("momentum", 0.0),
                          .nesterov = s.flag("nesterov"),
                          .weight_decay = decay}),
        {.k = static_cast<std::int64_t>(s.number("k", 5.0)), .alpha = s.number("alpha", 0.5)}));
  } else if (name == "rmsprop") {
    use(gal::rmsprop<double>({.learning_rate = s.learning_rate(),
                              .smoothing = s.number("alpha", 0.99),
                              .epsilon = s.number("eps", 1e-8),
                              .momentum = s.number("momentum", 0.0),
                              .centred = s.flag("centered"),
                              .weight_decay = decay}));
  } else if (name == "adam") {
    use(gal::adam<double>({.learning_rate = s.learning_rate(),
                           .beta1 = s.beta(0, 0.9),
                           .beta2 = s.beta(1, 0.999),
                           .epsilon = s.number("eps", 1e-8),
                           .weight_decay = decay}));
  } else if (name == "adamw") {
    use(gal::adamw<double>({.learning_rate = s.learning_rate(),
                            .beta1 = s.beta(0, 0.9),
                            .beta2 = s.beta(1, 0.999),
                            .epsilon = s.number("eps", 1e-8),
                            .weight_decay = s.number("weight_decay", 1e-2)}));
  } else if (name == "adabound") {
    use(gal::adabound<double>({.learning_rate = s.learning_rate(),
                               .beta1 = s.beta(0, 0.9),
                               .beta2 = s.beta(1, 0.999),
                               .epsilon = s.number("eps", 1e-8),
                               .final_learning_rate = s.number("final_lr", 0.1),
                               .gamma = s.number("gamma", 1e-3),
                               .weight_decay = decay}));
  } else {
    throw gal::error(gal::error_code::malformed_data, "unknown optimizer " + name);
  }
}

/// z = -sin(x^2) cos(3 y^2) exp(-(xy)^2) - exp(-(x + y)^2), the surface of the paper's 3D problem.
double surface(std::span<const double> point, std::span<double> gradient) {
  const double x = point[0];
  const double y = point[1];
  const double sine = std::sin(x * x);
  const double cosine = std::cos(3 * y * y);
  const double ridge = std::exp(-x * x * y * y);
  const double valley = std::exp(-(x + y) * (x + y));
  const double slope = 2 * (x + y) * valley;
  gradient[0] = -cosine * ridge * (2 * x * std::cos(x * x) - 2 * x * y * y * sine) + slope;
  gradient[1] = sine * ridge * (6 * y * std::sin(3 * y * y) + 2 * x * x * y * cosine) + slope;
  return -sine * cosine * ridge - valley;
}

void replay_toy(const json& file, comparison& differences) {
  const std::string term = file.at("first_term").get<std::string>();
  gal::detail::require(term == "mean" || term == "sum", gal::error_code::malformed_data,
                       "unknown first_term ", term);
  gal::adjust_options options = gal::paper();
  options.epsilon = file.at("epsilon").get<double>();
  options.tau = file.at("tau").get<double>();
  options.normalisation = gal::normalisation::per_batch;
  options.remainder =
      term == "mean" ? gal::remainder_kind::mean_over_coordinates : gal::remainder_kind::exact;
  const auto start = file.at("start").get<std::vector<double>>();
  const gal::matrix_view<const double> column(start.data(), static_cast<gal::index>(start.size()), 1);
  const gal::sample_loss loss(surface);
  const auto learning_rate = file.at("lr").get<double>();

  with_optimizer(
      file.at("optimizer").get<std::string>(), file.at("config"), learning_rate, [&](auto optimizer) {
        auto plain = optimizer;
        gal::nn::point<double> adjusted_point(column);
        gal::adjust trainer(adjusted_point, optimizer, loss, options, adjuster_from(file.at("adjuster")));
        for (const json& row : file.at("adjusted")) {
          const double x = adjusted_point.coordinates()(0, 0);
          const double y = adjusted_point.coordinates()(1, 0);
          const gal::step_report report = trainer.step();
          const double actual[] = {x,
                                   y,
                                   report.loss,
                                   report.tentative_loss,
                                   std::abs(report.remainder),
                                   report.accepted ? 1.0 : 0.0};
          for (std::size_t i = 0; i < std::size(actual); ++i) {
            differences.add(row.at(i).get<double>(), actual[i]);
          }
        }

        gal::nn::point<double> vanilla_point(column);
        gal::adjust_options vanilla = options;
        vanilla.safeguard = gal::safeguard::never;
        vanilla.adjuster.kind = gal::adjuster_kind::zero;
        gal::adjust vanilla_trainer(vanilla_point, plain, loss, vanilla);
        for (const json& row : file.at("vanilla")) {
          const double x = vanilla_point.coordinates()(0, 0);
          const double y = vanilla_point.coordinates()(1, 0);
          const double actual[] = {x, y, vanilla_trainer.step().loss};
          for (std::size_t i = 0; i < std::size(actual); ++i) {
            differences.add(row.at(i).get<double>(), actual[i]);
          }
        }
      });
}

template <class Loss, class Target>
void replay_step_with(const json& file, Loss loss, const Target& target, comparison& differences) {
  const gal::matrix<double> features = matrix_from_rows(file.at("features"));
  int cases = 0;
  for (const auto& entry : file.items()) {
    const std::size_t slash = entry.key().find('/');
    if (slash == std::string::npos) {
      continue;
    }
    const std::string norm = entry.key().substr(0, slash);
    const std::string kind = entry.key().substr(slash + 1);
    gal::detail::require((norm == "sample" || norm == "batch") && (kind == "exact" || kind == "reference"),
                         gal::error_code::malformed_data, "unknown case ", entry.key());
    gal::adjust_options options = gal::paper();
    options.epsilon = file.at("epsilon").get<double>();
    options.tau = file.at("tau").get<double>();
    options.normalisation = norm == "sample" ? gal::normalisation::per_sample : gal::normalisation::per_batch;
    options.remainder = kind == "exact" ? gal::remainder_kind::exact : gal::remainder_kind::mean_over_samples;
    options.report_vanilla = true;

    gal::nn::point<double> model(features.view());
    gal::sgd<double> optimizer({.learning_rate = file.at("lr").get<double>()});
    gal::adjust trainer(model, optimizer, loss, options, adjuster_from(file.at("adjuster")));
    const gal::step_report report = trainer.step(gal::nothing{}, target);

    const json& expected = entry.value();
    differences.add(file.at("loss_value").get<double>(), report.loss);
    differences.add(file.at("gradient"), trainer.last_gradient());
    differences.add(expected.at("adjustment"), trainer.last_adjustment());
    differences.add(expected.at("tentative_loss").get<double>(), report.tentative_loss);
    differences.add(expected.at("vanilla_tentative_loss").get<double>(), report.vanilla_tentative_loss);
    differences.add(expected.at("remainder").get<double>(), report.remainder);
    differences.add(expected.at("accepted").get<bool>() ? 1.0 : 0.0, report.accepted ? 1.0 : 0.0);
    for (std::size_t l = 0; l < expected.at("adjuster_gradients").size(); ++l) {
      const json& layer = expected.at("adjuster_gradients").at(l);
      differences.add(layer.at("weight"), trainer.adjuster().network().weight_gradient(l));
      if (layer.contains("bias") && !layer.at("bias").is_null()) {
        differences.add(json::array({layer.at("bias")}), trainer.adjuster().network().bias_gradient(l));
      }
    }
    ++cases;
  }
  gal::detail::require(cases > 0, gal::error_code::malformed_data, "no case such as sample/exact");
}

void replay_step(const json& file, comparison& differences) {
  const std::string name = file.at("loss").get<std::string>();
  const json& targets = file.at("targets");
  if (name == "softmax_cross_entropy" && !targets.at(0).is_array()) {
    return replay_step_with(file, gal::softmax_cross_entropy(), targets.get<std::vector<int>>(), differences);
  }
  const gal::matrix<double> y = matrix_from_rows(targets);
  if (name == "softmax_cross_entropy") {
    replay_step_with(file, gal::softmax_cross_entropy(), y, differences);
  } else if (name == "mse") {
    replay_step_with(file, gal::mse(), y, differences);
  } else if (name == "mae") {
    replay_step_with(file, gal::mae(), y, differences);
  } else if (name == "huber") {
    replay_step_with(file, gal::huber(file.value("delta", 1.0)), y, differences);
  } else if (name == "binary_cross_entropy") {
    replay_step_with(file, gal::binary_cross_entropy(), y, differences);
  } else {
    throw gal::error(gal::error_code::malformed_data, "unknown loss " + name);
  }
}

void replay_optimizer(const json& file, comparison& differences) {
  with_optimizer(file.at("optimizer").get<std::string>(), file.at("config"), 1e-3, [&](auto optimizer) {
    auto values = file.at("start").get<std::vector<double>>();
    const json& expected = file.at("parameters_after_each_step");
    for (std::size_t step = 0; step < file.at("gradients").size(); ++step) {
      auto gradient = file.at("gradients").at(step).get<std::vector<double>>();
      const gal::parameter<double> block(values, gradient);
      optimizer.step(std::span(&block, 1));
      for (std::size_t i = 0; i < values.size(); ++i) {
        differences.add(expected.at(step).at(i).get<double>(), values[i]);
      }
    }
  });
}

/// Whether the file replays within its tolerance.
bool replay(const std::string& path) {
  std::ifstream stream(path);
  gal::detail::require(stream.good(), gal::error_code::unreadable_file, "cannot be opened");
  const json file = json::parse(stream);
  const std::string kind = file.at("kind").get<std::string>();
  comparison differences;
  if (kind == "toy") {
    replay_toy(file, differences);
  } else if (kind == "step") {
    replay_step(file, differences);
  } else if (kind == "optimizer") {
    replay_optimizer(file, differences);
  } else {
    throw gal::error(gal::error_code::malformed_data, "unknown kind " + kind);
  }
  std::printf("%s max_difference=%.3g\n", path.c_str(), differences.largest());
  return differences.largest() <= (kind == "toy" ? 1e-7 : 1e-9);
}

}  // namespace

int main(int count, char** arguments) {
  if (count < 2) {
    std::fprintf(stderr, "usage: gal_golden FILE...\nreplays golden traces (kinds toy, step, optimizer)\n");
    return 2;
  }
  bool passed = true;
  for (int i = 1; i < count; ++i) {
    try {
      passed = replay(arguments[i]) && passed;
    } catch (const std::exception& failure) {
      std::fprintf(stderr, "%s: %s\n", arguments[i], failure.what());
      passed = false;
    }
  }
  return passed ? 0 : 1;
}
