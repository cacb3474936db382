// The adapter for libtorch: against the library's own trainer, against plain torch, and against golden files.
#include <gal/adapters/torch.hpp>
#include <gal/fit.hpp>
#include <gal/gal.hpp>
#include <gal/io/checkpoint.hpp>

#include "testing.hpp"

#include <ATen/record_function.h>
#include <torch/script.h>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <memory>
#include <mutex>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace {

using nlohmann::json;
using torch::Tensor;

// What a device does, on the processor: no number is read in a step.
struct reads_nothing {
  static bool may_read(torch::Device) { return false; }
};

template <class Model, class Loss>
using unread_adjust = gal::torch_adjust<Model, Loss, reads_nothing>;

bool contains(const std::string& text, const std::string& part) {
  CAPTURE(text);
  return text.find(part) != std::string::npos;
}

double number(const Tensor& tensor) { return tensor.item<double>(); }

double difference(const Tensor& a, const Tensor& b) {
  return (a.detach() - b.detach()).abs().max().item<double>();
}

std::vector<Tensor> copies(const std::vector<Tensor>& tensors) {
  std::vector<Tensor> result;
  for (const Tensor& tensor : tensors) {
    result.push_back(tensor.detach().clone());
  }
  return result;
}

bool same(const std::vector<Tensor>& a, const std::vector<Tensor>& b) {
  bool result = a.size() == b.size();
  for (std::size_t i = 0; i < a.size(); ++i) {
    result = result && torch::equal(a[i], b[i]);
  }
  return result;
}

// Everything that a step may change, the optimizer's moments included.
std::vector<Tensor> everything(torch::optim::Optimizer& optimizer) {
  std::vector<Tensor> result;
  for (auto& group : optimizer.param_groups()) {
    for (const Tensor& parameter : copies(group.params())) {
      result.push_back(parameter);
    }
  }
  for (auto& [key, state] : optimizer.state()) {
    for (Tensor* const moment : gal::detail::moments_of(*state)) {
      result.push_back(moment->defined() ? moment->clone() : torch::zeros({0}));
    }
  }
  return result;
}

torch::nn::Sequential perceptron(torch::ScalarType type, std::int64_t inputs = 5, std::int64_t outputs = 3) {
  torch::manual_seed(3);
  torch::nn::Sequential model(torch::nn::Linear(inputs, 8), torch::nn::Tanh(), torch::nn::Linear(8, outputs));
  model->to(type);
  return model;
}

// The losses of the samples and their mean, as a user would write them.
const auto squared_errors = [](const Tensor& x, const Tensor& y) { return (x - y).square().mean(-1); };
const auto mean_squared_error = [](const Tensor& x, const Tensor& y) { return torch::mse_loss(x, y); };
const auto cross_entropies = [](const Tensor& x, const Tensor& y) {
  return torch::cross_entropy_loss(x, y, {}, at::Reduction::None);
};

using option_list = std::vector<std::pair<const char*, gal::adjust_options>>;

option_list several_options() {
  using namespace gal;
  option_list list{{"recommended", recommended()}, {"paper", paper()}};
  adjust_options options = recommended();
  options.normalisation = normalisation::per_sample;
  options.remove_mean = true;
  options.objective = objective::remainder;
  options.tau = 3.0;
  list.emplace_back("per sample, without mean", options);
  options = paper();
  options.normalisation = normalisation::per_batch;
  options.remainder = remainder_kind::mean_over_samples;
  options.decision = decision::per_sample;
  options.safeguard = safeguard::better;
  options.epsilon = 2.0;
  options.tau = 50.0;
  list.emplace_back("per batch, remainder over samples, better", options);
  options.remainder = remainder_kind::mean_over_coordinates;
  options.safeguard = safeguard::never;
  options.adjuster.bias = false;
  list.emplace_back("remainder over coordinates, never", options);
  options = recommended();
  options.adjuster_steps = 3;
  options.adjuster_learning_rate = 1e-2;
  options.safeguard = safeguard::always;
  options.adjuster.initialization = nn::initialization::fan_in;
  options.adjuster.activation = nn::gelu;
  list.emplace_back("three steps of the adjuster, always", options);
  options = recommended();
  options.adjuster.kind = adjuster_kind::untrained;
  options.adjuster.activation = nn::relu;
  options.report_vanilla = true;
  options.safeguard = safeguard::not_worse;
  list.emplace_back("untrained", options);
  options.adjuster.kind = adjuster_kind::zero;
  list.emplace_back("zero", options);
  return list;
}

void copy_into(const Tensor& from, double* to) {
  const Tensor values = from.detach().to(torch::kDouble).contiguous();
  std::copy_n(values.data_ptr<double>(), values.numel(), to);
}
void copy_into(const Tensor& from, float* to) {
  const Tensor values = from.detach().to(torch::kFloat).contiguous();
  std::copy_n(values.data_ptr<float>(), values.numel(), to);
}

void check_reports(const gal::adjust_report& a, const gal::adjust_report& b, double tolerance) {
  const auto check = [&](double x, double y) {
    CHECK(std::isnan(x) == std::isnan(y));
    CHECK((std::isnan(x) || std::abs(x - y) <= tolerance));
  };
  check(a.loss, b.loss);
  check(a.tentative_loss, b.tentative_loss);
  check(a.vanilla_tentative_loss, b.vanilla_tentative_loss);
  check(a.remainder, b.remainder);
  check(a.gradient_norm, b.gradient_norm);
  check(a.adjustment_norm, b.adjustment_norm);
  check(a.cosine, b.cosine);
  CHECK(a.accepted == b.accepted);
  CHECK(a.accepted_share == doctest::Approx(b.accepted_share));
  CHECK(a.learning_rate == b.learning_rate);
  CHECK(a.non_finite == b.non_finite);
}

// Steps of torch_adjust and of adjust from the same weights.
template <class T, class TorchLoss, class Loss, class Optimizer>
void compare_with_own(const gal::adjust_options& options, const TorchLoss& torch_loss, const Loss& loss,
                      std::unique_ptr<torch::optim::Optimizer> (*torch_optimizer)(const std::vector<Tensor>&),
                      Optimizer optimizer, const Tensor& y, double tolerance) {
  constexpr auto type = std::is_same_v<T, double> ? torch::kDouble : torch::kFloat;
  auto model = perceptron(type);
  const auto stepping = torch_optimizer(model->parameters());
  gal::nn::mlp<T> own({5, 8, 3}, {.activation = gal::nn::tanh});
  for (std::size_t l = 0; l < 2; ++l) {
    copy_into(model->parameters()[2 * l], own.weight(l).data());
    copy_into(model->parameters()[2 * l + 1], own.bias(l).data());
  }
  torch::manual_seed(5);
  const Tensor x = torch::randn({6, 5}, type);
  const gal::matrix_view<const T> own_x(x.data_ptr<T>(), 5, 6);
  const auto own_y = [&] {
    if constexpr (std::is_same_v<Loss, gal::softmax_cross_entropy>) {
      return std::vector<int>(y.data_ptr<std::int64_t>(), y.data_ptr<std::int64_t>() + y.numel());
    } else {
      gal::matrix<T> targets(3, 6);
      copy_into(y, targets.data());
      return targets;
    }
  }();
  gal::torch_adjust trainer(model, *stepping, torch_loss, options);
  gal::adjust own_trainer(own, optimizer, loss, options);
  for (int k = 0; k < 4; ++k) {
    const gal::adjust_report report = trainer.step(x, y);
    check_reports(report, own_trainer.step(own_x, own_y), tolerance);
  }
  for (std::size_t l = 0; l < 2; ++l) {
    Tensor weight = torch::empty_like(model->parameters()[2 * l]);
    std::copy_n(own.weight(l).data(), own.weight(l).size(), weight.data_ptr<T>());
    CHECK(difference(weight, model->parameters()[2 * l]) <= tolerance);
  }
}

std::unique_ptr<torch::optim::Optimizer> torch_sgd(const std::vector<Tensor>& parameters) {
  return std::make_unique<torch::optim::SGD>(parameters,
                                             torch::optim::SGDOptions(0.05).momentum(0.9).weight_decay(1e-3));
}
std::unique_ptr<torch::optim::Optimizer> torch_adam(const std::vector<Tensor>& parameters) {
  return std::make_unique<torch::optim::Adam>(parameters, torch::optim::AdamOptions(0.02));
}

Tensor numbers_target() { return torch::randn({6, 3}, torch::kDouble); }
Tensor labels_target() { return torch::tensor({0, 2, 1, 1, 0, 2}, torch::kLong); }

}  // namespace

TEST_CASE("a step on a torch module is a step on nn::mlp with the same weights") {
  for (const auto& [name, options] : several_options()) {
    CAPTURE(name);
    torch::manual_seed(7);
    const Tensor y = numbers_target();
    const gal::sgd<double> sgd({.learning_rate = 0.05, .momentum = 0.9, .weight_decay = 1e-3});
    const gal::adam<double> adam({.learning_rate = 0.02});
    compare_with_own<double>(options, gal::mse(), gal::mse(), torch_sgd, sgd, y, 1e-10);
    compare_with_own<double>(options, squared_errors, gal::mse(), torch_adam, adam, y, 1e-10);
    const gal::softmax_cross_entropy smoothed(0.1);
    compare_with_own<double>(options, smoothed, smoothed, torch_adam, adam, labels_target(), 1e-10);
    compare_with_own<double>(options, cross_entropies, gal::softmax_cross_entropy(), torch_sgd, sgd,
                             labels_target(), 1e-10);
    const gal::sgd<float> sgd_of_floats({.learning_rate = 0.05, .momentum = 0.9, .weight_decay = 1e-3});
    compare_with_own<float>(options, gal::mse(), gal::mse(), torch_sgd, sgd_of_floats, y.to(torch::kFloat),
                            1e-5);
    if (options.decision == gal::decision::per_batch) {
      compare_with_own<double>(options, mean_squared_error, gal::mse(), torch_adam, adam, y, 1e-10);
    }
  }
}

