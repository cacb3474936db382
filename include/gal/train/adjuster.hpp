// gal/train/adjuster.hpp: the adjuster h, a small network that proposes the adjustment, and its controls.
// Provides: adjuster_kind, adjuster_options, adjuster.
#pragma once

#include <gal/core/backend.hpp>
#include <gal/core/concepts.hpp>
#include <gal/core/detail/kernels.hpp>
#include <gal/core/random.hpp>
#include <gal/nn/mlp.hpp>
#include <gal/train/detail/closed_forms.hpp>

#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace gal::inline GAL_ABI {

/// The learned adjuster, and what to compare it with.
enum class adjuster_kind {
  learned,    ///< the network, trained on the remainder or the tentative loss
  untrained,  ///< the network as it starts, never trained
  zero,       ///< no adjustment
  uniform,    ///< noise, uniform in [-1, 1]
  normal,     ///< noise, standard normal
  // In closed form, of features x_j and gradients G_j of a batch of n samples, with `strength` s. Of `normalisation::additive`
  // and `adjuster_input::features_and_gradients` alone; docs/algorithm.md has the formulas.
  label_smoothing,  ///< A_j = s/n (t_j - 1/classes), t_j the target: as if the targets were smoothed
  feature_decay,    ///< A_j = s/n (x_j - mean of x_j): pulls the features together
  mixed_features,  ///< G + A is the gradient of the loss at mixes of each sample's features and targets with the next one's
};
constexpr auto enumerator_names(adjuster_kind) {
  return std::to_array<std::string_view>({"learned", "untrained", "zero", "uniform", "normal",
                                          "label_smoothing", "feature_decay", "mixed_features"});
}

/// Settings of `adjuster`.
struct adjuster_options {
  adjuster_kind kind = adjuster_kind::learned;
  nn::activation activation = nn::tanh;  ///< between layers; the paper has none
  bool bias = true;
  nn::initialization initialization = nn::initialization::fan_in;
  std::uint64_t seed = 0;
  /// Of the closed forms, which need one: of `feature_decay` at least 0, of the others in [0, 1].
  double strength = std::numeric_limits<double>::quiet_NaN();
};

namespace detail {

// A model of the same seed draws other numbers.
[[nodiscard]] inline std::uint64_t adjuster_network_seed(std::uint64_t seed) { return random_bits(seed, 1); }

[[nodiscard]] inline bool has_network(adjuster_kind kind) {
  return kind == adjuster_kind::learned || kind == adjuster_kind::untrained;
}

[[nodiscard]] constexpr bool is_closed_form(adjuster_kind kind) {
  return kind == adjuster_kind::label_smoothing || kind == adjuster_kind::feature_decay ||
         kind == adjuster_kind::mixed_features;
}

// Whether it needs n G_j to be softmax(x_j) less the target.
[[nodiscard]] constexpr bool needs_softmax(adjuster_kind kind) {
  return kind == adjuster_kind::label_smoothing || kind == adjuster_kind::mixed_features;
}

[[nodiscard]] constexpr bool draws_noise(adjuster_kind kind) {
  return kind == adjuster_kind::uniform || kind == adjuster_kind::normal ||
         kind == adjuster_kind::mixed_features;
}

// The options, or an error that names what is outside its range.
[[nodiscard]] inline adjuster_options validated(adjuster_options options) {
  require_enumerator(options.kind, "gal::adjuster_options: kind");
  require_enumerator(options.activation, "gal::adjuster_options: activation");
  require_enumerator(options.initialization, "gal::adjuster_options: initialization");
  if (is_closed_form(options.kind)) {
    const bool decays = options.kind == adjuster_kind::feature_decay;
    require(options.strength >= 0.0 && (decays ? std::isfinite(options.strength) : options.strength <= 1.0),
            error_code::invalid_option, "gal::adjuster_options: strength of ", options.kind, " is ",
            options.strength, decays ? "; expected a non-negative number" : "; expected a number in [0, 1]");
  }
  return options;
}

}  // namespace detail

/// The adjuster h: an MLP from the features (or features and gradients) to a direction for every feature; or a control
/// without a network. A closed form takes `2d x n`, the features above the samples' own gradients n G, for `d >= 2` rows.
///
///     gal::adjuster<double> h({2, 64, 24, 2});   // 2 input rows, hidden widths, 2 feature rows
///     h.network().weight(0)(0, 5) = 0.3;         // set from given weights
template <class T, class Backend = eigen_backend>
class adjuster {
 public:
  using memory_type = typename Backend::memory_type;

