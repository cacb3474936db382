// gal/nn/detail/cnn_layers.hpp: layers one after the other, residuals and gates, and how a list of layers becomes these.
// Provides: nothing public; nn::detail::sequence and nn::detail::builder for gal/nn/cnn.hpp.
#pragma once

#include <gal/core/backend.hpp>
#include <gal/core/random.hpp>
#include <gal/core/view.hpp>
#include <gal/nn/convolution_unit.hpp>
#include <gal/nn/detail/cnn_tangents.hpp>
#include <gal/nn/detail/depthwise.hpp>
#include <gal/nn/detail/kernels.hpp>
#include <gal/nn/detail/layer_units.hpp>
#include <gal/nn/detail/pooling.hpp>
#include <gal/nn/layers.hpp>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace gal::inline GAL_ABI::nn::detail {

template <class T, class Backend>
struct node;

/// Layers one after the other. Each keeps its output and the gradient with respect to its input.
template <class T, class Backend>
class sequence {
 public:
  void append(node<T, Backend> next) { nodes_.push_back(std::move(next)); }

  [[nodiscard]] bool empty() const { return nodes_.empty(); }
  [[nodiscard]] const matrix<T, Backend>& output() const { return nodes_.back().output; }

  /// The last output; x itself where there is no layer.
  view_in<const T, Backend> forward(const pass<T, Backend>& p, view_in<const T, Backend> x) {
    for (auto& n : nodes_) {
      n.output.resize(n.rows, x.columns());
      std::visit([&](auto& unit) { unit.forward(p, x, n.output.view()); }, n.unit);
      x = std::as_const(n.output).view();
    }
    return x;
  }

  /// The gradient with respect to x, the input of the last `forward`; empty where it is not wanted.
  view_in<const T, Backend> backward(const pass<T, Backend>& p, view_in<const T, Backend> x,
                                     view_in<const T, Backend> gradient, bool wanted) {
    for (std::size_t l = nodes_.size(); l-- > 0;) {
      auto& n = nodes_[l];
      const view_in<const T, Backend> input = l == 0 ? x : std::as_const(nodes_[l - 1].output).view();
      view_in<T, Backend> delta;
      if (l > 0 || wanted) {
        n.delta.resize(input.rows(), input.columns());
        delta = n.delta.view();
      }
      const view_in<const T, Backend> output = std::as_const(n.output).view();
      std::visit([&](auto& unit) { unit.backward(p, input, output, gradient, delta); }, n.unit);
      gradient = delta.as_const();
    }
    return gradient;
  }

  /// The derivatives of the last output, from those of x, the input of the last `forward`. `gradient` came back to the output.
  movement<T, Backend> move(const directional_pass<T, Backend>& p, view_in<const T, Backend> x,
                            movement<T, Backend> moved, view_in<const T, Backend> gradient) {
    for (std::size_t l = 0; l < nodes_.size(); ++l) {
      auto& n = nodes_[l];
      const view_in<const T, Backend> y = std::as_const(n.output).view();
      const view_in<const T, Backend> arrived = arrived_at(l, gradient);
      use_backend(p.values.backend, n.first, n.second);
      n.first.resize(y.rows(), y.columns());
      std::visit(
          [&]<class Unit>(Unit& unit) {
            constexpr bool bends = bends_by_itself<T, Backend, Unit>;
            view_in<T, Backend> second;
            if (p.wants_second || (bends && p.product != nullptr)) {
              n.second.resize(y.rows(), y.columns());
              second = n.second.view();
            }
            layer_mover<T, Backend>{p, n, x, y, moved, arrived, n.first.view(), second}(unit);
            if (bends && p.product != nullptr) {
              p.add(arrived, second.as_const());
            }
          },
          n.unit);
      moved.first = std::as_const(n.first).view();
      moved.second = p.wants_second ? std::as_const(n.second).view() : view_in<const T, Backend>();
      x = y;
    }
    return moved;
  }

