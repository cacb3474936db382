// gal/adapters/detail/torch_pass.hpp: a pass over a batch that torch's autograd differentiates along directions of the parameters.
// Provides nothing to call by name. Included by gal/adapters/torch_*.hpp.
#pragma once

#include <gal/adapters/detail/torch_loss.hpp>
#include <gal/adapters/detail/torch_module.hpp>
#include <gal/core/error.hpp>
#include <gal/taylor/directional_expansion.hpp>

#include <c10/util/Exception.h>
#include <torch/torch.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace gal::inline GAL_ABI::detail {

using torch_list = std::vector<torch::Tensor>;

/// Vector-Jacobian products of the outputs, each with its cotangent; undefined for inputs that no output depends on. With
/// `twice` they can be differentiated again.
[[nodiscard]] inline torch_list pulled_back(const torch_list& outputs, const torch_list& inputs,
                                            const torch_list& cotangents, bool twice) {
  if (inputs.empty()) {
    return {};  // to which torch would answer with the gradients of all leaves
  }
  return torch::autograd::grad(outputs, inputs, cotangents, /*retain_graph=*/true, /*create_graph=*/twice,
                               /*allow_unused=*/true);
}

/// The inner product of two lists, a double on `device` to be differentiated; undefined tensors of the first are zero.
[[nodiscard]] inline torch::Tensor inner_product(const torch_list& a, const torch_list& b,
                                                 torch::Device device) {
  torch::Tensor sum = torch::zeros({}, torch::TensorOptions(device).dtype(torch::kDouble));
  for (std::size_t k = 0; k < a.size(); ++k) {
    if (a[k].defined()) {
      sum = sum + (a[k].to(torch::kDouble) * b[k].to(torch::kDouble)).sum().to(device);
    }
  }
  return sum;
}

/// Numbers of the samples, to where the losses are and of their sizes; and back.
[[nodiscard]] inline torch::Tensor on_device_of(std::span<const double> numbers,
                                                const torch::Tensor& losses) {
  torch::Tensor result = torch::empty(losses.sizes(), torch::kDouble);
  std::ranges::copy(numbers, result.data_ptr<double>());
  return result.to(losses.device());
}
[[nodiscard]] inline std::vector<double> on_host_from(const torch::Tensor& numbers) {
  const torch::Tensor values = numbers.to(torch::kCPU, torch::kDouble).contiguous();
  return {values.data_ptr<double>(), values.data_ptr<double>() + values.numel()};
}

/// What a loss does along a direction u of the parameters: doubles on the features' device.
struct torch_along {
  torch::Tensor samples_first;  // <grad l_j, u>, of the losses' sizes
  torch::Tensor gauss_newton;   // undefined where it was not asked for
  torch::Tensor second;         // u^T H u, likewise

  /// Of the mean loss, to the host; waits for the device.
  [[nodiscard]] directional_derivatives read() const {
    const auto number = [](const torch::Tensor& value) {
      return value.defined() ? value.item<double>() : directional_derivatives::none;
    };
    return {number(samples_first.mean()), number(gauss_newton), number(second)};
  }
};

/// A forward pass, the loss, and their graph. Two products with a direction need no more than one double-backward pass: with the
/// cotangent v of the features as a leaf, J^T v is linear in it, so that
///
///     s = <J^T v, u>       ds/dv = J u = X', the features' tangent       <ds/dtheta, u> = <v, X''>
///
/// and at v = G, J^T v is the gradient itself. The loss, in double from the features as a leaf, likewise: of the weights w_j = 1/n
/// of its samples and s = sum_j w_j l_j', ds/dw_j = l_j', and the second derivative along X' is the Gauss-Newton curvature. What
/// the loss depends on beside the features moves along u.
class torch_pass {
 public:
  /// With `twice` it can be asked `along`. `parameters` require gradients.
  template <class Model, class Loss, class Input, class Target>
  torch_pass(std::string_view who, Model& model, Loss& loss, const Input& input, const Target& target,
             torch_list parameters, bool twice)
      : who_(who),
        parameters_(std::move(parameters)),
        twice_(twice),
        features_(torch_features(who, model, input)) {
    check_features(who, features_);
    require(
        features_.requires_grad(), error_code::invalid_option, who,
        ": the features do not depend on a parameter that requires a gradient; expected a model to train");
    x_ = features_.detach().to(torch::kDouble).requires_grad_();
    values_ = torch_values_of<Loss, Target>(loss, x_, in_double(target));
    check_values(who, values_, x_);
    weights_ =
        torch::full_like(values_.detach(), 1.0 / static_cast<double>(values_.numel())).requires_grad_();
    places_ = {x_};
    if (values_.requires_grad()) {
      if (!torch_closed_form<Loss> && depends_on_more_than(x_, values_.mean())) {
        places_.insert(places_.end(), parameters_.begin(), parameters_.end());
      }
      loss_gradients_ = pulled_back({values_}, places_, {weights_}, twice);
    }
    require_function_of_features(who, !loss_gradients_.empty() && loss_gradients_.front().defined());
    cotangent_ = gradient().to(features_.scalar_type()).requires_grad_();
  }

