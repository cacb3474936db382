// Replays golden traces through the public interface, in double, and compares every number.
//
//     gal_golden FILE...
//
// prints `FILE max_difference=...` for each file and fails where a difference passes 1e-9 (1e-7 for whole toy paths,
// along which rounding grows), or a file is not wholly understood: what a replay leaves out, it does not check. The same
// file is compiled for the device backend: device/gal_golden_device.cpp.

#if defined(GAL_GOLDEN_ON_DEVICE)
#include <gal/backends/thrust.hpp>
#include <gal/core/enumeration.hpp>
#include <gal/data/choice_sampler.hpp>
#include <gal/loss.hpp>
#include <gal/nn/cnn.hpp>
#include <gal/nn/mlp.hpp>
#include <gal/nn/point.hpp>
#include <gal/optim/lookahead.hpp>
#include <gal/taylor/directional_expansion.hpp>
#include <gal/train/adjust.hpp>
#include <gal/train/alignment_reward.hpp>
#include <gal/train/instance_rates.hpp>
#include <gal/train/plain.hpp>
#include <gal/train/rescaled.hpp>
#else
#include <gal/gal.hpp>
#endif

#include "backends/device/memory.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <fstream>
#include <iterator>
#include <limits>
#include <span>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace {

using nlohmann::json;
using names = std::vector<std::string_view>;

#if defined(GAL_GOLDEN_ON_DEVICE)
using backend_type = gal::thrust_backend;
#else
using backend_type = gal::eigen_backend;
#endif
using host_matrix = paths::host_matrix<double>;
using device_matrix = gal::matrix<double, backend_type>;

/// The numbers that a view in the backend's memory shows.
template <class View>
std::vector<double> host(View view) {
  std::vector<double> result;
  paths::append(backend_type(), static_cast<const double*>(view.data()), view.size(), result);
  return result;
}

void put(const std::vector<double>& from, double* to) {
  const device_matrix on_device =
      paths::put(backend_type(), host_matrix{1, static_cast<gal::index_type>(from.size()), from});
  backend_type().copy(on_device.data(), to, on_device.size());
}

template <class... Parts>
std::string text(const Parts&... parts) {
  std::ostringstream stream;
  (stream << ... << parts);
  return stream.str();
}

template <class... Parts>
void require(bool condition, const Parts&... parts) {
  if (!condition) {
    throw std::runtime_error(text(parts...));
  }
}

/// Python writes NaN and Infinity, for which JSON has no words. They become strings, which `number` reads.
std::string quote_non_finite(std::string_view source) {
  static constexpr std::string_view words[] = {"NaN", "Infinity", "-Infinity"};
  std::string result;
  bool in_string = false;
  while (!source.empty()) {
    std::size_t length = in_string && source.front() == '\\' ? 2 : 1;
    const auto word = std::ranges::find_if(words, [&](auto w) { return source.starts_with(w); });
    if (!in_string && word != std::end(words)) {
      result.append("\"").append(*word).append("\"");
      length = word->size();
    } else {
      in_string ^= source.front() == '"';
      result += source.substr(0, length);
    }
    source.remove_prefix(std::min(length, source.size()));
  }
  return result;
}

double number(const json& value, std::string_view what) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  if (value.is_null() || value == "NaN") {
    return std::numeric_limits<double>::quiet_NaN();
  }
  if (value == "Infinity" || value == "-Infinity") {
    return value == "Infinity" ? infinity : -infinity;
  }
  require(value.is_number(), what, " is ", value.dump(), "; expected a number");
  return value.get<double>();
}

/// A truth value, as JSON's or as 0 or 1.
bool truth(const json& value, std::string_view what) {
  require(value.is_boolean() || value == 0 || value == 1, what, " is ", value.dump(),
          "; expected true or false");
  return value == true || value == 1;
}

const json& list(const json& value, std::string_view what) {
  require(value.is_array() && !value.empty(), what, " is not a list with entries");
  return value;
}

const json& list(const json& value, std::size_t size, std::string_view what) {
  require(list(value, what).size() == size, what, " has ", value.size(), " entries; expected ", size);
  return value;
}

std::vector<double> numbers(const json& value, std::size_t size, std::string_view what) {
  std::vector<double> result;
  for (const json& entry : list(value, size, what)) {
    result.push_back(number(entry, what));
  }
  return result;
}

/// `rows` rows of `width` numbers as columns: a row of a golden file is a sample.
host_matrix matrix_from_rows(const json& value, std::size_t rows, std::size_t width,
                             const std::string& what) {
  host_matrix result{static_cast<gal::index_type>(width), static_cast<gal::index_type>(rows), {}};
  list(value, rows, what);
  for (std::size_t j = 0; j < rows; ++j) {
    const auto row = numbers(value[j], width, text(what, " row ", j));
    result.values.insert(result.values.end(), row.begin(), row.end());
  }
  return result;
}

const json& at(const json& object, const char* key, std::string_view what) {
  require(object.contains(key), what, " has no ", key);
  return object.at(key);
}

/// Refuses keys that nothing here reads: a setting left out silently would be a wrong replay.
void check_keys(const json& object, const names& known, std::string_view what) {
  require(object.is_object(), what, " is not an object");
  for (const auto& entry : object.items()) {
    require(std::ranges::find(known, entry.key()) != known.end(), what, ": unknown key ", entry.key());
  }
}

/// Where a file states how its rows are to be read, it has to be the way they are read here.
void check_statement(const json& file, const char* key, const json& expected) {
  const json stated = file.value(key, expected);
  require(stated == expected, key, " is ", stated.dump(), "; expected ", expected.dump());
}