  /// Adds the samples' products of the layers' parameters; `x` and `gradient` as above.
  void multiply(const sample_products<T, Backend>& p, view_in<const T, Backend> x,
                view_in<const T, Backend> gradient) {
    for (std::size_t l = 0; l < nodes_.size(); ++l) {
      auto& n = nodes_[l];
      const view_in<const T, Backend> arrived = arrived_at(l, gradient);
      std::visit([&](auto& unit) { sample_multiplier<T, Backend>{p, n, x, arrived}(unit); }, n.unit);
      x = std::as_const(n.output).view();
    }
  }

  /// Whether the first layer is affine: it then takes an input that does not move as such.
  [[nodiscard]] bool begins_affine() const {
    return !nodes_.empty() &&
           std::visit([](const auto& unit) { return requires { unit.weights(); }; }, nodes_.front().unit);
  }

 private:
  // What came back to the output of layer `l`, where `gradient` came back to the last.
  [[nodiscard]] view_in<const T, Backend> arrived_at(std::size_t l,
                                                     view_in<const T, Backend> gradient) const {
    return l + 1 < nodes_.size() ? nodes_[l + 1].delta.view() : gradient;
  }

  std::vector<node<T, Backend>> nodes_;
};

template <class T, class Backend>
void add_batches(const Backend& backend, view_in<const T, Backend> a, view_in<const T, Backend> b,
                 view_in<T, Backend> sum) {
  backend.for_each(sum.size(), [to = sum.data(), left = a.data(), right = b.data()] GAL_KERNEL(index_type i) {
    to[i] = left[i] + right[i];
  });
}

/// body(x) + shortcut(x).
template <class T, class Backend>
class residual_unit {
 public:
  residual_unit(sequence<T, Backend> body, sequence<T, Backend> shortcut)
      : body_(std::move(body)), shortcut_(std::move(shortcut)) {}

  void forward(const pass<T, Backend>& p, view_in<const T, Backend> x, view_in<T, Backend> y) {
    add_batches(p.backend, body_.forward(p, x), shortcut_.forward(p, x), y);
  }

  void backward(const pass<T, Backend>& p, view_in<const T, Backend> x, view_in<const T, Backend>,
                view_in<const T, Backend> gradient, view_in<T, Backend> delta) {
    const bool wanted = !delta.empty();
    const view_in<const T, Backend> of_body = body_.backward(p, x, gradient, wanted);
    const view_in<const T, Backend> of_shortcut = shortcut_.backward(p, x, gradient, wanted);
    if (wanted) {
      add_batches(p.backend, of_body, of_shortcut, delta);
    }
  }

  void move(const directional_pass<T, Backend>& p, view_in<const T, Backend> x, movement<T, Backend> moved,
            view_in<const T, Backend> gradient, view_in<T, Backend> first, view_in<T, Backend> second) {
    const movement<T, Backend> a = body_.move(p, x, moved, gradient);
    const movement<T, Backend> b = shortcut_.move(p, x, moved, gradient);
    add_batches(p.values.backend, a.first, b.first, first);
    if (p.wants_second) {
      add_batches(p.values.backend, a.second, b.second, second);
    }
  }

  void multiply(const sample_products<T, Backend>& p, view_in<const T, Backend> x,
                view_in<const T, Backend> gradient) {
    body_.multiply(p, x, gradient);
    shortcut_.multiply(p, x, gradient);
  }

 private:
  sequence<T, Backend> body_;
  sequence<T, Backend> shortcut_;
};

/// x times body(x), one number per channel.
template <class T, class Backend>
class channel_gate_unit {
 public:
  channel_gate_unit(sequence<T, Backend> body, image_shape shape) : body_(std::move(body)), shape_(shape) {}

