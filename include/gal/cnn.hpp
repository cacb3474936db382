// gal/cnn.hpp: convolutional networks, from a list of layers.
// Provides: nn::cnn, nn::cnn_options, and the lists nn::lenet, nn::resnet, nn::efficientnet. Includes gal/layers.hpp.
#pragma once

#include <gal/backend.hpp>
#include <gal/concepts.hpp>
#include <gal/convolution.hpp>
#include <gal/depthwise.hpp>
#include <gal/layer_units.hpp>
#include <gal/layers.hpp>
#include <gal/nn.hpp>
#include <gal/pooling.hpp>
#include <gal/random.hpp>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace gal::nn {

namespace detail {

template <class T, class Backend>
struct node;

/// Layers one after the other. Each keeps its output and the gradient with respect to its input.
template <class T, class Backend>
class sequence {
 public:
  using memory_type = typename Backend::memory_type;
  using view = matrix_view<const T, memory_type>;

  void append(node<T, Backend> next) { nodes_.push_back(std::move(next)); }

  [[nodiscard]] bool empty() const { return nodes_.empty(); }
  [[nodiscard]] const matrix<T, Backend>& output() const { return nodes_.back().output; }

  /// The last output; x itself where there is no layer.
  view forward(const pass<T, Backend>& p, view x) {
    for (auto& n : nodes_) {
      n.output.resize(n.rows, x.columns());
      std::visit([&](auto& unit) { unit.forward(p, x, n.output.view()); }, n.unit);
      x = std::as_const(n.output).view();
    }
    return x;
  }

  /// The gradient with respect to x, the input of the last `forward`; empty where it is not wanted.
  view backward(const pass<T, Backend>& p, view x, view gradient, bool wanted) {
    for (std::size_t l = nodes_.size(); l-- > 0;) {
      auto& n = nodes_[l];
      const view input = l == 0 ? x : std::as_const(nodes_[l - 1].output).view();
      matrix_view<T, memory_type> delta;
      if (l > 0 || wanted) {
        n.delta.resize(input.rows(), input.columns());
        delta = n.delta.view();
      }
      const view output = std::as_const(n.output).view();
      std::visit([&](auto& unit) { unit.backward(p, input, output, gradient, delta); }, n.unit);
      gradient = delta.as_const();
    }
    return gradient;
  }

  GAL_PRIVATE_KERNELS
  std::vector<node<T, Backend>> nodes_;
};

/// body(x) + shortcut(x).
template <class T, class Backend>
class residual_unit {
 public:
  using view = typename sequence<T, Backend>::view;
  using mutable_view = matrix_view<T, typename Backend::memory_type>;

  residual_unit(sequence<T, Backend> body, sequence<T, Backend> shortcut)
      : body_(std::move(body)), shortcut_(std::move(shortcut)) {}

  void forward(const pass<T, Backend>& p, view x, mutable_view y) {
    add(p.backend, body_.forward(p, x), shortcut_.forward(p, x), y);
  }

  void backward(const pass<T, Backend>& p, view x, view, view gradient, mutable_view delta) {
    const bool wanted = !delta.empty();
    const view of_body = body_.backward(p, x, gradient, wanted);
    const view of_shortcut = shortcut_.backward(p, x, gradient, wanted);
    if (wanted) {
      add(p.backend, of_body, of_shortcut, delta);
    }
  }

  GAL_PRIVATE_KERNELS
  static void add(const Backend& backend, view a, view b, mutable_view sum) {
    backend.for_each(sum.size(), [=, to = sum.data(), left = a.data(), right = b.data()] GAL_KERNEL(index i) {
      to[i] = left[i] + right[i];
    });
  }

  sequence<T, Backend> body_;
  sequence<T, Backend> shortcut_;
};

/// x times body(x), one number per channel.
template <class T, class Backend>
class channel_gate_unit {
 public:
  using view = typename sequence<T, Backend>::view;
  using mutable_view = matrix_view<T, typename Backend::memory_type>;

  channel_gate_unit(sequence<T, Backend> body, image_shape shape) : body_(std::move(body)), shape_(shape) {}