/// The largest difference seen, and where. A NaN on one side only is an infinite one.
class comparison {
 public:
  void add(double expected, double actual, const std::string& what) {
    ++count_;
    const bool same = expected == actual || (std::isnan(expected) && std::isnan(actual));
    double difference = same ? 0.0 : std::abs(expected - actual);
    if (std::isnan(difference)) {
      difference = std::numeric_limits<double>::infinity();
    }
    if (difference > largest_) {
      largest_ = difference;
      where_ = what;
    }
  }
  void add_row(const json& row, std::span<const double> actual, const std::string& what) {
    const auto expected = numbers(row, actual.size(), what);
    for (std::size_t i = 0; i < actual.size(); ++i) {
      add(expected[i], actual[i], what);
    }
  }
  template <class View>
  void add_rows(const json& rows, View columns, const std::string& what) {
    const std::vector<double> values = host(columns);
    const auto height = static_cast<std::size_t>(columns.rows());
    list(rows, static_cast<std::size_t>(columns.columns()), what);
    for (std::size_t j = 0; j < rows.size(); ++j) {
      add_row(rows[j], std::span(values).subspan(j * height, height), text(what, " row ", j));
    }
  }
  [[nodiscard]] int count() const { return count_; }
  [[nodiscard]] double largest() const { return largest_; }
  [[nodiscard]] const std::string& where() const { return where_; }

 private:
  int count_ = 0;
  double largest_ = 0.0;
  std::string where_;
};

/// The adjuster of these layers, for `rows` feature rows.
gal::adjuster<double, backend_type> adjuster_from(const json& layers, std::size_t rows) {
  std::vector<gal::index_type> widths{static_cast<gal::index_type>(rows)};
  std::vector<host_matrix> weights;
  std::vector<std::vector<double>> biases;
  const bool bias = !at(list(layers, "adjuster")[0], "bias", "adjuster layer 0").is_null();
  for (std::size_t l = 0; l < layers.size(); ++l) {
    const std::string name = text("adjuster layer ", l);
    check_keys(layers[l], {"weight", "bias"}, name);
    const json& weight = list(at(layers[l], "weight", name), name + " weight");
    const json& offset = at(layers[l], "bias", name);
    const std::size_t out = l + 1 == layers.size() ? rows : weight.size();
    weights.push_back(
        matrix_from_rows(weight, out, static_cast<std::size_t>(widths.back()), name + " weight"));
    require(bias == !offset.is_null(), name, " bias: expected all layers with biases, or none");
    biases.push_back(bias ? numbers(offset, out, name + " bias") : std::vector<double>());
    widths.push_back(static_cast<gal::index_type>(out));
  }
  gal::adjuster<double, backend_type> h(widths, {.activation = gal::nn::identity, .bias = bias});
  for (std::size_t l = 0; l < layers.size(); ++l) {
    // `weight` has a row per output: a column of the library's weight.
    put(weights[l].values, h.network().weight(l).data());
    if (bias) {
      put(biases[l], h.network().bias(l).data());
    }
  }
  return h;
}

/// Settings by PyTorch's names.
class settings {
 public:
  /// Throws on names that are not in `known`.
  settings(const json& config, names known, const std::string& optimizer) : config_(config) {
    known.insert(known.end(), {"lr", "weight_decay"});
    check_keys(config_, known, "config of " + optimizer);
  }

  [[nodiscard]] double number(const char* name, double otherwise) const {
    return config_.contains(name) ? ::number(config_.at(name), name) : otherwise;
  }
  [[nodiscard]] double beta(std::size_t which, double otherwise) const {
    if (!config_.contains("betas")) {
      return number(which == 0 ? "beta1" : "beta2", otherwise);
    }
    require(!config_.contains("beta1") && !config_.contains("beta2"), "config has betas twice");
    return numbers(config_.at("betas"), 2, "betas")[which];
  }
  [[nodiscard]] bool flag(const char* name) const {
    return config_.contains(name) && truth(config_.at(name), name);
  }

 private:
  const json& config_;
};

/// Calls `use` with the optimizer of that name.
template <class Use>
void with_optimizer(const std::string& name, const json& config, double learning_rate, Use use) {
  const auto sgd_of = [&](const settings& s) {
    require(s.number("dampening", 0.0) == 0.0, "dampening is not supported");
    return gal::sgd<double, backend_type>({.learning_rate = learning_rate,
                                           .momentum = s.number("momentum", 0.0),
                                           .nesterov = s.flag("nesterov"),
                                           .weight_decay = s.number("weight_decay", 0.0)});
  };
  if (name == "sgd" || name == "gd") {
    use(sgd_of(settings(config, {"momentum", "nesterov", "dampening"}, name)));
  } else if (name == "lookahead") {
    const settings s(config, {"momentum", "nesterov", "dampening", "k", "alpha"}, name);
    const double k = s.number("k", 5.0);
    require(k >= 1.0 && k <= 1e9 && k == std::floor(k), "k is ", k, "; expected a whole number");
    use(gal::lookahead(sgd_of(s), {.k = static_cast<std::int64_t>(k), .alpha = s.number("alpha", 0.5)}));
  } else if (name == "rmsprop") {
    const settings s(config, {"alpha", "eps", "momentum", "centered"}, name);
    use(gal::rmsprop<double, backend_type>({.learning_rate = learning_rate,
                                            .smoothing = s.number("alpha", 0.99),
                                            .epsilon = s.number("eps", 1e-8),
                                            .momentum = s.number("momentum", 0.0),
                                            .centred = s.flag("centered"),
                                            .weight_decay = s.number("weight_decay", 0.0)}));
  } else if (name == "adam") {
    const settings s(config, {"betas", "beta1", "beta2", "eps"}, name);
    use(gal::adam<double, backend_type>({.learning_rate = learning_rate,
                                         .beta1 = s.beta(0, 0.9),
                                         .beta2 = s.beta(1, 0.999),
                                         .epsilon = s.number("eps", 1e-8),
                                         .weight_decay = s.number("weight_decay", 0.0)}));
  } else if (name == "adamw") {
    const settings s(config, {"betas", "beta1", "beta2", "eps"}, name);
    use(gal::adamw<double, backend_type>({.learning_rate = learning_rate,
                                          .beta1 = s.beta(0, 0.9),
                                          .beta2 = s.beta(1, 0.999),
                                          .epsilon = s.number("eps", 1e-8),
                                          .weight_decay = s.number("weight_decay", 1e-2)}));
  } else if (name == "adabound") {
    const settings s(config, {"betas", "beta1", "beta2", "eps", "final_lr", "gamma"}, name);
    use(gal::adabound<double, backend_type>({.learning_rate = learning_rate,
                                             .beta1 = s.beta(0, 0.9),
                                             .beta2 = s.beta(1, 0.999),
                                             .epsilon = s.number("eps", 1e-8),
                                             .final_learning_rate = s.number("final_lr", 0.1),
                                             .gamma = s.number("gamma", 1e-3),
                                             .weight_decay = s.number("weight_decay", 0.0)}));
  } else {
    require(false, "unknown optimizer ", name);
  }
}

