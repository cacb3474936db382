// gal/train/detail/sample_products.hpp: inner products of the samples' gradients with a gradient that comes a step later.
// Provides: nothing public; detail::sample_products, held_out_samples, for trainers.
#pragma once

#include <gal/core/backend.hpp>
#include <gal/core/concepts.hpp>
#include <gal/core/detail/kernels.hpp>
#include <gal/core/direction.hpp>
#include <gal/taylor/directional_expansion.hpp>

#include <optional>
#include <span>
#include <utility>

namespace gal::inline GAL_ABI::detail {

// <grad l_i(theta), V> for the samples of a batch, where the model has left theta.
template <class Model>
class sample_products {
 public:
  using value_type = model_scalar<Model>;
  using backend_type = backend_of<Model>;
  using view = matrix_view<const value_type, typename backend_type::memory_type>;
  using parameters_type = std::span<const parameter<value_type, typename backend_type::memory_type>>;

  sample_products(Model& model, const backend_type& backend)
      : model_(&model), along_(model, backend), now_(backend), direction_(backend) {}

  // V is the gradient that the model's parameters have; `gradient` is G of the batch at theta. Values and
  // gradients of the parameters are afterwards what they were. A forward pass, and a tangent.
  void find(parameters_type parameters, const parameter_vector<value_type, backend_type>& theta,
            const typename Model::input_type& input, view gradient) {
    direction_.assign_gradients(parameters);
    now_.assign_values(parameters);
    theta.copy_to_values(parameters);
    along_.expand_at(input, view(model_->forward(input)), gradient, direction_.blocks());
    now_.copy_to_values(parameters);
  }

  // Of the last batch, `1 x n`.
  [[nodiscard]] auto values() const { return along_.sample_first(); }

 private:
  Model* model_;
  directional_expansion<Model> along_;
  parameter_vector<value_type, backend_type> now_;
  parameter_vector<value_type, backend_type> direction_;  // V
};

// Samples that are held out, all in one batch.
template <class Frame, class Input, class Target>
class held_out_samples {
 public:
  held_out_samples(Input input, Target target, const typename Frame::backend_type& backend)
      : input_(std::move(input)), target_(std::move(target)), losses_(backend) {}

  [[nodiscard]] const Input& input() const { return input_; }
  [[nodiscard]] const Target& target() const { return target_; }

  // Leaves the gradient of their mean loss in the parameters' gradients, the loss and the verdict on the
  // gradient at these places.
  void find_gradient(Frame& frame, double* loss, double* verdict) {
    const typename Frame::input_type& input = input_;
    const auto& features = frame.model().forward(input);
    const typename Frame::mutable_view gradient = frame.gradient_memory(features, gradient_);
    losses_.resize(1, gradient.columns());
    frame.loss().evaluate(frame.backend(), typename Frame::view(features), target_, losses_.view(), gradient);
    mean_of(frame.backend(), losses_.data(), losses_.columns(), loss);
    frame.backward(*gradient_, verdict);
  }

 private:
  Input input_;
  Target target_;
  matrix<double, typename Frame::backend_type> losses_;
  std::optional<typename Frame::feature_type> gradient_;  // of the mean loss with respect to the features
};

}  // namespace gal::detail