  void forward(const pass<T, Backend>& p, view_in<const T, Backend> x, view_in<T, Backend> y) {
    use_backend(p.backend, sums_, slopes_);
    const view_in<const T, Backend> gate = body_.forward(p, x);
    p.backend.for_each(
        shape_.area(), gate.size(),
        [from = x.data(), to = y.data(), factor = gate.data(), area = shape_.area()] GAL_KERNEL(
            index_type i, index_type j) { to[j * area + i] = factor[j] * from[j * area + i]; });
  }

  void backward(const pass<T, Backend>& p, view_in<const T, Backend> x, view_in<const T, Backend>,
                view_in<const T, Backend> gradient, view_in<T, Backend> delta) {
    const index_type area = shape_.area();
    const index_type channels = shape_.channels * x.columns();  // of all samples
    column_products(p.backend, view_in<const T, Backend>(x.data(), area, channels),
                    view_in<const T, Backend>(gradient.data(), area, channels), sums_);
    slopes_.resize(shape_.channels, x.columns());
    store_rounded(p.backend, channels, 1.0, sums_.data(), slopes_.data());
    const view_in<const T, Backend> along =
        body_.backward(p, x, std::as_const(slopes_).view(), !delta.empty());
    if (!delta.empty()) {
      p.backend.for_each(area, channels,
                         [from = gradient.data(), to = delta.data(), factor = body_.output().data(),
                          through_gate = along.data(), area] GAL_KERNEL(index_type i, index_type j) {
                           to[j * area + i] = factor[j] * from[j * area + i] + through_gate[j * area + i];
                         });
    }
  }

  void move(const directional_pass<T, Backend>& p, view_in<const T, Backend> x, movement<T, Backend> moved,
            view_in<T, Backend> first, view_in<T, Backend> second) {
    const movement<T, Backend> turned = body_.move(p, x, moved, std::as_const(slopes_).view());
    move_gate(p.values.backend, shape_.area(), x, body_.output().view(), moved, turned, first, second);
  }

  void multiply(const sample_products<T, Backend>& p, view_in<const T, Backend> x) {
    body_.multiply(p, x, std::as_const(slopes_).view());
  }

 private:
  sequence<T, Backend> body_;
  image_shape shape_;
  matrix<double, Backend> sums_;
  matrix<T, Backend> slopes_;
};

/// A layer at work.
template <class T, class Backend>
struct node {
  std::variant<convolution_unit<T, Backend>, depthwise_unit<T, Backend>, batch_normalization_unit<T, Backend>,
               activation_unit<T, Backend>, max_pool_unit<T, Backend>, average_pool_unit<T, Backend>,
               global_average_pool_unit<T, Backend>, dropout_unit<T, Backend>, linear_unit<T, Backend>,
               residual_unit<T, Backend>, channel_gate_unit<T, Backend>>
      unit;
  index_type rows;  // of the output
  matrix<T, Backend> output{};
  matrix<T, Backend> delta{};
  // Along a direction of the parameters, from the first time on: derivatives of the output, the movement of a normalisation's
  // channels, and a unit like this one, for its scratch.
  matrix<T, Backend> first{};
  matrix<T, Backend> second{};
  matrix<double, Backend> moments{};
  matrix<double, Backend> partial{};
  std::vector<node> scratch{};
};

/// A block of parameters, and how it starts: uniform in middle +- bound.
struct block_plan {
  index_type first = 0;
  index_type size = 0;
  double middle = 0.0;
  double bound = 0.0;
  bool is_weight = true;
};

/// The parameters as they start.
template <class T, class Backend>
void start_parameters(const Backend& backend, const std::vector<block_plan>& plans, std::uint64_t seed,
                      T* values) {
  for (const block_plan& plan : plans) {
    backend.for_each(plan.size, [to = values + plan.first, plan, seed] GAL_KERNEL(index_type i) {
      to[i] = static_cast<T>(plan.middle +
                             random_uniform(seed, static_cast<std::uint64_t>(plan.first + i), plan.bound));
    });
  }
}

/// A tensor among the parameters or the statistics, as PyTorch names and shapes it.
struct tensor_plan {
  std::string name;
  std::vector<index_type> shape;
  index_type first = 0;
  bool is_statistic = false;
};