/// The paper's settings with the file's epsilon and tau.
gal::adjust_options options_of(const json& file) {
  gal::adjust_options options = gal::paper();
  options.epsilon = number(file.at("epsilon"), "epsilon");
  options.tau = number(file.at("tau"), "tau");
  options.non_finite = gal::non_finite_policy::ignore;  // PyTorch steps on, whatever the numbers
  return options;
}

/// z = -sin(x^2) cos(3 y^2) exp(-(xy)^2) - exp(-(x + y)^2), the surface of the paper's 3D problem, as a loss of points.
struct surface {
  template <class Backend, class View, class Values, class Gradient>
  void evaluate(const Backend& backend, View points, const gal::nothing&, Values values,
                Gradient gradient) const {
    backend.for_each(points.columns(), [=] GAL_KERNEL(gal::index_type j) {
      const double x = points(0, j);
      const double y = points(1, j);
      const double sine = std::sin(x * x);
      const double cosine = std::cos(3 * y * y);
      const double ridge = std::exp(-x * x * y * y);
      const double valley = std::exp(-(x + y) * (x + y));
      const double slope = 2 * (x + y) * valley;
      values.data()[j] = -sine * cosine * ridge - valley;
      if (gradient.size() > 0) {
        const double samples = static_cast<double>(points.columns());
        gradient(0, j) =
            (-cosine * ridge * (2 * x * std::cos(x * x) - 2 * x * y * y * sine) + slope) / samples;
        gradient(1, j) =
            (sine * ridge * (6 * y * std::sin(3 * y * y) + 2 * x * x * y * cosine) + slope) / samples;
      }
    });
  }
};

void replay_toy(const json& file, comparison& differences) {
  check_keys(file,
             {"kind", "optimizer", "config", "seed", "lr", "tau", "epsilon", "start", "first_term",
              "adjuster", "columns", "adjusted", "vanilla_columns", "vanilla"},
             "toy");
  check_statement(file, "columns", {"x", "y", "z", "tentative", "abs_remainder", "accepted"});
  check_statement(file, "vanilla_columns", {"x", "y", "z"});
  const std::string term = file.at("first_term").get<std::string>();
  require(term == "mean" || term == "sum", "unknown first_term ", term);
  gal::adjust_options options = options_of(file);
  options.normalisation = gal::normalisation::per_batch;
  options.remainder =
      term == "mean" ? gal::remainder_kind::mean_over_coordinates : gal::remainder_kind::exact;
  const auto start = numbers(file.at("start"), 2, "start");
  const device_matrix column = paths::put(backend_type(), host_matrix{2, 1, start});
  const surface loss;
  const double learning_rate = number(file.at("lr"), "lr");
  const json& config = file.at("config");
  require(config.value("lr", file.at("lr")) == file.at("lr"), "config and file differ in lr");

  const auto replay = [&](auto optimizer) {
    auto vanilla_optimizer = optimizer;
    gal::nn::point<double, backend_type> adjusted_point(column.view());
    gal::adjust trainer(adjusted_point, optimizer, loss, options, adjuster_from(file.at("adjuster"), 2));
    const json& adjusted = list(file.at("adjusted"), "adjusted");
    for (std::size_t step = 0; step < adjusted.size(); ++step) {
      const std::string what = text("adjusted row ", step);
      const std::vector<double> at = host(adjusted_point.coordinates());
      const gal::adjust_report report = trainer.step();
      const std::array actual = {at[0],
                                 at[1],
                                 report.loss,
                                 report.tentative_loss,
                                 std::abs(report.remainder),
                                 report.accepted ? 1.0 : 0.0};
      differences.add_row(adjusted[step], actual, what);
    }

    gal::nn::point<double, backend_type> vanilla_point(column.view());
    gal::plain vanilla_trainer(vanilla_point, vanilla_optimizer, loss,
                               {.non_finite = gal::non_finite_policy::ignore});
    const json& vanilla = list(file.at("vanilla"), "vanilla");
    for (std::size_t step = 0; step < vanilla.size(); ++step) {
      const std::string what = text("vanilla row ", step);
      const std::vector<double> at = host(vanilla_point.coordinates());
      const gal::step_report report = vanilla_trainer.step();
      const std::array actual = {at[0], at[1], report.loss};
      differences.add_row(vanilla[step], actual, what);
    }
  };
  with_optimizer(file.at("optimizer").get<std::string>(), config, learning_rate, replay);
}

void compare_adjuster_gradients(const json& layers, gal::nn::mlp<double, backend_type>& network,
                                const std::string& what, comparison& differences) {
  list(layers, network.layer_count(), what);
  for (std::size_t l = 0; l < layers.size(); ++l) {
    const std::string name = text(what, " layer ", l);
    check_keys(layers[l], {"weight", "bias"}, name);
    const json& bias = at(layers[l], "bias", name);
    differences.add_rows(at(layers[l], "weight", name), network.weight_gradient(l), name + " weight");
    if (network.options().bias) {
      differences.add_rows(json::array({bias}), network.bias_gradient(l), name + " bias");
    } else {
      require(bias.is_null(), name, " bias is given; the adjuster has none");
    }
  }
}

/// Class numbers, or a row of `width` numbers for each sample.
template <class T>
gal::matrix<T, backend_type> targets_from(const json& targets, std::size_t samples, std::size_t width) {
  if constexpr (std::is_same_v<T, int>) {
    paths::host_matrix<int> labels{1, static_cast<gal::index_type>(samples), {}};
    for (const json& label : list(targets, samples, "targets")) {
      require(label.is_number_integer(), "targets hold ", label.dump(), "; expected class numbers");
      labels.values.push_back(label.get<int>());
    }
    return paths::put(backend_type(), labels);
  } else {
    return paths::put(backend_type(), matrix_from_rows(targets, samples, width, "targets"));
  }
}

