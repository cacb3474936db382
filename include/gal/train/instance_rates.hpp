// gal/train/instance_rates.hpp: a learning rate for every sample of the data, learned from held-out samples.
// Provides: instance_rates. Includes gal/train/instance_rates_options.hpp.
#pragma once

#include <gal/core/backend.hpp>
#include <gal/core/concepts.hpp>
#include <gal/core/detail/kernels.hpp>
#include <gal/core/detail/transfer.hpp>
#include <gal/taylor/directional_expansion.hpp>
#include <gal/train/detail/held_out_gradient.hpp>
#include <gal/train/detail/trainer_base.hpp>
#include <gal/train/instance_rates_options.hpp>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace gal::inline GAL_ABI {

namespace detail {

template <class Backend>
void report_rates(const Backend& backend, double mean_rate, double zero_share,
                  instance_rates_numbers* numbers) {
  backend.for_each(1, [=] GAL_KERNEL(index_type) {
    numbers->mean_rate = mean_rate;
    numbers->zero_share = zero_share;
  });
}

// Multiplies every column with its sample's factor.
template <class T, class Memory, class Backend>
void scale_columns(const Backend& backend, matrix_view<const T, Memory> from, const double* factors,
                   matrix_view<T, Memory> to) {
  backend.for_each(from.rows(), from.columns(), [=] GAL_KERNEL(index_type i, index_type j) {
    to(i, j) = factors[j] == 1.0 ? from(i, j) : static_cast<T>(factors[j] * static_cast<double>(from(i, j)));
  });
}

// The weight of a sample of rate 0 where its product is found from the weighted gradients: far below what a sum of others
// shows, and far above the smallest numbers, so that its own digits are there.
template <class T>
inline constexpr double least_weight = sizeof(T) < sizeof(double) ? 0x1p-60 : 0x1p-300;

// products[j] = weighted[j] / weights[j].
template <class Backend>
void divide_by_weights(const Backend& backend, index_type count, const double* weighted,
                       const double* weights, double* products) {
  backend.for_each(count, [=] GAL_KERNEL(index_type j) { products[j] = weighted[j] / weights[j]; });
}

}  // namespace detail

/// Trains `Model` with a learning rate lambda_i for every sample of the data (after arXiv 2105.13464, its abstract; the
/// normalised update is our own). With B samples in the batch, V the held-out samples' gradient at theta+ and alpha the
/// optimizer's learning rate
///
///     theta+   = a step of the optimizer along (1/B) sum_i lambda_i grad l_i(theta)
///     s_i      = <grad l_i(theta), V>
///     lambda_i = clip(lambda_i + rate s_i / rms(s), 0, largest)                    or + rate (alpha/B) s_i
///     theta    = a step of the optimizer along V                                   with `train_on_held_out`
///
/// A sample whose step serves the held-out ones is followed, another is let go. Few clean samples thus find wrong labels in
/// many; with clean data there is nothing to find. Against training on wrong labels it helps; fine-tuning on the clean samples
/// afterwards is better where labels are wrong in a systematic way, and a robust loss as good against uniform noise.
///
///     gal::batches batches(train, 32, /*seed=*/1);
///     gal::instance_rates trainer(model, optimizer, gal::softmax_cross_entropy(), batches,
///                                 clean.features.view(), clean.targets.view());
///     gal::fit(trainer, batches, {.epochs = 20});
///     trainer.least_trusted(10);                       // samples of `train`, by their numbers
///
/// Model, optimizer and batches are referred to and must outlive the trainer; the held-out samples are copied (a view is the
/// memory it shows). All of them are held out in every step. The s_i follow from the adjoints of the batch's pass, a product a
/// layer, where the model can keep both (`pass_keeping_model`, `sample_product_model`); a sample of rate 0 then weighs 2^-60
/// (2^-300 in double), so that its adjoints are there. Otherwise they take a forward tangent along V, and a model that cannot
/// put its pass aside passes forward over the batch a second time; it is refused while it draws noise. Batch normalisation in
/// training mode couples the samples (`couples_samples()` says so), whose gradients of their own do not exist then: by the
/// tangent, s_i is the derivative of the sample's loss in its batch.
/// Models without `forward_tangent` work by differences (`directional_expansion`). The table of rates is the host's: on a
/// device a step waits for the products. After the first step of the largest batch a step allocates nothing (given a model
/// that does not).
template <class Model, class Optimizer, class Loss, class Rows, class HeldOut, class HeldOutTarget>
  requires detail::checked_model<Model> && detail::checked_optimizer<Optimizer, Model>