  /// The losses of the samples, or their mean where the loss gives no more.
  [[nodiscard]] torch::Tensor losses() const { return values_.detach(); }
  [[nodiscard]] bool has_samples() const { return values_.dim() > 0; }
  void require_samples() const {
    require(has_samples(), error_code::invalid_option, who_,
            ": the loss returned one number; expected a loss that returns the losses of the samples");
  }
  [[nodiscard]] std::int64_t samples() const { return has_samples() ? values_.numel() : x_.size(0); }
  /// X and G, the gradient of the mean loss there, in double.
  [[nodiscard]] torch::Tensor features() const { return x_.detach(); }
  [[nodiscard]] torch::Tensor gradient() const { return loss_gradients_.front().detach(); }
  [[nodiscard]] torch::ScalarType feature_type() const { return features_.scalar_type(); }
  [[nodiscard]] const torch_list& parameters() const { return parameters_; }

  /// Backward to the parameters: their gradients, of the mean of the losses, each times its factor where there are such;
  /// undefined where nothing reaches them.
  torch_list differentiate(const torch::Tensor& factors = {}) {
    if (factors.defined()) {
      cotangent_ = (gradient() * beside_features(factors, x_)).to(features_.scalar_type()).requires_grad_();
    }
    products_ = pulled_back({features_}, parameters_, {cotangent_}, twice_);
    torch_list of_loss = loss_gradients_;
    if (factors.defined() && places_.size() > 1) {
      of_loss = pulled_back({values_}, places_, {weights_.detach() * factors}, false);
    }
    torch_list result;
    for (std::size_t k = 0; k < parameters_.size(); ++k) {
      result.push_back(products_[k].defined() ? products_[k].detach().clone() : torch::Tensor());
      if (of_loss.size() > 1 && of_loss[k + 1].defined()) {
        const torch::Tensor part = of_loss[k + 1].detach();
        result[k] = result[k].defined() ? result[k] + part : part.clone();
      }
    }
    return result;
  }

  /// The derivatives along `u`, a tensor of its size for every parameter; `differentiate` comes before. The parameters have to have the
  /// values of the pass (`torch_place`).
  [[nodiscard]] torch_along along(const torch_list& u, expansion_order order) const {
    try {
      return differentiated(u, order);
    } catch (const c10::Error& failure) {
      refuse(failure.what_without_backtrace());
    }
  }

 private:
  [[noreturn]] void refuse(std::string_view why) const {
    throw error(error_code::invalid_option,
                text(who_, ": torch cannot differentiate an operation of model or loss twice (", why,
                     "); expected operations with a double backward"));
  }

  [[nodiscard]] torch_along differentiated(const torch_list& u, expansion_order order) const {
    const torch::Device device = x_.device();
    const bool by_tangent = order == expansion_order::first || order == expansion_order::adjoint_first;
    const bool wants_second = order == expansion_order::second || order == expansion_order::adjoint_second;

    // The features' tangent and, at v = G, <G, X''>.
    torch::Tensor tangent = torch::zeros_like(x_);
    torch::Tensor product;
    {
      const torch::Tensor slope = slope_of(products_, u);
      torch_list inputs{cotangent_};
      if (wants_second) {
        inputs.insert(inputs.end(), parameters_.begin(), parameters_.end());
      }
      const torch_list parts = derivatives_of(slope, inputs);
      tangent = parts.front().to(torch::kDouble);
      product = inner_product({parts.begin() + 1, parts.end()}, u, device);
    }

    // The loss along the tangent, and along u where it depends on parameters.
    torch_list directions{tangent};
    if (places_.size() > 1) {
      directions.insert(directions.end(), u.begin(), u.end());
    }
    const torch::Tensor slope = slope_of(loss_gradients_, directions);
    torch_list inputs{weights_};
    if (!by_tangent) {
      inputs.insert(inputs.end(), places_.begin(), places_.end());
    }
    const torch_list parts = derivatives_of(slope, inputs);
    torch_along result;
    result.samples_first = parts.front();
    if (!by_tangent) {
      result.gauss_newton = inner_product({parts.begin() + 1, parts.end()}, directions, device);
    }
    if (wants_second) {
      result.second = result.gauss_newton + product;
    }
    return result;
  }