/// Turns a list of layers into a sequence, and lays out the parameters on the way.
template <class T, class Backend>
class builder {
 public:
  explicit builder(Backend backend) : backend_(std::move(backend)) {}

  std::vector<block_plan> blocks{};
  std::vector<tensor_plan> tensors{};
  std::vector<std::pair<std::string, std::string>> descriptions{};  // of the layers: place and options
  std::vector<index_type> statistics{};                             // channels of every batch normalisation
  index_type values = 0;                                            // parameters so far
  image_shape shape{};                                              // of what the next layer gets

  sequence<T, Backend> build(const std::vector<layer>& layers, std::string_view prefix) {
    sequence<T, Backend> result;
    for (std::size_t l = 0; l < layers.size(); ++l) {
      const std::string place = gal::detail::text(prefix, l);
      const std::string where = gal::detail::text("layer ", place, ", ", name_of(layers[l]));
      descriptions.emplace_back(place, to_string(layers[l]));
      std::visit([&](const auto& options) { add(result, options, where, place); }, layers[l].get());
    }
    return result;
  }

  [[nodiscard]] bool has_dropout() const { return dropouts_ > 0; }

 private:
  using steps = sequence<T, Backend>;

  template <class Unit>
  void append(steps& to, Unit unit, image_shape output) {
    shape = output;
    to.append({std::move(unit), output.size(), matrix<T, Backend>(backend_), matrix<T, Backend>(backend_)});
  }

  // That a layer's weights, besides those before, and its output have numbers that can be counted.
  void require_countable(const std::vector<index_type>& weights, image_shape output,
                         std::string_view where) const {
    constexpr index_type most = std::numeric_limits<index_type>::max() / static_cast<index_type>(sizeof(T));
    const auto count = gal::detail::product_of(weights, most);
    require_layer(count && *count <= most - values - output.channels, error_code::out_of_memory, where,
                  "weights of sizes ", gal::detail::tuple_text(weights), "; expected at most ", most,
                  " parameters");
    require_layer(gal::detail::product_of({output.channels, output.height, output.width}, most).has_value(),
                  error_code::out_of_memory, where, "output is ", output, "; expected at most ", most,
                  " numbers");
  }

  void plan(std::string name, std::vector<index_type> sizes, double middle, double bound, bool is_weight) {
    const index_type size = gal::detail::product_of(sizes).value();
    if (size > 0) {
      tensors.push_back({std::move(name), std::move(sizes), values});
      blocks.push_back({values, size, middle, bound, is_weight});
      values += size;
    }
  }

  // PyTorch's start of convolutions and linear layers: uniform in +-1/sqrt(numbers that an output sees).
  template <class Unit>
  void append_affine(steps& to, Unit unit, std::vector<index_type> weight_shape, image_shape output,
                     const std::string& place) {
    const double bound = 1.0 / std::sqrt(static_cast<double>(unit.depth()));
    plan(place + ".weight", std::move(weight_shape), 0.0, bound, true);
    plan(place + ".bias", {unit.biases()}, 0.0, bound, false);
    append(to, std::move(unit), output);
  }

  static image_shape output_of(const window& w, index_type channels) {
    return {channels, w.out_height, w.out_width};
  }

