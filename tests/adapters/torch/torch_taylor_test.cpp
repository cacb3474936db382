// Derivatives along a direction for libtorch, and the methods that use them: against the library's own on the same weights,
// against central differences, on TorchScript, and misuse.
#include <gal/adapters/torch.hpp>
#include <gal/fit/fit.hpp>
#include <gal/gal.hpp>
#include <gal/io/checkpoint.hpp>

#include "testing.hpp"

#include <torch/script.h>

#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace {

using gal::curvature_kind;
using gal::expansion_order;
using torch::Tensor;
using tensors = std::vector<Tensor>;

constexpr std::array all_kinds = {curvature_kind::exact, curvature_kind::gauss_newton, curvature_kind::larger,
                                  curvature_kind::remainder};

bool contains(const std::string& text, const std::string& part) {
  CAPTURE(text);
  return text.find(part) != std::string::npos;
}

tensors copies(const tensors& list) {
  tensors result;
  for (const Tensor& tensor : list) {
    result.push_back(tensor.detach().clone());
  }
  return result;
}

// 5 - 8 - 3 with tanh, in double, and the library's own with the same weights.
torch::nn::Sequential perceptron(torch::ScalarType type = torch::kDouble) {
  torch::manual_seed(3);
  torch::nn::Sequential model(torch::nn::Linear(5, 8), torch::nn::Tanh(), torch::nn::Linear(8, 3));
  model->to(type);
  return model;
}

gal::nn::mlp<double> own_of(const torch::nn::Sequential& model) {
  gal::nn::mlp<double> own({5, 8, 3}, {.activation = gal::nn::tanh});
  for (std::size_t l = 0; l < 2; ++l) {
    const Tensor weight = model->parameters()[2 * l];
    const Tensor bias = model->parameters()[2 * l + 1];
    std::copy_n(weight.data_ptr<double>(), weight.numel(), own.weight(l).data());
    std::copy_n(bias.data_ptr<double>(), bias.numel(), own.bias(l).data());
  }
  return own;
}

double largest_difference(const torch::nn::Sequential& model, gal::nn::mlp<double>& own) {
  double largest = 0.0;
  for (std::size_t l = 0; l < 2; ++l) {
    const Tensor weight = model->parameters()[2 * l];
    for (std::int64_t i = 0; i < weight.numel(); ++i) {
      largest = std::max(largest, std::abs(weight.data_ptr<double>()[i] - own.weight(l).data()[i]));
    }
  }
  return largest;
}

gal::matrix_view<const double> columns(const Tensor& rows) {
  return {rows.data_ptr<double>(), rows.size(1), rows.size(0)};
}
std::vector<int> labels_of(const Tensor& labels) {
  return {labels.data_ptr<std::int64_t>(), labels.data_ptr<std::int64_t>() + labels.numel()};
}

Tensor some_labels() { return torch::tensor({0, 2, 1, 1, 0, 2}, torch::kLong); }
// As a user would write it, with the losses of the samples.
const auto cross_entropies = [](const Tensor& x, const Tensor& y) {
  return torch::cross_entropy_loss(x, y, {}, at::Reduction::None);
};

tensors some_direction(const tensors& parameters, std::uint64_t seed = 5) {
  torch::manual_seed(seed);
  tensors u;
  for (const Tensor& parameter : parameters) {
    u.push_back(torch::randn(parameter.sizes(), parameter.options().requires_grad(false)));
  }
  return u;
}

// L(theta + s u).
template <class Model, class Loss>
double loss_at(Model& model, const Loss& loss, const Tensor& x, const Tensor& y, const tensors& parameters,
               const tensors& u, double s) {
  const torch::NoGradGuard no_grad;
  const tensors before = copies(parameters);
  for (std::size_t k = 0; k < u.size(); ++k) {
    parameters[k].detach().add_(u[k], s);
  }
  const Tensor features = gal::detail::torch_features("test", model, x);
  const double value = loss(features, y).mean().template item<double>();
  for (std::size_t k = 0; k < u.size(); ++k) {
    parameters[k].detach().copy_(before[k]);
  }
  return value;
}

