// study/idea_trainer.hpp: ideas that the library does not offer, in one training loop of their own.
// Provides: idea_trainer.
#pragma once

#include "ideas.hpp"

#include <gal/gal.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <iterator>
#include <optional>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

namespace study {

/// Trains an MLP with ReLU by the recommended gate, changed. Objectives other than the tentative loss need the loss's
/// derivative along the change of the features that a change of the parameters makes: two forward passes, a central
/// difference. They have no safeguard.
template <class Optimizer, class Loss>
class idea_trainer {
 public:
  using T = float;
  using storage = gal::matrix<T>;
  using view = gal::matrix_view<const T>;

  /// `steps` are all of the training, `options` give epsilon, tau, safeguard and the adjuster.
  idea_trainer(const std::vector<gal::index_type>& widths, std::uint64_t seed, Optimizer& optimizer,
               Loss loss, gal::adjust_options options, idea_settings idea, double steps)
      : optimizer_(&optimizer),
        loss_(std::move(loss)),
        options_(std::move(options)),
        idea_(idea),
        steps_(steps),
        base_rate_(optimizer.learning_rate()),
        body_(idea.last_hidden ? std::vector(widths.begin(), widths.end() - 1) : widths, {.seed = seed}),
        rows_(body_.widths().back()),
        expansion_(backend_),
        adam_({.learning_rate = options_.adjuster_learning_rate}),
        adjuster_(adjuster_widths(), options_.adjuster) {
    if (idea.last_hidden) {
      // The same start as that of the whole network.
      gal::nn::mlp<T> whole(widths, {.seed = seed});
      head_.emplace(std::vector(widths.end() - 2, widths.end()));
      for (std::size_t l = 0; l + 1 < whole.layer_count(); ++l) {
        copy(whole.weight(l), body_.weight(l));
        copy(whole.bias(l), body_.bias(l));
      }
      copy(whole.weight(whole.layer_count() - 1), head_->weight(0));
      copy(whole.bias(whole.layer_count() - 1), head_->bias(0));
    }
    std::size_t count = 0;
    for (const auto& block : parameters()) {
      count += block.value.size();
    }
    second_moments_.assign(count, T(0));
  }

  /// Mean of the samples' losses before the step.
  template <class Target>
  double step(view x, gal::matrix_view<const Target> y) {
    const auto samples = static_cast<double>(x.columns());
    const double progress = taken_ / steps_;
    optimizer_->set_base_learning_rate(base_rate_ * (1.0 + progress * (idea_.final_rate - 1.0)));
    taken_ += 1.0;

    moment now{.epsilon = static_cast<T>(options_.epsilon * (1.0 + progress * (idea_.final_epsilon - 1.0))),
               .x = copied(x),
               .features = copied(features(x))};
    storage predictions = copied(predict(now.features.view()));
    storage slope(predictions.rows(), predictions.columns());  // of the loss with respect to the predictions
    gal::matrix<double> losses(1, x.columns());
    loss_.evaluate(backend_, std::as_const(predictions).view(), y, losses.view(), slope.view());
    const double loss = gal::mean(std::vector<double>(losses.data(), losses.data() + losses.size()));
    now.gradient = pulled(std::as_const(slope).view());
    if (idea_.objective == idea_settings::aim::next_batches && !past_.empty()) {
      learn_from_the_past(now, slope);
      features(x);  // for the backward pass
      predict(now.features.view());
    }

    now.input = adjuster_input(now, x);
    const storage gate = gate_of(now.input);
    storage adjusted = gate;  // then G + A
    centre(adjusted);
    for (gal::index_type i = 0; i < adjusted.size(); ++i) {
      adjusted.data()[i] = (T(1) + now.epsilon * adjusted.data()[i]) * now.gradient.data()[i];
    }
    if (idea_.objective == idea_settings::aim::tentative_loss) {
      const double length = optimizer_->learning_rate() * options_.tau * samples;
      const std::vector<double> plain = changes(predictions, y, slope, now.gradient, length, nullptr);
      storage curvature;
      const std::vector<double> tentative = changes(predictions, y, slope, adjusted, length, &curvature);
      storage objective = now.gradient;  // -length grad L(X - D), without a factor that Adam takes out
      for (gal::index_type i = 0; i < objective.size(); ++i) {
        objective.data()[i] = static_cast<T>(-length) * (now.gradient.data()[i] - curvature.data()[i]);
      }
      teach(now, gate, objective);
      keep_where(adjusted, now.gradient, tentative, plain);
    }

    backward(adjusted, now.features, std::as_const(slope).view());
    count_moments();
    const std::vector<T> before = idea_.sees_motion ? values() : std::vector<T>();
    optimizer_->step(parameters());
    if (idea_.sees_motion) {
      last_step_ = values();
      for (std::size_t k = 0; k < before.size(); ++k) {
        last_step_[k] -= before[k];
      }
    }
    if (idea_.objective == idea_settings::aim::tentative_loss && learns()) {
      adam_.step(adjuster_.parameters());
    } else if (idea_.objective == idea_settings::aim::same_batch) {
      const storage after = copied(features(x));
      predictions = copied(predict(after.view()));
      loss_.evaluate(backend_, std::as_const(predictions).view(), y, losses.view(), slope.view());
      backward(pulled(std::as_const(slope).view()), after, std::as_const(slope).view());
      now.direction = gradients();
      learn_from(now);
    } else if (idea_.objective == idea_settings::aim::next_batches) {
      past_.push_back(std::move(now));
    }
    return loss;
  }

