// gal/adapters/onednn.hpp: the CPU backend with convolutions by oneDNN. Opt-in: include it beside gal/gal.hpp and link gal::onednn.
// Provides: onednn_backend.
#pragma once

#include <gal/backends/eigen.hpp>
#include <gal/core/error.hpp>
#include <gal/core/view.hpp>
#include <gal/nn/convolution_unit.hpp>
#include <gal/nn/layers.hpp>

#include <dnnl.hpp>

static_assert(DNNL_VERSION_MAJOR == 2 || DNNL_VERSION_MAJOR == 3,
              "gal/adapters/onednn.hpp is written for the versions 2 and 3 of oneDNN");

#ifdef _OPENMP
#include <omp.h>
#endif

#include <initializer_list>
#include <map>
#include <type_traits>
#include <utility>
#include <vector>

namespace gal::inline GAL_ABI {

namespace nn::detail {
class onednn_convolution_unit;
}

/// `eigen_backend`, but convolutions of floats are oneDNN's, those with a kernel a channel excepted. They run on as many
/// threads of OpenMP as the backend has, in programs that are compiled with OpenMP, else on as many as OpenMP takes by
/// itself (OMP_NUM_THREADS). Unlike everything else, their last bits may depend on the number of threads. What oneDNN
/// refuses throws `gal::error`.
///
///     gal::nn::cnn<float, gal::onednn_backend> model({3, 32, 32}, gal::nn::resnet(8, 10), {.seed = 1});
///     gal::sgd<float, gal::onednn_backend> optimizer({.momentum = 0.9});
class onednn_backend : public eigen_backend {
 public:
  using eigen_backend::eigen_backend;

  template <class T>
  using convolution_unit = std::conditional_t<std::is_same_v<T, float>, nn::detail::onednn_convolution_unit,
                                              nn::detail::direct_convolution_unit<T, onednn_backend>>;

  template <class F>
  void for_each_task(index_type count, const F& f) const {
    eigen_backend::for_each_task(count, [&](const eigen_backend&, index_type i) { f(onednn_backend(), i); });
  }

  friend bool operator==(const onednn_backend&, const onednn_backend&) = default;
};

static_assert(gathering_backend<onednn_backend>);

namespace nn::detail {

// A primitive with its arguments, so that a step makes neither. Memories are handles: they may be given other data later.
class onednn_call {
 public:
  onednn_call() = default;
  onednn_call(dnnl::primitive primitive, std::initializer_list<std::pair<int, dnnl::memory>> arguments)
      : primitive_(std::move(primitive)) {
    for (const auto& [name, memory] : arguments) {
      if (memory) {
        kept_.push_back(memory);
        arguments_.push_back({name, memory.get()});
      }
    }
  }

  void operator()(const dnnl::stream& stream) const {
    if (primitive_) {
      dnnl::error::wrap_c_api(dnnl_primitive_execute(primitive_.get(), stream.get(),
                                                     static_cast<int>(arguments_.size()), arguments_.data()),
                              "could not execute a primitive");
    }
  }

 private:
  dnnl::primitive primitive_;
  std::vector<dnnl::memory> kept_;
  std::vector<dnnl_exec_arg_t> arguments_;
};

// A tensor of ours, and as a primitive wants it: the same memory where the layouts agree.
struct onednn_tensor {
  dnnl::memory ours;
  dnnl::memory theirs;
  onednn_call to_theirs;
  onednn_call to_ours;

  onednn_tensor() = default;
  onednn_tensor(const dnnl::engine& engine, const dnnl::memory::desc& layout,
                const dnnl::memory::desc& wanted)
      : ours(layout, engine, DNNL_MEMORY_NONE), theirs(ours) {
    if (layout != wanted) {
      theirs = dnnl::memory(wanted, engine);
      to_theirs = onednn_call(dnnl::reorder(ours, theirs), {{DNNL_ARG_FROM, ours}, {DNNL_ARG_TO, theirs}});
      to_ours = onednn_call(dnnl::reorder(theirs, ours), {{DNNL_ARG_FROM, theirs}, {DNNL_ARG_TO, ours}});
    }
  }

  void set(const float* data) const { ours.set_data_handle(const_cast<float*>(data)); }
};

// Threads of OpenMP, for as long as it lives.
class openmp_threads {
 public:
#ifdef _OPENMP
  explicit openmp_threads(int threads) : before_(omp_get_max_threads()) { omp_set_num_threads(threads); }
  ~openmp_threads() { omp_set_num_threads(before_); }

 private:
  int before_;
#else
  explicit openmp_threads(int) {}
  ~openmp_threads() = default;
#endif
 public:
  openmp_threads(const openmp_threads&) = delete;
  openmp_threads& operator=(const openmp_threads&) = delete;
};

/// Convolution by oneDNN. Primitives and their memory are made for the first batch of a size, and kept.
class onednn_convolution_unit {
 public:
  using view = matrix_view<const float>;
  using mutable_view = matrix_view<float>;