TEST_CASE("without adjustment a step is torch's own") {
  auto model = perceptron(torch::kDouble);
  auto plain = perceptron(torch::kDouble);
  const auto optimizer = torch_adam(model->parameters());
  const auto plain_optimizer = torch_adam(plain->parameters());
  const Tensor x = torch::randn({6, 5}, torch::kDouble);
  const Tensor y = torch::randn({6, 3}, torch::kDouble);
  gal::torch_adjust trainer(model, *optimizer, gal::mse(), {.safeguard = gal::safeguard::never});
  for (int k = 0; k < 5; ++k) {
    trainer.step(x, y);
    plain_optimizer->zero_grad();
    torch::mse_loss(plain->forward(x), y).backward();
    plain_optimizer->step();
  }
  for (std::size_t i = 0; i < model->parameters().size(); ++i) {
    CHECK(difference(model->parameters()[i], plain->parameters()[i]) < 1e-14);
  }
}

namespace {

// Counts its forward passes.
struct counting : torch::nn::Module {
  counting()
      : first(register_module("first", torch::nn::Linear(5, 8))),
        normalisation(register_module("normalisation", torch::nn::BatchNorm1d(8))),
        dropout(register_module("dropout", torch::nn::Dropout(0.5))),
        last(register_module("last", torch::nn::Linear(8, 3))) {}
  Tensor forward(const Tensor& x) {
    ++passes;
    return last->forward(dropout->forward(normalisation->forward(first->forward(x))));
  }
  torch::nn::Linear first;
  torch::nn::BatchNorm1d normalisation;
  torch::nn::Dropout dropout;
  torch::nn::Linear last;
  int passes = 0;
};

}  // namespace

TEST_CASE("the model runs forward once in a step: batch normalisation moves once, dropout draws once") {
  torch::manual_seed(11);
  counting model;
  counting plain;
  for (std::size_t i = 0; i < plain.parameters().size(); ++i) {
    plain.parameters()[i].detach().copy_(model.parameters()[i].detach());
  }
  torch::optim::SGD optimizer(model.parameters(), 0.1);
  torch::optim::SGD plain_optimizer(plain.parameters(), 0.1);
  const Tensor x = torch::randn({16, 5});
  const Tensor y = torch::randn({16, 3});
  gal::adjust_options options;
  options.adjuster_steps = 4;
  options.safeguard = gal::safeguard::never;
  gal::torch_adjust trainer(model, optimizer, gal::mse(), options);
  for (int k = 0; k < 3; ++k) {
    torch::manual_seed(static_cast<std::uint64_t>(100 + k));
    trainer.step(x, y);
    torch::manual_seed(static_cast<std::uint64_t>(100 + k));
    plain_optimizer.zero_grad();
    torch::mse_loss(plain.forward(x), y).backward();
    plain_optimizer.step();
  }
  CHECK(model.passes == 3);
  CHECK(model.normalisation->num_batches_tracked.item<int>() == 3);
  CHECK(difference(model.normalisation->running_mean, plain.normalisation->running_mean) < 1e-6);
  CHECK(difference(model.normalisation->running_var, plain.normalisation->running_var) < 1e-6);
  CHECK(difference(model.last->weight, plain.last->weight) < 1e-6);
}

TEST_CASE("models of every kind: modules, holders, shared pointers, functions, TorchScript") {
  const Tensor x = torch::randn({6, 5});
  const Tensor y = torch::randn({6, 3});
  const auto first_loss = [&](auto& model, const std::vector<Tensor>& parameters) {
    torch::optim::SGD optimizer(parameters, 0.1);
    gal::torch_adjust trainer(model, optimizer, gal::mse());
    const gal::adjust_report report = trainer.step(x, y);
    return report.loss;
  };
  auto holder = perceptron(torch::kFloat);
  const double expected = torch::mse_loss(holder->forward(x), y).item<double>();
  CHECK(first_loss(holder, holder->parameters()) == doctest::Approx(expected));
  auto same_weights = perceptron(torch::kFloat);
  torch::nn::SequentialImpl& module = *same_weights;
  CHECK(first_loss(module, module.parameters()) == doctest::Approx(expected));
  auto third = perceptron(torch::kFloat);
  std::shared_ptr<torch::nn::SequentialImpl> pointer = third.ptr();
  CHECK(first_loss(pointer, pointer->parameters()) == doctest::Approx(expected));
  auto fourth = perceptron(torch::kFloat);
  const auto function = [&](const Tensor& input) { return fourth->forward(input); };
  CHECK(first_loss(function, fourth->parameters()) == doctest::Approx(expected));
}

TEST_CASE("a TorchScript file from Python trains, and with options of its own") {
  torch::jit::script::Module model = torch::jit::load(GAL_TEST_TORCH_DIR "/model.pt");
  std::vector<Tensor> parameters;
  for (const Tensor& parameter : model.parameters()) {
    parameters.push_back(parameter);
  }
  CHECK(parameters.size() == 6);
  torch::optim::Adam optimizer(parameters, 0.02);
  gal::torch_adjust trainer(model, optimizer, gal::softmax_cross_entropy(), {.hidden = {16}});
  torch::manual_seed(2);
  const Tensor x = torch::randn({64, 4});
  const Tensor y = x.slice(1, 0, 3).argmax(-1);
  const gal::adjust_report before = trainer.step(x, y);
  for (int k = 0; k < 100; ++k) {
    trainer.step(x, y);
  }
  const gal::adjust_report after = trainer.report();
  CHECK(after.loss < 0.3 * before.loss);
  CHECK(after.accepted_share > 0.0);
}

TEST_CASE("the axes before the last are samples: boxes and sequences are as if flattened") {
  for (const auto& [name, options] : several_options()) {
    CAPTURE(name);
    auto model = perceptron(torch::kDouble, 5, 4);
    auto flat_model = perceptron(torch::kDouble, 5, 4);
    const auto optimizer = torch_adam(model->parameters());
    const auto flat_optimizer = torch_adam(flat_model->parameters());
    torch::manual_seed(13);
    const Tensor x = torch::randn({2, 3, 5}, torch::kDouble);
    const Tensor y = torch::randn({2, 3, 4}, torch::kDouble);
    gal::torch_adjust trainer(model, *optimizer, squared_errors, options);
    gal::torch_adjust flat(flat_model, *flat_optimizer, squared_errors, options);
    for (int k = 0; k < 3; ++k) {
      const gal::adjust_report report = trainer.step(x, y);
      check_reports(report, flat.step(x.reshape({6, 5}), y.reshape({6, 4})), 1e-13);
    }
    CHECK((trainer.last_adjustment().sizes() == at::IntArrayRef({2, 3, 4})));
    CHECK((trainer.last_sample_losses().sizes() == at::IntArrayRef({2, 3})));
    CHECK(difference(trainer.last_adjustment().reshape({6, 4}), flat.last_adjustment()) < 1e-13);
    CHECK(difference(model->parameters()[0], flat_model->parameters()[0]) < 1e-13);
  }
  // A label for every step of a sequence.
  auto model = perceptron(torch::kFloat);
  const auto optimizer = torch_adam(model->parameters());
  gal::torch_adjust trainer(model, *optimizer, gal::softmax_cross_entropy());
  const gal::adjust_report report = trainer.step(torch::randn({2, 3, 5}), labels_target().reshape({2, 3}));
  CHECK(report.loss > 0.0);
}

TEST_CASE(
    "closed forms of the remainder: the differences, where these can be resolved, and their derivatives") {
  torch::manual_seed(17);
  const Tensor x = torch::randn({4, 5}, torch::kDouble);
  const Tensor labels = torch::tensor({0, 4, 2, 2}, torch::kLong);
  const Tensor targets = torch::randn({4, 5}, torch::kDouble);
  const Tensor direction = torch::randn({4, 5}, torch::kDouble);
  const auto compare = [&](auto named, auto function, const Tensor& target) {
    const gal::detail::torch_expansion<decltype(named), Tensor> closed("test", named, x, target);
    const gal::detail::torch_expansion<decltype(function), Tensor> subtracted("test", function, x, target);
    CHECK(difference(closed.losses(), subtracted.losses()) < 1e-14);
    CHECK(difference(closed.gradient(), subtracted.gradient()) < 1e-15);
    for (const double scale : {1e-3, 1e-2, 1e-1, 1.0, 30.0, 1000.0}) {
      CAPTURE(scale);
      const Tensor d = (scale * direction).requires_grad_();
      const Tensor remainders = closed.remainder(d);
      const Tensor expected = subtracted.remainder(d);
      CHECK(difference(remainders, expected) < 1e-14 * std::max(1.0, scale * scale));
      const Tensor slope = torch::autograd::grad({remainders.mean()}, {d}).front();
      const Tensor expected_slope = torch::autograd::grad({expected.mean()}, {d}).front();
      CHECK(difference(slope, expected_slope) < 1e-14 * std::max(1.0, scale));
    }
    // Where they cannot: the second-order term.
    const double tiny = 1e-9;
    const Tensor small = closed.remainder(tiny * direction) / (tiny * tiny);
    const Tensor reference = closed.remainder(1e-4 * direction) / 1e-8;
    CHECK(number(((small - reference) / reference).abs().max()) < 1e-3);
    CHECK(number(closed.remainder(1e-30 * direction).min()) > 0.0);
  };
  compare(gal::mse(), squared_errors, targets);
  compare(gal::softmax_cross_entropy(), cross_entropies, labels);
  const gal::softmax_cross_entropy smoothed(0.2);
  const Tensor probabilities = targets.softmax(-1);
  compare(
      smoothed,
      [](const Tensor& logits, const Tensor& y) {
        return -((0.8 * y + 0.04) * logits.log_softmax(-1)).sum(-1);
      },
      probabilities);
}