// Along u, by central differences.
template <class Model, class Loss>
void check_against_differences(const gal::torch_derivatives& along, Model& model, const Loss& loss,
                               const Tensor& x, const Tensor& y, const tensors& parameters,
                               const tensors& u) {
  const double h = 1e-4;
  const double before = loss_at(model, loss, x, y, parameters, u, -h);
  const double here = loss_at(model, loss, x, y, parameters, u, 0.0);
  const double after = loss_at(model, loss, x, y, parameters, u, h);
  CHECK(along.first == doctest::Approx((after - before) / (2 * h)).epsilon(1e-6));
  CHECK(along.second == doctest::Approx((after - 2 * here + before) / (h * h)).epsilon(1e-5));
}

torch::jit::Module script() {
  torch::jit::Module model = torch::jit::load(GAL_TEST_TORCH_DIR "/model.pt");
  model.to(torch::kDouble);
  return model;
}
tensors parameters_of(const torch::jit::Module& model) {
  tensors result;
  for (const Tensor& parameter : model.parameters()) {
    result.push_back(parameter);
  }
  return result;
}

std::unique_ptr<torch::optim::Optimizer> torch_sgd(const tensors& parameters) {
  return std::make_unique<torch::optim::SGD>(parameters,
                                             torch::optim::SGDOptions(0.05).momentum(0.9).weight_decay(1e-3));
}
gal::sgd<double> own_sgd() {
  return gal::sgd<double>({.learning_rate = 0.05, .momentum = 0.9, .weight_decay = 1e-3});
}
std::unique_ptr<torch::optim::Optimizer> torch_adam(const tensors& parameters) {
  return std::make_unique<torch::optim::Adam>(parameters, torch::optim::AdamOptions(0.02));
}
gal::adam<double> own_adam() { return gal::adam<double>({.learning_rate = 0.02}); }

void check_same(double a, double b, double tolerance) {
  CHECK(std::isnan(a) == std::isnan(b));
  CHECK((std::isnan(a) || std::abs(a - b) <= tolerance * std::max(1.0, std::abs(b))));
}

// Cannot be differentiated twice: its backward pass leaves no graph.
struct once : torch::autograd::Function<once> {
  static Tensor forward(torch::autograd::AutogradContext* context, const Tensor& x) {
    context->save_for_backward({x});
    return x.square();
  }
  static torch::autograd::tensor_list backward(torch::autograd::AutogradContext* context,
                                               torch::autograd::tensor_list gradients) {
    const torch::NoGradGuard no_grad;
    return {2.0 * context->get_saved_variables().front() * gradients.front()};
  }
};

// Normalises and drops out.
torch::nn::Sequential with_statistics() {
  torch::manual_seed(4);
  torch::nn::Sequential model(torch::nn::Linear(5, 8), torch::nn::BatchNorm1d(8), torch::nn::Tanh(),
                              torch::nn::Dropout(0.5), torch::nn::Linear(8, 3));
  model->to(torch::kDouble);
  return model;
}

using tensor_batches = std::vector<std::pair<Tensor, Tensor>>;
tensor_batches some_batches() {
  torch::manual_seed(9);
  tensor_batches batches;
  for (int k = 0; k < 3; ++k) {
    batches.emplace_back(torch::randn({6, 5}, torch::kDouble), torch::randn({6, 3}, torch::kDouble));
  }
  return batches;
}

// Which samples the batch holds, as batches of one's own say it.
struct some_rows {
  std::vector<gal::index_type> numbers{1, 4, 0, 8, 7, 2};
  [[nodiscard]] gal::index_type samples() const { return 10; }
  [[nodiscard]] std::span<const gal::index_type> rows() const { return numbers; }
};

// Three choices, two of which a batch of six samples has made.
gal::choice_sampler<> some_choices() { return gal::choice_sampler<>(3, {.learning_rate = 0.1, .seed = 4}); }

// What check_same says of two lists.
template <class A, class B>
void check_all_same(const A& a, const B& b, double tolerance) {
  REQUIRE(a.size() == b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    check_same(a[i], b[i], tolerance);
  }
}

}  // namespace

static_assert(
    gal::trainer_for<gal::torch_instance_rates<torch::nn::Sequential, gal::mse, some_rows, Tensor, Tensor>,
                     Tensor, Tensor>);