  void forward(const pass<T, Backend>& p, view x, mutable_view y) {
    use_backend(p.backend, sums_, slopes_);
    const view gate = body_.forward(p, x);
    p.backend.for_each(
        shape_.area(), gate.size(),
        [from = x.data(), to = y.data(), factor = gate.data(), area = shape_.area()] GAL_KERNEL(
            index i, index j) { to[j * area + i] = factor[j] * from[j * area + i]; });
  }

  void backward(const pass<T, Backend>& p, view x, view, view gradient, mutable_view delta) {
    const index area = shape_.area();
    sums_.resize(shape_.channels, x.columns());
    slopes_.resize(shape_.channels, x.columns());
    p.backend.sum_rows(
        area, sums_.size(),
        [input = x.data(), from = gradient.data(), area] GAL_KERNEL(index i, index j) {
          return static_cast<double>(input[j * area + i]) * static_cast<double>(from[j * area + i]);
        },
        sums_.data());
    p.backend.for_each(sums_.size(), [from = sums_.data(), to = slopes_.data()] GAL_KERNEL(index j) {
      to[j] = static_cast<T>(from[j]);
    });
    const view along = body_.backward(p, x, std::as_const(slopes_).view(), !delta.empty());
    if (!delta.empty()) {
      p.backend.for_each(area, sums_.size(),
                         [from = gradient.data(), to = delta.data(), factor = body_.output().data(),
                          through_gate = along.data(), area] GAL_KERNEL(index i, index j) {
                           to[j * area + i] = factor[j] * from[j * area + i] + through_gate[j * area + i];
                         });
    }
  }

  GAL_PRIVATE_KERNELS
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
  index rows;  // of the output
  matrix<T, Backend> output{};
  matrix<T, Backend> delta{};
};

/// A block of parameters, and how it starts: uniform in middle +- bound.
struct block_plan {
  index first = 0;
  index size = 0;
  double middle = 0.0;
  double bound = 0.0;
  bool is_weight = true;
};

/// A tensor among the parameters or the statistics, as PyTorch names and shapes it.
struct tensor_plan {
  std::string name;
  std::vector<index> shape;
  index first = 0;
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
  std::vector<index> statistics{};                                  // channels of every batch normalisation
  index values = 0;                                                 // parameters so far
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

  GAL_PRIVATE_KERNELS
  using steps = sequence<T, Backend>;

  template <class Unit>
  void append(steps& to, Unit unit, image_shape output) {
    shape = output;
    to.append({std::move(unit), output.size(), matrix<T, Backend>(backend_), matrix<T, Backend>(backend_)});
  }

  void plan(std::string name, std::vector<index> sizes, double middle, double bound, bool is_weight) {
    index size = 1;
    for (const index s : sizes) {
      size *= s;
    }
    if (size > 0) {
      tensors.push_back({std::move(name), std::move(sizes), values});
      blocks.push_back({values, size, middle, bound, is_weight});
      values += size;
    }
  }

  // PyTorch's start of convolutions and linear layers: uniform in +-1/sqrt(numbers that an output sees).
  template <class Unit>
  void append_affine(steps& to, Unit unit, std::vector<index> weight_shape, image_shape output,
                     const std::string& place) {
    const double bound = 1.0 / std::sqrt(static_cast<double>(unit.depth()));
    plan(place + ".weight", std::move(weight_shape), 0.0, bound, true);
    plan(place + ".bias", {unit.biases()}, 0.0, bound, false);
    append(to, std::move(unit), output);
  }

  static image_shape output_of(const window& w, index channels) {
    return {channels, w.out_height, w.out_width};
  }