namespace {

json golden(const std::string& name) {
  std::ifstream stream(std::string(GAL_TEST_GOLDEN_DIR "/") + name + ".json");
  REQUIRE(stream.good());
  return json::parse(stream);
}

Tensor tensor_of(const json& rows) {
  const bool is_matrix = rows.front().is_array();
  std::vector<double> values;
  for (const json& row : rows) {
    for (const json& value : is_matrix ? row : json::array({row})) {
      values.push_back(value.get<double>());
    }
  }
  const Tensor flat = torch::tensor(values, torch::kDouble);
  return is_matrix ? flat.reshape({static_cast<std::int64_t>(rows.size()), -1}) : flat;
}

torch::nn::Sequential adjuster_of(const json& layers) {
  torch::nn::Sequential network;
  const torch::NoGradGuard no_grad;
  for (const json& entry : layers) {
    const Tensor weight = tensor_of(entry.at("weight"));
    const bool bias = !entry.at("bias").is_null();
    torch::nn::Linear layer(torch::nn::LinearOptions(weight.size(1), weight.size(0)).bias(bias));
    layer->to(torch::kDouble);
    layer->weight.copy_(weight);
    if (bias) {
      layer->bias.copy_(tensor_of(entry.at("bias")));
    }
    network->push_back(layer);
  }
  return network;
}

gal::adjust_options golden_options(const json& file) {
  gal::adjust_options options = gal::paper();
  options.epsilon = file.at("epsilon");
  options.tau = file.at("tau");
  options.non_finite = gal::non_finite_policy::ignore;
  return options;
}

template <class Loss>
void replay_step(const json& file, const Loss& loss, const Tensor& target) {
  int replayed = 0;
  for (const std::string name : {"sample/exact", "sample/reference", "batch/exact", "batch/reference"}) {
    if (!file.contains(name)) {
      continue;
    }
    CAPTURE(name);
    ++replayed;
    const json& expected = file.at(name);
    gal::adjust_options options = golden_options(file);
    options.normalisation =
        name.starts_with("sample") ? gal::normalisation::per_sample : gal::normalisation::per_batch;
    options.remainder =
        name.ends_with("exact") ? gal::remainder_kind::exact : gal::remainder_kind::mean_over_samples;
    options.report_vanilla = true;
    const Tensor features = tensor_of(file.at("features")).requires_grad_();
    const auto model = [&](const gal::nothing&) { return features; };
    torch::optim::SGD optimizer({features}, file.at("lr").get<double>());
    gal::torch_adjust trainer(model, optimizer, loss, options, adjuster_of(file.at("adjuster")));
    const gal::adjust_report report = trainer.step(gal::nothing(), target);
    const auto check = [](const json& value, double actual) {
      CHECK(std::abs(value.get<double>() - actual) <= 1e-9);
    };
    check(file.at("loss_value"), report.loss);
    check(expected.at("tentative_loss"), report.tentative_loss);
    check(expected.at("vanilla_tentative_loss"), report.vanilla_tentative_loss);
    check(expected.at("remainder"), report.remainder);
    CHECK((expected.at("accepted") == true || expected.at("accepted") == 1) == report.accepted);
    CHECK(difference(tensor_of(file.at("gradient")), trainer.last_gradient()) <= 1e-9);
    CHECK(difference(tensor_of(expected.at("adjustment")), trainer.last_adjustment()) <= 1e-9);
    std::size_t block = 0;
    const std::vector<Tensor> parameters = trainer.adjuster()->parameters();
    for (const json& layer : expected.at("adjuster_gradients")) {
      CHECK(difference(tensor_of(layer.at("weight")), parameters.at(block++).grad()) <= 1e-9);
      if (!layer.at("bias").is_null()) {
        CHECK(difference(tensor_of(layer.at("bias")), parameters.at(block++).grad()) <= 1e-9);
      }
    }
    CHECK(block == parameters.size());
  }
  CHECK(replayed > 0);
}

// z = -sin(x^2) cos(3 y^2) exp(-(xy)^2) - exp(-(x + y)^2).
const auto surface = [](const Tensor& points) {
  const Tensor x = points.select(-1, 0);
  const Tensor y = points.select(-1, 1);
  return -x.square().sin() * (3 * y.square()).cos() * (-(x * y).square()).exp() - (-(x + y).square()).exp();
};

}  // namespace

TEST_CASE("golden files: steps") {
  for (const char* const name : {"step_mse", "step_mse_rejected"}) {
    CAPTURE(name);
    const json file = golden(name);
    replay_step(file, gal::mse(), tensor_of(file.at("targets")));
    replay_step(file, squared_errors, tensor_of(file.at("targets")));
    replay_step(file, mean_squared_error, tensor_of(file.at("targets")));
  }
  const json file = golden("step_cross_entropy");
  const Tensor labels = tensor_of(file.at("targets")).to(torch::kLong);
  replay_step(file, gal::softmax_cross_entropy(), labels);
  replay_step(file, cross_entropies, labels);
}

// Torch's C++ frontend has no AdaBound: toy_adabound and the files of the kind `optimizer` are left to gal_golden.
TEST_CASE("golden files: paths on the surface of the 3D problem") {
  for (const std::string name : {"toy_gd", "toy_gd_exact", "toy_adam"}) {
    CAPTURE(name);
    const json file = golden(name);
    gal::adjust_options options = golden_options(file);
    options.normalisation = gal::normalisation::per_batch;
    options.remainder = file.at("first_term") == "mean" ? gal::remainder_kind::mean_over_coordinates
                                                        : gal::remainder_kind::exact;
    const Tensor point = tensor_of(json::array({file.at("start")})).requires_grad_();
    const auto model = [&](const gal::nothing&) { return point; };
    const double rate = file.at("lr");
    std::unique_ptr<torch::optim::Optimizer> optimizer;
    if (name == "toy_adam") {
      const json& config = file.at("config");
      optimizer = std::make_unique<torch::optim::Adam>(
          std::vector<Tensor>{point},
          torch::optim::AdamOptions(rate)
              .betas({config.at("beta1").get<double>(), config.at("beta2").get<double>()})
              .eps(config.at("eps").get<double>()));
    } else {
      optimizer = std::make_unique<torch::optim::SGD>(std::vector<Tensor>{point}, rate);
    }
    gal::torch_adjust trainer(model, *optimizer, surface, options, adjuster_of(file.at("adjuster")));
    for (const json& row : file.at("adjusted")) {
      const double x = point[0][0].item<double>();
      const double y = point[0][1].item<double>();
      const gal::adjust_report report = trainer.step(gal::nothing());
      const std::vector<double> actual = {
          x, y, report.loss, report.tentative_loss, std::abs(report.remainder), report.accepted ? 1.0 : 0.0};
      REQUIRE((tensor_of(row) - torch::tensor(actual, torch::kDouble)).abs().max().item<double>() <= 1e-7);
    }
  }
}

TEST_CASE("where nothing may be read, a step does the same and reads nothing") {
  for (const auto& [name, options] : several_options()) {
    CAPTURE(name);
    for (const auto make : {torch_sgd, torch_adam}) {
      auto model = perceptron(torch::kFloat);
      auto unread = perceptron(torch::kFloat);
      const auto optimizer = make(model->parameters());
      const auto unread_optimizer = make(unread->parameters());
      const Tensor x = torch::randn({6, 5});
      const Tensor y = torch::randn({6, 3});
      gal::torch_adjust trainer(model, *optimizer, squared_errors, options);
      unread_adjust<torch::nn::Sequential, decltype(squared_errors)> unread_trainer(unread, *unread_optimizer,
                                                                                    squared_errors, options);
      for (int k = 0; k < 4; ++k) {
        const gal::adjust_report report = trainer.step(x, y);
        static int reads;
        reads = 0;
        const auto handle = at::addGlobalCallback(at::RecordFunctionCallback(
            [](const at::RecordFunction& function) -> std::unique_ptr<at::ObserverContext> {
              const std::string operation = function.name();
              reads += operation == "aten::_local_scalar_dense" || operation == "aten::is_nonzero" ||
                       operation == "aten::equal";
              return nullptr;
            }));
        const auto pending = unread_trainer.step(x, y);
        CHECK(reads == 0);
        torch::ones({1}).item<float>();  // that the callback sees what it looks for
        CHECK(reads == 1);
        at::removeCallback(handle);
        check_reports(report, pending, 0.0);
      }
      CHECK(same(model->parameters(), unread->parameters()));
    }
  }
}

namespace {

// A model whose gradient, not its loss, overflows where its input says so.
struct exploding : torch::autograd::Function<exploding> {
  static Tensor forward(torch::autograd::AutogradContext* context, const Tensor& x, bool explodes) {
    context->saved_data["explodes"] = explodes;
    return x.clone();
  }
  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    const double factor = context->saved_data["explodes"].toBool() ? INFINITY : 1.0;
    return {gradients[0] * factor, Tensor()};
  }
};

template <class Reading>
void check_refusals(gal::adjuster_kind kind, gal::adjuster_training training,
                    std::unique_ptr<torch::optim::Optimizer> (*make)(const std::vector<Tensor>&)) {
  auto network = perceptron(torch::kFloat);
  auto untouched = perceptron(torch::kFloat);
  const auto optimizer = make(network->parameters());
  bool explodes = false;
  const auto model = [&](const Tensor& x) { return exploding::apply(network->forward(x), explodes); };
  const auto plain = [&](const Tensor& x) { return exploding::apply(untouched->forward(x), false); };
  const auto plain_optimizer = make(untouched->parameters());
  gal::adjust_options options;
  options.adjuster.kind = kind;
  options.adjuster_steps = 3;
  options.training = training;
  gal::torch_adjust<decltype(model), gal::mse, Reading> trainer(model, *optimizer, gal::mse(), options);
  gal::torch_adjust<decltype(plain), gal::mse> reference(plain, *plain_optimizer, gal::mse(), options);
  torch::manual_seed(19);
  const Tensor x = torch::randn({6, 5});
  const Tensor y = torch::randn({6, 3});
  const Tensor bad = torch::full({6, 3}, NAN);
  const bool learns = kind == gal::adjuster_kind::learned;
  for (int k = 0; k < 3; ++k) {
    const std::vector<Tensor> before = everything(*optimizer);
    std::vector<Tensor> adjuster;
    if (k > 0 && learns) {
      adjuster = copies(trainer.adjuster()->parameters());
    }
    gal::adjust_report report = trainer.step(x, bad);
    CHECK(report.non_finite);
    CHECK(std::isnan(report.loss));
    explodes = true;
    report = trainer.step(x, y);
    explodes = false;
    CHECK(report.non_finite);
    CHECK(std::isfinite(report.loss));
    CHECK_FALSE(report.accepted);
    if (k > 0) {
      CHECK(same(before, everything(*optimizer)));
      CHECK((!learns || same(adjuster, trainer.adjuster()->parameters())));
    } else {
      CHECK(same(copies(untouched->parameters()), network->parameters()));
    }
    // Adam counts on the host, which is told of a refusal only where it reads: there all is as if it had not been.
    const gal::adjust_report taken = trainer.step(x, y);
    CHECK_FALSE(taken.non_finite);
    const gal::adjust_report expected = reference.step(x, y);
    if (std::is_same_v<Reading, gal::detail::reads_on_processor>) {
      check_reports(taken, expected, 0.0);
      CHECK(same(network->parameters(), untouched->parameters()));
    }
  }
  CHECK(trainer.steps() == 9);
}

}  // namespace