  void add(steps& to, const convolution& options, const std::string& where, const std::string& place) {
    const window w = convolution_window(options, shape, where);
    const image_shape output = output_of(w, options.channels);
    const std::vector<index_type> weight_shape = {options.channels, w.channels / options.groups,
                                                  w.kernel_height, w.kernel_width};
    require_countable(weight_shape, output, where);
    if (options.groups == w.channels && options.channels == w.channels && w.channels > 1) {
      append_affine(to, depthwise_unit<T, Backend>(options, w, values), weight_shape, output, place);
    } else {
      append_affine(to, convolution_unit<T, Backend>(options, w, values), weight_shape, output, place);
    }
  }
  void add(steps& to, const depthwise_convolution& options, const std::string& where,
           const std::string& place) {
    add(to, as_convolution(options, shape.channels), where, place);
  }
  void add(steps& to, const batch_normalization& options, const std::string& where,
           const std::string& place) {
    check(options, where);
    index_type first_statistic = 0;
    for (const index_type channels : statistics) {
      first_statistic += 2 * channels;
    }
    batch_normalization_unit<T, Backend> unit(options, shape, values, first_statistic, where);
    plan(place + ".weight", {shape.channels}, 1.0, 0.0, false);
    plan(place + ".bias", {shape.channels}, 0.0, 0.0, false);
    tensors.push_back({place + ".running_mean", {shape.channels}, first_statistic, true});
    tensors.push_back({place + ".running_var", {shape.channels}, first_statistic + shape.channels, true});
    statistics.push_back(shape.channels);
    append(to, std::move(unit), shape);
  }
  void add(steps& to, const activation& which, const std::string& where, const std::string&) {
    check(which, where);
    append(to, activation_unit<T, Backend>(which), shape);
  }
  void add(steps& to, const max_pool& options, const std::string& where, const std::string&) {
    const window w = pool_window(shape, options.kernel, options.stride, options.padding, where);
    append(to, max_pool_unit<T, Backend>(w), output_of(w, shape.channels));
  }
  void add(steps& to, const average_pool& options, const std::string& where, const std::string&) {
    const window w = pool_window(shape, options.kernel, options.stride, options.padding, where);
    append(to, average_pool_unit<T, Backend>(w), output_of(w, shape.channels));
  }
  void add(steps& to, const global_average_pool&, const std::string&, const std::string&) {
    append(to, global_average_pool_unit<T, Backend>(shape), {shape.channels, 1, 1});
  }
  void add(steps& to, const dropout& options, const std::string& where, const std::string&) {
    check(options, where);
    append(to, dropout_unit<T, Backend>(options, dropouts_++), shape);
  }
  void add(steps&, const flatten&, const std::string&, const std::string&) { shape = {shape.size(), 1, 1}; }
  void add(steps& to, const linear& options, const std::string& where, const std::string& place) {
    check(options, shape, where);
    const index_type inputs = shape.size();
    require_countable({options.outputs, inputs}, {options.outputs, 1, 1}, where);
    append_affine(to, linear_unit<T, Backend>(options, inputs, values), {options.outputs, inputs},
                  {options.outputs, 1, 1}, place);
  }
  void add(steps& to, const residual& options, const std::string& where, const std::string& place) {
    const image_shape input = shape;
    steps body = build_inner(options.body, input, where, place + ".body.");
    const image_shape output = shape;
    shape = input;
    steps shortcut = build(options.shortcut, place + ".shortcut.");
    require_layer(shape == output, error_code::shape_mismatch, where, "body makes ", output, " of ", input,
                  ", shortcut ", shape, "; expected the same");
    append(to, residual_unit<T, Backend>(std::move(body), std::move(shortcut)), output);
  }
  void add(steps& to, const channel_gate& options, const std::string& where, const std::string& place) {
    const image_shape input = shape;
    steps body = build_inner(options.body, input, where, place + ".body.");
    const image_shape expected{input.channels, 1, 1};
    require_layer(shape == expected, error_code::shape_mismatch, where, "body makes ", shape, " of ", input,
                  "; expected one number per channel, ", expected);
    append(to, channel_gate_unit<T, Backend>(std::move(body), input), input);
  }

  steps build_inner(const std::vector<layer>& layers, image_shape input, const std::string& where,
                    const std::string& prefix) {
    steps result = build(layers, prefix);
    require_layer(!result.empty(), error_code::invalid_option, where, "body computes nothing of ", input,
                  "; expected at least one layer");
    return result;
  }

  Backend backend_;
  index_type dropouts_ = 0;
};

}  // namespace gal::nn::detail