static_assert(
    gal::trainer_for<gal::torch_alignment_reward<torch::jit::Module, gal::mse, gal::choice_sampler<>>, Tensor,
                     Tensor>);
static_assert(gal::trainer_for<gal::torch_rescaled<torch::nn::Sequential, gal::mse>, Tensor, Tensor>);
static_assert(gal::trainer_for<gal::torch_rescaled<torch::jit::Module, gal::mse>, Tensor, Tensor>);

TEST_CASE("derivatives along a direction are those of directional_expansion, and of differences") {
  auto model = perceptron();
  auto own = own_of(model);
  const tensors parameters = model->parameters();
  const Tensor x = torch::randn({6, 5}, torch::kDouble);
  const Tensor y = torch::randn({6, 3}, torch::kDouble);
  const tensors u = some_direction(parameters);
  gal::parameter_vector<double> own_u;
  own_u.resize(own.parameters());
  {
    // The library's list of parameters is that of torch: weights and biases, layer by layer.
    double* to = own_u.data();
    for (const Tensor& part : u) {
      to = std::copy_n(part.data_ptr<double>(), part.numel(), to);
    }
  }
  gal::directional_expansion expansion(own);
  const auto compare = [&](const auto& loss, const auto& own_loss, const Tensor& target,
                           const auto& own_target) {
    for (const expansion_order order :
         {expansion_order::first, expansion_order::gauss_newton, expansion_order::second}) {
      CAPTURE(order);
      expansion.expand(own_loss, columns(x), own_target, own_u.blocks(), order);
      const gal::torch_derivatives along =
          gal::torch_derivatives_along(model, loss, x, target, parameters, u, order);
      check_same(along.first, expansion.derivatives().first, 1e-13);
      check_same(along.gauss_newton, expansion.derivatives().gauss_newton, 1e-13);
      check_same(along.second, expansion.derivatives().second, 1e-13);
      for (std::int64_t j = 0; j < 6; ++j) {
        check_same(along.samples_first[j].item<double>(), expansion.sample_first()(0, j), 1e-13);
      }
    }
  };
  const auto squares = [](const Tensor& a, const Tensor& b) { return (a - b).square().mean(-1); };
  compare(gal::mse(), gal::mse(), y, columns(y));
  compare(squares, gal::mse(), y, columns(y));
  compare(gal::softmax_cross_entropy(0.1), gal::softmax_cross_entropy(0.1), some_labels(),
          labels_of(some_labels()));
  compare(cross_entropies, gal::softmax_cross_entropy(), some_labels(), labels_of(some_labels()));
  check_against_differences(gal::torch_derivatives_along(model, squares, x, y, parameters, u), model, squares,
                            x, y, parameters, u);

  // Of a loss that gives the mean alone. Gradients and values are left alone.
  const auto mean = [](const Tensor& a, const Tensor& b) { return torch::mse_loss(a, b); };
  const auto whole = gal::torch_derivatives_along(model, gal::mse(), x, y, parameters, u);
  const auto of_mean = gal::torch_derivatives_along(model, mean, x, y, parameters, u);
  check_same(of_mean.first, whole.first, 1e-13);
  check_same(of_mean.gauss_newton, whole.gauss_newton, 1e-13);
  check_same(of_mean.second, whole.second, 1e-13);
  CHECK(of_mean.samples_first.dim() == 0);
  CHECK(!parameters.front().grad().defined());
}

TEST_CASE("a head in the loss moves along the direction too") {
  auto model = perceptron();
  const tensors parameters = model->parameters();
  const Tensor x = torch::randn({6, 5}, torch::kDouble);
  const tensors u = some_direction(parameters);
  const auto whole =
      gal::torch_derivatives_along(model, gal::softmax_cross_entropy(), x, some_labels(), parameters, u);
  const auto body = [&](const Tensor& input) {
    return torch::tanh(torch::linear(input, parameters[0], parameters[1]));
  };
  const auto head = [&](const Tensor& features, const Tensor& labels) {
    return cross_entropies(torch::linear(features, parameters[2], parameters[3]), labels);
  };
  const auto split = gal::torch_derivatives_along(body, head, x, some_labels(), parameters, u);
  check_same(split.first, whole.first, 1e-13);
  check_same(split.second, whole.second, 1e-13);
  CHECK((split.samples_first - whole.samples_first).abs().max().item<double>() < 1e-13);
}