TEST_CASE("numbers that are not finite leave everything as it was") {
  using enum gal::adjuster_training;
  for (const auto make : {torch_sgd, torch_adam}) {
    for (const auto training : {own_adam, model_optimizer}) {
      check_refusals<gal::detail::reads_on_processor>(gal::adjuster_kind::learned, training, make);
      check_refusals<reads_nothing>(gal::adjuster_kind::learned, training, make);
    }
    check_refusals<gal::detail::reads_on_processor>(gal::adjuster_kind::normal, own_adam, make);
  }
  auto model = perceptron(torch::kFloat);
  const auto optimizer = torch_adam(model->parameters());
  const Tensor x = torch::randn({6, 5});
  const Tensor bad = torch::full({6, 3}, NAN);
  const auto before = copies(model->parameters());
  gal::torch_adjust raising(model, *optimizer, gal::mse(), {.non_finite = gal::non_finite_policy::raise});
  CHECK(contains(refusal(gal::error_code::non_finite, [&] { return raising.step(x, bad).get(); }),
                 "the loss is not finite (loss nan, learning rate 0.02); nothing was changed"));
  CHECK(same(before, model->parameters()));
  gal::torch_adjust ignoring(model, *optimizer, gal::mse(), {.non_finite = gal::non_finite_policy::ignore});
  ignoring.step(x, bad);
  CHECK(model->parameters()[0].isnan().all().item<bool>());
}

TEST_CASE("noise is drawn anew in every step, and from the seed") {
  const auto adjustments = [](gal::adjuster_kind kind, std::uint64_t seed) {
    auto model = perceptron(torch::kDouble);
    const auto optimizer = torch_sgd(model->parameters());
    torch::manual_seed(23);
    const Tensor x = torch::randn({6, 5}, torch::kDouble);
    const Tensor y = torch::randn({6, 3}, torch::kDouble);
    gal::adjust_options options;
    options.epsilon = 1.0;
    options.adjuster.kind = kind;
    options.adjuster.seed = seed;
    gal::torch_adjust trainer(model, *optimizer, gal::mse(), options);
    std::vector<Tensor> result;
    for (int k = 0; k < 2; ++k) {
      trainer.step(x, y);
      result.push_back(trainer.last_adjustment() / trainer.last_gradient());  // tanh of the noise
    }
    return result;
  };
  for (const auto kind : {gal::adjuster_kind::uniform, gal::adjuster_kind::normal}) {
    const auto first = adjustments(kind, 1);
    CHECK(same(first, adjustments(kind, 1)));
    CHECK(difference(first[0], first[1]) > 1e-3);
    CHECK(difference(first[0], adjustments(kind, 2)[0]) > 1e-3);
    const bool bounded = first[0].abs().max().item<double>() <= std::tanh(1.0);
    CHECK((kind == gal::adjuster_kind::normal || bounded));
  }
}

TEST_CASE("features of half precision: the adjuster works in float") {
  auto model = perceptron(torch::kBFloat16);
  torch::optim::SGD optimizer(model->parameters(), 0.1);
  gal::torch_adjust trainer(model, optimizer, gal::mse());
  const Tensor x = torch::randn({6, 5}).to(torch::kBFloat16);
  const Tensor y = torch::randn({6, 3});
  const gal::adjust_report before = trainer.step(x, y);
  for (int k = 0; k < 50; ++k) {
    trainer.step(x, y);
  }
  CHECK(trainer.report().loss < 0.9 * before.loss);
  CHECK((trainer.adjuster()->parameters()[0].scalar_type() == torch::kFloat));
}

namespace {

// An optimizer that torch does not know.
class sign_descent : public torch::optim::Optimizer {
 public:
  explicit sign_descent(const std::vector<Tensor>& parameters)
      : Optimizer(parameters, std::make_unique<torch::optim::SGDOptions>(0.01)) {}
  Tensor step(LossClosure = nullptr) override {
    const torch::NoGradGuard no_grad;
    for (Tensor& parameter : param_groups().front().params()) {
      parameter.sub_(0.01 * parameter.grad().sign());
    }
    return {};
  }
};

}  // namespace

TEST_CASE("an optimizer of one's own, a schedule, and a pending report") {
  auto model = perceptron(torch::kFloat);
  sign_descent optimizer(model->parameters());
  const Tensor x = torch::randn({6, 5});
  const Tensor y = torch::randn({6, 3});
  unread_adjust<torch::nn::Sequential, gal::mse> trainer(model, optimizer, gal::mse());
  CHECK(std::isnan(trainer.report().loss));
  const auto pending = trainer.step(x, y);
  const gal::adjust_report first = pending;
  for (int k = 0; k < 20; ++k) {
    trainer.step(x, y);
  }
  CHECK(trainer.report().loss < first.loss);
  CHECK(contains(refusal(gal::error_code::invalid_option, [&] { return pending.get(); }),
                 "of step 1, and the trainer is at step 21"));
  const auto before = copies(model->parameters());
  trainer.step(x, torch::full({6, 3}, NAN));  // waits, since the step could not be taken back
  CHECK(same(before, model->parameters()));
  CHECK(
      contains(refusal(gal::error_code::invalid_option,
                       [&] { return gal::torch_adjust(model, optimizer, gal::mse(), gal::paper()).steps(); }),
               "none of SGD, Adam, AdamW, RMSprop, Adagrad"));

  torch::optim::SGD scheduled(model->parameters(), 0.1);
  torch::optim::StepLR schedule(scheduled, 1, 0.5);
  gal::torch_adjust second(model, scheduled, gal::mse(), gal::paper());
  CHECK(second.step(x, y).get().learning_rate == 0.1);
  schedule.step();  // the first changes nothing
  schedule.step();
  CHECK(second.step(x, y).get().learning_rate == 0.05);
  CHECK(second.adjuster_optimizer().param_groups().front().options().get_lr() == 0.05);
}

TEST_CASE("every optimizer of torch lends its method to the adjuster") {
  const Tensor x = torch::randn({6, 5});
  const Tensor y = torch::randn({6, 3});
  const auto try_with = [&](auto make) {
    auto model = perceptron(torch::kFloat);
    auto optimizer = make(model->parameters());
    unread_adjust<torch::nn::Sequential, gal::mse> trainer(model, optimizer, gal::mse(), gal::paper());
    trainer.step(x, y);
    const auto before = copies(trainer.adjuster()->parameters());
    const auto all = everything(optimizer);
    trainer.step(x, torch::full({6, 3}, NAN));
    CHECK(same(before, trainer.adjuster()->parameters()));
    CHECK(same(all, everything(optimizer)));
    trainer.step(x, y);
    CHECK_FALSE(same(before, trainer.adjuster()->parameters()));
    CHECK_FALSE(same(all, everything(optimizer)));
  };
  using namespace torch::optim;
  try_with([](auto p) { return SGD(p, SGDOptions(0.1).momentum(0.5)); });
  try_with([](auto p) { return Adam(p, AdamOptions(0.1).amsgrad(true)); });
  try_with([](auto p) { return AdamW(p, AdamWOptions(0.1)); });
  try_with([](auto p) { return RMSprop(p, RMSpropOptions(0.1).momentum(0.5).centered(true)); });
  try_with([](auto p) { return Adagrad(p, AdagradOptions(0.1)); });
}

TEST_CASE("training goes on from what was saved") {
  const Tensor x = torch::randn({6, 5});
  const Tensor y = torch::randn({6, 3});
  auto model = perceptron(torch::kFloat);
  auto other = perceptron(torch::kFloat);
  torch::optim::SGD optimizer(model->parameters(), 0.1);
  torch::optim::SGD other_optimizer(other->parameters(), 0.1);
  gal::torch_adjust trainer(model, optimizer, gal::mse());
  for (int k = 0; k < 3; ++k) {
    trainer.step(x, y);
  }
  std::stringstream saved_model;
  std::stringstream saved_adjuster;
  std::stringstream saved_optimizer;
  torch::save(model, saved_model);
  torch::save(trainer.adjuster(), saved_adjuster);
  torch::save(trainer.adjuster_optimizer(), saved_optimizer);
  torch::load(other, saved_model);
  gal::torch_adjust fresh(other, other_optimizer, gal::mse());
  CHECK(contains(refusal(gal::error_code::invalid_option, [&] { return fresh.adjuster_optimizer().size(); }),
                 "no adjuster that learns"));
  fresh.step(x, y);
  torch::nn::Sequential adjuster = fresh.adjuster();
  torch::load(adjuster, saved_adjuster);
  saved_model.seekg(0);
  torch::load(other, saved_model);
  gal::torch_adjust resumed(other, other_optimizer, gal::mse(), {}, adjuster);
  torch::load(resumed.adjuster_optimizer(), saved_optimizer);
  for (int k = 0; k < 3; ++k) {
    const gal::adjust_report report = trainer.step(x, y);
    check_reports(report, resumed.step(x, y), 0.0);
  }
  CHECK(same(copies(model->parameters()), other->parameters()));
}

