// gal/nn/cnn.hpp: convolutional networks, from a list of layers.
// Provides: nn::cnn, nn::cnn_options, and the lists nn::lenet, nn::resnet, nn::efficientnet. Includes gal/nn/layers.hpp.
#pragma once

#include <gal/core/backend.hpp>
#include <gal/core/concepts.hpp>
#include <gal/core/direction.hpp>
#include <gal/core/random.hpp>
#include <gal/nn/detail/cnn_layers.hpp>
#include <gal/nn/layers.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gal::inline GAL_ABI::nn {

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
  using view_type = matrix_view<const T, memory_type>;

  /// What the last `forward` and `backward` have left; see `gal::pass_keeping_model`.
  struct pass_type {
    detail::sequence<T, Backend> layers{};
    input_type input{};
    bool trained = false;
    random_stream drawn{};  // the noise it saw
    bool counted = false;   // whether `backward` has moved the noise on
    bool has_adjoints = false;
    matrix<T, Backend> arrived{};  // what came back to the features, where it is kept
  };

  cnn(image_shape input, const std::vector<layer>& layers, cnn_options options = {}, Backend backend = {})
      : backend_(std::move(backend)),
        input_shape_(detail::checked_image(input, "gal::nn::cnn: input")),
        layers_(layers),
        options_(options),
        training_(options.training),
        noise_{options.seed, 0} {
    detail::builder<T, Backend> plan(backend_);
    plan.shape = input;
    pass_.layers = plan.build(layers, "");
    gal::detail::require(!pass_.layers.empty(), error_code::invalid_option, "gal::nn::cnn: ", layers.size(),
                         " layers that compute nothing; expected at least one that does");
    output_shape_ = plan.shape;
    has_dropout_ = plan.has_dropout();
    plans_ = std::move(plan.blocks);
    tensors_ = std::move(plan.tensors);
    descriptions_ = std::move(plan.descriptions);
    values_ = matrix<T, Backend>(plan.values, 1, T(0), backend_);
    for (matrix<T, Backend>* scratch :
         {&weights_, &direction_, &direction_weights_, &still_, &pass_.arrived}) {
      *scratch = matrix<T, Backend>(backend_);
    }
    part_ = matrix<double, Backend>(backend_);
    products_ = matrix<double, Backend>(backend_);
    gradients_ = matrix<T, Backend>(plan.values, 1, T(0), backend_);
    detail::start_parameters(backend_, plans_, options_.seed, values_.data());
    initialize_statistics(plan.statistics);
  }

  [[nodiscard]] image_shape input_shape() const { return input_shape_; }
  [[nodiscard]] image_shape output_shape() const { return output_shape_; }
  [[nodiscard]] const std::vector<layer>& layers() const { return layers_; }
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

  /// Whether the samples of a batch are normalised together.
  [[nodiscard]] bool couples_samples() const { return training_ && !statistics_.view().empty(); }

  /// Position in the sequence of dropout. `backward` moves it on, once for every `forward` in training.
  [[nodiscard]] random_stream noise() const { return noise_; }
  void set_noise(random_stream noise) { noise_ = noise; }

  /// Features of a batch: `input` is `(channels height width) x n` and must stay in place until `backward`.
  const feature_type& forward(const input_type& input) {
    gal::detail::require(input.rows() == input_shape_.size() && input.columns() > 0,
                         error_code::shape_mismatch, "gal::nn::cnn::forward: input is ", input.shape(),
                         "; expected ", input_shape_.size(), " rows (", input_shape_,
                         ") and at least one column");
    pass_.input = input;
    pass_.trained = training_;
    pass_.drawn = noise_;
    pass_.counted = false;
    pass_.has_adjoints = false;
    pass_.layers.forward(this_pass(), input);
    return pass_.layers.output();
  }

  /// Adds the parameter gradients of <gradient, features> for the last `forward`; `gradient` is of the features' size.
  /// After a forward pass in training it moves the running statistics and the noise of dropout on.
  void backward(matrix_view<const T, memory_type> gradient) {
    gal::detail::require(!pass_.input.empty() && gradient.shape() == pass_.layers.output().shape(),
                         error_code::shape_mismatch, "gal::nn::cnn::backward: gradient is ", gradient.shape(),
                         "; expected the features' size ", pass_.layers.output().shape());
    if (keeps_adjoints_) {
      pass_.arrived.assign(gradient);
    }
    pass_.has_adjoints = keeps_adjoints_;
    pass_.layers.backward(this_pass(), pass_.input, gradient, false);
    if (pass_.trained && !pass_.counted) {
      ++noise_.counter;
    }
    pass_.counted = true;
  }

  /// X', the derivative of the last forward's features along `direction`, `outputs x n`; see `gal::tangent_model`. In training the
  /// means and variances of batch normalisation move with the parameters, and dropout keeps its mask. Unless `product` is
  /// null, <G, X''> goes to `*product`, where G is the gradient of the last `backward`; throws where `keep_adjoints` was not on, or
  /// `backward` came before the last `forward`.
  view_type forward_tangent(parameter_direction<T> direction, double* product = nullptr) {
    if (product != nullptr) {
      require_adjoints("gal::nn::cnn::forward_tangent");
    }
    return move(direction, false, product, "gal::nn::cnn::forward_tangent").first;
  }

  /// X' and X'', the second derivative; see `gal::second_order_model`.
  std::pair<view_type, view_type> forward_second_order(parameter_direction<T> direction) {
    const auto moved = move(direction, true, nullptr, "gal::nn::cnn::forward_second_order");
    return {moved.first, moved.second};
  }

  /// Whether `backward` keeps the gradient that it is given, beside what it keeps anyway; see `gal::adjoint_model`.
  void keep_adjoints(bool keep) {
    keeps_adjoints_ = keep;
    pass_.has_adjoints = pass_.has_adjoints && keep;
  }

  /// <grad l_j, direction> for every sample j of the last `forward`, of l_j = <G_j, x_j> with the gradient G of the last
  /// `backward`, in `products` (as many as samples); see `gal::sample_product_model`. A batch that is normalised by its own
  /// statistics has no gradients of its samples: there the scales and shifts are left out, and the other samples' share in
  /// the statistics too. Throws where `keep_adjoints` was not on, or `backward` came before the last `forward`.
  void sample_products(parameter_direction<T> direction, double* products) {
    require_forward("gal::nn::cnn::sample_products");
    gal::detail::require_direction(direction, parameters(), "gal::nn::cnn::sample_products");
    require_adjoints("gal::nn::cnn::sample_products");
    direction_.resize(values_.rows(), 1);
    for (std::size_t k = 0; k < plans_.size(); ++k) {
      backend_.copy(direction[k].data(), direction_.data() + plans_[k].first, plans_[k].size);
    }
    const index_type samples = pass_.input.columns();
    products_.resize(1, samples);
    backend_.fill(products, samples, 0.0);
    pass_.layers.multiply({with(direction_), products, products_.data()}, pass_.input,
                          std::as_const(pass_.arrived).view());
  }

  /// What the last `forward` and `backward` have left, to be exchanged with another; see `gal::pass_keeping_model`.
  [[nodiscard]] pass_type& pass() { return pass_; }

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

 private:
  detail::movement<T, Backend> move(parameter_direction<T> direction, bool wants_second, double* product,
                                    std::string_view where) {
    require_forward(where);
    gal::detail::require_direction(direction, parameters(), where);
    for (matrix<T, Backend>* numbers : {&weights_, &direction_, &direction_weights_}) {
      numbers->resize(values_.rows(), 1);
    }
    part_.resize(1, 1);
    for (std::size_t k = 0; k < plans_.size(); ++k) {
      const detail::block_plan& plan = plans_[k];
      backend_.copy(direction[k].data(), direction_.data() + plan.first, plan.size);
      if (plan.is_weight) {
        backend_.copy(values_.data() + plan.first, weights_.data() + plan.first, plan.size);
        backend_.copy(direction[k].data(), direction_weights_.data() + plan.first, plan.size);
      } else {
        backend_.fill(weights_.data() + plan.first, plan.size, T(0));
        backend_.fill(direction_weights_.data() + plan.first, plan.size, T(0));
      }
    }
    if (product != nullptr) {
      backend_.fill(product, 1, 0.0);
    }
    const detail::directional_pass<T, Backend> p{
        this_pass(),  with(weights_), with(direction_), with(direction_weights_),
        wants_second, product,        part_.data()};
    detail::movement<T, Backend> still;
    if (!pass_.layers.begins_affine()) {
      still_.resize(pass_.input.rows(), pass_.input.columns());
      still_.fill(T(0));
      still.first = std::as_const(still_).view();
      still.second = wants_second ? still.first : view_type();
    }
    return pass_.layers.move(p, pass_.input, still, std::as_const(pass_.arrived).view());
  }

  void require_forward(std::string_view where) const {
    gal::detail::require(!pass_.input.empty(), error_code::invalid_option, where,
                         ": no forward came before; expected one");
  }
  void require_adjoints(std::string_view where) const {
    gal::detail::require(pass_.has_adjoints, error_code::invalid_option, where,
                         ": no adjoints of the last forward; expected keep_adjoints(true), then forward and "
                         "backward");
  }

  // The last pass, with other values in place of the parameters'.
  [[nodiscard]] detail::pass<T, Backend> with(matrix<T, Backend>& values) {
    detail::pass<T, Backend> result = this_pass();
    result.values = values.data();
    return result;
  }

  [[nodiscard]] detail::pass<T, Backend> this_pass() {
    return {backend_,           values_.data(), gradients_.data(),
            statistics_.data(), pass_.trained,  random_bits(pass_.drawn.seed, pass_.drawn.counter)};
  }

  // Means 0, variances 1.
  void initialize_statistics(const std::vector<index_type>& channels) {
    index_type total = 0;
    for (const index_type count : channels) {
      total += 2 * count;
    }
    statistics_ = matrix<T, Backend>(total, 1, T(0), backend_);
    index_type first = 0;
    for (const index_type count : channels) {
      backend_.fill(statistics_.data() + first + count, count, T(1));
      first += 2 * count;
    }
  }

  Backend backend_;
  image_shape input_shape_;
  image_shape output_shape_;
  std::vector<layer> layers_;
  cnn_options options_;
  bool training_;
  random_stream noise_;

  std::vector<detail::block_plan> plans_;
  std::vector<detail::tensor_plan> tensors_;
  std::vector<std::pair<std::string, std::string>> descriptions_;
  bool has_dropout_ = false;
  std::vector<parameter<T, memory_type>> blocks_;
  matrix<T, Backend> values_;
  matrix<T, Backend> gradients_;
  matrix<T, Backend> statistics_;

  pass_type pass_;
  bool keeps_adjoints_ = false;

  // Along a direction: the weights without biases, the direction whole and without biases, an input that does not move.
  matrix<T, Backend> weights_;
  matrix<T, Backend> direction_;
  matrix<T, Backend> direction_weights_;
  matrix<T, Backend> still_;
  matrix<double, Backend> products_;
  matrix<double, Backend> part_;
};