  onednn_convolution_unit(const convolution& options, const window& geometry, index_type first_value)
      : geometry_(geometry),
        outputs_(options.channels),
        groups_(options.groups),
        bias_(options.bias),
        first_value_(first_value) {}

  [[nodiscard]] index_type weights() const { return outputs_ * depth(); }
  [[nodiscard]] index_type biases() const { return bias_ ? outputs_ : 0; }
  /// Numbers that one output sees.
  [[nodiscard]] index_type depth() const { return geometry_.channels / groups_ * geometry_.kernel_area(); }

  void forward(const pass<float, onednn_backend>& p, view x, mutable_view y) {
    guarded(p.backend, [&] {
      plan& with = plan_of(x.columns());
      const float* const weight = p.values + first_value_;
      with.x.set(x.data());
      with.weight.set(weight);
      with.y.set(y.data());
      if (bias_) {
        with.bias.set_data_handle(const_cast<float*>(weight + weights()));
      }
      with.x.to_theirs(with.stream);
      with.weight.to_theirs(with.stream);
      with.forward(with.stream);
      with.y.to_ours(with.stream);
      with.has_x = true;
    });
  }

  /// Adds to the parameters' gradients, and stores that with respect to x in `delta` unless it is empty.
  void backward(const pass<float, onednn_backend>& p, view x, view, view gradient, mutable_view delta) {
    guarded(p.backend, [&] {
      const plan& with = plan_of(x.columns());
      if (!with.keeps_x || !with.has_x) {  // a copied network may not have it
        with.seen.set(x.data());
        with.seen.to_theirs(with.stream);
      }
      with.outer.set(gradient.data());
      with.outer.to_theirs(with.stream);
      with.backward_weights(with.stream);
      with.weight_gradient.to_ours(with.stream);
      if (!delta.empty()) {
        if (!with.keeps_outer) {
          with.delta_outer.set(gradient.data());
          with.delta_outer.to_theirs(with.stream);
        }
        with.delta_weight.set(p.values + first_value_);
        with.delta.set(delta.data());
        with.delta_weight.to_theirs(with.stream);
        with.backward_data(with.stream);
        with.delta.to_ours(with.stream);
      }
      p.backend.for_each(weights() + biases(),
                         [from = with.gradients.data(), to = p.gradients + first_value_](index_type i) {
                           to[i] += from[i];
                         });
    });
  }

 private:
  using memory = dnnl::memory;

  // For batches of one size.
  struct plan {
    dnnl::stream stream;
    onednn_call forward, backward_weights, backward_data;
    onednn_tensor x, weight, y;                      // of `forward`
    onednn_tensor seen, outer, weight_gradient;      // of `backward_weights`
    onednn_tensor delta_outer, delta_weight, delta;  // of `backward_data`
    bool keeps_x = false;                            // `seen` is x, as the forward pass has left it
    bool has_x = false;
    bool keeps_outer = false;  // `delta_outer` is `outer`
    memory bias, bias_gradient;
    matrix<float, onednn_backend> gradients;  // weights, then biases
  };

  // A copy of a unit makes its own: primitives share the memory of theirs.
  struct plan_list : std::map<index_type, plan> {
    plan_list() = default;
    plan_list(const plan_list&) : plan_list() {}
    plan_list(plan_list&&) = default;
    plan_list& operator=(const plan_list& other) {
      if (this != &other) {
        clear();
      }
      return *this;
    }
    plan_list& operator=(plan_list&&) = default;
    ~plan_list() = default;
  };

  template <class Work>
  static void guarded(const onednn_backend& backend, Work work) {
    const openmp_threads limit(backend.threads());
    try {
      work();
    } catch (const dnnl::error& e) {
      throw error(e.status == dnnl_out_of_memory ? error_code::out_of_memory : error_code::device_failure,
                  gal::detail::text("gal::onednn_backend: oneDNN refuses a convolution: ", e.what()));
    }
  }

  plan& plan_of(index_type samples) {
    const auto known = plans_.find(samples);
    return known != plans_.end() ? known->second : plans_.emplace(samples, make_plan(samples)).first->second;
  }

  [[nodiscard]] plan make_plan(index_type samples) const {
    using tag = memory::format_tag;
    const window& g = geometry_;
    const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
    dnnl::primitive_attr attributes;
    attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);  // else every execution may allocate