TEST_CASE("misuse is refused by name, before anything changes") {
  using enum gal::error_code;
  auto model = perceptron(torch::kFloat);
  torch::optim::SGD optimizer(model->parameters(), 0.1);
  const Tensor x = torch::randn({6, 5});
  const Tensor y = torch::randn({6, 3});
  const auto before = copies(model->parameters());
  const auto step = [&](auto& any_model, auto loss, const auto& target, gal::adjust_options options = {}) {
    gal::torch_adjust trainer(any_model, optimizer, loss, options);
    return trainer.step(x, target).get();
  };
  const auto message = [&](gal::error_code code, auto&&... arguments) {
    return refusal(code, [&] { return step(arguments...); });
  };
  const auto scalars = [&](const Tensor& input) { return model->forward(input).select(1, 0); };
  CHECK(contains(message(shape_mismatch, scalars, gal::mse(), y), "the features are [6]; expected"));
  const auto whole = [&](const Tensor&) { return torch::ones({6, 3}, torch::kLong); };
  CHECK(contains(message(invalid_option, whole, gal::mse(), y),
                 "of type Long; expected a floating-point tensor"));
  const auto detached = [&](const Tensor& input) { return model->forward(input).detach(); };
  CHECK(contains(message(invalid_option, detached, gal::mse(), y), "do not depend on a parameter"));
  auto other = perceptron(torch::kFloat);
  const auto other_model = [&](const Tensor& input) { return other->forward(input); };
  CHECK(contains(message(invalid_option, other_model, gal::mse(), y),
                 "no parameter of the optimizer has a gradient; expected"));

  CHECK(contains(message(shape_mismatch, model, gal::mse(), y.select(1, 0)),
                 "gal::mse: targets are [6]; expected the features' size [6, 3]"));
  const Tensor labels = torch::tensor({0, 1, 2, 3, 0, 0}, torch::kLong);
  CHECK(contains(message(invalid_target, model, gal::softmax_cross_entropy(), labels),
                 "a label is outside the 3 classes; expected 0 to 2"));
  CHECK(contains(message(shape_mismatch, model, gal::softmax_cross_entropy(), labels.slice(0, 0, 5)),
                 "labels are [5]; expected one for each sample of the features [6, 3]"));
  const auto entries = [](const Tensor& features, const Tensor& target) {
    return (features - target).square();
  };
  CHECK(contains(message(shape_mismatch, model, entries, y), "the loss returned [6, 3] for features [6, 3]"));
  const auto constant = [](const Tensor&, const Tensor& target) { return target.mean(); };
  CHECK(contains(message(invalid_option, model, constant, y, gal::paper()), "no function of the features"));
  CHECK(contains(message(invalid_option, model, mean_squared_error, y),
                 "decision per_sample, and the loss returned one"));
  CHECK(contains(message(invalid_option, model, gal::mse(), y, gal::adjust_options{.epsilon = -1.0}),
                 "epsilon is -1; expected a non-negative number"));
  CHECK(contains(message(invalid_option, model, gal::mse(), y,
                         gal::adjust_options{.normalisation = gal::normalisation::sample_weight}),
                 "normalisation sample_weight; expected per_sample, per_batch or gate"));
  CHECK(contains(message(invalid_option, model, gal::mse(), y, gal::feature_decay(0.1)),
                 "normalisation additive; expected per_sample, per_batch or gate"));
  gal::adjust_options in_closed_form = gal::feature_decay(0.1);
  in_closed_form.normalisation = gal::normalisation::gate;
  CHECK(contains(message(invalid_option, model, gal::mse(), y, in_closed_form),
                 "adjuster feature_decay; expected learned, untrained, zero, uniform or normal"));
  CHECK(contains(message(invalid_option, model, gal::mse(), y,
                         gal::adjust_options{.input = gal::adjuster_input::losses}),
                 "input losses; expected features or features_and_gradients"));

  torch::optim::LBFGS lbfgs(model->parameters(), 0.1);
  CHECK(contains(refusal(invalid_option, [&] { return gal::torch_adjust(model, lbfgs, gal::mse()).steps(); }),
                 "the optimizer is LBFGS"));
  gal::torch_adjust narrow(model, optimizer, gal::mse(), {}, torch::nn::Sequential(torch::nn::Linear(6, 2)));
  CHECK(contains(refusal(shape_mismatch, [&] { return narrow.step(x, y).get(); }),
                 "the adjuster returned [6, 2]; expected the features' size [6, 3]"));
  CHECK(same(before, model->parameters()));

  gal::torch_adjust trainer(model, optimizer, gal::mse());
  CHECK(contains(refusal(invalid_option, [&] { return trainer.adjuster()->size(); }),
                 "built at the first step"));
  bool wider = false;
  const auto changing = [&](const Tensor& input) {
    return wider ? torch::cat({model->forward(input), input}, 1) : model->forward(input);
  };
  gal::torch_adjust changed(changing, optimizer, mean_squared_error, gal::paper());
  changed.step(x, y);
  wider = true;
  CHECK(contains(refusal(shape_mismatch,
                         [&] {
                           return changed.step(x, torch::zeros({6, 8})).get();
                         }),
                 "the features are [6, 8]; expected 3 as the last size"));
}

namespace {

// The state of the generator that torch draws from unless told otherwise.
std::vector<std::uint8_t> generator_state() {
  at::Generator generator = at::globalContext().defaultGenerator(torch::kCPU);
  const std::lock_guard<std::mutex> lock(generator.mutex());
  const Tensor state = generator.get_state();
  return {state.data_ptr<std::uint8_t>(), state.data_ptr<std::uint8_t>() + state.numel()};
}

option_list options_with_noise() {
  option_list list = several_options();
  gal::adjust_options options;
  options.adjuster_steps = 2;
  options.adjuster.kind = gal::adjuster_kind::uniform;
  list.emplace_back("uniform noise", options);
  options.adjuster.kind = gal::adjuster_kind::normal;
  list.emplace_back("normal noise", options);
  options.hidden = {};
  options.adjuster.kind = gal::adjuster_kind::learned;
  options.normalisation = gal::normalisation::per_batch;
  list.emplace_back("without hidden layers", options);
  options.hidden = {8, 8, 8};
  options.adjuster.initialization = gal::nn::initialization::xavier;
  options.adjuster.activation = gal::nn::silu;
  list.emplace_back("three hidden layers", options);
  return list;
}

}  // namespace

TEST_CASE("torch's generators are left alone, by every option") {
  for (const auto& [name, options] : options_with_noise()) {
    CAPTURE(name);
    auto model = perceptron(torch::kFloat);
    const auto optimizer = torch_adam(model->parameters());
    const Tensor x = torch::randn({6, 5});
    const Tensor y = torch::randn({6, 3});
    const auto check = [&](auto loss, const Tensor& target) {
      const auto before = generator_state();
      gal::torch_adjust trainer(model, *optimizer, loss, options);
      CHECK(generator_state() == before);
      for (int k = 0; k < 3; ++k) {
        CHECK(trainer.step(x, target).get().learning_rate == 0.02);
        CHECK(generator_state() == before);
      }
      CHECK(trainer.step(x, torch::full_like(y, NAN)).get().non_finite);
      CHECK(generator_state() == before);
    };
    check(gal::mse(), y);
    check(squared_errors, y);
    check(gal::softmax_cross_entropy(), y.softmax(-1));
  }
}

TEST_CASE("the seed in the options decides the adjuster's first weights, torch's seed does not") {
  const auto adjuster = [](std::uint64_t torch_seed, std::uint64_t seed) {
    auto model = perceptron(torch::kFloat);
    torch::optim::SGD optimizer(model->parameters(), 0.1);
    torch::manual_seed(torch_seed);
    gal::torch_adjust trainer(model, optimizer, gal::mse(),
                              {.adjuster = {.kind = gal::adjuster_kind::untrained, .seed = seed}});
    trainer.step(torch::ones({6, 5}), torch::ones({6, 3}));
    return copies(trainer.adjuster()->parameters());
  };
  CHECK(same(adjuster(1, 7), adjuster(2, 7)));
  CHECK_FALSE(same(adjuster(1, 7), adjuster(1, 8)));
}

TEST_CASE("plain and adjusted training see the same batches, weights and dropout masks") {
  const auto train = [](bool adjusted) {
    torch::manual_seed(29);
    counting model;
    torch::optim::SGD optimizer(model.parameters(), 0.1);
    const Tensor x = torch::randn({24, 5});
    const Tensor y = torch::randn({24, 3});
    gal::torch_adjust trainer(model, optimizer, gal::mse(), {.safeguard = gal::safeguard::never});
    for (int epoch = 0; epoch < 3; ++epoch) {
      for (const Tensor& rows : torch::randperm(24, torch::kLong).split(8)) {
        if (adjusted) {
          trainer.step(x.index_select(0, rows), y.index_select(0, rows));
        } else {
          optimizer.zero_grad();
          torch::mse_loss(model.forward(x.index_select(0, rows)), y.index_select(0, rows)).backward();
          optimizer.step();
        }
      }
    }
    return copies(model.parameters());
  };
  const std::vector<Tensor> plain = train(false);
  const std::vector<Tensor> adjusted = train(true);
  for (std::size_t i = 0; i < plain.size(); ++i) {
    CHECK(difference(plain[i], adjusted[i]) < 1e-6);
  }
}

TEST_CASE("a loss that draws is one function within a step, and draws as often as in a plain step") {
  const auto noisy = [](const Tensor& x, const Tensor& y) {
    return (torch::dropout(x, 0.5, true) - y).square().mean(-1);
  };
  auto model = perceptron(torch::kDouble);
  torch::optim::SGD optimizer(model->parameters(), 0.1);
  const Tensor x = torch::randn({6, 5}, torch::kDouble);
  const Tensor y = torch::randn({6, 3}, torch::kDouble);
  gal::torch_adjust trainer(model, optimizer, noisy, {.tau = 0.0, .adjuster_steps = 3});
  for (int k = 0; k < 3; ++k) {
    torch::manual_seed(static_cast<std::uint64_t>(k));
    const double expected = number(noisy(model->forward(x), y).mean());
    const auto after_loss = generator_state();
    torch::manual_seed(static_cast<std::uint64_t>(k));
    const gal::adjust_report report = trainer.step(x, y);
    CHECK(generator_state() == after_loss);
    CHECK(report.loss == doctest::Approx(expected));
    CHECK(report.tentative_loss == doctest::Approx(report.loss).epsilon(1e-14));
    CHECK(report.vanilla_tentative_loss == doctest::Approx(report.loss).epsilon(1e-14));
  }
}