/// Calls `use` with the loss of that name and the targets as it takes them, for features of `width` rows.
template <class Use>
void with_loss(const std::string& name, const json& targets, std::size_t samples, std::size_t width, Use use,
               double delta = 1.0) {
  if (name == "softmax_cross_entropy" && !list(targets, samples, "targets")[0].is_array()) {
    return use(gal::softmax_cross_entropy(), targets_from<int>(targets, samples, width));
  }
  const auto y = targets_from<double>(targets, samples, width);
  if (name == "softmax_cross_entropy") {
    use(gal::softmax_cross_entropy(), y);
  } else if (name == "mse") {
    use(gal::mse(), y);
  } else if (name == "mae") {
    use(gal::mae(), y);
  } else if (name == "huber") {
    use(gal::huber(delta), y);
  } else if (name == "binary_cross_entropy") {
    use(gal::binary_cross_entropy(), y);
  } else {
    require(false, "unknown loss ", name);
  }
}

template <class Loss, class Target>
void replay_step_with(const json& file, const device_matrix& features, Loss loss, const Target& target,
                      comparison& differences) {
  names known = {"kind",   "loss",     "lr",      "tau",      "epsilon",    "seed",
                 "layout", "features", "targets", "adjuster", "loss_value", "gradient"};
  if (file.at("loss") == "huber") {
    known.push_back("delta");
  }
  const names cases = {"sample/exact", "sample/reference", "batch/exact", "batch/reference"};
  known.insert(known.end(), cases.begin(), cases.end());
  check_keys(file, known, "step");
  check_statement(file, "layout", "row i is sample i");

  for (const std::string_view view : cases) {
    const std::string name(view);
    if (!file.contains(name)) {
      continue;
    }
    const json& expected = file.at(name);
    check_keys(expected,
               {"adjustment", "tentative_loss", "vanilla_tentative_loss", "remainder", "accepted",
                "adjuster_gradients"},
               name);
    gal::adjust_options options = options_of(file);
    options.normalisation =
        name.starts_with("sample") ? gal::normalisation::per_sample : gal::normalisation::per_batch;
    options.remainder =
        name.ends_with("exact") ? gal::remainder_kind::exact : gal::remainder_kind::mean_over_samples;
    options.report_vanilla = true;

    gal::nn::point<double, backend_type> model(features.view());
    gal::sgd<double, backend_type> optimizer({.learning_rate = number(file.at("lr"), "lr")});
    gal::adjust trainer(model, optimizer, loss, options,
                        adjuster_from(file.at("adjuster"), static_cast<std::size_t>(features.rows())));
    const gal::adjust_report report = trainer.step(gal::nothing{}, target);

    const auto add = [&](const json& from, const char* key, double actual) {
      differences.add(number(at(from, key, name), key), actual, text(name, " ", key));
    };
    add(file, "loss_value", report.loss);
    add(expected, "tentative_loss", report.tentative_loss);
    add(expected, "vanilla_tentative_loss", report.vanilla_tentative_loss);
    add(expected, "remainder", report.remainder);
    differences.add(truth(at(expected, "accepted", name), "accepted") ? 1.0 : 0.0,
                    report.accepted ? 1.0 : 0.0, name + " accepted");
    differences.add_rows(file.at("gradient"), trainer.last_gradient(), "gradient");
    differences.add_rows(at(expected, "adjustment", name), trainer.last_adjustment(), name + " adjustment");
    compare_adjuster_gradients(at(expected, "adjuster_gradients", name), trainer.adjuster().network(),
                               name + " adjuster_gradients", differences);
  }
}

void replay_step(const json& file, comparison& differences) {
  const json& rows = list(file.at("features"), "features");
  const std::size_t samples = rows.size();
  const std::size_t width = list(rows[0], "features row 0").size();
  const auto features = paths::put(backend_type(), matrix_from_rows(rows, samples, width, "features"));
  with_loss(
      file.at("loss").get<std::string>(), file.at("targets"), samples, width,
      [&](auto loss, const auto& target) { replay_step_with(file, features, loss, target, differences); },
      number(file.value("delta", json(1.0)), "delta"));
}

void replay_optimizer(const json& file, comparison& differences) {
  check_keys(file,
             {"kind", "optimizer", "config", "seed", "start", "gradients", "parameters_after_each_step"},
             "optimizer");
  const std::size_t size = list(file.at("start"), "start").size();
  const json& gradients = list(file.at("gradients"), "gradients");
  const json& expected =
      list(file.at("parameters_after_each_step"), gradients.size(), "parameters_after_each_step");
  const json& config = file.at("config");
  const auto replay = [&](auto optimizer) {
    const auto width = static_cast<gal::index_type>(size);
    device_matrix values(1, width);
    device_matrix gradient(1, width);
    put(numbers(file.at("start"), size, "start"), values.data());
    for (std::size_t step = 0; step < gradients.size(); ++step) {
      put(numbers(gradients[step], size, text("gradients row ", step)), gradient.data());
      const gal::parameter<double, backend_type::memory_type> block(std::span(values.data(), size),
                                                                    std::span(gradient.data(), size));
      optimizer.step(std::span(&block, 1));
      differences.add_row(expected[step], host(values.view()), text("parameters_after_each_step row ", step));
    }
  };
  with_optimizer(file.at("optimizer").get<std::string>(), config, number(at(config, "lr", "config"), "lr"),
                 replay);
}

/// The numbers of an array of these sizes, in C order.
void append_numbers(const json& from, std::span<const gal::index_type> sizes, const std::string& what,
                    std::vector<double>& to) {
  list(from, static_cast<std::size_t>(sizes.front()), what);
  for (const json& part : from) {
    if (sizes.size() == 1) {
      to.push_back(number(part, what));
    } else {
      append_numbers(part, sizes.subspan(1), what, to);
    }
  }
}