  void add(steps& to, const convolution& options, const std::string& where, const std::string& place) {
    const window w = convolution_window(options, shape, where);
    const image_shape output = output_of(w, options.channels);
    const std::vector<index> weight_shape = {options.channels, w.channels / options.groups, w.kernel_height,
                                             w.kernel_width};
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
    index first_statistic = 0;
    for (const index channels : statistics) {
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
  void add(steps& to, const activation& which, const std::string&, const std::string&) {
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
    const index inputs = shape.size();
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
  index dropouts_ = 0;
};

}  // namespace detail

/// Settings of `cnn`.
struct cnn_options {
  std::uint64_t seed = 0;  ///< of the first weights, and of dropout
  bool training = true;    ///< the mode to begin with
  std::size_t bias_group =
      0;  ///< parameter group of what is no weight: biases, scales and shifts; weights are in 0
};

/// A convolutional network.
///
///     using namespace gal::nn;
///     cnn<float> model({.channels = 1, .height = 28, .width = 28},
///                      {convolution{.channels = 6, .kernel = 5, .padding = 2}, relu, max_pool{2},
///                       convolution{.channels = 16, .kernel = 5}, relu, max_pool{2},
///                       flatten{}, linear{120}, relu, linear{84}, relu, linear{10}},
///                      {.seed = 1});
///
/// A sample is a column: channels, rows and columns of the image in C order, so that a batch is the memory of a C-order
/// (samples, channels, height, width) array. All parameters lie in one buffer, all gradients in another, layer by layer
/// (a residual's body before its shortcut), weights before bias, in PyTorch's layouts. Weights start as PyTorch's.
///
/// Throws, naming the layer, for options out of range and for shapes that do not fit.
template <class T, class Backend = eigen_backend>
class cnn {
 public:
  using value_type = T;
  using backend_type = Backend;
  using memory_type = typename Backend::memory_type;
  using input_type = matrix_view<const T, memory_type>;
  using feature_type = matrix<T, Backend>;

  cnn(image_shape input, const std::vector<layer>& layers, cnn_options options = {}, Backend backend = {})
      : backend_(std::move(backend)),
        input_shape_(input),
        options_(options),
        training_(options.training),
        noise_{options.seed, 0} {
    gal::detail::require(input.channels >= 1 && input.height >= 1 && input.width >= 1,
                         error_code::invalid_option, "gal::nn::cnn: input is ", input,
                         "; expected positive numbers");
    detail::builder<T, Backend> plan(backend_);
    plan.shape = input;
    layers_ = plan.build(layers, "");
    gal::detail::require(!layers_.empty(), error_code::invalid_option, "gal::nn::cnn: ", layers.size(),
                         " layers that compute nothing; expected at least one that does");
    output_shape_ = plan.shape;
    has_dropout_ = plan.has_dropout();
    plans_ = std::move(plan.blocks);
    tensors_ = std::move(plan.tensors);
    descriptions_ = std::move(plan.descriptions);
    values_ = matrix<T, Backend>(plan.values, 1, T(0), backend_);
    gradients_ = matrix<T, Backend>(plan.values, 1, T(0), backend_);
    initialize();
    initialize_statistics(plan.statistics);
  }

  [[nodiscard]] image_shape input_shape() const { return input_shape_; }
  [[nodiscard]] image_shape output_shape() const { return output_shape_; }
  [[nodiscard]] const cnn_options& options() const { return options_; }
  [[nodiscard]] const Backend& backend() const { return backend_; }

  /// Training or evaluation: what batch normalisation and dropout do in the next `forward`.
  [[nodiscard]] bool training() const { return training_; }
  void set_training(bool training) { training_ = training; }

  /// All parameters, their gradients, and the running means and variances of every batch normalisation, each as one
  /// column: what to store.
  [[nodiscard]] matrix_view<T, memory_type> values() { return values_.view(); }
  [[nodiscard]] matrix_view<T, memory_type> gradients() { return gradients_.view(); }
  [[nodiscard]] matrix_view<T, memory_type> statistics() { return statistics_.view(); }

  /// Whether the next forward pass draws numbers that a recorded step would draw again.
  [[nodiscard]] bool draws_noise() const { return training_ && has_dropout_; }

  /// Position in the sequence of dropout. `backward` moves it on, once for every `forward` in training.
  [[nodiscard]] random_stream noise() const { return noise_; }
  void set_noise(random_stream noise) { noise_ = noise; }

  /// Features of a batch: `input` is `(channels height width) x n` and must stay in place until `backward`.
  const feature_type& forward(const input_type& input) {
    gal::detail::require(input.rows() == input_shape_.size() && input.columns() > 0,
                         error_code::shape_mismatch, "gal::nn::cnn::forward: input is ", input.shape(),
                         "; expected ", input_shape_.size(), " rows (", input_shape_,
                         ") and at least one column");
    input_ = input;
    trained_ = training_;
    drawn_ = noise_;
    counted_ = false;
    layers_.forward(this_pass(), input);
    return layers_.output();
  }

  /// Adds the parameter gradients of <gradient, features> for the last `forward`; `gradient` is of the features' size.
  /// After a forward pass in training it moves the running statistics and the noise of dropout on.
  void backward(matrix_view<const T, memory_type> gradient) {
    gal::detail::require(!input_.empty() && gradient.shape() == layers_.output().shape(),
                         error_code::shape_mismatch, "gal::nn::cnn::backward: gradient is ", gradient.shape(),
                         "; expected the features' size ", layers_.output().shape());
    layers_.backward(this_pass(), input_, gradient, false);
    if (trained_ && !counted_) {
      ++noise_.counter;
    }
    counted_ = true;
  }

  /// A (value, gradient) block per weight, bias, scale and shift, in layer order.
  std::span<const parameter<T, memory_type>> parameters() {
    blocks_.clear();
    for (const detail::block_plan& plan : plans_) {
      const auto size = static_cast<std::size_t>(plan.size);
      blocks_.push_back({std::span<T>(values_.data() + plan.first, size),
                         std::span<T>(gradients_.data() + plan.first, size),
                         plan.is_weight ? std::size_t{0} : options_.bias_group});
    }
    return blocks_;
  }

  /// Weights and running statistics under PyTorch's names for `nn.Sequential` of the layers, whose residuals and gates
  /// are modules with the members `body` and `shortcut`: `0.weight`, `3.body.1.running_mean`.
  template <class Visitor>
  void visit_state(Visitor& visit) {
    visit.setting("input", to_string(input_shape_));
    visit.setting("layers", descriptions_.size());
    for (const auto& [place, options] : descriptions_) {
      visit.setting(place, options);
    }
    for (const detail::tensor_plan& plan : tensors_) {
      visit.tensor(plan.name, backend_, (plan.is_statistic ? statistics_ : values_).data() + plan.first,
                   plan.shape);
    }
    visit("training", training_);
    visit("noise", noise_);
  }

  GAL_PRIVATE_KERNELS
  [[nodiscard]] detail::pass<T, Backend> this_pass() {
    return {backend_,           values_.data(), gradients_.data(),
            statistics_.data(), trained_,       random_bits(drawn_.seed, drawn_.counter)};
  }

  void initialize() {
    for (const detail::block_plan& plan : plans_) {
      backend_.for_each(
          plan.size, [to = values_.data() + plan.first, plan, seed = options_.seed] GAL_KERNEL(index i) {
            const double uniform = random_uniform(seed, static_cast<std::uint64_t>(plan.first + i));
            to[i] = static_cast<T>(plan.middle + plan.bound * (2.0 * uniform - 1.0));
          });
    }
  }

  // Means 0, variances 1.
  void initialize_statistics(const std::vector<index>& channels) {
    index total = 0;
    for (const index count : channels) {
      total += 2 * count;
    }
    statistics_ = matrix<T, Backend>(total, 1, T(0), backend_);
    index first = 0;
    for (const index count : channels) {
      backend_.fill(statistics_.data() + first + count, count, T(1));
      first += 2 * count;
    }
  }

  Backend backend_;
  image_shape input_shape_;
  image_shape output_shape_;
  cnn_options options_;
  bool training_;
  random_stream noise_;

  detail::sequence<T, Backend> layers_;
  std::vector<detail::block_plan> plans_;
  std::vector<detail::tensor_plan> tensors_;
  std::vector<std::pair<std::string, std::string>> descriptions_;
  bool has_dropout_ = false;
  std::vector<parameter<T, memory_type>> blocks_;
  matrix<T, Backend> values_;
  matrix<T, Backend> gradients_;
  matrix<T, Backend> statistics_;

  input_type input_;  // of the last forward pass, as all below
  bool trained_ = false;
  random_stream drawn_;   // the noise it saw
  bool counted_ = false;  // whether `backward` has moved the noise on
};

/// The layers of a LeNet (LeCun et al., 1998) with ReLU and max pooling. For images below 20 x 20, such as the 8 x 8
/// digits, kernels of 3 and 16 and 32 channels; else, as for 28 x 28, kernels of 5 and 6 and 16 channels.
///
///     gal::nn::cnn<float> model({1, 28, 28}, gal::nn::lenet({1, 28, 28}, 10), {.seed = 1});
[[nodiscard]] inline std::vector<layer> lenet(image_shape input, index classes) {
  if (input.height < 20 || input.width < 20) {
    return {convolution{.channels = 16, .kernel = 3, .padding = 1},
            relu,
            convolution{.channels = 32, .kernel = 3, .padding = 1},
            relu,
            max_pool{2},
            flatten{},
            linear{64},
            relu,
            linear{classes}};
  }
  return {convolution{.channels = 6, .kernel = 5, .padding = 2},
          relu,
          max_pool{2},
          convolution{.channels = 16, .kernel = 5},
          relu,
          max_pool{2},
          flatten{},
          linear{120},
          relu,
          linear{84},
          relu,
          linear{classes}};
}

/// The layers of a pre-activation ResNet for small images such as CIFAR's (He et al., arXiv 1603.05027): 6n + 2 layers
/// with weights, in three stages of n blocks with 16, 32 and 64 channels. Shortcuts that change the shape are 1 x 1
/// convolutions. Throws for another depth.
///
///     gal::nn::cnn<float> model({3, 32, 32}, gal::nn::resnet(20, 10), {.seed = 1});
[[nodiscard]] inline std::vector<layer> resnet(index depth, index classes) {
  gal::detail::require(depth >= 8 && depth % 6 == 2, error_code::invalid_option, "gal::nn::resnet: depth is ",
                       depth, "; expected 6 n + 2, such as 8 or 20");
  const auto convolve = [](index channels, index stride) {
    return convolution{.channels = channels, .kernel = 3, .stride = stride, .padding = 1, .bias = false};
  };
  std::vector<layer> layers = {convolve(16, 1)};
  index before = 16;
  for (const index channels : {16, 32, 64}) {
    for (index block = 0; block < (depth - 2) / 6; ++block) {
      const index stride = channels == before ? 1 : 2;
      residual step{{batch_normalization{}, relu, convolve(channels, stride), batch_normalization{}, relu,
                     convolve(channels, 1)}};
      if (stride != 1) {
        step.shortcut = {convolution{.channels = channels, .kernel = 1, .stride = stride, .bias = false}};
      }
      layers.push_back(std::move(step));
      before = channels;
    }
  }
  layers.insert(layers.end(), {batch_normalization{}, relu, global_average_pool{}, linear{classes}});
  return layers;
}

/// The layers of a small network of EfficientNet's blocks (Tan and Le, arXiv 1905.11946) for images such as CIFAR's:
/// expansion by a 1 x 1 convolution, a depthwise convolution, squeeze-and-excitation, projection, and a shortcut where
/// the shape stays; SiLU between them.
[[nodiscard]] inline std::vector<layer> efficientnet(index classes) {
  std::vector<layer> layers = {convolution{.channels = 16, .kernel = 3, .padding = 1, .bias = false},
                               batch_normalization{}, silu};
  index before = 16;
  struct block {
    index channels, expansion, kernel, stride;
  };
  for (const block& b :
       {block{16, 1, 3, 1}, block{24, 4, 3, 2}, block{24, 4, 3, 1}, block{40, 4, 5, 2}, block{40, 4, 5, 1}}) {
    const index inner = before * b.expansion;
    std::vector<layer> body;
    if (b.expansion > 1) {
      body = {convolution{.channels = inner, .kernel = 1, .bias = false}, batch_normalization{}, silu};
    }
    body.insert(body.end(),
                {depthwise_convolution{
                     .kernel = b.kernel, .stride = b.stride, .padding = b.kernel / 2, .bias = false},
                 batch_normalization{}, silu,
                 channel_gate{{global_average_pool{}, linear{before / 4}, silu, linear{inner}, sigmoid}},
                 convolution{.channels = b.channels, .kernel = 1, .bias = false}, batch_normalization{}});
    if (b.stride == 1 && b.channels == before) {
      layers.push_back(residual{std::move(body)});
    } else {
      layers.insert(layers.end(), body.begin(), body.end());
    }
    before = b.channels;
  }
  layers.insert(layers.end(),
                {convolution{.channels = 128, .kernel = 1, .bias = false}, batch_normalization{}, silu,
                 global_average_pool{}, dropout{0.2}, linear{classes}});
  return layers;
}

}  // namespace gal::nn