TEST_CASE("an adjuster of one's own draws from the seed in the options") {
  const auto adjustments = [](std::uint64_t seed) {
    auto model = perceptron(torch::kDouble);
    torch::optim::SGD optimizer(model->parameters(), 0.0);
    const Tensor x = torch::randn({6, 5}, torch::kDouble);
    const Tensor y = torch::randn({6, 3}, torch::kDouble);
    gal::adjust_options options = gal::paper();
    options.training = gal::adjuster_training::own_adam;
    options.adjuster_learning_rate = 0.0;
    options.adjuster.seed = seed;
    torch::nn::Sequential adjuster(torch::nn::Linear(3, 16), torch::nn::Dropout(0.5),
                                   torch::nn::Linear(16, 3));
    adjuster->to(torch::kDouble);
    gal::torch_adjust trainer(model, optimizer, gal::mse(), options, adjuster);
    std::vector<Tensor> result;
    for (int k = 0; k < 2; ++k) {
      const auto before = generator_state();
      trainer.step(x, y);
      CHECK(generator_state() == before);
      result.push_back(trainer.last_adjustment().clone());
    }
    CHECK(adjuster->is_training());
    return result;
  };
  const std::vector<Tensor> first = adjustments(1);
  CHECK(same(first, adjustments(1)));
  CHECK(difference(first[0], first[1]) > 1e-6);
  CHECK(difference(first[0], adjustments(2)[0]) > 1e-6);
}

namespace {

// An encoder of sequences (n, t, 5), whose features (n, t, 4) are adjusted, and a head in the loss, from their mean over t
// to the losses of the n sequences or their mean.
struct encoder_and_head {
  encoder_and_head(torch::ScalarType of_encoder, torch::ScalarType of_head)
      : encoder(perceptron(of_encoder, 5, 4)), head(4, 2) {
    head->to(of_head);
  }
  [[nodiscard]] Tensor losses(const Tensor& x, const Tensor& y) {
    const Tensor input = x.to(head->weight.scalar_type());
    return (head->forward(input.mean(1)) - y.to(input.scalar_type())).square().mean(-1);
  }
  [[nodiscard]] std::vector<Tensor> parameters() const {
    std::vector<Tensor> result = encoder->parameters();
    result.push_back(head->weight);
    result.push_back(head->bias);
    return result;
  }
  torch::nn::Sequential encoder;
  torch::nn::Linear head;
};

}  // namespace

TEST_CASE("a head in the loss trains as in any step") {
  for (const auto type : {torch::kDouble, torch::kFloat}) {
    for (const bool gives_mean : {false, true}) {
      const double tolerance = type == torch::kDouble ? 1e-13 : 1e-5;
      encoder_and_head parts(type, type);
      encoder_and_head plain(type, type);
      const auto optimizer = torch_adam(parts.parameters());
      const auto plain_optimizer = torch_adam(plain.parameters());
      const Tensor x = torch::randn({6, 7, 5}, type);
      const Tensor y = torch::randn({6, 2}, type);
      const auto loss = [&](const Tensor& features, const Tensor& target) {
        const Tensor losses = parts.losses(features, target);
        return gives_mean ? losses.mean() : losses;
      };
      gal::adjust_options options;
      options.safeguard = gal::safeguard::never;
      options.adjuster_steps = 3;
      options.report_vanilla = true;
      gal::torch_adjust trainer(parts.encoder, *optimizer, loss, options);
      const Tensor first = parts.head->weight.detach().clone();
      for (int k = 0; k < 3; ++k) {
        trainer.step(x, y);
        plain_optimizer->zero_grad();
        plain.losses(plain.encoder->forward(x), y).mean().backward();
        plain_optimizer->step();
      }
      CHECK(difference(parts.head->weight, first) > 1e-3);
      for (std::size_t i = 0; i < parts.parameters().size(); ++i) {
        CHECK(difference(parts.parameters()[i], plain.parameters()[i]) < tolerance);
      }
    }
  }
}

TEST_CASE("the head's gradient is that at the features, the encoder's the adjusted one") {
  for (const auto& [name, given] : several_options()) {
    CAPTURE(name);
    encoder_and_head parts(torch::kDouble, torch::kDouble);
    encoder_and_head before(torch::kDouble, torch::kDouble);
    torch::optim::SGD optimizer(parts.parameters(), 0.1);
    const Tensor x = torch::randn({6, 7, 5}, torch::kDouble);
    const Tensor y = torch::randn({6, 2}, torch::kDouble);
    const auto loss = [&](const Tensor& features, const Tensor& target) {
      return parts.losses(features, target);
    };
    gal::adjust_options options = given;
    options.safeguard = gal::safeguard::always;
    options.tau = 10.0;
    gal::torch_adjust trainer(parts.encoder, optimizer, loss, options);
    trainer.step(x, y);

    const Tensor features = before.encoder->forward(x);
    const Tensor leaf = features.detach().requires_grad_();
    const std::vector<Tensor> of_loss = torch::autograd::grad({before.losses(leaf, y).mean()},
                                                              {leaf, before.head->weight, before.head->bias});
    CHECK(difference(trainer.last_gradient(), of_loss[0]) < 1e-15);
    CHECK(difference(parts.head->weight.grad(), of_loss[1]) < 1e-14);
    CHECK(difference(parts.head->bias.grad(), of_loss[2]) < 1e-14);
    const std::vector<Tensor> of_encoder = torch::autograd::grad(
        {features}, before.encoder->parameters(), {trainer.last_gradient() + trainer.last_adjustment()});
    for (std::size_t i = 0; i < of_encoder.size(); ++i) {
      CHECK(difference(parts.encoder->parameters()[i].grad(), of_encoder[i]) < 1e-13);
    }
  }
}

TEST_CASE("whatever the loss depends on gets the gradient of one plain backward pass, and nothing more") {
  // Tied weights, another output of the model, and a scale that a second optimizer steps.
  struct parts {
    parts() : model(perceptron(torch::kDouble)), scale(torch::ones({1}, torch::kDouble).requires_grad_()) {}
    Tensor features(const Tensor& x) {
      hidden = model[0]->as<torch::nn::Linear>()->forward(x).tanh();
      return model[2]->as<torch::nn::Linear>()->forward(hidden);
    }
    Tensor losses(const Tensor& x, const Tensor& y) {
      const Tensor weight = model[2]->as<torch::nn::Linear>()->weight;
      return (scale * x - y).square().mean(-1) + weight.square().sum() + hidden.square().mean(-1);
    }
    torch::nn::Sequential model;
    Tensor scale;
    Tensor hidden;
  };
  parts adjusted;
  parts plain;
  const auto optimizer = torch_adam(adjusted.model->parameters());
  const auto plain_optimizer = torch_adam(plain.model->parameters());
  const Tensor x = torch::randn({6, 5}, torch::kDouble);
  const Tensor y = torch::randn({6, 3}, torch::kDouble);
  const auto model = [&](const Tensor& input) { return adjusted.features(input); };
  const auto loss = [&](const Tensor& input, const Tensor& target) { return adjusted.losses(input, target); };
  gal::adjust_options options;
  options.safeguard = gal::safeguard::never;
  options.adjuster_steps = 3;
  gal::torch_adjust trainer(model, *optimizer, loss, options);
  for (int k = 0; k < 3; ++k) {
    trainer.step(x, y);
    plain_optimizer->zero_grad();
    plain.losses(plain.features(x), y).mean().backward();
    plain_optimizer->step();
    REQUIRE(adjusted.scale.grad().defined());
    CHECK(difference(adjusted.scale.grad(), plain.scale.grad()) < 1e-13);
    adjusted.scale.grad().zero_();
    plain.scale.grad().zero_();
  }
  for (std::size_t i = 0; i < plain.model->parameters().size(); ++i) {
    CHECK(difference(adjusted.model->parameters()[i], plain.model->parameters()[i]) < 1e-13);
  }
}

namespace {

// An adjuster that treats every number alike, whatever the sizes: h = tanh(weight x).
struct alike_impl : torch::nn::Module {
  alike_impl() : weight(register_parameter("weight", torch::full({1}, 0.7, torch::kDouble))) {}
  Tensor forward(const Tensor& x) { return (weight * x).tanh(); }
  Tensor weight;
};
TORCH_MODULE_IMPL(alike, alike_impl);

}  // namespace

TEST_CASE("a loss of every sequence: the sequences are the samples, as if each were one row") {
  for (const auto& [name, given] : several_options()) {
    for (const bool gives_mean : {false, true}) {
      gal::adjust_options options = given;
      options.input = gal::adjuster_input::features;
      options.remove_mean = false;
      if (options.adjuster.kind == gal::adjuster_kind::untrained) {
        options.adjuster_learning_rate = 0.0;
      }
      if (gives_mean) {
        options.decision = gal::decision::per_batch;
      }
      CAPTURE(name);
      CAPTURE(gives_mean);
      auto model = perceptron(torch::kDouble, 5, 4);
      auto flat_model = perceptron(torch::kDouble, 5, 4);
      const auto optimizer = torch_adam(model->parameters());
      const auto flat_optimizer = torch_adam(flat_model->parameters());
      const Tensor x = torch::randn({6, 7, 5}, torch::kDouble);
      const Tensor y = torch::randn({6, 28}, torch::kDouble);
      const auto loss = [&](const Tensor& features, const Tensor& target) {
        const Tensor losses = (features.reshape({6, 28}).tanh() - target).square().mean(-1);
        return gives_mean ? losses.mean() : losses;
      };
      const auto flattened = [&](const Tensor& input) { return flat_model->forward(input).reshape({6, 28}); };
      gal::torch_adjust trainer(model, *optimizer, loss, options, torch::nn::Sequential(alike()));
      gal::torch_adjust flat(flattened, *flat_optimizer, loss, options, torch::nn::Sequential(alike()));
      for (int k = 0; k < 3; ++k) {
        const gal::adjust_report report = trainer.step(x, y);
        check_reports(report, flat.step(x, y), 1e-13);
        CHECK(difference(trainer.last_adjustment().reshape({6, 28}), flat.last_adjustment()) < 1e-13);
      }
      if (!gives_mean) {
        CHECK((trainer.last_sample_losses().sizes() == at::IntArrayRef({6})));
      }
      for (std::size_t i = 0; i < model->parameters().size(); ++i) {
        CHECK(difference(model->parameters()[i], flat_model->parameters()[i]) < 1e-13);
      }
      CHECK(difference(trainer.adjuster()->parameters()[0], flat.adjuster()->parameters()[0]) < 1e-13);
    }
  }
}