/// The parameters of a network by PyTorch's names, which it gives to a visitor of its state.
class named_parameters {
 public:
  template <class Model>
  explicit named_parameters(Model& model) {
    for (const auto& block : model.parameters()) {
      blocks_.push_back({block, "", {}});
    }
    model.visit_state(*this);
  }

  template <class... Arguments>
  void setting(const Arguments&...) {}
  template <class Part>
  void operator()(const char*, const Part&) {}  // the mode and the noise of a network
  template <class Place, class Backend>
  void tensor(const Place& name, const Backend&, const double* data, std::vector<gal::index_type> sizes) {
    for (named& block : blocks_) {
      if (block.numbers.value.data() == data) {
        block.name = name;
        block.sizes = std::move(sizes);
        return;
      }
    }
  }

  /// Puts numbers of a file into the values, or in their order into `to`.
  void put_values(const json& from) const {
    for (const named& block : checked(from, "parameters")) {
      put(flat(block, from, "parameters"), block.numbers.value.data());
    }
  }
  void put_direction(const json& from, double* to) const {
    for (const named& block : checked(from, "direction")) {
      put(flat(block, from, "direction"), to);
      to += block.numbers.value.size();
    }
  }
  void compare(const json& expected, bool gradients, const std::string& what, comparison& differences) const {
    for (const named& block : checked(expected, what)) {
      const auto numbers = gradients ? block.numbers.gradient : block.numbers.value;
      const auto size = static_cast<gal::index_type>(numbers.size());
      const std::vector<double> actual =
          host(gal::matrix_view<const double, backend_type::memory_type>(numbers.data(), 1, size));
      const std::vector<double> wanted = flat(block, expected, what);
      for (std::size_t i = 0; i < wanted.size(); ++i) {
        differences.add(wanted[i], actual[i], text(what, " ", block.name, " number ", i));
      }
    }
  }

 private:
  struct named {
    gal::parameter<double, backend_type::memory_type> numbers;
    std::string name;
    std::vector<gal::index_type> sizes;
  };

  const std::vector<named>& checked(const json& from, const std::string& what) const {
    names known;
    for (const named& block : blocks_) {
      known.push_back(block.name);
      require(from.contains(block.name), what, " has no ", block.name);
    }
    check_keys(from, known, what);
    return blocks_;
  }

  static std::vector<double> flat(const named& block, const json& from, const std::string& what) {
    std::vector<double> result;
    append_numbers(from.at(block.name), block.sizes, text(what, " ", block.name), result);
    return result;
  }

  std::vector<named> blocks_;
};

gal::nn::activation activation_of(const json& file) {
  const auto name = at(file, "activation", "file").get<std::string>();
  const auto found = gal::find_enumerator<gal::nn::activation>(name);
  require(found.has_value(), "unknown activation ", name);
  return *found;
}

std::vector<gal::index_type> widths_of(const json& file) {
  std::vector<gal::index_type> result;
  for (const json& width : list(file.at("widths"), "widths")) {
    require(width.is_number_integer(), "widths hold ", width.dump(), "; expected whole numbers");
    result.push_back(width.get<gal::index_type>());
  }
  return result;
}

/// A file of this kind gives the loss's value, not its name: of the library's losses the one that gives the value, to nine
/// digits, from the file's own features.
std::string loss_of(const json& file, std::size_t samples, std::size_t width) {
  const json& target = at(file, "target", "taylor");
  const auto features = paths::put(
      backend_type(), matrix_from_rows(at(file, "features", "taylor"), samples, width, "features"));
  const double expected = number(at(file, "loss", "taylor"), "loss");
  for (const char* const name : {"mse", "binary_cross_entropy", "softmax_cross_entropy", "huber", "mae"}) {
    try {
      double value = 0.0;
      with_loss(name, target, samples, width, [&](auto loss, const auto& y) {
        value = gal::evaluate_loss(loss, features, y, backend_type()).mean;
      });
      if (std::abs(value - expected) <= 1e-9 * std::max(1.0, std::abs(expected))) {
        return name;
      }
    } catch (const std::exception&) {  // targets that it does not take
    }
  }
  throw std::runtime_error(
      text("loss is ", expected, ", which none of the losses gives for these features and targets"));
}

template <class Model, class Loss, class Target>
void replay_taylor_with(const json& file, Model& model, const device_matrix& input, Loss loss,
                        const Target& target, comparison& differences) {
  const named_parameters parameters(model);
  parameters.put_values(at(file, "parameters", "taylor"));
  gal::parameter_vector<double, backend_type> direction;
  direction.resize(model.parameters());
  parameters.put_direction(at(file, "direction", "taylor"), direction.data());

  gal::directional_expansion along(model);
  const auto add = [&](const char* key, double actual, const std::string& way) {
    differences.add(number(at(file, key, "taylor"), key), actual, text(key, " ", way));
  };
  const auto check = [&](gal::expansion_order order) {
    const std::string way = gal::to_string(order);
    for (const auto& block : model.parameters()) {
      backend_type().fill(block.gradient.data(), static_cast<gal::index_type>(block.gradient.size()), 0.0);
    }
    along.expand(loss, input, target, direction.blocks(), order);
    const gal::directional_derivatives derivatives = along.derivatives();
    add("first", derivatives.first, way);
    add("second", derivatives.second, way);
    differences.add_rows(at(file, "features_first", "taylor"), along.features_first(),
                         "features_first " + way);
    differences.add_row(at(file, "sample_losses", "taylor"), host(along.sample_losses()), "sample_losses");
    differences.add_row(at(file, "sample_first", "taylor"), host(along.sample_first()),
                        "sample_first " + way);
  };
  check(gal::expansion_order::second);
  differences.add_rows(at(file, "features_second", "taylor"), along.features_second(), "features_second");
  differences.add_row(at(file, "sample_second", "taylor"), host(along.sample_second()), "sample_second");
  check(gal::expansion_order::adjoint_second);
  parameters.compare(at(file, "gradient", "taylor"), true, "gradient", differences);
  add("loss", gal::evaluate_loss(loss, model.forward(input), target, backend_type()).mean, "");
  differences.add_rows(at(file, "features", "taylor"), gal::view(model.forward(input)), "features");
}