TEST_CASE("derivatives of TorchScript, in every call as in the first") {
  torch::jit::Module model = script();
  const tensors parameters = parameters_of(model);
  torch::manual_seed(6);
  const Tensor x = torch::randn({6, 4}, torch::kDouble);
  const Tensor y = some_labels();
  const tensors u = some_direction(parameters);
  const auto first = gal::torch_derivatives_along(model, cross_entropies, x, y, parameters, u);
  check_against_differences(first, model, cross_entropies, x, y, parameters, u);
  for (int call = 0; call < 4; ++call) {  // after two or so torch has compiled it
    const auto along = gal::torch_derivatives_along(model, cross_entropies, x, y, parameters, u);
    check_same(along.first, first.first, 1e-13);
    check_same(along.gauss_newton, first.gauss_newton, 1e-13);
    check_same(along.second, first.second, 1e-13);
  }
}

TEST_CASE("rescaled steps are those of rescaled on nn::mlp with the same weights") {
  const auto compare = [](const gal::rescaled_options& options, const auto& torch_optimizer,
                          auto own_optimizer, const auto& loss, const auto& own_loss, const Tensor& y,
                          const auto& own_y) {
    auto model = perceptron();
    auto own = own_of(model);
    const auto optimizer = torch_optimizer(model->parameters());
    gal::torch_rescaled trainer(model, *optimizer, loss, options);
    gal::rescaled own_trainer(own, own_optimizer, own_loss, options);
    torch::manual_seed(7);
    for (int k = 0; k < 5; ++k) {
      const Tensor x = torch::randn({6, 5}, torch::kDouble);
      const gal::rescaled_report report = trainer.step(x, y);
      const gal::rescaled_report expected = own_trainer.step(columns(x), own_y);
      check_same(report.loss, expected.loss, 1e-11);
      check_same(report.gradient_norm, expected.gradient_norm, 1e-11);
      check_same(report.slope, expected.slope, 1e-11);
      check_same(report.gauss_newton, expected.gauss_newton, 1e-11);
      check_same(report.second, expected.second, 1e-11);
      check_same(report.curvature, expected.curvature, 1e-11);
      check_same(report.multiplier, expected.multiplier, 1e-11);
      CHECK(report.learning_rate == expected.learning_rate);
      CHECK(report.samples == 6);
    }
    CHECK(largest_difference(model, own) < 1e-10);
  };
  torch::manual_seed(8);
  const Tensor y = torch::randn({6, 3}, torch::kDouble);
  for (const curvature_kind kind : all_kinds) {
    CAPTURE(kind);
    gal::rescaled_options options{.curvature = kind};
    compare(options, torch_adam, own_adam(), gal::mse(), gal::mse(), y, columns(y));
    options.averaging = 0.0;
    options.largest = 1.5;
    options.schedule = gal::cosine_schedule(10);
    compare(options, torch_sgd, own_sgd(), cross_entropies, gal::softmax_cross_entropy(), some_labels(),
            labels_of(some_labels()));
    compare(options, torch_sgd, own_sgd(), gal::softmax_cross_entropy(), gal::softmax_cross_entropy(),
            some_labels(), labels_of(some_labels()));
  }
}