  // s of gradients with a graph, which an operation without a double backward leaves out.
  [[nodiscard]] torch::Tensor slope_of(const torch_list& gradients, const torch_list& u) const {
    for (const torch::Tensor& part : gradients) {
      if (part.defined() && !part.requires_grad() && part.count_nonzero().item<std::int64_t>() > 0) {
        refuse("its backward pass leaves no graph");
      }
    }
    const torch::Tensor slope = inner_product(gradients, u, x_.device());
    if (!slope.requires_grad()) {
      refuse("its backward pass leaves no graph");
    }
    return slope;
  }

  // Of s, which is linear in the first input.
  [[nodiscard]] torch_list derivatives_of(const torch::Tensor& slope, const torch_list& inputs) const {
    torch_list parts = pulled_back({slope}, inputs, {torch::ones_like(slope).detach()}, false);
    if (!parts.front().defined()) {
      refuse("its backward pass leaves no graph");
    }
    return parts;
  }

  std::string_view who_;
  torch_list parameters_;
  bool twice_;
  torch::Tensor features_;     // with their graph
  torch::Tensor x_;            // X in double, a leaf
  torch::Tensor values_;       // l_j
  torch::Tensor weights_;      // w_j, a leaf
  torch_list places_;          // what the loss depends on: x_, and the parameters where it has some of them
  torch_list loss_gradients_;  // by the places, with their graph
  torch::Tensor cotangent_;    // v, a leaf
  torch_list products_;        // J^T v, with their graph
};

/// Where the parameters are: their values, and the counters by which autograd knows whether a tensor that a graph saved has been
/// written to since. From here on the parameters have other counters, so that graphs from before are good again once the
/// parameters are back.
class torch_place {
 public:
  explicit torch_place(torch_list parameters) : parameters_(std::move(parameters)) {
    for (const torch::Tensor& parameter : parameters_) {
      values_.push_back(parameter.detach().clone());
      counters_.push_back(torch::autograd::impl::version_counter(parameter));
      // Counting on, so that who else holds a graph from before is refused by it.
      torch::autograd::impl::set_version_counter(
          parameter, c10::VariableVersion(counters_.back().current_version() + 1));
    }
  }
  torch_place(const torch_place&) = delete;
  torch_place& operator=(const torch_place&) = delete;
  /// Unless the parameters have returned, graphs from before are refused from now on, as after any step.
  ~torch_place() {
    for (c10::VariableVersion& counter : counters_) {
      counter.bump();
    }
  }

  [[nodiscard]] const torch_list& values() const { return values_; }

  /// Takes the parameters here, for good.
  void return_parameters() {
    go(values_, counters_);
    counters_.clear();
  }

  /// Calls `work` with the parameters here, and takes them to where they were, whatever it does.
  template <class Work>
  void look_back(const Work& work) const {
    struct way_back {
      const torch_place* place;
      torch_list values;
      std::vector<c10::VariableVersion> counters;
      ~way_back() { place->go(values, counters); }
    } there{this, {}, {}};
    for (const torch::Tensor& parameter : parameters_) {
      there.values.push_back(parameter.detach().clone());
      there.counters.push_back(torch::autograd::impl::version_counter(parameter));
    }
    go(values_, counters_);
    work();
  }

 private:
  void go(const torch_list& values, const std::vector<c10::VariableVersion>& counters) const {
    const torch::NoGradGuard no_grad;
    for (std::size_t k = 0; k < parameters_.size(); ++k) {
      torch::Tensor parameter = parameters_[k];
      torch::autograd::impl::set_version_counter(parameter, c10::VariableVersion(0));
      parameter.copy_(values[k]);
      torch::autograd::impl::set_version_counter(parameter, counters[k]);
    }
  }

  torch_list parameters_;
  torch_list values_;
  std::vector<c10::VariableVersion> counters_;
};

}  // namespace gal::detail