  /// Predictions of a batch.
  const storage& operator()(view x) { return predict(features(x)); }

 private:
  // A step and what its adjustment is judged by.
  struct moment {
    T epsilon{};
    storage x{};
    storage features{};
    storage gradient{};
    storage input{};             // of the adjuster
    std::vector<T> direction{};  // gradient of the objective with respect to the parameters, summed
    std::size_t batches = 0;     // in that sum
  };

  [[nodiscard]] std::vector<gal::index_type> adjuster_widths() const {
    std::vector<gal::index_type> widths(options_.hidden);
    widths.insert(widths.begin(), (idea_.sees_motion ? 3 : 2) * rows_);
    widths.push_back(rows_);
    return widths;
  }
  [[nodiscard]] bool learns() { return !adjuster_.parameters().empty(); }

  static void copy(view from, gal::matrix_view<T> to) { std::copy_n(from.data(), from.size(), to.data()); }
  static storage copied(view from) {
    storage result(from.rows(), from.columns());
    copy(from, result.view());
    return result;
  }

  // ---- The network: a body, and a last layer if that is the loss's ----

  view features(view x) {
    const storage& outputs = body_.forward(x);
    if (!head_) {
      return outputs.view();
    }
    activated_.resize(outputs.rows(), outputs.columns());
    for (gal::index_type i = 0; i < outputs.size(); ++i) {
      activated_.data()[i] = std::max(outputs.data()[i], T(0));
    }
    return std::as_const(activated_).view();
  }
  const storage& predict(view features) {
    if (head_) {
      return head_->forward(features);
    }
    predictions_ = copied(features);
    return predictions_;
  }
  // From a gradient with respect to the predictions to that with respect to the features, and displacements back: the last
  // layer is affine, so the loss's closed form of the remainder serves both.
  storage pulled(view slope) {
    if (!head_) {
      return copied(slope);
    }
    storage result(rows_, slope.columns());
    backend_.product(gal::transpose::no, gal::transpose::no, T(1), gal::view(head_->weight(0)).as_const(),
                     slope, T(0), result.view());
    return result;
  }
  storage pushed(view displacement) {
    if (!head_) {
      return copied(displacement);
    }
    storage result(head_->widths().back(), displacement.columns());
    backend_.product(gal::transpose::yes, gal::transpose::no, T(1), gal::view(head_->weight(0)).as_const(),
                     displacement, T(0), result.view());
    return result;
  }
  // Gradients of the parameters, of the last forward pass; the last layer's are never adjusted.
  void backward(storage chosen, const storage& features, view slope) {
    for (const auto& block : parameters()) {
      std::ranges::fill(block.gradient, T(0));
    }
    if (head_) {
      for (gal::index_type i = 0; i < chosen.size(); ++i) {
        chosen.data()[i] = features.data()[i] > T(0) ? chosen.data()[i] : T(0);
      }
      head_->backward(slope);
    }
    body_.backward(std::as_const(chosen).view());
  }
  std::span<const gal::parameter<T>> parameters() {
    blocks_.clear();
    std::ranges::copy(body_.parameters(), std::back_inserter(blocks_));
    if (head_) {
      std::ranges::copy(head_->parameters(), std::back_inserter(blocks_));
    }
    return blocks_;
  }
  std::vector<T> values() {
    std::vector<T> result;
    for (const auto& block : parameters()) {
      result.insert(result.end(), block.value.begin(), block.value.end());
    }
    return result;
  }
  std::vector<T> gradients() {
    std::vector<T> result;
    for (const auto& block : parameters()) {
      result.insert(result.end(), block.gradient.begin(), block.gradient.end());
    }
    return result;
  }
  // The features of x where the parameters are `from + factor along`.
  storage features_at(const std::vector<T>& from, T factor, const std::vector<T>& along, view x) {
    const auto set = [&](T scale) {
      std::size_t k = 0;
      for (const auto& block : parameters()) {
        for (T& value : block.value) {
          value = scale == T(0) ? from[k] : from[k] + scale * along[k];
          ++k;
        }
      }
    };
    set(factor);
    storage result = copied(features(x));
    set(T(0));
    return result;
  }

