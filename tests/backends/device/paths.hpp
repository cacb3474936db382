// What a backend computes, as plain numbers: one body, instantiated for every backend and compared between them. Needs no
// Eigen, so that a device compiler can read it.
#pragma once

#include <gal/core/random.hpp>
#include <gal/loss/entrywise.hpp>
#include <gal/loss/softmax_cross_entropy.hpp>
#include <gal/nn/cnn.hpp>
#include <gal/nn/mlp.hpp>
#include <gal/optim/lookahead.hpp>
#include <gal/optim/optimizers.hpp>
#include <gal/train/adjust.hpp>
#include <gal/train/plain.hpp>

#include "memory.hpp"

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace paths {

template <class T>
host_matrix<T> normal(gal::index_type rows, gal::index_type columns, std::uint64_t seed) {
  host_matrix<T> result{rows, columns, {}};
  gal::random_stream random{seed};
  for (gal::index_type i = 0; i < rows * columns; ++i) {
    result.values.push_back(static_cast<T>(random.normal()));
  }
  return result;
}

/// Labels 0 to `classes` - 1, and distributions over them.
inline host_matrix<int> labels(gal::index_type samples, int classes, std::uint64_t seed) {
  host_matrix<int> result{1, samples, {}};
  gal::random_stream random{seed};
  for (gal::index_type j = 0; j < samples; ++j) {
    result.values.push_back(static_cast<int>(random.below(static_cast<std::uint64_t>(classes))));
  }
  return result;
}

template <class T>
host_matrix<T> distributions(gal::index_type classes, gal::index_type samples, std::uint64_t seed) {
  host_matrix<T> result = normal<T>(classes, samples, seed);
  for (gal::index_type j = 0; j < samples; ++j) {
    double sum = 0.0;
    for (gal::index_type k = 0; k < classes; ++k) {
      sum += std::exp(static_cast<double>(result.values[static_cast<std::size_t>(j * classes + k)]));
    }
    for (gal::index_type k = 0; k < classes; ++k) {
      T& value = result.values[static_cast<std::size_t>(j * classes + k)];
      value = static_cast<T>(std::exp(static_cast<double>(value)) / sum);
    }
  }
  return result;
}

/// Targets in [0, 1].
template <class T>
host_matrix<T> shares(gal::index_type rows, gal::index_type samples, std::uint64_t seed) {
  host_matrix<T> result{rows, samples, {}};
  gal::random_stream random{seed};
  for (gal::index_type i = 0; i < rows * samples; ++i) {
    result.values.push_back(static_cast<T>(random.uniform()));
  }
  return result;
}

template <class Backend, class Model>
std::vector<double> parameters_of(const Backend& backend, Model& model) {
  std::vector<double> result;
  for (const auto& block : model.parameters()) {
    append(backend, block.value.data(), static_cast<gal::index_type>(block.value.size()), result);
  }
  return result;
}

/// What a training leaves: the losses of its steps, the last report, the last gradient and (of `adjust`) adjustment,
/// the parameters.
struct path {
  std::vector<double> losses;
  std::vector<double> numbers;
};

/// Trains `steps` steps on batches by turns, and keeps what can be seen of it.
template <class Backend, class Trainer, class Input, class Target>
path train(const Backend& backend, Trainer& trainer, const std::vector<Input>& inputs,
           const std::vector<Target>& targets, int steps) {
  path result;
  typename Trainer::report_type report;
  for (int step = 0; step < steps; ++step) {
    const auto batch = static_cast<std::size_t>(step) % inputs.size();
    report = trainer.step(inputs[batch], targets[batch]);
    result.losses.push_back(report.loss);
  }
  std::vector<double>& to = result.numbers;
  to = {report.loss, report.gradient_norm, report.learning_rate, static_cast<double>(report.samples),
        report.non_finite ? 1.0 : 0.0};
  append(backend, trainer.last_gradient().data(), trainer.last_gradient().size(), to);
  if constexpr (std::is_same_v<typename Trainer::report_type, gal::adjust_report>) {
    to.insert(to.end(),
              {report.tentative_loss, report.vanilla_tentative_loss, report.remainder, report.accepted_share,
               report.cosine, report.adjustment_norm, report.accepted ? 1.0 : 0.0});
    append(backend, trainer.last_adjustment().data(), trainer.last_adjustment().size(), to);
  }
  append(backend, trainer.last_sample_losses().data(), trainer.last_sample_losses().size(), to);
  const auto parameters = parameters_of(backend, trainer.model());
  to.insert(to.end(), parameters.begin(), parameters.end());
  return result;
}

/// The regression networks of the paper, and its preset or the recommended one, on random data.
struct network {
  std::vector<gal::index_type> widths;
  std::vector<gal::index_type> hidden;
  gal::index_type samples;
};

inline const std::vector<network>& regression_networks() {
  static const std::vector<network> networks = {
      {{13, 100, 50, 1}, {16, 4}, 32}, {{10, 64, 32, 1}, {128, 4}, 32}, {{8, 256, 64, 1}, {128, 2}, 128}};
  return networks;
}

template <class Backend, class T>
path train_regression(const network& net, bool paper, int steps) {
  const Backend backend;
  std::vector<gal::matrix<T, Backend>> x, y;
  for (std::uint64_t batch = 0; batch < 3; ++batch) {
    x.push_back(put(backend, normal<T>(net.widths.front(), net.samples, 10 + batch)));
    y.push_back(put(backend, normal<T>(1, net.samples, 20 + batch)));
  }
  gal::nn::mlp<T, Backend> model(net.widths, {.activation = gal::nn::relu, .seed = 1}, backend);
  gal::adam<T, Backend> optimizer({.learning_rate = 1e-3}, backend);
  gal::adjust_options options = paper ? gal::paper() : gal::recommended();
  options.hidden = net.hidden;
  options.adjuster.seed = 3;
  gal::adjust trainer(model, optimizer, gal::mse(), options);
  return train(backend, trainer, x, y, steps);
}

/// The first of these networks without adjustment.
template <class Backend, class T>
path train_plain(int steps) {
  const Backend backend;
  const network& net = regression_networks().front();
  const std::vector x = {put(backend, normal<T>(net.widths.front(), net.samples, 10)),
                         put(backend, normal<T>(net.widths.front(), net.samples, 11))};
  const std::vector y(2, put(backend, normal<T>(1, net.samples, 20)));
  gal::nn::mlp<T, Backend> model(net.widths, {.activation = gal::nn::relu, .seed = 1}, backend);
  gal::adam<T, Backend> optimizer({.learning_rate = 1e-3, .clipping = {.norm = 5.0}}, backend);
  gal::plain trainer(model, optimizer, gal::mse());
  return train(backend, trainer, x, y, steps);
}

/// A loss without closed form, of every backend: the sum of fourth powers of the differences, a half each.
struct quartic {
  template <class Backend, class T, class Memory, class Target>
  void evaluate(const Backend& backend, gal::matrix_view<const T, Memory> features, const Target& targets,
                gal::matrix_view<double, Memory> values, gal::matrix_view<T, Memory> gradient) const {
    const auto y = gal::view(targets);
    const double samples = static_cast<double>(features.columns());
    const bool wanted = !gradient.empty();
    backend.for_each(features.columns(), [=] GAL_KERNEL(gal::index_type j) {
      double sum = 0.0;
      for (gal::index_type i = 0; i < features.rows(); ++i) {
        const double r = static_cast<double>(features(i, j)) - static_cast<double>(y(i, j));
        sum += 0.5 * r * r * r * r;
        if (wanted) {
          gradient(i, j) = static_cast<T>(2.0 * r * r * r / samples);
        }
      }
      values.data()[j] = sum;
    });
  }
};

/// The settings of a training, one by one and together.
struct setting {
  std::string name;
  gal::adjust_options options = {};
  std::string optimizer = "adam";
  std::string loss = "mse";
  gal::nn::activation activation = gal::nn::tanh;
};

inline std::vector<setting> settings() {
  std::vector<setting> all;
  const auto add = [&](std::string name, auto change) {
    setting s;
    s.options.hidden = {6, 5};
    s.options.report_vanilla = true;
    change(s);
    s.name = std::move(name);
    all.push_back(std::move(s));
  };
  for (const char* loss : {"mse", "mae", "huber", "binary", "labels", "probabilities", "quartic"}) {
    add(std::string("loss ") + loss, [&](setting& s) { s.loss = loss; });
  }
  for (const char* optimizer : {"sgd", "momentum", "rmsprop", "adam", "adamw", "adabound", "lookahead",
                                "clipped", "scheduled", "grouped"}) {
    add(std::string("optimizer ") + optimizer, [&](setting& s) {
      s.optimizer = optimizer;
      s.options.training = gal::adjuster_training::model_optimizer;
    });
  }
  for (const auto activation : {gal::nn::identity, gal::nn::relu, gal::nn::sigmoid, gal::nn::gelu}) {
    add("activation " + std::to_string(static_cast<int>(activation)),
        [&](setting& s) { s.activation = activation; });
  }
  for (const auto normalisation : {gal::normalisation::per_sample, gal::normalisation::per_batch,
                                   gal::normalisation::gate, gal::normalisation::additive}) {
    for (const bool remove_mean : {false, true}) {
      add("normalisation " + std::to_string(static_cast<int>(normalisation)) +
              (remove_mean ? ", mean removed" : ""),
          [&](setting& s) {
            s.options = gal::paper();
            s.options.normalisation = normalisation;
            s.options.remove_mean = remove_mean;
            s.options.hidden = {6};
          });
    }
  }
  for (const auto rule :
       {gal::safeguard::not_worse, gal::safeguard::better, gal::safeguard::not_worse_than_vanilla,
        gal::safeguard::always, gal::safeguard::never}) {
    for (const auto decision : {gal::decision::per_batch, gal::decision::per_sample}) {
      add("safeguard " + std::to_string(static_cast<int>(rule)) + " decision " +
              std::to_string(static_cast<int>(decision)),
          [&](setting& s) {
            s.options.safeguard = rule;
            s.options.decision = decision;
            s.options.tau = 50.0;
          });
    }
  }
  for (const auto remainder :
       {gal::remainder_kind::mean_over_samples, gal::remainder_kind::mean_over_coordinates}) {
    add("remainder " + std::to_string(static_cast<int>(remainder)), [&](setting& s) {
      s.options.remainder = remainder;
      s.options.objective = gal::objective::remainder;
    });
  }
  for (const auto kind : {gal::adjuster_kind::untrained, gal::adjuster_kind::zero,
                          gal::adjuster_kind::uniform, gal::adjuster_kind::normal}) {
    add("adjuster " + std::to_string(static_cast<int>(kind)),
        [&](setting& s) { s.options.adjuster.kind = kind; });
  }
  for (const auto& options :
       {gal::label_smoothing(0.3), gal::feature_decay(0.3), gal::mixed_features(0.8, 5)}) {
    add("adjuster " + std::to_string(static_cast<int>(options.adjuster.kind)), [&](setting& s) {
      s.options = options;
      s.loss = "probabilities";
    });
  }
  add("four adjuster steps", [](setting& s) { s.options.adjuster_steps = 4; });
  return all;
}

/// Calls `use` with the optimizer of that name.
template <class T, class Backend, class Use>
auto with_optimizer(const Backend& backend, const std::string& name, Use use) {
  if (name == "sgd") {
    return use(gal::sgd<T, Backend>({.learning_rate = 0.05}, backend));
  }
  if (name == "momentum") {
    return use(gal::sgd<T, Backend>(
        {.learning_rate = 0.02, .momentum = 0.9, .nesterov = true, .weight_decay = 1e-2}, backend));
  }
  if (name == "rmsprop") {
    return use(gal::rmsprop<T, Backend>({.learning_rate = 1e-3, .momentum = 0.5, .centred = true}, backend));
  }
  if (name == "adamw") {
    return use(gal::adamw<T, Backend>({.learning_rate = 1e-2}, backend));
  }
  if (name == "adabound") {
    return use(gal::adabound<T, Backend>({.learning_rate = 1e-2, .gamma = 0.1}, backend));
  }
  if (name == "lookahead") {
    return use(gal::lookahead(gal::adam<T, Backend>({.learning_rate = 1e-2}, backend), {.k = 3}));
  }
  if (name == "clipped") {
    return use(
        gal::sgd<T, Backend>({.learning_rate = 0.05, .clipping = {.value = 0.2, .norm = 0.5}}, backend));
  }
  if (name == "scheduled") {
    return use(gal::adam<T, Backend>(
        {.learning_rate = 1e-2, .schedule = gal::linear_warm_up(4, 0.1).then(gal::cosine_schedule(10))},
        backend));
  }
  if (name == "grouped") {
    return use(gal::adam<T, Backend>(
        {.learning_rate = 1e-2, .groups = {{}, {.learning_rate = 1e-3, .weight_decay = 0.1}}}, backend));
  }
  return use(gal::adam<T, Backend>({.learning_rate = 1e-2}, backend));
}

template <class Backend, class T>
path train_setting(const setting& s, int steps) {
  constexpr gal::index_type samples = 24;
  constexpr gal::index_type rows = 4;
  const Backend backend;
  const std::vector x = {put(backend, normal<T>(5, samples, 1)), put(backend, normal<T>(5, samples, 2))};
  gal::nn::mlp<T, Backend> model({5, 9, rows}, {.activation = s.activation, .seed = 2}, backend);
  model.set_group(0, 1, 0);
  const auto run = [&](auto optimizer, auto loss, const auto& target) {
    gal::adjust trainer(model, optimizer, loss, s.options);
    return train(backend, trainer, x, std::vector(2, put(backend, target)), steps);
  };
  // Not every optimizer with every loss: compilers would take minutes.
  const auto with_loss = [&](auto loss, const auto& target) {
    return run(gal::adam<T, Backend>({.learning_rate = 1e-2}, backend), loss, target);
  };
  if (s.loss == "mae") {
    return with_loss(gal::mae(), normal<T>(rows, samples, 3));
  }
  if (s.loss == "huber") {
    return with_loss(gal::huber(0.3), normal<T>(rows, samples, 3));
  }
  if (s.loss == "binary") {
    return with_loss(gal::binary_cross_entropy(), shares<T>(rows, samples, 3));
  }
  if (s.loss == "labels") {
    return with_loss(gal::softmax_cross_entropy(0.1), labels(samples, static_cast<int>(rows), 3));
  }
  if (s.loss == "probabilities") {
    return with_loss(gal::softmax_cross_entropy(), distributions<T>(rows, samples, 3));
  }
  if (s.loss == "quartic") {
    return with_loss(quartic(), normal<T>(rows, samples, 3));
  }
  return with_optimizer<T>(backend, s.optimizer, [&](auto optimizer) {
    return run(optimizer, gal::mse(), normal<T>(rows, samples, 3));
  });
}

/// A convolutional network with every kind of layer, on small images.
template <class Backend, class T>
path train_images(int steps) {
  using namespace gal::nn;
  const Backend backend;
  const std::vector x = {put(backend, normal<T>(2 * 6 * 5, 7, 1)), put(backend, normal<T>(2 * 6 * 5, 7, 2))};
  const std::vector<gal::matrix<int, Backend>> y(2, put(backend, labels(7, 3, 3)));
  cnn<T, Backend> model(
      {.channels = 2, .height = 6, .width = 5},
      {convolution{.channels = 4, .kernel = 3, .padding = 1}, batch_normalization{}, gal::nn::relu,
       residual({depthwise_convolution{.kernel = 3, .padding = 1}, gal::nn::silu}), max_pool{2},
       average_pool{.kernel = 2, .stride = 1}, dropout{0.1}, flatten{}, linear{3}},
      {.seed = 4}, backend);
  gal::sgd<T, Backend> optimizer({.learning_rate = 0.05, .momentum = 0.9}, backend);
  gal::adjust trainer(model, optimizer, gal::softmax_cross_entropy(), {.hidden = {6}});
  return train(backend, trainer, x, y, steps);
}

}  // namespace paths