    const auto described = [](const memory::dims& sizes, tag layout) {
      return memory::desc(sizes, memory::data_type::f32, layout);
    };
    const memory::dims of_x = {samples, g.channels, g.height, g.width};
    const memory::dims of_y = {samples, outputs_, g.out_height, g.out_width};
    const memory::dims of_weight = {groups_, outputs_ / groups_, g.channels / groups_, g.kernel_height,
                                    g.kernel_width};
    const memory::desc x = described(of_x, tag::nchw);
    const memory::desc y = described(of_y, tag::nchw);
    const memory::desc weight = described(of_weight, tag::goihw);
    const memory::desc bias = bias_ ? described({outputs_}, tag::a) : memory::desc();
    const memory::desc any_x = described(of_x, tag::any);
    const memory::desc any_y = described(of_y, tag::any);
    const memory::desc any_weight = described(of_weight, tag::any);
    const memory::dims strides = {g.stride_height, g.stride_width};
    const memory::dims dilations = {g.dilation_height - 1, g.dilation_width - 1};
    const memory::dims padding = {g.padding_height, g.padding_width};
    constexpr auto direct = dnnl::algorithm::convolution_direct;

    using forward = dnnl::convolution_forward;
    using backward_weights = dnnl::convolution_backward_weights;
    using backward_data = dnnl::convolution_backward_data;
#if DNNL_VERSION_MAJOR == 2
    const forward::primitive_desc ahead({dnnl::prop_kind::forward_training, direct, any_x, any_weight, bias,
                                         any_y, strides, dilations, padding, padding},
                                        attributes, engine);
    const backward_weights::primitive_desc back(
        {direct, any_x, any_weight, bias, any_y, strides, dilations, padding, padding}, attributes, engine,
        ahead);
    const backward_data::primitive_desc back_to_x(
        {direct, any_x, any_weight, any_y, strides, dilations, padding, padding}, attributes, engine, ahead);
#else
    const forward::primitive_desc ahead(engine, dnnl::prop_kind::forward_training, direct, any_x, any_weight,
                                        bias, any_y, strides, dilations, padding, padding, attributes);
    const backward_weights::primitive_desc back(engine, direct, any_x, any_weight, bias, any_y, strides,
                                                dilations, padding, padding, ahead, attributes);
    const backward_data::primitive_desc back_to_x(engine, direct, any_x, any_weight, any_y, strides,
                                                  dilations, padding, padding, ahead, attributes);
#endif

    plan made;
    made.stream = dnnl::stream(engine);
    made.gradients = matrix<float, onednn_backend>(weights() + biases(), 1);
    if (bias_) {
      made.bias = memory(bias, engine, DNNL_MEMORY_NONE);
      made.bias_gradient = memory(bias, engine, made.gradients.data() + weights());
    }
    made.x = {engine, x, ahead.src_desc()};
    made.weight = {engine, weight, ahead.weights_desc()};
    made.y = {engine, y, ahead.dst_desc()};
    made.forward = {forward(ahead),
                    {{DNNL_ARG_SRC, made.x.theirs},
                     {DNNL_ARG_WEIGHTS, made.weight.theirs},
                     {DNNL_ARG_BIAS, made.bias},
                     {DNNL_ARG_DST, made.y.theirs},
                     {DNNL_ARG_SCRATCHPAD, memory(ahead.scratchpad_desc(), engine)}}};

    made.keeps_x = back.src_desc() == ahead.src_desc();
    made.seen = made.keeps_x ? made.x : onednn_tensor(engine, x, back.src_desc());
    made.outer = {engine, y, back.diff_dst_desc()};
    made.weight_gradient = {engine, weight, back.diff_weights_desc()};
    made.weight_gradient.set(made.gradients.data());
    made.backward_weights = {backward_weights(back),
                             {{DNNL_ARG_SRC, made.seen.theirs},
                              {DNNL_ARG_DIFF_DST, made.outer.theirs},
                              {DNNL_ARG_DIFF_WEIGHTS, made.weight_gradient.theirs},
                              {DNNL_ARG_DIFF_BIAS, made.bias_gradient},
                              {DNNL_ARG_SCRATCHPAD, memory(back.scratchpad_desc(), engine)}}};

    made.keeps_outer = back_to_x.diff_dst_desc() == back.diff_dst_desc();
    made.delta_outer = made.keeps_outer ? made.outer : onednn_tensor(engine, y, back_to_x.diff_dst_desc());
    made.delta_weight = {engine, weight, back_to_x.weights_desc()};
    made.delta = {engine, x, back_to_x.diff_src_desc()};
    made.backward_data = {backward_data(back_to_x),
                          {{DNNL_ARG_DIFF_DST, made.delta_outer.theirs},
                           {DNNL_ARG_WEIGHTS, made.delta_weight.theirs},
                           {DNNL_ARG_DIFF_SRC, made.delta.theirs},
                           {DNNL_ARG_SCRATCHPAD, memory(back_to_x.scratchpad_desc(), engine)}}};
    return made;
  }

  window geometry_;
  index_type outputs_;
  index_type groups_;
  bool bias_;
  index_type first_value_;
  plan_list plans_;
};

}  // namespace nn::detail

}  // namespace gal