  /// `widths`: rows of the input, hidden widths, rows of the features. Throws if fewer than two, or not positive, and for a
  /// closed form on a single feature, which has nothing to differ from.
  explicit adjuster(std::vector<index_type> widths, adjuster_options options = {}, Backend backend = {})
      : backend_(backend),
        options_(detail::validated(options)),
        rows_(widths.empty() ? 0 : widths.back()),
        control_(backend),
        mixed_(backend),
        noise_{options.seed, 0} {
    widths = nn::detail::checked_widths(std::move(widths), "gal::adjuster");
    detail::require(!detail::is_closed_form(options_.kind) || rows_ >= 2, error_code::shape_mismatch,
                    "gal::adjuster: kind is ", options_.kind, " for ", rows_,
                    " feature; expected at least 2: on one it adjusts nothing");
    if (detail::has_network(options_.kind)) {
      network_.emplace(std::move(widths),
                       nn::mlp_options{.activation = options_.activation,
                                       .bias = options_.bias,
                                       .initialization = options_.initialization,
                                       .seed = detail::adjuster_network_seed(options_.seed)},
                       std::move(backend));
    }
  }

  [[nodiscard]] const adjuster_options& options() const { return options_; }

  /// The network of a learned or untrained adjuster; throws for the other kinds.
  [[nodiscard]] nn::mlp<T, Backend>& network() {
    detail::require(network_.has_value(), error_code::invalid_option,
                    "gal::adjuster::network: an adjuster of kind ", options_.kind, " has no network");
    return *network_;
  }

  /// h of a batch: `input` is `input_rows x n`, the result `feature_rows x n`.
  const matrix<T, Backend>& forward(matrix_view<const T, memory_type> input) {
    if (network_) {
      return network_->forward(input);
    }
    detail::require(!detail::is_closed_form(options_.kind) || input.rows() == 2 * rows_,
                    error_code::shape_mismatch, "gal::adjuster::forward: input of ", options_.kind, " is ",
                    input.shape(), "; expected ", 2 * rows_, " rows: the features above their gradients");
    control_.resize(rows_, input.columns());
    index_type drawn = 0;
    switch (options_.kind) {
      case adjuster_kind::uniform:
        detail::fill_uniform(backend_, control_.data(), control_.size(), noise_, 1.0);
        drawn = control_.size();
        break;
      case adjuster_kind::normal:
        detail::fill_normal(backend_, control_.data(), control_.size(), noise_);
        drawn = control_.size();
        break;
      case adjuster_kind::label_smoothing:
        detail::smooth_labels(backend_, options_.strength, input, control_.view());
        break;
      case adjuster_kind::feature_decay:
        detail::decay_features(backend_, options_.strength, input, control_.view());
        break;
      case adjuster_kind::mixed_features:
        mixed_.resize(rows_, input.columns());
        detail::mix_features(backend_, options_.strength, noise_, input, mixed_.view(), control_.view());
        drawn = input.columns();
        break;
      default:
        control_.fill(T(0));
    }
    noise_.counter += static_cast<std::uint64_t>(drawn);
    return control_;
  }

  /// Adds the gradients of <gradient, h>; nothing to do for an adjuster that does not learn.
  void backward(matrix_view<const T, memory_type> gradient) {
    if (options_.kind == adjuster_kind::learned) {
      network_->backward(gradient);
    }
  }

  /// The network's blocks where it learns, else none.
  std::span<const parameter<T, memory_type>> parameters() {
    return options_.kind == adjuster_kind::learned ? network_->parameters()
                                                   : std::span<const parameter<T, memory_type>>{};
  }

  /// Position in the sequence of random numbers: what an undone step takes back.
  [[nodiscard]] random_stream noise() const { return noise_; }
  void set_noise(random_stream noise) { noise_ = noise; }

  template <class Visitor>
  void visit_state(Visitor& visit) {
    visit.setting("kind", options_.kind);
    visit.setting("rows", rows_);
    if (detail::is_closed_form(options_.kind)) {
      visit.setting("strength", options_.strength);
    }
    if (network_) {
      visit("network", *network_);
    }
    visit("noise", noise_);
  }

 private:
  Backend backend_;
  adjuster_options options_;
  index_type rows_;
  std::optional<nn::mlp<T, Backend>> network_;
  matrix<T, Backend> control_;
  matrix<T, Backend> mixed_;
  random_stream noise_;
};

}  // namespace gal