  // ---- The adjuster ----

  storage adjuster_input(const moment& now, view x) {
    const gal::index_type samples = now.features.columns();
    storage motion(rows_, samples, T(0));
    if (idea_.sees_motion && !last_step_.empty()) {
      const storage back = features_at(values(), T(-1), last_step_, x);
      features(x);
      for (gal::index_type i = 0; i < motion.size(); ++i) {
        motion.data()[i] = now.features.data()[i] - back.data()[i];
      }
    }
    storage input((idea_.sees_motion ? 3 : 2) * rows_, samples);
    for (gal::index_type j = 0; j < samples; ++j) {
      for (gal::index_type i = 0; i < rows_; ++i) {
        input(i, j) = now.features(i, j);
        input(rows_ + i, j) = static_cast<T>(samples) * now.gradient(i, j);
        if (idea_.sees_motion) {
          input(2 * rows_ + i, j) = motion(i, j);
        }
      }
    }
    return input;
  }

  // tanh of h.
  storage gate_of(const storage& input) {
    storage gate = copied(gal::view(adjuster_.forward(input.view())).as_const());
    for (gal::index_type i = 0; i < gate.size(); ++i) {
      gate.data()[i] = std::tanh(gate.data()[i]);
    }
    return gate;
  }

  // Takes the mean out, where the gate is centred: from the gate and, the map being its own transpose, from gradients.
  void centre(storage& numbers) const {
    if (!idea_.centred) {
      return;
    }
    double sum = 0.0;
    for (gal::index_type i = 0; i < numbers.size(); ++i) {
      sum += static_cast<double>(numbers.data()[i]);
    }
    for (gal::index_type i = 0; i < numbers.size(); ++i) {
      numbers.data()[i] -= static_cast<T>(sum / static_cast<double>(numbers.size()));
    }
  }

  // The adjuster's gradient, from that of the objective with respect to A, after `gate_of`.
  void teach(const moment& now, const storage& gate, storage slope) {
    if (!learns()) {
      return;
    }
    for (gal::index_type i = 0; i < slope.size(); ++i) {
      slope.data()[i] *= now.epsilon * now.gradient.data()[i];
    }
    centre(slope);
    for (gal::index_type i = 0; i < slope.size(); ++i) {
      slope.data()[i] *= T(1) - gate.data()[i] * gate.data()[i];
    }
    for (const auto& block : adjuster_.parameters()) {
      std::ranges::fill(block.gradient, T(0));
    }
    adjuster_.backward(std::as_const(slope).view());
  }

  // Changes of the samples' losses by the displacement length * gradient, and grad L(X) - grad L(X - D).
  template <class Target>
  std::vector<double> changes(const storage& predictions, gal::matrix_view<const Target> y,
                              const storage& slope, const storage& gradient, double length,
                              storage* curvature) {
    storage displacement = gradient;
    for (gal::index_type i = 0; i < displacement.size(); ++i) {
      displacement.data()[i] *= static_cast<T>(length);
    }
    const storage moved = pushed(std::as_const(displacement).view());
    gal::matrix<double> remainders(1, predictions.columns());
    storage bend(predictions.rows(), predictions.columns());
    expansion_.remainder(loss_, predictions.view(), y, slope.view(), moved.view(), remainders.view(),
                         bend.view());
    if (curvature != nullptr) {
      *curvature = pulled(std::as_const(bend).view());
    }
    std::vector<double> result;
    for (gal::index_type j = 0; j < predictions.columns(); ++j) {
      double first_order = 0.0;
      for (gal::index_type i = 0; i < predictions.rows(); ++i) {
        first_order += static_cast<double>(moved(i, j)) * static_cast<double>(slope(i, j));
      }
      result.push_back(remainders(0, j) - static_cast<double>(predictions.columns()) * first_order);
    }
    return result;
  }

