// gal/train/detail/step_frame.hpp: what the step of every trainer begins and ends with.
// Provides: nothing public; detail::step_frame for trainers.
#pragma once

#include <gal/core/backend.hpp>
#include <gal/core/concepts.hpp>
#include <gal/core/detail/kernels.hpp>
#include <gal/core/error.hpp>
#include <gal/train/detail/guarded_step.hpp>
#include <gal/train/detail/step_numbers.hpp>
#include <gal/train/step_report.hpp>

#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace gal::inline GAL_ABI::detail {

// Whether the loss lets the step go on: finite, or ignored.
template <class Backend, class Numbers>
void judge_loss(const Backend& backend, non_finite_policy policy, Numbers* numbers) {
  const bool ignores = policy == non_finite_policy::ignore;
  backend.for_each(1, [numbers, ignores] GAL_KERNEL(index_type) {
    numbers->proceeds = ignores || numbers->loss - numbers->loss == 0.0 ? 1.0 : 0.0;
  });
}

/// A step of any trainer: features and loss of a batch at its beginning; the gradient's way through the model and the
/// optimizer's step at its end, unless a number is not finite. What lies between is the trainer's. `Numbers` is what the
/// step adds up, in the backend's memory: `step_numbers` or a record that derives from it.
template <class Model, class Optimizer, class Loss, class Numbers>
class step_frame {
 public:
  using value_type = model_scalar<Model>;
  using backend_type = backend_of<Model>;
  using memory_type = typename backend_type::memory_type;
  using input_type = typename Model::input_type;
  using feature_type = typename Model::feature_type;
  using parameter_type = parameter<value_type, memory_type>;
  using view = matrix_view<const value_type, memory_type>;
  using mutable_view = matrix_view<value_type, memory_type>;

  /// `trainer` is its name in messages.
  step_frame(std::string_view trainer, Model& model, Optimizer& optimizer, Loss loss,
             non_finite_policy policy, backend_type backend)
      : trainer_(trainer),
        whose_(text(trainer, ", the model")),
        model_(&model),
        optimizer_(&optimizer),
        loss_(std::move(loss)),
        policy_(policy),
        backend_(backend),
        losses_(backend),
        squares_(backend),
        evaluated_(backend),
        numbers_(backend),
        statistics_(backend) {
    require_enumerator(policy, text(trainer, ": non_finite"));
  }

  [[nodiscard]] Model& model() const { return *model_; }
  [[nodiscard]] Optimizer& optimizer() const { return *optimizer_; }
  [[nodiscard]] Loss& loss() { return loss_; }
  [[nodiscard]] const backend_type& backend() const { return backend_; }
  [[nodiscard]] Numbers* numbers() { return numbers_.data(); }
  [[nodiscard]] matrix_view<const double, memory_type> losses() const { return losses_.view(); }
  [[nodiscard]] std::int64_t steps() const { return steps_; }
  [[nodiscard]] double learning_rate() const { return learning_rate_; }

  /// The features of a batch.
  const feature_type& forward(const input_type& batch) {
    const feature_type& features = model_->forward(batch);
    const view x(features);
    require(!x.empty(), error_code::shape_mismatch, trainer_, "::step: the features are ", x.shape(),
            "; expected at least one row and one sample");
    if (parameters_.empty()) {
      collect();  // so that blocks that overlap are refused before anything changes
    }
    losses_.resize(1, x.columns());
    numbers_.resize(1, 1);
    numbers_.fill({});
    learning_rate_ = optimizer_->learning_rate();
    return features;
  }

  /// The samples' losses, and G in `gradient`; from here on a step is counted.
  template <class Target>
  void evaluate(view x, const Target& target, mutable_view gradient) {
    loss_.evaluate(backend_, x, target, losses_.view(), gradient);
    ++steps_;
    total(losses(), &numbers()->loss);
    judge_loss(backend_, policy_, numbers());
  }

  /// Whether the step ends here. On an asynchronous backend it never does, unless somebody waits for an exception: the
  /// device keeps everything as it is.
  [[nodiscard]] bool refused() {
    if (asynchronous_backend<backend_type> && policy_ != non_finite_policy::raise) {
      return false;
    }
    return backend_.read(&numbers()->proceeds) == 0.0;
  }

  /// Throws for a step that ends early where the policy asks for that.
  void refuse(std::string_view what) {
    require(policy_ != non_finite_policy::raise, error_code::non_finite, trainer_, "::step: ", what,
            " (loss ", read().loss / static_cast<double>(losses_.size()), ", learning rate ", learning_rate_,
            "); nothing was changed");
  }

  /// Memory of the model's own kind for a gradient of the size of its features, in `copy`.
  mutable_view gradient_memory(const feature_type& features, std::optional<feature_type>& copy) const {
    if (!copy || view(*copy).shape() != view(features).shape()) {
      copy = features;
    }
    const mutable_view result(*copy);
    require(result.data() != view(features).data(), error_code::invalid_option, trainer_,
            ": a copy of the model's feature_type shares its memory; expected a type that owns it");
    return result;
  }