/// A whole number of a layer.
gal::index_type whole(const json& layer, const char* key, const std::string& what) {
  const json& value = at(layer, key, what);
  require(value.is_number_integer(), what, " ", key, " is ", value.dump(), "; expected a whole number");
  return value.get<gal::index_type>();
}

/// A layer of a network, by PyTorch's settings.
gal::nn::layer layer_from(const json& layer, const std::string& what) {
  const auto type = at(layer, "type", what).get<std::string>();
  const auto only = [&](names keys) {
    keys.push_back("type");
    check_keys(layer, keys, what);
  };
  const auto or_one = [&](const char* key, gal::index_type otherwise) {
    return layer.contains(key) ? whole(layer, key, what) : otherwise;
  };
  if (type == "convolution") {
    only({"channels", "kernel", "stride", "padding", "dilation", "groups", "bias"});
    return gal::nn::convolution{.channels = whole(layer, "channels", what),
                                .kernel = whole(layer, "kernel", what),
                                .stride = or_one("stride", 1),
                                .padding = or_one("padding", 0),
                                .dilation = or_one("dilation", 1),
                                .groups = or_one("groups", 1),
                                .bias = truth(layer.value("bias", json(true)), "bias")};
  }
  if (type == "batch_normalization") {
    only({"mode", "epsilon", "momentum"});
    require(at(layer, "mode", what) == "training", what, " mode is ", layer.at("mode").dump(),
            "; expected \"training\"");
    return gal::nn::batch_normalization{.momentum = number(layer.value("momentum", json(0.1)), "momentum"),
                                        .epsilon = number(layer.value("epsilon", json(1e-5)), "epsilon")};
  }
  if (type == "max_pool" || type == "average_pool") {
    only({"size", "stride", "padding"});
    const gal::index_type size = whole(layer, "size", what);
    const gal::index_type stride = or_one("stride", size);
    const gal::index_type padding = or_one("padding", 0);
    if (type == "max_pool") {
      return gal::nn::max_pool{size, stride, padding};
    }
    return gal::nn::average_pool{size, stride, padding};
  }
  if (type == "linear") {
    only({"features", "bias"});
    return gal::nn::linear{.outputs = whole(layer, "features", what),
                           .bias = truth(layer.value("bias", json(true)), "bias")};
  }
  only({});
  if (type == "flatten") {
    return gal::nn::flatten{};
  }
  if (type == "global_average_pool") {
    return gal::nn::global_average_pool{};
  }
  const auto activation = gal::find_enumerator<gal::nn::activation>(type);
  require(activation.has_value(), what, ": unknown type ", type);
  return *activation;
}

/// Samples, each an array of these sizes, as columns.
host_matrix samples_from(const json& samples, const std::vector<gal::index_type>& sizes,
                         const std::string& what) {
  host_matrix result{1, static_cast<gal::index_type>(list(samples, what).size()), {}};
  for (const gal::index_type size : sizes) {
    result.rows *= size;
  }
  for (const json& sample : samples) {
    append_numbers(sample, sizes, what, result.values);
  }
  return result;
}

template <class Model>
void replay_network(const json& file, Model& model, const host_matrix& samples, gal::index_type outputs,
                    comparison& differences) {
  const auto input = paths::put(backend_type(), samples);
  const auto count = static_cast<std::size_t>(samples.columns);
  const auto width = static_cast<std::size_t>(outputs);
  with_loss(loss_of(file, count, width), file.at("target"), count, width, [&](auto loss, const auto& target) {
    replay_taylor_with(file, model, input, loss, target, differences);
  });
}

void replay_taylor(const json& file, comparison& differences) {
  names known = {
      "kind",         "network",       "loss",     "input",          "target",          "parameters",
      "direction",    "gradient",      "features", "features_first", "features_second", "sample_losses",
      "sample_first", "sample_second", "first",    "second"};
  const auto network = at(file, "network", "taylor").get<std::string>();
  const json& input = at(file, "input", "taylor");
  if (network == "mlp") {
    known.insert(known.end(), {"widths", "activation", "bias"});
    check_keys(file, known, "taylor");
    gal::nn::mlp<double, backend_type> model(
        widths_of(file),
        {.activation = activation_of(file), .bias = truth(at(file, "bias", "taylor"), "bias")});
    replay_network(file, model, samples_from(input, {model.widths().front()}, "input"), model.widths().back(),
                   differences);
  } else if (network == "cnn") {
    known.insert(known.end(), {"image", "layers"});
    check_keys(file, known, "taylor");
    const auto sizes = numbers(at(file, "image", "taylor"), 3, "image");
    std::vector<gal::index_type> image;
    for (const double size : sizes) {
      image.push_back(static_cast<gal::index_type>(size));
    }
    std::vector<gal::nn::layer> layers;
    for (const json& layer : list(at(file, "layers", "taylor"), "layers")) {
      layers.push_back(layer_from(layer, text("layer ", layers.size())));
    }
    gal::nn::cnn<double, backend_type> model({image[0], image[1], image[2]}, layers);
    replay_network(file, model, samples_from(input, image, "input"), model.output_shape().size(),
                   differences);
  } else {
    require(false, "network is ", network, "; expected mlp or cnn");
  }
}

/// A network of a method's file, with the parameters it starts from.
gal::nn::mlp<double, backend_type> network_of(const json& file) {
  const json& parameters = at(file, "parameters", "file");
  const bool bias = truth(file.value("bias", json(parameters.contains("0.bias"))), "bias");
  gal::nn::mlp<double, backend_type> model(widths_of(file),
                                           {.activation = activation_of(file), .bias = bias});
  named_parameters(model).put_values(parameters);
  return model;
}