  // The safeguard, sample by sample: not worse than without adjustment.
  void keep_where(storage& adjusted, const storage& gradient, const std::vector<double>& tentative,
                  const std::vector<double>& plain) const {
    for (gal::index_type j = 0; j < adjusted.columns(); ++j) {
      const auto k = static_cast<std::size_t>(j);
      if (options_.safeguard == gal::safeguard::never || !(tentative[k] <= plain[k])) {
        for (gal::index_type i = 0; i < adjusted.rows(); ++i) {
          adjusted(i, j) = gradient(i, j);
        }
      }
    }
  }

  // ---- Objectives of real steps ----

  void count_moments() {
    if constexpr (std::is_same_v<Optimizer, gal::adam<T>>) {
      correction_ *= 0.999;
      const std::vector<T> g = gradients();
      for (std::size_t k = 0; k < g.size(); ++k) {
        second_moments_[k] = 0.999f * second_moments_[k] + 0.001f * g[k] * g[k];
      }
    }
  }

  void learn_from_the_past(const moment& now, const storage& slope) {
    backward(now.gradient, now.features, std::as_const(slope).view());
    const std::vector<T> g = gradients();
    for (moment& then : past_) {
      then.direction.resize(g.size(), T(0));
      for (std::size_t k = 0; k < g.size(); ++k) {
        then.direction[k] += g[k];
      }
      ++then.batches;
    }
    if (past_.front().batches >= idea_.horizon) {
      learn_from(past_.front());
      past_.pop_front();
    }
  }

  // The step moved the parameters by -rate P J^T (G + A), with J the derivative of its features and P the optimizer's
  // scaling, so dL/dA = -rate J P grad L. The rate is left out: Adam takes it from the adjuster's gradient.
  void learn_from(moment& then) {
    const std::vector<T> at = values();
    double along = 0.0;
    double length = 0.0;
    for (std::size_t k = 0; k < at.size(); ++k) {
      if constexpr (std::is_same_v<Optimizer, gal::adam<T>>) {
        then.direction[k] /=
            std::sqrt(second_moments_[k] / static_cast<T>(1.0 - correction_)) + static_cast<T>(1e-8);
      }
      along += static_cast<double>(then.direction[k]) * static_cast<double>(then.direction[k]);
      length += static_cast<double>(at[k]) * static_cast<double>(at[k]);
    }
    if (!(along > 0.0) || !std::isfinite(along) || !learns()) {
      return;
    }
    const auto difference = static_cast<T>(1e-2 * std::sqrt(length / along));
    storage objective = features_at(at, -difference, then.direction, then.x.view());
    const storage ahead = features_at(at, difference, then.direction, then.x.view());
    for (gal::index_type i = 0; i < objective.size(); ++i) {
      objective.data()[i] = (objective.data()[i] - ahead.data()[i]) / (2 * difference);
    }
    teach(then, gate_of(then.input), std::move(objective));
    adam_.step(adjuster_.parameters());
  }

  gal::eigen_backend backend_;
  Optimizer* optimizer_;
  Loss loss_;
  gal::adjust_options options_;
  idea_settings idea_;
  double steps_;
  double base_rate_;
  double taken_ = 0.0;
  gal::nn::mlp<T> body_;
  std::optional<gal::nn::mlp<T>> head_;
  gal::index_type rows_;  // of the features
  gal::expansion<T, gal::eigen_backend> expansion_;
  gal::adam<T> adam_;
  gal::adjuster<T> adjuster_;
  storage activated_;
  storage predictions_;
  std::vector<gal::parameter<T>> blocks_;
  std::vector<T> second_moments_;
  double correction_ = 1.0;  // 0.999 to the power of the steps
  std::vector<T> last_step_;
  std::deque<moment> past_;
};

}  // namespace study
