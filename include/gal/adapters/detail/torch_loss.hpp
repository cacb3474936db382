// gal/adapters/detail/torch_loss.hpp: losses of tensors, and what their first-order expansion leaves out.
// Provides: mse and softmax_cross_entropy of tensors. Included by gal/adapters/torch_*.hpp.
#pragma once

#include <gal/adapters/detail/torch_random.hpp>
#include <gal/core/concepts.hpp>
#include <gal/loss/entrywise.hpp>
#include <gal/loss/softmax_cross_entropy.hpp>

#include <torch/torch.h>

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <limits>

#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_set>
#include <utility>
#include <vector>

namespace gal::inline GAL_ABI::detail {

/// A tensor's sizes as messages have them: `[32, 10]`.
[[nodiscard]] inline std::string sizes_of(const torch::Tensor& tensor) {
  std::string list;
  for (const auto size : tensor.sizes()) {
    list += text(list.empty() ? "" : ", ", size);
  }
  return text("[", list, "]");
}

inline void require_same_sizes(const torch::Tensor& target, const torch::Tensor& x, std::string_view loss) {
  require(target.sizes() == x.sizes(), error_code::shape_mismatch, loss, ": targets are ", sizes_of(target),
          "; expected the features' size ", sizes_of(x));
}

// Losses of the samples of `x` (`..., d`) and their remainders at x - d, all in double, with autograd to differentiate
// them: of the losses that are known by name. docs/algorithm.md derives the forms.

inline torch::Tensor torch_losses(const mse&, const torch::Tensor& x, const torch::Tensor& target) {
  require_same_sizes(target, x, "gal::mse");
  return (x - target).square().mean(-1);
}

inline torch::Tensor torch_remainders(const mse&, const torch::Tensor&, const torch::Tensor&,
                                      const torch::Tensor& d) {
  return d.square().mean(-1);
}

inline torch::Tensor torch_losses(const softmax_cross_entropy& loss, const torch::Tensor& x,
                                  const torch::Tensor& target) {
  const torch::Tensor logarithms = x.log_softmax(-1);
  const double smoothing = loss.label_smoothing();
  torch::Tensor likelihoods;
  torch::Tensor weight;
  if (target.is_floating_point()) {
    require_same_sizes(target, x, "gal::softmax_cross_entropy");
    // A class without mass has no part in it, also where it is masked out by the logit -infinity.
    likelihoods = torch::where(target == 0.0, torch::zeros_like(logarithms), target * logarithms).sum(-1);
  } else {
    require(target.sizes() == x.sizes().slice(0, static_cast<std::size_t>(x.dim() - 1)),
            error_code::shape_mismatch, "gal::softmax_cross_entropy: labels are ", sizes_of(target),
            "; expected one for each sample of the features ", sizes_of(x));
    const torch::Tensor labels = target.to(torch::kLong);
    const torch::Tensor valid = (labels >= 0).logical_and(labels < x.size(-1));
    require(!x.is_cpu() || valid.all().item<bool>(), error_code::invalid_target,
            "gal::softmax_cross_entropy: a label is outside the ", x.size(-1), " classes; expected 0 to ",
            x.size(-1) - 1);
    // A device cannot refuse: there the loss is NaN.
    likelihoods = logarithms.gather(-1, labels.clamp(0, x.size(-1) - 1).unsqueeze(-1))
                      .squeeze(-1)
                      .masked_fill(valid.logical_not(), std::numeric_limits<double>::quiet_NaN());
  }
  return smoothing == 0.0 ? -likelihoods : (smoothing - 1.0) * likelihoods - smoothing * logarithms.mean(-1);
}

/// exp(-c) - 1 + c, by its series where the sum would cancel.
inline torch::Tensor exponential_remainder(const torch::Tensor& c) {
  const torch::Tensor series =
      c.square() * (0.5 + c * (-1.0 / 6.0 + c * (1.0 / 24.0 + c * (-1.0 / 120.0 + c * (1.0 / 720.0)))));
  return torch::where(c.abs() < 1e-2, series, torch::expm1(-c) + c);
}

inline torch::Tensor torch_remainders(const softmax_cross_entropy&, const torch::Tensor& x,
                                      const torch::Tensor&, const torch::Tensor& d) {
  const torch::Tensor logarithms = x.log_softmax(-1);
  const torch::Tensor p = logarithms.exp();
  const torch::Tensor c = d - (p * d).sum(-1, /*keepdim=*/true);
  // The exponentials of a very long displacement may overflow: there the plain log-sum-exp.
  const torch::Tensor is_long = std::get<0>(c.abs().max(-1, /*keepdim=*/true)) > 300.0;
  const torch::Tensor excess = (p * exponential_remainder(c.masked_fill(is_long, 0.0))).sum(-1);
  return torch::where(is_long.squeeze(-1), (logarithms - c).logsumexp(-1), excess.log1p());
}

template <class Loss>
concept torch_closed_form = requires(const Loss& loss, const torch::Tensor& x) {
  torch_losses(loss, x, x);
  torch_remainders(loss, x, x, x);
};

/// What a step can ask of a loss: a closed form, or a call with features and target, or with features alone.
template <class Loss, class Target>
concept torch_loss =
    (torch_closed_form<Loss> && std::same_as<Target, torch::Tensor>) ||
    std::is_invocable_r_v<torch::Tensor, Loss&, const torch::Tensor&, const Target&> ||
    (std::same_as<Target, nothing> && std::is_invocable_r_v<torch::Tensor, Loss&, const torch::Tensor&>);

/// Throws unless the features are floating-point numbers of samples; `who` asks.
inline void check_features(std::string_view who, const torch::Tensor& features) {
  require(features.defined() && features.is_floating_point(), error_code::invalid_option, who,
          ": the features are of type ",
          features.defined() ? torch::toString(features.scalar_type()) : "Undefined",
          "; expected a floating-point tensor");
  require(features.dim() >= 2 && features.numel() > 0, error_code::shape_mismatch, who, ": the features are ",
          sizes_of(features),
          "; expected at least one sample, and the feature as the last of at least two axes: (n, "
          "1) for numbers");
}

/// A number for every sample, or one for all, to be combined with features.
[[nodiscard]] inline torch::Tensor beside_features(const torch::Tensor& numbers,
                                                   const torch::Tensor& features) {
  std::vector<std::int64_t> sizes = numbers.sizes().vec();
  sizes.resize(static_cast<std::size_t>(features.dim()), 1);
  return numbers.reshape(sizes);
}

/// A floating-point tensor in double; anything else as it is.
template <class Target>
[[nodiscard]] decltype(auto) in_double(const Target& target) {
  if constexpr (std::same_as<Target, torch::Tensor>) {
    return target.is_floating_point() ? target.to(torch::kDouble) : target;
  } else {
    return (target);
  }
}

/// The losses of the samples at `x` (`..., d`), or their mean, as the loss has them, in double. `x` and `target` are, too.
template <class Loss, class Target>
[[nodiscard]] torch::Tensor torch_values_of(Loss& loss, const torch::Tensor& x, const Target& target) {
  if constexpr (torch_closed_form<Loss>) {
    return torch_losses(loss, x, target);
  } else if constexpr (std::is_invocable_v<Loss&, const torch::Tensor&, const Target&>) {
    return torch::Tensor(loss(x, target)).to(torch::kDouble);
  } else {
    return torch::Tensor(loss(x)).to(torch::kDouble);
  }
}

/// Throws unless the sizes of a loss's values are those of the features' first axes.
inline void check_values(std::string_view who, const torch::Tensor& values, const torch::Tensor& x) {
  require(
      values.dim() < x.dim() && values.sizes() == x.sizes().slice(0, static_cast<std::size_t>(values.dim())),
      error_code::shape_mismatch, who, ": the loss returned ", sizes_of(values), " for features ",
      sizes_of(x),
      "; expected the mean (no axes), or a loss for every sample: the sizes of the features' first axes, "
      "without the last");
}

/// Whether `value` depends on any tensor to differentiate by but `leaf`.
[[nodiscard]] inline bool depends_on_more_than(const torch::Tensor& leaf, const torch::Tensor& value) {
  using node = torch::autograd::Node;
  const node* const of_leaf = torch::autograd::impl::grad_accumulator(leaf).get();
  std::vector<const node*> open{value.grad_fn().get()};
  std::unordered_set<const node*> seen(open.begin(), open.end());
  while (!open.empty()) {
    const node* const current = open.back();
    open.pop_back();
    if (current->next_edges().empty() && current != of_leaf) {
      return true;  // where the graph ends, at what collects the gradient of another tensor
    }
    for (const torch::autograd::Edge& edge : current->next_edges()) {
      const node* const next = edge.function.get();
      if (next != nullptr && seen.insert(next).second) {
        open.push_back(next);
      }
    }
  }
  return false;
}

/// Throws unless a loss's values depend on the features.
inline void require_function_of_features(std::string_view who, bool is_one) {
  require(is_one, error_code::invalid_option, who,
          ": the loss returned no function of the features; expected what autograd can differentiate");
}

/// The expansion of a loss at the features `x` (`..., d`). All in double: the remainder is a small difference, and the
/// loss is small beside the model. The samples are what the loss gives a number for: its sizes are those of the features'
/// first axes, all but the last or fewer. Of a loss that gives the mean alone, the first axis counts them.
///
/// A loss that is a function is called once at `x` and once for every remainder. It is the same function each time: where
/// it draws random numbers, such as dropout's, every call draws those of the first.
template <class Loss, class Target>
class torch_expansion {
 public:
  torch_expansion(std::string_view who, Loss& loss, const torch::Tensor& x, const Target& target)
      : loss_(&loss), x_(x.detach().to(torch::kDouble)), target_(in_double(target)) {
    const torch::Tensor leaf = x_.detach().requires_grad_();
    const torch::Tensor values = evaluate_first(leaf);
    check_values(who, values, x_);
    const torch::Tensor mean = values.mean();
    if (values.requires_grad()) {
      gradient_ = torch::autograd::grad({mean}, {leaf}, {}, /*retain_graph=*/!torch_closed_form<Loss>,
                                        /*create_graph=*/false, /*allow_unused=*/true)
                      .front();
    }
    require_function_of_features(who, gradient_.defined());
    losses_ = values.detach();
    if (!torch_closed_form<Loss> && depends_on_more_than(leaf, mean)) {
      mean_ = mean;
    }
  }

