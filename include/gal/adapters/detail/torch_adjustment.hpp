// gal/adapters/detail/torch_adjustment.hpp: the adjuster, the adjustment and the safeguard in ATen.
// Provides nothing to call by name. Included by gal/adapters/torch_adjust.hpp.
#pragma once

#include <gal/adapters/detail/torch_loss.hpp>
#include <gal/core/random.hpp>
#include <gal/nn/mlp.hpp>
#include <gal/train/adjust_options.hpp>
#include <gal/train/adjust_report.hpp>
#include <gal/train/adjuster.hpp>

#include <torch/torch.h>

#include <cstdint>
#include <vector>

namespace gal::inline GAL_ABI::detail {

/// The adjuster's network, with the initial weights of `gal::adjuster`.
inline torch::nn::Sequential torch_adjuster(const std::vector<index_type>& widths,
                                            const adjuster_options& options,
                                            const torch::TensorOptions& where) {
  torch::nn::Sequential network;
  const auto activate = [&] {
    switch (options.activation) {
      case nn::activation::identity:
        return;
      case nn::activation::relu:
        return network->push_back(torch::nn::ReLU());
      case nn::activation::tanh:
        return network->push_back(torch::nn::Tanh());
      case nn::activation::sigmoid:
        return network->push_back(torch::nn::Sigmoid());
      case nn::activation::gelu:
        return network->push_back(torch::nn::GELU());
      case nn::activation::silu:
        return network->push_back(torch::nn::SiLU());
    }
  };
  const torch::NoGradGuard no_grad;
  std::uint64_t counter = 0;
  const auto start = [&](torch::Tensor& parameter, const std::vector<std::int64_t>& sizes, double bound) {
    const torch::Tensor values = torch::empty(sizes, torch::kDouble);
    for (std::int64_t i = 0; i < values.numel(); ++i) {
      values.data_ptr<double>()[i] = random_uniform(adjuster_network_seed(options.seed), counter++, bound);
    }
    parameter.set_data(values.to(where.device(), where.dtype().toScalarType()));
  };
  for (std::size_t l = 0; l + 1 < widths.size(); ++l) {
    if (l > 0) {
      activate();
    }
    // Without outputs to begin with: torch would draw first weights from the program's generator.
    torch::nn::Linear layer(torch::nn::LinearOptions(widths[l], 0).bias(options.bias));
    layer->options.out_features(widths[l + 1]);
    const double bound = nn::detail::initial_bound(options.initialization, widths[l], widths[l + 1]);
    start(layer->weight, {widths[l + 1], widths[l]}, bound);
    if (options.bias) {
      start(layer->bias, {widths[l + 1]}, options.initialization == nn::initialization::xavier ? 0.0 : bound);
    }
    network->push_back(layer);
  }
  return network;
}

/// What one step finds out, on the device: means over the losses, and what follows from them.
struct torch_numbers {
  torch::Tensor loss;
  torch::Tensor vanilla_change;
  torch::Tensor change;
  torch::Tensor remainder;
  torch::Tensor gradient_square;
  torch::Tensor gradient_adjustment;
  torch::Tensor adjustment_square;
  torch::Tensor accepted;
  torch::Tensor proceeds;

  /// To the host, in one transfer; NaN where there is none.
  [[nodiscard]] adjust_numbers read() const {
    std::vector<torch::Tensor> parts;
    for (const torch::Tensor& part : {loss, vanilla_change, change, remainder, gradient_square,
                                      gradient_adjustment, adjustment_square, accepted, proceeds}) {
      parts.push_back(part.defined() ? part.to(torch::kDouble) : torch::full_like(loss, step_report::none));
    }
    const torch::Tensor read = torch::stack(parts).to(torch::kCPU);
    const double* const values = read.data_ptr<double>();
    adjust_numbers means;
    means.loss = values[0];
    means.vanilla_change = values[1];
    means.change = values[2];
    means.remainder = values[3];
    means.gradient_square = values[4];
    means.gradient_adjustment = values[5];
    means.adjustment_square = values[6];
    means.accepted = values[7];
    means.proceeds = values[8];
    return means;
  }
};

/// A from h and G, whose first axes count the samples. Where a norm is zero, A and its derivative are zero; a NaN stays one.
[[nodiscard]] inline torch::Tensor torch_adjustment(const adjust_options& options, const torch::Tensor& h,
                                                    const torch::Tensor& gradient, std::int64_t sample_axes) {
  torch::Tensor a;
  if (options.normalisation == normalisation::gate) {
    a = h.tanh() * gradient;
  } else {
    const bool per_sample = options.normalisation == normalisation::per_sample;
    const auto norm = [&](const torch::Tensor& t) {
      return per_sample ? beside_features(t.flatten(sample_axes).norm(2, -1), gradient) : t.norm();
    };
    const torch::Tensor length = norm(h);
    const torch::Tensor is_zero = length == 0.0;
    a = h * (norm(gradient) / length.masked_fill(is_zero, 1.0)).masked_fill(is_zero, 0.0);
  }
  a = options.epsilon * a;
  return options.remove_mean ? a - a.mean(-1, /*keepdim=*/true) : a;
}

/// Whether the safeguard's answer is known before the step.
[[nodiscard]] inline bool decides_alike(const adjust_options& options) {
  return options.safeguard == safeguard::always || options.safeguard == safeguard::never;
}

/// The safeguard: whether the batch's gradient is adjusted, or which samples' are.
[[nodiscard]] inline torch::Tensor torch_decision(const adjust_options& options, const torch::Tensor& changes,
                                                  const torch::Tensor& vanilla_changes) {
  if (decides_alike(options)) {
    return torch::full(c10::IntArrayRef(), options.safeguard == safeguard::always,
                       changes.options().dtype(torch::kBool));
  }
  const bool per_batch = options.decision == decision::per_batch;
  const torch::Tensor change = per_batch ? changes.mean() : changes;
  if (options.safeguard == safeguard::not_worse_than_vanilla) {
    return change <= (per_batch ? vanilla_changes.mean() : vanilla_changes);
  }
  return options.safeguard == safeguard::better ? change < 0.0 : change <= 0.0;
}

}  // namespace gal::detail