void replay_curvature(const json& file, comparison& differences) {
  check_keys(file,
             {"kind", "widths", "activation", "bias", "loss", "delta", "base", "config", "denominator",
              "factor", "averaging", "parameters", "batches", "steps"},
             "curvature");
  auto model = network_of(file);
  const auto kind_name = at(file, "denominator", "curvature").get<std::string>();
  const auto kind = gal::find_enumerator<gal::curvature_kind>(kind_name);
  require(kind.has_value(), "unknown denominator ", kind_name);
  const gal::rescaled_options options{.curvature = *kind,
                                      .factor = number(at(file, "factor", "curvature"), "factor"),
                                      .averaging = number(at(file, "averaging", "curvature"), "averaging")};
  const json& batches = list(at(file, "batches", "curvature"), "batches");
  const json& steps = list(at(file, "steps", "curvature"), batches.size(), "steps");
  const json& config = at(file, "config", "curvature");
  const auto inputs = static_cast<std::size_t>(model.widths().front());
  const auto outputs = static_cast<std::size_t>(model.widths().back());

  const auto rows_of = [&](std::size_t k) -> const json& {
    check_keys(batches[k], {"input", "target"}, text("batches ", k));
    return list(at(batches[k], "input", "batches"), text("batches ", k, " input"));
  };
  const auto replay = [&](auto optimizer) {
    with_loss(
        at(file, "loss", "curvature").get<std::string>(), at(batches[0], "target", "batches"),
        rows_of(0).size(), outputs,
        [&](auto loss, const auto& first_targets) {
          gal::rescaled trainer(model, optimizer, loss, options);
          for (std::size_t k = 0; k < steps.size(); ++k) {
            const std::string what = text("steps ", k);
            check_keys(steps[k], {"first", "second", "gauss_newton", "length", "parameters"}, what);
            const json& rows = rows_of(k);
            const auto x = paths::put(backend_type(), matrix_from_rows(rows, rows.size(), inputs, "input"));
            const auto y = targets_from<typename std::remove_cvref_t<decltype(first_targets)>::value_type>(
                at(batches[k], "target", "batches"), rows.size(), outputs);
            // All derivatives, by the other exact way, from a step that copies take.
            auto probe = model;
            auto probe_optimizer = optimizer;
            gal::rescaled probing(probe, probe_optimizer, loss, {.pass = gal::curvature_pass::second_order});
            const gal::rescaled_report all = probing.step(x, y);
            const gal::rescaled_report report = trainer.step(x, y);
            const auto add = [&](const char* key, double actual) {
              differences.add(number(at(steps[k], key, what), key), actual, text(what, " ", key));
            };
            add("first", all.slope);
            add("second", all.second);
            add("gauss_newton", all.gauss_newton);
            add("first", report.slope);
            add("gauss_newton", report.gauss_newton);
            if (options.curvature != gal::curvature_kind::gauss_newton) {
              add("second", report.second);
            }
            add("length", report.multiplier);
            named_parameters(model).compare(at(steps[k], "parameters", what), false, what + " parameters",
                                            differences);
          }
        },
        number(file.value("delta", json(1.0)), "delta"));
  };
  with_optimizer(at(file, "base", "curvature").get<std::string>(), config,
                 number(at(config, "lr", "config"), "lr"), replay);
}

/// The samples that a step of a file names.
struct rows_of_step {
  gal::index_type count;
  std::vector<gal::index_type> now;

  [[nodiscard]] gal::index_type samples() const { return count; }
  [[nodiscard]] const std::vector<gal::index_type>& rows() const { return now; }
};

void replay_instance_rates(const json& file, comparison& differences) {
  check_keys(
      file,
      {"kind", "widths", "activation", "loss", "learning_rate", "rate", "largest", "form",
       "train_on_held_out", "parameters", "input", "target", "held_out_input", "held_out_target", "steps"},
      "instance_rates");
  const auto update =
      gal::find_enumerator<gal::rate_update>(at(file, "form", "instance_rates").get<std::string>());
  require(update.has_value(), "unknown form ", file.at("form").dump());
  const auto setting = [&](const char* key) { return number(at(file, key, "instance_rates"), key); };
  gal::nn::mlp<double, backend_type> model(widths_of(file), {.activation = activation_of(file)});
  const named_parameters parameters(model);
  parameters.put_values(at(file, "parameters", "instance_rates"));
  gal::sgd<double, backend_type> optimizer({.learning_rate = setting("learning_rate")});

  const auto inputs = static_cast<std::size_t>(model.widths().front());
  const auto outputs = static_cast<std::size_t>(model.widths().back());
  const json& data = list(at(file, "input", "instance_rates"), "input");
  const json& held_out = list(at(file, "held_out_input", "instance_rates"), "held_out_input");
  list(at(file, "target", "instance_rates"), data.size(), "target");
  const std::string loss_name = at(file, "loss", "instance_rates").get<std::string>();
  rows_of_step rows{static_cast<gal::index_type>(data.size()), {}};
  with_loss(
      loss_name, at(file, "held_out_target", "instance_rates"), held_out.size(), outputs,
      [&](auto loss, const auto& held_out_target) {
        gal::instance_rates trainer(
            model, optimizer, loss, rows,
            paths::put(backend_type(), matrix_from_rows(held_out, held_out.size(), inputs, "held_out_input")),
            held_out_target,
            {.rate = setting("rate"),
             .largest = setting("largest"),
             .update = *update,
             .train_on_held_out =
                 truth(at(file, "train_on_held_out", "instance_rates"), "train_on_held_out")});
        const json& steps = list(at(file, "steps", "instance_rates"), "steps");
        for (std::size_t k = 0; k < steps.size(); ++k) {
          const std::string name = text("step ", k);
          check_keys(steps[k], {"rows", "products", "rates", "parameters"}, name);
          rows.now.clear();
          json input = json::array();
          json target = json::array();
          for (const json& row : list(at(steps[k], "rows", name), "rows")) {
            require(row.is_number_unsigned() && row.get<std::size_t>() < data.size(), name, " rows hold ",
                    row.dump(), "; expected numbers of samples");
            rows.now.push_back(row.get<gal::index_type>());
            input.push_back(data[row.get<std::size_t>()]);
            target.push_back(file.at("target")[row.get<std::size_t>()]);
          }
          const auto x = paths::put(backend_type(), matrix_from_rows(input, input.size(), inputs, "input"));
          with_loss(loss_name, target, target.size(), outputs,
                    [&](auto, const auto& y) { static_cast<void>(trainer.step(x, y)); });
          differences.add_row(at(steps[k], "products", name), host(trainer.last_products()),
                              name + " products");
          differences.add_row(at(steps[k], "rates", name), trainer.rates(), name + " rates");
          parameters.compare(at(steps[k], "parameters", name), false, name + " parameters", differences);
        }
      });
}