TEST_CASE("rates of samples are those of instance_rates on nn::mlp with the same weights") {
  const auto compare = [](const gal::instance_rates_options& options, const auto& torch_optimizer,
                          auto own_optimizer, const auto& loss, const auto& own_loss, const Tensor& y,
                          const auto& own_y, const Tensor& held_y, const auto& own_held_y) {
    auto model = perceptron();
    auto own = own_of(model);
    const auto optimizer = torch_optimizer(model->parameters());
    torch::manual_seed(7);
    const Tensor held_x = torch::randn({4, 5}, torch::kDouble);
    const some_rows batches;
    gal::torch_instance_rates trainer(model, *optimizer, loss, batches, held_x, held_y, options);
    gal::instance_rates own_trainer(own, own_optimizer, own_loss, batches, columns(held_x), own_held_y,
                                    options);
    for (int k = 0; k < 5; ++k) {
      const Tensor x = torch::randn({6, 5}, torch::kDouble);
      const gal::instance_rates_report report = trainer.step(x, y);
      const gal::instance_rates_report expected = own_trainer.step(columns(x), own_y);
      check_same(report.loss, expected.loss, 1e-11);
      check_same(report.gradient_norm, expected.gradient_norm, 1e-11);
      check_same(report.held_out_loss, expected.held_out_loss, 1e-11);
      check_same(report.mean_rate, expected.mean_rate, 1e-11);
      check_same(report.zero_share, expected.zero_share, 1e-11);
      for (std::int64_t j = 0; j < 6; ++j) {
        check_same(trainer.last_products()[j].template item<double>(), own_trainer.last_products()(0, j),
                   1e-11);
      }
    }
    check_all_same(trainer.rates(), own_trainer.rates(), 1e-9);
    CHECK(trainer.least_trusted(3) == own_trainer.least_trusted(3));
    CHECK(largest_difference(model, own) < 1e-10);
  };
  torch::manual_seed(8);
  const Tensor y = torch::randn({6, 3}, torch::kDouble);
  const Tensor held_y = torch::randn({4, 3}, torch::kDouble);
  const Tensor labels = some_labels();
  const Tensor held_labels = labels.slice(0, 0, 4).clone();
  compare({.rate = 0.3}, torch_sgd, own_sgd(), gal::mse(), gal::mse(), y, columns(y), held_y,
          columns(held_y));
  compare({.rate = 3.0, .largest = 2.0, .update = gal::rate_update::plain, .train_on_held_out = false},
          torch_adam, own_adam(), cross_entropies, gal::softmax_cross_entropy(), labels, labels_of(labels),
          held_labels, labels_of(held_labels));
}

TEST_CASE("rewards are those of alignment_reward on nn::mlp with the same weights") {
  const Tensor labels = some_labels();
  const std::vector<int> own_labels = labels_of(labels);
  const auto compare = [&](const auto&... held_out) {
    auto model = perceptron();
    auto own = own_of(model);
    const auto optimizer = torch_sgd(model->parameters());
    auto own_optimizer = own_sgd();
    auto policy = some_choices();
    auto own_policy = some_choices();
    gal::torch_alignment_reward trainer(model, *optimizer, gal::softmax_cross_entropy(), policy,
                                        held_out.first...);
    gal::alignment_reward own_trainer(own, own_optimizer, gal::softmax_cross_entropy(), own_policy,
                                      held_out.second...);
    torch::manual_seed(7);
    for (int k = 0; k < 5; ++k) {
      const Tensor x = torch::randn({6, 5}, torch::kDouble);
      policy.draw(6);
      own_policy.draw(6);
      const gal::alignment_reward_report report = trainer.step(x, labels);
      const gal::alignment_reward_report expected = own_trainer.step(columns(x), own_labels);
      check_same(report.loss, expected.loss, 1e-11);
      check_same(report.alignment, expected.alignment, 1e-11);
      check_same(report.held_out_loss, expected.held_out_loss, 1e-11);
      check_same(report.effective_choices, expected.effective_choices, 1e-11);
      CHECK((k == 0 && sizeof...(held_out) == 0) == trainer.last_rewards().empty());
      check_all_same(trainer.last_rewards(), own_trainer.last_rewards(), 1e-11);
    }
    check_all_same(policy.logits(), own_policy.logits(), 1e-9);
    CHECK(policy.logits()[0] != 0.0);
    CHECK(largest_difference(model, own) < 1e-11);
  };
  compare();
  torch::manual_seed(9);
  const Tensor held_x = torch::randn({4, 5}, torch::kDouble);
  const Tensor held_labels = labels.slice(0, 1, 5).clone();
  compare(std::pair(held_x, columns(held_x)), std::pair(held_labels, labels_of(held_labels)));
}