  /// The gradient goes through the model; then the parameters' gradients are judged.
  void backward(const feature_type& gradient) { backward(gradient, &numbers()->proceeds); }

  /// The optimizer's step, unless the step is refused.
  void update() { update(&numbers()->proceeds); }

  /// Instead of it what the step would take from the parameters, in `changes`; unspecified where the step is refused.
  void propose(value_type* changes) {
    propose_if(backend_, *optimizer_, parameters_, &numbers()->proceeds, changes);
  }

  /// The same with a verdict of one's own, 1 or 0, for a second gradient within a step that is taken.
  void backward(const feature_type& gradient, double* verdict) {
    clear_gradients(backend_, collect());
    statistics_.remember(*model_);
    model_->backward(gradient);
    collect();  // a foreign array that is added to may have moved
    judge_gradients(backend_, parameters_, policy_, &numbers()->proceeds, squares_, verdict);
    statistics_.restore_unless(*model_, verdict);
  }
  void update(const double* verdict) { step_if(backend_, *optimizer_, parameters_, verdict); }

  /// The model's parameters, as the last backward pass left them.
  [[nodiscard]] std::span<const parameter_type> parameters() const { return parameters_; }

  /// The mean loss of a batch, of which nothing is learned; waits for it.
  template <class Input, class Target>
  [[nodiscard]] batch_loss evaluate_only(const Input& input, const Target& target) {
    const input_type& batch = input;
    const view x(model_->forward(batch));
    evaluated_.resize(1, x.columns() + 1);  // the losses of the samples, then their sum
    double* const sum = evaluated_.data() + x.columns();
    loss_.evaluate(backend_, x, target, evaluated_.view().columns(0, x.columns()), mutable_view());
    total(std::as_const(evaluated_).view().columns(0, x.columns()), sum);
    return {backend_.read(sum) / static_cast<double>(x.columns()), x.columns()};
  }

  /// The sum of a row, in the backend's memory.
  void total(matrix_view<const double, memory_type> row, double* result) const {
    sum_of(backend_, row.data(), row.size(), result);
  }

  /// What the last step added up; waits for it. NaN before the first step.
  [[nodiscard]] Numbers read() const {
    return numbers_.size() == 0 ? Numbers() : backend_.read(numbers_.data());
  }

  /// Whether the model says that a second forward pass would not be the first.
  [[nodiscard]] bool draws_noise() const { return detail::draws_noise(*model_); }

  /// Throws where it does, for a trainer whose step passes a batch forward twice.
  void require_no_noise() const {
    require(!draws_noise(), error_code::invalid_option, trainer_,
            ": the model draws noise; expected one whose second pass over a batch is the first");
  }

  /// Throws where a recorded step, replayed, would not do what a new one does.
  void check_repeatable() const {
    require(!draws_noise(), error_code::invalid_option, trainer_,
            ": the model draws noise; expected what a recorded step can repeat");
    require(policy_ != non_finite_policy::raise, error_code::invalid_option, trainer_,
            ": the policy for numbers that are not finite is raise; expected skip or ignore, which a "
            "recorded step can follow");
    static_assert(
        requires(Optimizer& o, std::span<const parameter_type> p) { o.step(p, std::declval<double*>()); },
        "a recorded step needs an optimizer with step(parameters, const double* proceeds).");
  }

  /// Counts a step that the device took without the host.
  void count_replayed_step() {
    ++steps_;
    if constexpr (requires { optimizer_->count_replayed_step(); }) {
      optimizer_->count_replayed_step();
    }
  }

  /// The state of model and optimizer.
  template <class Visitor>
  void visit_state(Visitor& visit) {
    visit("model", *model_);
    reserve_for(*optimizer_, collect());
    visit("optimizer", *optimizer_);
  }

  /// The number of steps, which comes last.
  template <class Visitor>
  void visit_steps(Visitor& visit) {
    visit("steps", steps_, 0, std::numeric_limits<std::int64_t>::max());
  }

 private:
  // The model's parameters, which may have moved.
  const parameter_list<value_type, memory_type>& collect() {
    return detail::collect(*model_, parameters_, whose_);
  }

  std::string_view trainer_;
  std::string whose_;  // the parameters are
  Model* model_;
  Optimizer* optimizer_;
  Loss loss_;
  non_finite_policy policy_;
  backend_type backend_;

  matrix<double, backend_type> losses_;     // one per sample
  matrix<double, backend_type> squares_;    // of all blocks of parameters, then of each
  matrix<double, backend_type> evaluated_;  // losses of a batch that is not learned from, and their sum
  matrix<Numbers, backend_type> numbers_;
  kept_statistics<Model, value_type, backend_type> statistics_;
  parameter_list<value_type, memory_type> parameters_;
  double learning_rate_ = step_report::none;
  std::int64_t steps_ = 0;
};

}  // namespace gal::detail