TEST_CASE("what torch holds for the whole program stays as it was, after an exception too") {
  struct settings {
    bool gradients = torch::GradMode::is_enabled();
    caffe2::TypeMeta type = torch::get_default_dtype();
    int threads = at::get_num_threads();
    bool operator==(const settings&) const = default;
  };
  for (const bool gradients : {true, false}) {
    const torch::AutoGradMode mode(gradients);
    const settings before;
    counting model;
    model.first->bias.requires_grad_(false);
    model.dropout->eval();
    torch::optim::SGD optimizer(model.parameters(), 0.1);
    int calls = 0;
    int last_call = 1000;
    const auto loss = [&](const Tensor& x, const Tensor& y) {
      if (++calls > last_call) {
        throw std::runtime_error("a loss that fails");
      }
      return squared_errors(x, y);
    };
    gal::adjust_options options;
    options.adjuster_steps = 3;
    gal::torch_adjust trainer(model, optimizer, loss, options);
    const Tensor x = torch::randn({6, 5});
    const Tensor y = torch::randn({6, 3});
    const auto check = [&] {
      CHECK(settings() == before);
      CHECK(model.is_training());
      CHECK(model.normalisation->is_training());
      CHECK_FALSE(model.dropout->is_training());
      CHECK_FALSE(model.first->bias.requires_grad());
      CHECK_FALSE(model.first->bias.grad().defined());
      CHECK(model.first->weight.requires_grad());
      CHECK_FALSE(x.requires_grad());
      CHECK_FALSE(y.requires_grad());
    };
    trainer.step(x, y);
    check();
    trainer.step(x, torch::full_like(y, NAN));
    check();
    for (const int last : {0, 1, 2, 3, 4}) {
      const auto weights = everything(optimizer);
      const auto adjuster = everything(trainer.adjuster_optimizer());
      last_call = last;
      calls = 0;
      CHECK_THROWS_WITH_AS(trainer.step(x, y), "a loss that fails", std::runtime_error);
      check();
      CHECK(same(weights, everything(optimizer)));
      CHECK(same(adjuster, everything(trainer.adjuster_optimizer())));
    }
    last_call = 1000;
    trainer.step(x, y);
    check();
  }
}

TEST_CASE("parameters that no gradient reaches are named, unless they are allowed or frozen") {
  using gal::error_code::invalid_option;
  const Tensor x = torch::randn({6, 5});
  const Tensor y = torch::randn({6, 8});
  // The features come before the last layer.
  struct without_head_impl : torch::nn::Module {
    without_head_impl()
        : body(register_module("body", torch::nn::Linear(5, 8))),
          head(register_module("head", torch::nn::Linear(8, 3))) {}
    Tensor forward(const Tensor& input) {
      return uses_head ? head->forward(body->forward(input)) : body->forward(input);
    }
    torch::nn::Linear body;
    torch::nn::Linear head;
    bool uses_head = false;
  };
  const auto message = [&](auto& model, torch::optim::Optimizer& optimizer) {
    gal::adjust_options options;
    options.adjuster_steps = 3;
    gal::torch_adjust trainer(model, optimizer, gal::mse(), options);
    return refusal(invalid_option, [&] { return trainer.step(x, y).get(); });
  };
  without_head_impl model;
  const auto pointer = std::make_shared<without_head_impl>();
  const auto function = [&](const Tensor& input) { return model.forward(input); };
  torch::optim::SGD optimizer(model.parameters(),
                              torch::optim::SGDOptions(0.1).momentum(0.9).weight_decay(0.1));
  torch::optim::SGD of_pointer(pointer->parameters(), 0.1);
  const auto before = copies(model.parameters());
  CHECK(contains(message(model, optimizer),
                 "no gradient reaches head.weight [3, 8], head.bias [3] of the optimizer; expected"));
  CHECK(contains(message(pointer, of_pointer), "no gradient reaches head.weight [3, 8], head.bias [3]"));
  CHECK(contains(message(function, optimizer),
                 "no gradient reaches parameter 2 of group 0 [3, 8], parameter 3 of group 0 [3]"));
  CHECK(same(before, model.parameters()));
  std::vector<Tensor> spare;
  for (int i = 0; i < 10; ++i) {
    spare.push_back(torch::ones({i + 1}).requires_grad_());
  }
  optimizer.add_param_group(torch::optim::OptimizerParamGroup(spare));
  CHECK(contains(message(model, optimizer), "parameter 5 of group 1 [6] and 4 more of the optimizer"));
  for (Tensor& parameter : spare) {
    parameter.requires_grad_(false);
  }
  CHECK(contains(message(model, optimizer), "head.bias [3] of the optimizer"));

  gal::torch_adjust trainer(model, optimizer, gal::mse());
  trainer.allow_unreached_parameters();
  // Reached in one step and not in the next: the old gradient, momentum and weight decay do not move it.
  model.uses_head = true;
  gal::torch_adjust through_head(model, optimizer, gal::mse());
  through_head.step(x, torch::randn({6, 3}));
  model.uses_head = false;
  const Tensor head = model.head->weight.detach().clone();
  const Tensor body = model.body->weight.detach().clone();
  trainer.step(x, y);
  CHECK(torch::equal(model.head->weight, head));
  CHECK_FALSE(torch::equal(model.body->weight, body));
  trainer.allow_unreached_parameters(false);
  CHECK(contains(refusal(invalid_option, [&] { return trainer.step(x, y).get(); }), "head.weight"));

  for (Tensor& parameter : model.head->parameters()) {
    parameter.requires_grad_(false);
  }
  CHECK(trainer.step(x, y).get().learning_rate == 0.1);

  torch::jit::script::Module script = torch::jit::load(GAL_TEST_TORCH_DIR "/model.pt");
  std::vector<Tensor> parameters;
  std::string last;
  for (const auto& parameter : script.named_parameters()) {
    parameters.push_back(parameter.value);
    last = parameter.name;
  }
  for (std::size_t i = 0; i + 1 < parameters.size(); ++i) {
    parameters[i].mutable_grad() = torch::ones_like(parameters[i]);
  }
  torch::optim::SGD of_script(parameters, 0.1);
  CHECK(contains(refusal(invalid_option,
                         [&] {
                           gal::detail::require_gradients("test", of_script, script, "optimizer", false);
                           return 0;
                         }),
                 "no gradient reaches " + last + " ["));
}

TEST_CASE("an adjuster of one's own learns wholly, but for what is frozen") {
  using gal::error_code::invalid_option;
  struct half_used_impl : torch::nn::Module {
    half_used_impl()
        : used(register_module("used", torch::nn::Linear(6, 3))),
          other(register_module("other", torch::nn::Linear(6, 3))) {}
    Tensor forward(const Tensor& input) { return used->forward(input); }
    torch::nn::Linear used;
    torch::nn::Linear other;
  };
  auto model = perceptron(torch::kFloat);
  torch::optim::SGD optimizer(model->parameters(), 0.1);
  const Tensor x = torch::randn({6, 5});
  const Tensor y = torch::randn({6, 3});
  const auto adjuster = std::make_shared<half_used_impl>();
  gal::torch_adjust trainer(model, optimizer, gal::mse(), {}, torch::nn::Sequential(adjuster));
  const auto before = copies(model->parameters());
  CHECK(contains(refusal(invalid_option, [&] { return trainer.step(x, y).get(); }),
                 "no gradient reaches 0.other.weight [3, 6], 0.other.bias [3] of the adjuster"));
  CHECK(same(before, model->parameters()));
  for (Tensor& parameter : adjuster->other->parameters()) {
    parameter.requires_grad_(false);
  }
  gal::torch_adjust frozen(model, optimizer, gal::mse(), {}, torch::nn::Sequential(adjuster));
  const Tensor weight = adjuster->used->weight.detach().clone();
  frozen.step(x, y);
  frozen.step(x, y);
  CHECK_FALSE(torch::equal(weight, adjuster->used->weight));
  for (Tensor& parameter : adjuster->parameters()) {
    parameter.requires_grad_(false);
  }
  gal::torch_adjust fixed(model, optimizer, gal::mse(), {}, torch::nn::Sequential(adjuster));
  const auto frozen_weights = copies(adjuster->parameters());
  fixed.step(x, y);
  CHECK(same(frozen_weights, adjuster->parameters()));
}

// ---- gal::fit ----

using tensor_batches = std::vector<std::pair<Tensor, Tensor>>;

tensor_batches some_batches(torch::ScalarType type, int count, std::uint64_t seed) {
  torch::manual_seed(seed);
  tensor_batches result;
  for (int k = 0; k < count; ++k) {
    const Tensor x = torch::randn({10 + 2 * k, 5}, type);
    result.push_back({x, x.slice(1, 0, 3) * x.slice(1, 1, 4)});
  }
  return result;
}

// With batch normalisation, which gathers, and dropout, which evaluation switches off.
torch::nn::Sequential normalised(torch::ScalarType type, double dropout, std::uint64_t seed = 3) {
  torch::manual_seed(seed);
  torch::nn::Sequential model(torch::nn::Linear(5, 8), torch::nn::BatchNorm1d(8), torch::nn::Tanh(),
                              torch::nn::Dropout(dropout), torch::nn::Linear(8, 3));
  model->to(type);
  return model;
}

std::vector<Tensor> all_tensors(torch::nn::Module& module) {
  std::vector<Tensor> result = copies(module.parameters());
  for (const Tensor& buffer : copies(module.buffers())) {
    result.push_back(buffer);
  }
  return result;
}