  /// The losses of the samples, or their mean where the loss gives no more.
  [[nodiscard]] const torch::Tensor& losses() const { return losses_; }
  [[nodiscard]] bool has_samples() const { return losses_.dim() > 0; }
  /// Of the mean.
  [[nodiscard]] const torch::Tensor& gradient() const { return gradient_; }
  /// The mean to be differentiated, once, by what else the loss depends on, such as parameters of its own; undefined where
  /// that is nothing.
  [[nodiscard]] const torch::Tensor& mean_of_parameters() const { return mean_; }

  /// The first axes of the features, which count the samples, and their product.
  [[nodiscard]] std::int64_t sample_axes() const { return std::max<std::int64_t>(losses_.dim(), 1); }
  [[nodiscard]] std::int64_t samples() const { return has_samples() ? losses_.numel() : x_.size(0); }

  /// <D, G> of each loss: the mean's G carries 1/n, a sample's own is n times larger.
  [[nodiscard]] torch::Tensor first_order(const torch::Tensor& displacement) const {
    const torch::Tensor products = displacement * gradient_;
    return has_samples() ? static_cast<double>(losses_.numel()) * products.flatten(losses_.dim()).sum(-1)
                         : products.sum();
  }

  /// Remainder of each loss at `x - displacement`, to be differentiated.
  [[nodiscard]] torch::Tensor remainder(const torch::Tensor& displacement) const {
    if constexpr (torch_closed_form<Loss>) {
      return torch_remainders(*loss_, x_, target_, displacement);
    } else {
      std::optional<borrowed_generators> borrowed;
      if (first_draws_) {
        borrowed.emplace(x_.device());
        first_draws_->restore();
      }
      return evaluate(x_ - displacement) - losses_ + first_order(displacement);
    }
  }

 private:
  [[nodiscard]] torch::Tensor evaluate(const torch::Tensor& x) const {
    return torch_values_of<Loss, Target>(*loss_, x, target_);
  }

  // Draws as in any step. Where it does, the other calls begin where this one did.
  [[nodiscard]] torch::Tensor evaluate_first(const torch::Tensor& x) {
    if constexpr (torch_closed_form<Loss>) {
      return evaluate(x);
    } else {
      const default_generators before(x.device());
      const torch::Tensor values = evaluate(x);
      if (!(before == default_generators(x.device()))) {
        first_draws_ = before;
      }
      return values;
    }
  }

  static constexpr bool is_tensor = std::same_as<Target, torch::Tensor>;
  using target_type = std::conditional_t<is_tensor, torch::Tensor, const Target&>;

  Loss* loss_;
  torch::Tensor x_;
  target_type target_;
  torch::Tensor losses_;
  torch::Tensor gradient_;
  torch::Tensor mean_;
  std::optional<default_generators> first_draws_;
};

}  // namespace gal::detail