/// The layers of a LeNet (LeCun et al., 1998) with ReLU and max pooling. For images below 20 x 20, such as the 8 x 8
/// digits, kernels of 3 and 16 and 32 channels; else, as for 28 x 28, kernels of 5 and 6 and 16 channels.
///
///     gal::nn::cnn<float> model({1, 28, 28}, gal::nn::lenet({1, 28, 28}, 10), {.seed = 1});
[[nodiscard]] inline std::vector<layer> lenet(image_shape input, index_type classes) {
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
[[nodiscard]] inline std::vector<layer> resnet(index_type depth, index_type classes) {
  gal::detail::require(depth >= 8 && depth % 6 == 2, error_code::invalid_option, "gal::nn::resnet: depth is ",
                       depth, "; expected 6 n + 2, such as 8 or 20");
  const auto convolve = [](index_type channels, index_type stride) {
    return convolution{.channels = channels, .kernel = 3, .stride = stride, .padding = 1, .bias = false};
  };
  std::vector<layer> layers = {convolve(16, 1)};
  index_type before = 16;
  for (const index_type channels : {16, 32, 64}) {
    for (index_type block = 0; block < (depth - 2) / 6; ++block) {
      const index_type stride = channels == before ? 1 : 2;
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
[[nodiscard]] inline std::vector<layer> efficientnet(index_type classes) {
  std::vector<layer> layers = {convolution{.channels = 16, .kernel = 3, .padding = 1, .bias = false},
                               batch_normalization{}, silu};
  index_type before = 16;
  struct block {
    index_type channels, expansion, kernel, stride;
  };
  for (const block& b :
       {block{16, 1, 3, 1}, block{24, 4, 3, 2}, block{24, 4, 3, 1}, block{40, 4, 5, 2}, block{40, 4, 5, 1}}) {
    const index_type inner = before * b.expansion;
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