TEST_CASE("samples' products with a later gradient, on TorchScript, at the parameters that the batch met") {
  // Of held-out samples and of the training gradient: <grad l_i(theta), V>, each by a backward pass of its own.
  torch::manual_seed(6);
  const Tensor x = torch::randn({6, 4}, torch::kDouble);
  const Tensor held_x = torch::randn({5, 4}, torch::kDouble);
  const Tensor y = some_labels();
  const Tensor held_y = y.slice(0, 0, 5).clone();
  const auto losses = [](torch::jit::Module& model, const Tensor& input, const Tensor& target) {
    return cross_entropies(model.forward({input}).toTensor(), target);
  };
  const auto gradient = [](torch::jit::Module& model, const Tensor& loss) {
    return torch::autograd::grad({loss}, parameters_of(model), {}, /*retain_graph=*/true);
  };
  for (const bool holds_out : {true, false}) {
    torch::jit::Module model = script();
    torch::jit::Module plain = script();
    model.eval();  // batch normalisation would couple the samples
    plain.eval();
    torch::optim::SGD optimizer(parameters_of(model), 0.1);
    auto policy = some_choices();
    std::vector<std::vector<double>> rewards;
    if (holds_out) {
      gal::torch_alignment_reward trainer(model, optimizer, cross_entropies, policy, held_x, held_y);
      for (int k = 0; k < 4; ++k) {
        policy.draw(6);
        trainer.step(x, y);
        rewards.emplace_back(trainer.last_rewards().begin(), trainer.last_rewards().end());
      }
    } else {
      gal::torch_alignment_reward trainer(model, optimizer, cross_entropies, policy);
      for (int k = 0; k < 5; ++k) {
        policy.draw(6);
        trainer.step(x, y);
        if (k > 0) {
          rewards.emplace_back(trainer.last_rewards().begin(), trainer.last_rewards().end());
        }
      }
    }
    for (const std::vector<double>& found : rewards) {
      const Tensor of_batch = losses(plain, x, y);
      std::vector<tensors> of_samples;
      for (std::int64_t j = 0; j < 6; ++j) {
        of_samples.push_back(gradient(plain, of_batch[j]));
      }
      const tensors g = gradient(plain, of_batch.mean());
      for (std::size_t k = 0; k < g.size(); ++k) {
        parameters_of(plain)[k].detach().sub_(g[k], 0.1);
      }
      const tensors v =
          gradient(plain, (holds_out ? losses(plain, held_x, held_y) : losses(plain, x, y)).mean());
      for (std::size_t j = 0; j < 6; ++j) {
        double product = 0.0;
        for (std::size_t k = 0; k < v.size(); ++k) {
          product += (of_samples[j][k] * v[k]).sum().item<double>();
        }
        check_same(found[j], product / 6.0, 1e-12);
      }
    }
  }
}

TEST_CASE("rescaled steps train TorchScript, at any learning rate") {
  torch::manual_seed(2);
  const Tensor x = torch::randn({64, 4}, torch::kDouble);
  const Tensor y = x.slice(1, 0, 3).argmax(-1);
  std::vector<double> losses;
  for (const double rate : {1e-5, 1e-2}) {
    torch::jit::Module model = script();
    torch::optim::Adam optimizer(parameters_of(model), rate);
    gal::torch_rescaled trainer(model, optimizer, gal::softmax_cross_entropy());
    const double before = trainer.evaluate(x, y).mean;
    for (int k = 0; k < 60; ++k) {
      trainer.step(x, y);
    }
    losses.push_back(trainer.evaluate(x, y).mean);
    CHECK(losses.back() < 0.3 * before);
  }
  CHECK(losses[0] == doctest::Approx(losses[1]).epsilon(1e-6));
}

TEST_CASE("statistics move once in a step, and torch's generator as in a plain one, by every curvature") {
  const auto [x, y] = some_batches().front();
  const auto trained = [&, &x = x, &y = y](const auto& step) {
    torch::nn::Sequential model = with_statistics();
    torch::optim::SGD optimizer(model->parameters(), 1e-3);
    torch::manual_seed(12);
    step(model, optimizer);
    return model->buffers().front().sum().item<double>() + torch::randn({1}).item<double>();
  };
  const double expected = trained([&, &x = x, &y = y](auto& model, auto& optimizer) {
    torch::mse_loss(model->forward(x), y).backward();
    optimizer.step();
  });
  std::vector<double> curvatures;
  for (const curvature_kind kind : all_kinds) {
    CAPTURE(kind);
    CHECK(trained([&, &x = x, &y = y](auto& model, auto& optimizer) {
            gal::torch_rescaled trainer(model, optimizer, gal::mse(), {.curvature = kind});
            curvatures.push_back(trainer.step(x, y).second);
            CHECK(trainer.report().multiplier > 0.0);
          }) == expected);
  }
  // With the same masks: 2 R is u^T H u of a short step.
  CHECK(curvatures[3] == doctest::Approx(curvatures[0]).epsilon(0.02));
}