class instance_rates
    : public detail::trainer_base<instance_rates<Model, Optimizer, Loss, Rows, HeldOut, HeldOutTarget>, Model,
                                  Optimizer, Loss, detail::instance_rates_numbers> {
  using base = typename instance_rates::trainer_base;
  using base::frame_;

 public:
  using typename base::backend_type;
  using typename base::feature_type;
  using typename base::input_type;
  using typename base::memory_type;
  using typename base::mutable_view;
  using typename base::pending_type;
  using typename base::value_type;
  using typename base::view;
  static_assert(row_source<Rows>,
                "gal::instance_rates: the batches say which samples they hold by samples() and rows(), as "
                "gal::batches does.");
  static_assert(std::convertible_to<const HeldOut&, const input_type&>,
                "gal::instance_rates: the held-out samples do not convert to the model's `input_type`.");

  /// Throws where an option is outside its range, and where the held-out samples do not fit model and loss.
  instance_rates(Model& model, Optimizer& optimizer, Loss loss, const Rows& batches, HeldOut held_out,
                 HeldOutTarget held_out_target, instance_rates_options options = {})
      : base("gal::instance_rates", model, optimizer, std::move(loss), options.non_finite,
             detail::backend_from<backend_type>(model)),
        options_(detail::validated(options)),
        batches_(&batches),
        held_out_(std::move(held_out), std::move(held_out_target), backend()),
        along_(model),
        factors_(backend()),
        sample_products_(backend()),
        rates_("gal::instance_rates", batches.samples(), options_) {
    static_assert(detail::explain_loss<Loss, value_type, backend_type, HeldOutTarget>());
    held_out_.check_samples(frame_);
  }

  /// One training step on the batch that the batches have handed out last: `input` as the model takes it, `target` as the
  /// loss does, a sample per column. Throws `gal::error` for shapes that do not fit, a batch of another size than `rows()`,
  /// and labels out of range, before anything changes.
  template <class Input, class Target>
  pending_type step(const Input& input, const Target& target) {
    static_assert(std::convertible_to<const Input&, const input_type&>,
                  "gal::instance_rates::step: the input does not convert to the model's `input_type`.");
    static_assert(detail::explain_loss<Loss, value_type, backend_type, Target>());
    held_out_.check_model(frame_);
    detail::keep_adjoints(frame_.model());

    // The batch's loss, and the step along the weighted gradients.
    const input_type& batch = input;
    const feature_type& features = frame_.forward(batch);
    take_rates(view(features).columns());
    const mutable_view gradient = frame_.gradient_memory(features, gradient_);
    frame_.evaluate(view(features), target, gradient);
    if (frame_.refused()) {
      return this->refuse("the loss is not finite");
    }
    detail::inner_product(backend(), gradient.as_const(), gradient.as_const(),
                          &frame_.numbers()->gradient_square);
    detail::scale_columns(backend(), gradient.as_const(), factors_.data(),
                          frame_.gradient_memory(features, weighted_));
    frame_.backward(*weighted_);
    if (frame_.refused()) {
      return this->refuse("a parameter's gradient is not finite, or too large to be squared");
    }

    // V at theta+. The samples' products are taken at theta, where their pass was.
    held_out_.find_after_step(frame_);
    held_out_.look_back(frame_, batch, features, [&](view at) {
      along_.expand_at(batch, at, view(*gradient_), held_out_.blocks(),
                       from_weighted() ? expansion_order::adjoint_first : expansion_order::first);
    });
    take_products();
    move_rates();
    if (options_.train_on_held_out) {
      frame_.update(&frame_.numbers()->held_out_proceeds);
    }
    return this->result();
  }
  using base::step;

  [[nodiscard]] const instance_rates_options& options() const { return options_; }

  /// The samples' rates, by their numbers in the data.
  [[nodiscard]] std::span<const double> rates() const { return rates_.rates(); }

  /// Sets them all; throws for another number of samples, and for rates outside [0, largest].
  void set_rates(std::span<const double> rates) { rates_.set(rates); }

  /// The samples of the smallest and of the largest rates, by their numbers, the most extreme first; of equal rates those of
  /// smaller numbers first.
  [[nodiscard]] std::vector<index_type> least_trusted(index_type count) const {
    return rates_.least_trusted(count);
  }
  [[nodiscard]] std::vector<index_type> most_trusted(index_type count) const {
    return rates_.most_trusted(count);
  }

  /// Of the last step: the products s_i = <grad l_i(theta), V>, `1 x n`, and G, the gradient of the loss with respect to the
  /// features, unweighted (`d x n`).
  [[nodiscard]] auto last_products() const { return sample_products_.view(); }
  [[nodiscard]] view last_gradient() const { return gradient_ ? view(*gradient_) : view(); }

  /// The state of model and optimizer, and the rates: after loading it training goes on as it would have.
  template <class Visitor>
  void visit_state(Visitor& visit) {
    visit("options", options_);
    frame_.visit_state(visit);
    rates_.visit_state(visit, "rates");
    frame_.visit_steps(visit);
  }

  using base::backend;

 private:
  // Whether the products are those of the weighted gradients, which passed backward.
  [[nodiscard]] bool from_weighted() const { return detail::from_kept_pass(frame_.model()); }

  // The rates of the batch's samples.
  void take_rates(index_type samples) {
    const std::span<const double> rates = rates_.take(batches_->rows(), samples);
    weights_.assign(rates.begin(), rates.end());
    if (from_weighted()) {
      for (double& weight : weights_) {
        weight = std::max(weight, detail::least_weight<value_type>);
      }
    }
    factors_.resize(1, samples);
    detail::from_host(backend(), weights_.data(), factors_.data(), samples);
    detail::report_rates(backend(), rates_.mean(), rates_.zero_share(), frame_.numbers());
  }

  void take_products() {
    const auto products = along_.sample_first();
    sample_products_.resize(1, products.columns());
    if (from_weighted()) {
      detail::divide_by_weights(backend(), products.columns(), products.data(), factors_.data(),
                                sample_products_.data());
    } else {
      sample_products_.assign(products);
    }
  }

  // Where the step was refused they stay.
  void move_rates() {
    products_.resize(static_cast<std::size_t>(sample_products_.columns()));
    detail::to_host(backend(), sample_products_.data(), products_.data(), sample_products_.columns());
    if (backend().read(&frame_.numbers()->proceeds) != 0.0) {
      rates_.move(batches_->rows(), products_, frame_.learning_rate());
    }
  }

  instance_rates_options options_;
  const Rows* batches_;
  detail::held_out_gradient<Model, typename base::frame_type, HeldOut, HeldOutTarget> held_out_;
  directional_expansion<Model> along_;

  std::optional<feature_type> gradient_;          // G
  std::optional<feature_type> weighted_;          // lambda_i G_i
  matrix<double, backend_type> factors_;          // the weights of the batch's samples: their rates
  matrix<double, backend_type> sample_products_;  // s_i

  detail::rate_table rates_;
  std::vector<double> weights_;  // of the batch's samples
  std::vector<double> products_;
};

}  // namespace gal