std::string contents_of(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

TEST_CASE("evaluation is the loss without a step, in the mode that the model is in") {
  for (const torch::ScalarType type : {torch::kFloat, torch::kDouble}) {
    torch::nn::Sequential model = normalised(type, 0.5);
    torch::optim::SGD optimizer(model->parameters(), 0.1);
    const tensor_batches batches = some_batches(type, 1, 4);
    const auto& [x, y] = batches.front();
    gal::torch_adjust trainer(model, optimizer, gal::mse());
    gal::torch_adjust of_samples(model, optimizer, squared_errors);
    gal::torch_adjust of_mean(model, optimizer, mean_squared_error);
    {
      const gal::evaluation_mode mode(model);
      const std::vector<Tensor> before = all_tensors(*model);
      const double expected = number(torch::mse_loss(model->forward(x), y));
      for (const gal::batch_loss& loss :
           {trainer.evaluate(x, y), of_samples.evaluate(x, y), of_mean.evaluate(x, y)}) {
        CHECK(loss.mean == doctest::Approx(expected).epsilon(1e-6));
        CHECK(loss.samples == 10);
      }
      CHECK(same(all_tensors(*model), before));
      CHECK(trainer.steps() == 0);
    }
    // In training it drops out: the step that begins with the same draws sees the same loss.
    torch::manual_seed(8);
    const gal::batch_loss evaluated = trainer.evaluate(x, y);
    torch::manual_seed(8);
    const gal::adjust_report report = trainer.step(x, y);
    CHECK(evaluated.mean == report.loss);
  }
}

TEST_CASE("fit takes the steps of the loop, and nothing else") {
  const tensor_batches batches = some_batches(torch::kDouble, 3, 4);
  std::vector<std::vector<Tensor>> ends;
  for (const bool fits : {false, true}) {
    torch::nn::Sequential model = normalised(torch::kDouble, 0.2);
    torch::optim::Adam optimizer(model->parameters(), 0.01);
    gal::torch_adjust trainer(model, optimizer, gal::mse());
    if (fits) {
      const gal::fit_result result = gal::fit(trainer, batches, {.epochs = 4});
      CHECK(result.steps == 12);
      CHECK(result.history.back().number("accepted_share") >= 0.0);
    } else {
      for (int epoch = 0; epoch < 4; ++epoch) {
        for (const auto& [x, y] : batches) {
          trainer.step(x, y);
        }
      }
    }
    ends.push_back(all_tensors(*model));
  }
  CHECK(same(ends[0], ends[1]));
}

TEST_CASE("fit validates in evaluation, restores the best weights, and writes logs and pages") {
  const std::string folder = "torch_test_files";
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  const tensor_batches batches = some_batches(torch::kFloat, 3, 4);
  const tensor_batches validation = some_batches(torch::kFloat, 2, 5);
  torch::nn::Sequential model = normalised(torch::kFloat, 0.5);
  model->ptr(1)->train(false);  // as batch normalisation that is frozen
  torch::optim::Adam optimizer(model->parameters(), 0.01);
  gal::torch_adjust trainer(model, optimizer, gal::mse());

  std::vector<Tensor> best;
  auto watch = gal::on_epoch_end([&](auto& run) {
    CHECK(model->is_training());
    CHECK(model->ptr(3)->is_training());
    CHECK_FALSE(model->ptr(1)->is_training());
    double sum = 0.0;
    {
      const gal::evaluation_mode mode(model);
      CHECK_FALSE(model->ptr(3)->is_training());
      for (const auto& [x, y] : validation) {
        sum += number(torch::mse_loss(model->forward(x), y)) * static_cast<double>(x.size(0));
      }
    }
    CHECK(run.last_epoch().validation_loss == doctest::Approx(sum / 22.0).epsilon(1e-6));
    if (run.last_epoch().is_best) {
      best = all_tensors(*model);
    }
    if (run.epochs() == 3) {  // from here on it is worse
      const torch::NoGradGuard no_grad;
      for (const Tensor& tensor : model->parameters()) {
        tensor.mul_(100.0);
      }
    }
  });
  std::FILE* const progress = std::tmpfile();
  const gal::fit_result result =
      gal::fit(trainer, batches, validation, {.epochs = 20, .patience = 2}, watch,
               gal::csv_log(folder + "/log.csv"), gal::html_report(folder + "/page.html"),
               gal::tensorboard(folder + "/events"), gal::progress_bar(progress));
  std::fclose(progress);
  CHECK(result.reason == gal::stop_reason::patience);
  CHECK(result.best_epoch <= 3);
  CHECK(same(all_tensors(*model), best));
  CHECK(contains(contents_of(folder + "/log.csv"), "learning_rate,remainder,accepted_share"));
  CHECK(contains(contents_of(folder + "/page.html"), "accepted"));
  CHECK_FALSE(std::filesystem::is_empty(folder + "/events"));
}

TEST_CASE("states of modules hold parameters and buffers of any type") {
  for (const torch::ScalarType type : {torch::kHalf, torch::kFloat, torch::kDouble}) {
    torch::nn::Sequential model = normalised(type, 0.0);
    gal::state_copy copy(model);
    gal::state_copy of_module(*model);
    const std::vector<Tensor> before = all_tensors(*model);
    CHECK(gal::state_view(model).entries().front().name == "0.weight");
    CHECK(gal::state_view(model).entries().size() == before.size());
    const auto spoil = [&] {
      const torch::NoGradGuard no_grad;
      for (const std::vector<Tensor>& tensors : {model->parameters(), model->buffers()}) {
        for (const Tensor& tensor : tensors) {
          tensor.fill_(7);
        }
      }
      CHECK_FALSE(same(all_tensors(*model), before));
    };
    spoil();
    copy.restore(model);
    CHECK(same(all_tensors(*model), before));
    spoil();
    of_module.restore(*model);
    CHECK(same(all_tensors(*model), before));
  }
  torch::jit::script::Module script = torch::jit::load(GAL_TEST_TORCH_DIR "/model.pt");
  CHECK(gal::state_view(script).entries().size() == 9);  // with the buffers of batch normalisation
  {
    script.train(true);
    const gal::evaluation_mode mode(script);
    CHECK_FALSE(script.is_training());
  }
  CHECK(script.is_training());
}

TEST_CASE("a training that was interrupted ends with the bits of one that was not") {
  const std::string path = "torch_test_checkpoint.safetensors";
  const auto check = [&]<class Make>(const gal::adjust_options& options, torch::ScalarType type,
                                     const Make& make) {
    std::filesystem::remove(path);
    const tensor_batches batches = some_batches(type, 3, 4);
    const auto train = [&](std::int64_t epochs, std::uint64_t seed, bool saves) {
      torch::nn::Sequential model = normalised(type, 0.0, seed);
      auto optimizer = make(model->parameters());
      gal::torch_adjust trainer(model, optimizer, gal::mse(), options);
      if (saves) {
        gal::fit(trainer, batches, {.epochs = epochs}, gal::checkpointing(path));
      } else {
        gal::fit(trainer, batches, {.epochs = epochs});
      }
      CHECK(trainer.steps() == 3 * epochs);
      std::vector<Tensor> result = all_tensors(*model);
      for (const Tensor& moment : everything(optimizer)) {
        result.push_back(moment.sum());
      }
      return result;
    };
    const std::vector<Tensor> whole = train(5, 3, false);
    train(2, 3, true);
    const std::vector<Tensor> resumed = train(5, 11, true);  // with other first weights
    CHECK(same(std::vector<Tensor>(resumed.begin(), resumed.begin() + 9),
               std::vector<Tensor>(whole.begin(), whole.begin() + 9)));
  };
  const auto adam = [](const std::vector<Tensor>& parameters) {
    return torch::optim::Adam(parameters, 0.01);
  };
  const auto sgd = [](const std::vector<Tensor>& parameters) {
    return torch::optim::SGD(parameters, torch::optim::SGDOptions(0.05).momentum(0.9));
  };
  check({}, torch::kFloat, adam);
  check({}, torch::kDouble, sgd);
  check({.training = gal::adjuster_training::model_optimizer}, torch::kFloat, sgd);
  check({.adjuster = {.kind = gal::adjuster_kind::normal}}, torch::kFloat, adam);

  // Of another optimizer it is refused by name, and a report is NaN until the next step.
  torch::nn::Sequential model = normalised(torch::kFloat, 0.0);
  torch::optim::SGD other(model->parameters(), 0.1);
  gal::torch_adjust trainer(model, other, gal::mse(), {.adjuster = {.kind = gal::adjuster_kind::normal}});
  std::string what;
  try {
    gal::fit(trainer, some_batches(torch::kFloat, 3, 4), {.epochs = 9}, gal::checkpointing(path));
  } catch (const gal::error& failure) {
    what = failure.what();
  }
  CHECK(contains(what, "trainer.optimizer.class"));
  CHECK(std::isnan(trainer.report().loss));
}

TEST_CASE("classes that are masked out by the logit -infinity have no part in a step") {
  const double infinity = std::numeric_limits<double>::infinity();
  const torch::Tensor mask = torch::tensor({0.0, -infinity, 0.0}, torch::kDouble);
  const torch::Tensor x = torch::tensor({{0.0, 0.0, 1.0}}, torch::kDouble);
  const auto loss_of = [&](const torch::Tensor& target, double smoothing) {
    torch::Tensor shift = torch::zeros({3}, torch::kDouble).requires_grad_();
    auto model = [&](const torch::Tensor& input) { return input + shift + mask; };
    torch::optim::SGD optimizer({shift}, 0.1);
    gal::torch_adjust trainer(model, optimizer, gal::softmax_cross_entropy(smoothing), gal::recommended());
    const gal::adjust_report report = trainer.step(x, target);
    CHECK(shift.isfinite().all().item<bool>());
    CHECK(shift[1].item<double>() == 0.0);
    CHECK(report.non_finite == !std::isfinite(report.loss));
    CHECK((shift[0].item<double>() > 0.0) == !report.non_finite);
    return report.loss;
  };
  const torch::Tensor label = torch::tensor({0}, torch::kLong);
  CHECK(loss_of(label, 0.0) == doctest::Approx(1.31326).epsilon(1e-5));
  CHECK(loss_of(torch::tensor({{1.0, 0.0, 0.0}}, torch::kDouble), 0.0) ==
        doctest::Approx(1.31326).epsilon(1e-5));
  CHECK(loss_of(label, 0.1) == infinity);  // its mass is on the masked class too
  CHECK(loss_of(torch::tensor({1}, torch::kLong), 0.0) == infinity);
}
