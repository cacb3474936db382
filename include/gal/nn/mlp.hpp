// gal/nn/mlp.hpp: multilayer perceptrons on any backend.
// Provides: nn::mlp, nn::mlp_options, nn::initialization. Includes gal/nn/activation.hpp.
#pragma once

#include <gal/core/backend.hpp>
#include <gal/core/concepts.hpp>
#include <gal/core/detail/kernels.hpp>
#include <gal/core/direction.hpp>
#include <gal/core/enumeration.hpp>
#include <gal/core/error.hpp>
#include <gal/core/random.hpp>
#include <gal/nn/activation.hpp>
#include <gal/nn/detail/activate.hpp>
#include <gal/nn/detail/affine_shortcut.hpp>
#include <gal/nn/detail/mlp_tangents.hpp>

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gal::inline GAL_ABI::nn {

/// How weights start.
enum class initialization {
  fan_in,  ///< weights and biases uniform in +-1/sqrt(inputs), PyTorch's default for linear layers
  xavier,  ///< weights uniform in +-sqrt(6 / (inputs + outputs)), biases zero (Glorot and Bengio, 2010)
};
constexpr auto enumerator_names(initialization) {
  return std::to_array<std::string_view>({"fan_in", "xavier"});
}

namespace detail {

// How far from zero the weights of a layer start. Xavier's biases are zero, the others start as the weights.
[[nodiscard]] inline double initial_bound(initialization kind, index_type inputs, index_type outputs) {
  return kind == initialization::xavier ? std::sqrt(6.0 / static_cast<double>(inputs + outputs))
                                        : 1.0 / std::sqrt(static_cast<double>(inputs));
}

// The widths, or an error.
[[nodiscard]] inline std::vector<index_type> checked_widths(std::vector<index_type> widths,
                                                            std::string_view where) {
  gal::detail::require(widths.size() >= 2, error_code::invalid_option, where, ": ", widths.size(),
                       " widths; expected at least an input and an output width");
  for (const index_type width : widths) {
    gal::detail::require(width > 0, error_code::invalid_option, where, ": width ", width,
                         "; expected a positive number");
  }
  return widths;
}

}  // namespace detail

/// Settings of `mlp`.
struct mlp_options {
  nn::activation activation = nn::activation::relu;  ///< between layers; the last layer has none
  bool bias = true;
  nn::initialization initialization = nn::initialization::fan_in;
  std::uint64_t seed = 0;
};

/// Multilayer perceptron: affine layers with an activation between them.
///
///     gal::nn::mlp<float> model({13, 100, 50, 1}, {.activation = gal::nn::relu, .seed = 1});
///
/// All parameters lie in one flat buffer, layer by layer, the weights before the bias. A weight is seen as an
/// `inputs x outputs` column-major matrix, which is the memory of a C-order (outputs, inputs) array.
template <class T, class Backend = eigen_backend>
class mlp {
 public:
  using value_type = T;
  using backend_type = Backend;
  using memory_type = typename Backend::memory_type;
  using input_type = matrix_view<const T, memory_type>;
  using feature_type = matrix<T, Backend>;

  /// What the last `forward` and `backward` have left; see `gal::pass_keeping_model`.
  struct pass_type {
    input_type input{};
    std::vector<matrix<T, Backend>> outputs{};  // of every layer, after the activation
    std::vector<matrix<T, Backend>> inner{};    // before it, where the slope needs it
    detail::affine_shortcut<T, Backend> shortcut;
    bool has_adjoints = false;
    std::vector<matrix<T, Backend>> adjoints{};  // the gradient with respect to the outputs of every layer
    matrix<T, Backend> arrived;  // and to the features, where the layers were not run on the samples
  };

  /// `widths`: rows of the input, of every hidden layer and of the features. Throws if fewer than two, or not positive.
  explicit mlp(std::vector<index_type> widths, mlp_options options = {}, Backend backend = {})
      : backend_(std::move(backend)),
        widths_(detail::checked_widths(std::move(widths), "gal::nn::mlp")),
        options_(options),
        pass_{.shortcut = {widths_, options_.activation, backend_}, .arrived = storage(backend_)},
        ones_(backend_),
        tangents_(backend_) {
    gal::detail::require_enumerator(options_.activation, "gal::nn::mlp_options: activation");
    gal::detail::require_enumerator(options_.initialization, "gal::nn::mlp_options: initialization");
    index_type total = 0;
    for (std::size_t l = 0; l < layer_count(); ++l) {
      offsets_.push_back(total);
      constexpr index_type most = std::numeric_limits<index_type>::max() / static_cast<index_type>(sizeof(T));
      const index_type biases = options_.bias ? widths_[l + 1] : 0;
      const auto weights = gal::detail::product_of({widths_[l], widths_[l + 1]}, most);
      gal::detail::require(weights && *weights <= most - total - biases, error_code::out_of_memory,
                           "gal::nn::mlp: widths ", widths_[l], " and ", widths_[l + 1],
                           "; expected at most ", most, " parameters");
      total += *weights + biases;
    }
    values_ = matrix<T, Backend>(total, 1, T(0), backend_);
    gradients_ = matrix<T, Backend>(total, 1, T(0), backend_);
    groups_.resize(2 * layer_count(), 0);
    deltas_.resize(2, matrix<T, Backend>(backend_));
    pass_.outputs.resize(layer_count(), matrix<T, Backend>(backend_));
    pass_.inner.resize(detail::slope_reads_input(options_.activation) ? layer_count() : 0,
                       matrix<T, Backend>(backend_));
    initialize();
  }

  [[nodiscard]] std::size_t layer_count() const { return widths_.size() - 1; }
  [[nodiscard]] const std::vector<index_type>& widths() const { return widths_; }
  [[nodiscard]] const mlp_options& options() const { return options_; }
  [[nodiscard]] const Backend& backend() const { return backend_; }

  /// Weight of layer `layer` (`inputs x outputs`) and its bias (`outputs x 1`, or empty without biases).
  [[nodiscard]] matrix_view<T, memory_type> weight(std::size_t layer) { return weight_in(values_, layer); }
  [[nodiscard]] matrix_view<T, memory_type> bias(std::size_t layer) { return bias_in(values_, layer); }
  [[nodiscard]] matrix_view<T, memory_type> weight_gradient(std::size_t layer) {
    return weight_in(gradients_, layer);
  }
  [[nodiscard]] matrix_view<T, memory_type> bias_gradient(std::size_t layer) {
    return bias_in(gradients_, layer);
  }

  /// Puts a layer's weight and bias into parameter groups of the optimizer (0 at first).
  void set_group(std::size_t layer, std::size_t weight_group, std::size_t bias_group) {
    check_layer(layer);
    groups_[2 * layer] = weight_group;
    groups_[2 * layer + 1] = bias_group;
  }

  /// Features of a batch: `input` is `inputs x n` and must stay in place until `backward`.
  const feature_type& forward(const input_type& input) {
    gal::detail::require(input.rows() == widths_.front() && input.columns() > 0, error_code::shape_mismatch,
                         "gal::nn::mlp::forward: input is ", input.shape(), "; expected ", widths_.front(),
                         " rows and at least one column");
    pass_.input = input;
    pass_.has_adjoints = false;
    if (!shortens()) {
      return forward_layers(input, 0);
    }
    return pass_.shortcut.forward(forward_layers(pass_.shortcut.probes(), input.rows()).view(), input);
  }

  /// Adds the parameter gradients of <gradient, features> for the last `forward`; `gradient` is of the features' size.
  void backward(matrix_view<const T, memory_type> gradient) {
    const bool shortened = shortens();
    const auto& features = shortened ? pass_.shortcut.features() : pass_.outputs.back();
    gal::detail::require(gradient.shape() == features.shape(), error_code::shape_mismatch,
                         "gal::nn::mlp::backward: gradient is ", gradient.shape(),
                         "; expected the features' size ", features.shape());
    const index_type samples = gradient.columns();
    if (ones_.rows() != samples) {
      ones_.resize(samples, 1);
      ones_.fill(T(1));
    }
    if (shortened) {
      if (keeps_adjoints_) {
        pass_.arrived.assign(gradient);
      }
      backward_layers(pass_.shortcut.probes(), pass_.shortcut.backward(gradient, pass_.input, ones(samples)),
                      pass_.input.rows());
    } else {
      backward_layers(pass_.input, gradient, 0);
    }
    pass_.has_adjoints = keeps_adjoints_;
  }

  /// X', the derivative of the last forward's features along `direction`, `outputs x n`; see `gal::tangent_model`. Unless
  /// `product` is null, <G, X''> goes to `*product`, where G is the gradient of the last `backward`; throws where that kept no
  /// adjoints, or came before the last `forward`.
  matrix_view<const T, memory_type> forward_tangent(parameter_direction<T> direction,
                                                    double* product = nullptr) {
    check_direction(direction, "gal::nn::mlp::forward_tangent");
    if (product != nullptr) {
      require_adjoints("gal::nn::mlp::forward_tangent");
    }
    return of_samples(tangents_.first(chain(), direction, product), 0);
  }

  /// X' and X'', the second derivative; see `gal::second_order_model`.
  std::pair<matrix_view<const T, memory_type>, matrix_view<const T, memory_type>> forward_second_order(
      parameter_direction<T> direction) {
    check_direction(direction, "gal::nn::mlp::forward_second_order");
    const auto [first, second] = tangents_.second(chain(), direction);
    return {of_samples(first, 0), of_samples(second, 1)};
  }

  /// Whether `backward` keeps what comes back at every layer, a matrix of its outputs' size each; see `gal::adjoint_model`.
  void keep_adjoints(bool keep) {
    keeps_adjoints_ = keep;
    pass_.has_adjoints = pass_.has_adjoints && keep;
    if (!keep) {
      pass_.adjoints.clear();
    }
  }

  /// <grad l_j, direction> for every sample j of the last `forward`, of l_j = <G_j, x_j> with the gradient G of the last
  /// `backward`, in `products` (as many as samples); see `gal::sample_product_model`. Throws where that kept no adjoints, or
  /// came before the last `forward`.
  void sample_products(parameter_direction<T> direction, double* products) {
    check_direction(direction, "gal::nn::mlp::sample_products");
    require_adjoints("gal::nn::mlp::sample_products");
    if (shortens()) {
      gal::detail::scaled_column_products(backend_, 1.0, std::as_const(pass_.arrived).view(),
                                          forward_tangent(direction), products);
    } else {
      tangents_.sample_products(chain(), direction, products);
    }
  }

  /// What the last `forward` and `backward` have left, to be exchanged with another; see `gal::pass_keeping_model`.
  [[nodiscard]] pass_type& pass() { return pass_; }

  /// A (value, gradient) block per weight and per bias, in layer order.
  std::span<const parameter<T, memory_type>> parameters() {
    blocks_.clear();
    for (std::size_t l = 0; l < layer_count(); ++l) {
      blocks_.push_back(block(weight(l), weight_gradient(l), groups_[2 * l]));
      if (options_.bias) {
        blocks_.push_back(block(bias(l), bias_gradient(l), groups_[2 * l + 1]));
      }
    }
    return blocks_;
  }

  /// The weights under PyTorch's names for `nn.Sequential` of the linear layers and the activations between them:
  /// `0.weight` (outputs, inputs), `0.bias`, `2.weight`, ...
  template <class Visitor>
  void visit_state(Visitor& visit) {
    visit.setting("widths", widths_);
    visit.setting("activation", options_.activation);
    visit.setting("bias", options_.bias);
    for (std::size_t l = 0; l < layer_count(); ++l) {
      const std::string place = std::to_string(options_.activation == activation::identity ? l : 2 * l);
      visit.tensor(place + ".weight", backend_, weight(l).data(), {widths_[l + 1], widths_[l]});
      if (options_.bias) {
        visit.tensor(place + ".bias", backend_, bias(l).data(), {widths_[l + 1]});
      }
    }
  }

 private:
  using storage = matrix<T, Backend>;

  static parameter<T, memory_type> block(matrix_view<T, memory_type> value,
                                         matrix_view<T, memory_type> gradient, std::size_t group) {
    const auto size = static_cast<std::size_t>(value.size());
    return {std::span<T>(value.data(), size), std::span<T>(gradient.data(), size), group};
  }

  matrix_view<T, memory_type> weight_in(storage& buffer, std::size_t layer) {
    check_layer(layer);
    return {buffer.data() + offsets_[layer], widths_[layer], widths_[layer + 1]};
  }

  matrix_view<T, memory_type> bias_in(storage& buffer, std::size_t layer) {
    check_layer(layer);
    return {buffer.data() + offsets_[layer] + widths_[layer] * widths_[layer + 1],
            options_.bias ? widths_[layer + 1] : 0, 1};
  }

  void check_layer(std::size_t layer) const {
    gal::detail::require(layer < layer_count(), error_code::invalid_option, "gal::nn::mlp: layer ", layer,
                         "; expected a number below ", layer_count());
  }

  [[nodiscard]] matrix_view<const T, memory_type> ones(index_type count) const {
    return {ones_.data(), count, 1};
  }

  void check_direction(parameter_direction<T> direction, std::string_view where) {
    gal::detail::require(!pass_.input.empty(), error_code::invalid_option, where,
                         ": no forward came before; expected one");
    gal::detail::require_direction(direction, parameters(), where);
  }

  void require_adjoints(std::string_view where) const {
    gal::detail::require(pass_.has_adjoints, error_code::invalid_option, where,
                         ": no adjoints of the last forward; expected keep_adjoints(true), then forward and "
                         "backward");
  }

  // Whether the last forward pass ran the layers on probes instead of the samples.
  [[nodiscard]] bool shortens() const { return pass_.shortcut.pays_for(pass_.input.columns()); }

  // What the last forward pass left, for the passes along a direction.
  typename detail::mlp_tangents<T, Backend>::chain chain() {
    const bool shortened = shortens();
    weights_.resize(layer_count());
    for (std::size_t l = 0; l < layer_count(); ++l) {
      weights_[l] = weight(l).as_const();
    }
    return {.widths = widths_,
            .between = options_.activation,
            .bias = options_.bias,
            .weights = weights_,
            .input = shortened ? pass_.shortcut.probes() : pass_.input,
            .outputs = pass_.outputs,
            .inner = pass_.inner,
            .adjoints = pass_.adjoints,
            .first_biased = shortened ? pass_.input.rows() : 0};
  }

  // A derivative of the features, from that of what the layers were run on.
  matrix_view<const T, memory_type> of_samples(matrix_view<const T, memory_type> derivative,
                                               std::size_t number) {
    if (!shortens()) {
      return derivative;
    }
    pass_.shortcut.apply(derivative, pass_.input, tangents_.features(number));
    return std::as_const(tangents_.features(number)).view();
  }

  // The layers on the columns of x, of which those from `first_biased` on get the bias.
  const storage& forward_layers(matrix_view<const T, memory_type> x, index_type first_biased) {
    const index_type columns = x.columns();
    for (std::size_t l = 0; l < layer_count(); ++l) {
      auto& y = pass_.outputs[l];
      y.resize(widths_[l + 1], columns);
      backend_.product(transpose::yes, transpose::no, T(1), weight(l).as_const(), x, T(0), y.view());
      const bool last = l + 1 == layer_count();
      detail::dispatch(last ? activation::identity : options_.activation, [&](auto activation) {
        add_bias_and_activate<activation.value>(l, y.view().columns(first_biased, columns - first_biased));
      });
      x = std::as_const(y).view();
    }
    return pass_.outputs.back();
  }

  void backward_layers(matrix_view<const T, memory_type> input, matrix_view<const T, memory_type> gradient,
                       index_type first_biased) {
    const index_type biased = gradient.columns() - first_biased;
    if (keeps_adjoints_) {
      pass_.adjoints.resize(layer_count(), storage(backend_));
      pass_.adjoints.back().assign(gradient);
    }
    for (std::size_t l = layer_count(); l-- > 0;) {
      const matrix_view<const T, memory_type> x = l == 0 ? input : std::as_const(pass_.outputs[l - 1]).view();
      backend_.product(transpose::no, transpose::yes, T(1), x, gradient, T(1), weight_gradient(l));
      if (options_.bias) {
        backend_.product(transpose::no, transpose::no, T(1), gradient.columns(first_biased, biased),
                         ones(biased), T(1), bias_gradient(l));
      }
      if (l > 0) {
        auto& previous = deltas_[l % 2];
        previous.resize(widths_[l], gradient.columns());
        backend_.product(transpose::no, transpose::no, T(1), weight(l).as_const(), gradient, T(0),
                         previous.view());
        if (keeps_adjoints_) {
          pass_.adjoints[l - 1].assign(std::as_const(previous).view());
        }
        detail::dispatch(options_.activation,
                         [&](auto activation) { multiply_by_slope<activation.value>(l - 1, previous); });
        gradient = std::as_const(previous).view();
      }
    }
  }

  void initialize() {
    std::uint64_t counter = 0;
    for (std::size_t l = 0; l < layer_count(); ++l) {
      const double bound = detail::initial_bound(options_.initialization, widths_[l], widths_[l + 1]);
      fill_uniform(weight(l), bound, counter);
      fill_uniform(bias(l), options_.initialization == initialization::xavier ? 0.0 : bound, counter);
    }
  }

  void fill_uniform(matrix_view<T, memory_type> values, double bound, std::uint64_t& counter) {
    gal::detail::fill_uniform(backend_, values.data(), values.size(), {options_.seed, counter}, bound);
    counter += static_cast<std::uint64_t>(values.size());
  }

  template <activation Activation>
  void add_bias_and_activate(std::size_t layer, matrix_view<T, memory_type> y) {
    const bool keep_inner = !pass_.inner.empty() && detail::slope_reads_input(Activation);
    if (keep_inner) {
      pass_.inner[layer].resize(y.rows(), y.columns());
    }
    if (Activation == activation::identity && !options_.bias) {
      return;
    }
    detail::add_bias_and_activate<Activation>(backend_, y,
                                              options_.bias ? bias(layer).as_const().data() : nullptr,
                                              keep_inner ? pass_.inner[layer].data() : nullptr);
  }

  template <activation Activation>
  void multiply_by_slope(std::size_t layer, storage& gradient) {
    if constexpr (Activation != activation::identity) {
      const T* const y = pass_.outputs[layer].data();
      const T* const z = pass_.inner.empty() ? y : pass_.inner[layer].data();
      detail::multiply_by_slope<Activation>(backend_, gradient.size(), z, y, gradient.data(),
                                            gradient.data());
    }
  }

  Backend backend_;
  std::vector<index_type> widths_;
  mlp_options options_;
  std::vector<index_type> offsets_;
  std::vector<std::size_t> groups_;
  storage values_;
  storage gradients_;
  std::vector<parameter<T, memory_type>> blocks_;

  pass_type pass_;
  std::vector<storage> deltas_;  // two, by turns
  storage ones_;                 // one a sample
  bool keeps_adjoints_ = false;

  detail::mlp_tangents<T, Backend> tangents_;
  std::vector<matrix_view<const T, memory_type>> weights_;
};

}  // namespace gal::nn