TEST_CASE("a batch that is not finite changes nothing, and operations without double backward are named") {
  auto model = perceptron();
  const auto optimizer = torch_adam(model->parameters());
  const tensors before = copies(model->parameters());
  const auto unchanged = [&] {
    for (std::size_t k = 0; k < before.size(); ++k) {
      CHECK(torch::equal(before[k], model->parameters()[k]));
    }
  };
  const Tensor x = torch::randn({6, 5}, torch::kDouble);
  const Tensor y = torch::randn({6, 3}, torch::kDouble);
  gal::torch_rescaled trainer(model, *optimizer, gal::mse());
  CHECK(std::isnan(trainer.report().loss));
  CHECK(!trainer.report().non_finite);
  CHECK(trainer.step(x / 0.0, y).non_finite);
  CHECK(optimizer->state().empty());
  CHECK(trainer.steps() == 1);
  unchanged();
  gal::torch_rescaled raising(model, *optimizer, gal::mse(), {.non_finite = gal::non_finite_policy::raise});
  CHECK(contains(refusal(gal::error_code::non_finite, [&] { return raising.step(x, y / 0.0).loss; }),
                 "gal::torch_rescaled::step: the loss is not finite"));

  // By a function of torch's own, and by one that leaves no graph. The remainder needs none.
  const auto far = [&](const Tensor& input) {
    return torch::cdist(model->forward(input), torch::eye(3, torch::kDouble));
  };
  const auto squared = [&](const Tensor& input) { return once::apply(model->forward(input)); };
  const auto message = [&](auto& function, curvature_kind kind) {
    gal::torch_rescaled twice(function, *optimizer, gal::mse(), {.curvature = kind});
    return refusal(gal::error_code::invalid_option, [&] { return twice.step(x, y).loss; });
  };
  CHECK(contains(message(far, curvature_kind::larger),
                 "gal::torch_rescaled: torch cannot differentiate an operation of model or loss twice"));
  unchanged();
  CHECK(contains(message(squared, curvature_kind::gauss_newton), "its backward pass leaves no graph"));
  unchanged();
  gal::torch_rescaled by_remainder(squared, *optimizer, gal::mse(), {.curvature = curvature_kind::remainder});
  CHECK(by_remainder.step(x, y).multiplier > 0.0);
}