/// A sampler whose choices a file makes.
struct choices_of_file {
  gal::choice_sampler<backend_type> sampler;
  std::vector<gal::index_type> now{};

  [[nodiscard]] const std::vector<gal::index_type>& choices() const { return now; }
  [[nodiscard]] std::span<const double> probabilities() const { return sampler.probabilities(); }
  void learn(std::span<const double> rewards, std::span<const gal::index_type> choices) {
    sampler.learn(rewards, choices);
  }
};

void replay_alignment_reward(const json& file, comparison& differences) {
  check_keys(file,
             {"kind", "widths", "activation", "loss", "learning_rate", "sampler_learning_rate",
              "sampler_beta1", "splits", "average_in_split", "parameters", "batches", "steps"},
             "alignment_reward");
  const auto setting = [&](const char* key) { return number(at(file, key, "alignment_reward"), key); };
  auto model = network_of(file);
  gal::sgd<double, backend_type> optimizer({.learning_rate = setting("learning_rate")});
  const gal::index_type splits = whole(file, "splits", "alignment_reward");
  choices_of_file policy{gal::choice_sampler<backend_type>(
      splits,
      {.learning_rate = setting("sampler_learning_rate"),
       .beta1 = setting("sampler_beta1"),
       .average_per_choice = truth(at(file, "average_in_split", "alignment_reward"), "average_in_split")})};
  const json& batches = list(at(file, "batches", "alignment_reward"), "batches");
  const json& steps = list(at(file, "steps", "alignment_reward"), batches.size(), "steps");
  const auto inputs = static_cast<std::size_t>(model.widths().front());
  const auto outputs = static_cast<std::size_t>(model.widths().back());
  const std::string loss_name = at(file, "loss", "alignment_reward").get<std::string>();
  with_loss(
      loss_name, at(batches[0], "target", "batches"),
      list(at(batches[0], "input", "batches"), "input").size(), outputs, [&](auto loss, const auto&) {
        gal::alignment_reward trainer(model, optimizer, loss, policy);
        for (std::size_t k = 0; k < steps.size(); ++k) {
          const std::string what = text("steps ", k);
          check_keys(batches[k], {"splits", "input", "target"}, text("batches ", k));
          // The first batch has none before it to reward.
          names keys{"loss", "logits", "parameters"};
          if (k > 0) {
            keys.insert(keys.end(), {"rewards", "weights", "sampler_gradient"});
          }
          check_keys(steps[k], keys, what);
          const json& rows = list(at(batches[k], "input", "batches"), "input");
          policy.now.clear();
          for (const json& split : list(at(batches[k], "splits", "batches"), rows.size(), "splits")) {
            policy.now.push_back(split.get<gal::index_type>());
          }
          const auto x = paths::put(backend_type(), matrix_from_rows(rows, rows.size(), inputs, "input"));
          with_loss(loss_name, at(batches[k], "target", "batches"), rows.size(), outputs,
                    [&](auto, const auto& y) { static_cast<void>(trainer.step(x, y)); });
          const gal::alignment_reward_report report = trainer.report();
          differences.add(number(at(steps[k], "loss", what), "loss"), report.loss, what + " loss");
          if (k > 0) {
            differences.add_row(at(steps[k], "rewards", what), trainer.last_rewards(), what + " rewards");
            differences.add_row(at(steps[k], "weights", what), policy.sampler.last_weights(),
                                what + " weights");
            differences.add_row(at(steps[k], "sampler_gradient", what), policy.sampler.last_gradient(),
                                what + " sampler_gradient");
          }
          differences.add_row(at(steps[k], "logits", what), policy.sampler.logits(), what + " logits");
          named_parameters(model).compare(at(steps[k], "parameters", what), false, what + " parameters",
                                          differences);
        }
      });
}

/// Throws where the file does not replay within its tolerance.
void replay(const std::string& path) {
  std::ifstream stream(path);
  require(stream.good(), "cannot be opened");
  const std::string content{std::istreambuf_iterator<char>(stream), {}};
  const json file = json::parse(quote_non_finite(content));
  const std::string kind = file.at("kind").get<std::string>();
  comparison differences;
  if (kind == "toy") {
    replay_toy(file, differences);
  } else if (kind == "step") {
    replay_step(file, differences);
  } else if (kind == "optimizer") {
    replay_optimizer(file, differences);
  } else if (kind == "taylor") {
    replay_taylor(file, differences);
  } else if (kind == "curvature") {
    replay_curvature(file, differences);
  } else if (kind == "instance_rates") {
    replay_instance_rates(file, differences);
  } else if (kind == "alignment_reward") {
    replay_alignment_reward(file, differences);
  } else {
    require(false, "unknown kind ", kind);
  }
  require(differences.count() > 0, "has nothing to compare");
  std::printf("%s max_difference=%.3g\n", path.c_str(), differences.largest());
  const double tolerance = kind == "toy" ? 1e-7 : 1e-9;
  require(differences.largest() <= tolerance, "differs by ", differences.largest(), " in ",
          differences.where(), "; the tolerance is ", tolerance);
}

}  // namespace

int main(int count, char** arguments) {
  if (count < 2) {
    std::fprintf(stderr,
                 "usage: gal_golden FILE...\nreplays golden traces (kinds toy, step, optimizer, taylor,\n"
                 "curvature, instance_rates, alignment_reward)\n");
    return 2;
  }
  bool passed = true;
  for (int i = 1; i < count; ++i) {
    try {
      replay(arguments[i]);
    } catch (const std::exception& failure) {
      std::fprintf(stderr, "%s: %s\n", arguments[i], failure.what());
      passed = false;
    }
  }
  return passed ? 0 : 1;
}