TEST_CASE("misuse of derivatives and rescaled steps is refused by name") {
  using enum gal::error_code;
  auto model = perceptron();
  const tensors parameters = model->parameters();
  const Tensor x = torch::randn({6, 5}, torch::kDouble);
  const Tensor y = torch::randn({6, 3}, torch::kDouble);
  const auto message = [&](gal::error_code code, const tensors& of, const tensors& u) {
    return refusal(code, [&] { return gal::torch_derivatives_along(model, gal::mse(), x, y, of, u).first; });
  };
  tensors u = some_direction(parameters);
  u.pop_back();
  CHECK(contains(message(shape_mismatch, parameters, u), "3 tensors of the direction; expected 4"));
  u.push_back(torch::zeros({2}));
  CHECK(contains(message(shape_mismatch, parameters, u), "tensor 3 of the direction is [2]; expected [3]"));
  CHECK(contains(message(invalid_option, {torch::zeros({2})}, {torch::zeros({2})}),
                 "parameter 0 requires no gradient"));

  torch::optim::LBFGS lbfgs(parameters, 0.1);
  CHECK(
      contains(refusal(invalid_option, [&] { return gal::torch_rescaled(model, lbfgs, gal::mse()).steps(); }),
               "gal::torch_rescaled: the optimizer is LBFGS"));
  torch::optim::SGD optimizer(parameters, 0.1);
  CHECK(contains(
      refusal(invalid_option,
              [&] { return gal::torch_rescaled(model, optimizer, gal::mse(), {.factor = -1.0}).steps(); }),
      "factor is -1; expected a positive number"));
  gal::torch_rescaled trainer(model, optimizer, gal::mse());
  CHECK(contains(refusal(shape_mismatch, [&] { return trainer.step(x, x).loss; }),
                 "gal::mse: targets are [6, 5]; expected the features' size [6, 3]"));
  const some_rows batches;
  gal::torch_instance_rates rates(model, optimizer, gal::mse(), batches, x, y);
  CHECK(contains(refusal(shape_mismatch, [&] { return rates.step(x.slice(0, 0, 5), y.slice(0, 0, 5)).loss; }),
                 "gal::torch_instance_rates::step: a batch of 5 samples; expected the 6"));
  CHECK(rates.steps() == 0);
  CHECK(contains(
      refusal(shape_mismatch,
              [&] { return gal::torch_instance_rates(model, optimizer, gal::mse(), batches, x, x).steps(); }),
      "gal::mse: targets are [6, 5]"));
  const auto mean = [](const Tensor& a, const Tensor& b) { return torch::mse_loss(a, b); };
  gal::torch_instance_rates of_mean(model, optimizer, mean, batches, x, y);
  CHECK(contains(refusal(invalid_option, [&] { return of_mean.step(x, y).loss; }),
                 "gal::torch_instance_rates: the loss returned one number"));
  auto policy = some_choices();
  policy.draw(5);
  gal::torch_alignment_reward rewards(model, optimizer, gal::mse(), policy);
  CHECK(contains(refusal(shape_mismatch, [&] { return rewards.step(x, y).loss; }),
                 "gal::torch_alignment_reward::step: a batch of 6 samples; expected the 5"));

  auto other = perceptron();
  gal::torch_rescaled astray(other, optimizer, gal::mse());
  CHECK(contains(refusal(invalid_option, [&] { return astray.step(x, y).loss; }),
                 "gal::torch_rescaled: no parameter of the optimizer has a gradient"));
}

TEST_CASE("steps that were interrupted end with the bits of steps that were not") {
  const std::string path = "torch_taylor_checkpoint.safetensors";
  const tensor_batches batches = some_batches();
  const auto check = [&](const auto& make) {
    std::filesystem::remove(path);
    const auto train = [&](int steps, bool loads, bool saves) {
      auto model = perceptron();
      const auto optimizer = torch_adam(model->parameters());
      const auto trainer = make(model, *optimizer);
      if (loads) {
        gal::load_checkpoint(path, *trainer);
        CHECK(std::isnan(trainer->report().loss));
      }
      while (trainer->steps() < steps) {
        const auto& [x, y] = batches[static_cast<std::size_t>(trainer->steps() % 3)];
        trainer->step(x, y);
      }
      if (saves) {
        gal::save_checkpoint(path, *trainer);
      }
      return copies(model->parameters());
    };
    const tensors whole = train(7, false, false);
    train(4, false, true);
    const tensors resumed = train(7, true, false);
    for (std::size_t k = 0; k < whole.size(); ++k) {
      CHECK(torch::equal(whole[k], resumed[k]));
    }
  };
  check([](auto& model, torch::optim::Optimizer& optimizer) {
    return std::make_unique<gal::torch_rescaled<torch::nn::Sequential, gal::mse>>(model, optimizer,
                                                                                  gal::mse());
  });
  const some_rows rows;
  check([&](auto& model, torch::optim::Optimizer& optimizer) {
    return std::make_unique<
        gal::torch_instance_rates<torch::nn::Sequential, gal::mse, some_rows, Tensor, Tensor>>(
        model, optimizer, gal::mse(), rows, batches[0].first, batches[1].second,
        gal::instance_rates_options{.rate = 0.3});
  });
}

TEST_CASE("fit trains with them, and logs their numbers") {
  auto model = perceptron();
  const auto optimizer = torch_adam(model->parameters());
  gal::torch_rescaled trainer(model, *optimizer, gal::mse());
  const gal::fit_result result = gal::fit(trainer, some_batches(), {.epochs = 20});
  CHECK(result.steps == 60);
  CHECK(result.history.back().number("curvature") > 0.0);
  CHECK(result.history.back().training_loss < 0.7 * result.history.front().training_loss);
}
