// gal/adapters/detail/torch_module.hpp: modules of libtorch as models: their features, their state, and their modes.
// Provides nothing to call by name. Included by gal/adapters/torch_*.hpp.
#pragma once

#include <gal/core/error.hpp>
#include <gal/core/view.hpp>
#include <gal/fit/evaluation_mode.hpp>
#include <gal/io/state.hpp>

#include <torch/torch.h>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace gal::inline GAL_ABI {

namespace detail {

/// A model's features: of a module, of what points to one (torch's holders, `std::shared_ptr`), of a TorchScript module,
/// or of any function of a tensor. `who` asks, as messages call it.
template <class Model, class Input>
torch::Tensor torch_features(std::string_view who, Model& model, const Input& input) {
  using values = std::vector<torch::jit::IValue>;
  if constexpr (requires {
                  { model.forward(input) } -> std::convertible_to<torch::Tensor>;
                }) {
    return model.forward(input);
  } else if constexpr (requires {
                         { model->forward(input) } -> std::convertible_to<torch::Tensor>;
                       }) {
    return model->forward(input);
  } else if constexpr (requires {
                         { model.forward(values{input}) } -> std::same_as<torch::jit::IValue>;
                       }) {
    const torch::jit::IValue features = model.forward(values{input});
    require(features.isTensor(), error_code::invalid_option, who, ": the TorchScript module returned a ",
            features.tagKind(), "; expected one tensor");
    return features.toTensor();
  } else {
    static_assert(
        std::is_invocable_r_v<torch::Tensor, Model&, const Input&>,
        "gal/adapters/torch.hpp: the model has no forward(input) that returns a torch::Tensor, points to "
        "none that has, is no TorchScript module, and cannot be called with the input.");
    return model(input);
  }
}

/// Calls `use(name, parameter)` for the parameters of a module, of what points to one, or of a TorchScript module.
template <class Model, class Use>
void for_each_named_parameter(Model& model, const Use& use) {
  if constexpr (requires { model.named_parameters(); }) {
    for (const auto& item : model.named_parameters()) {
      if constexpr (requires { item.key(); }) {
        use(item.key(), item.value());
      } else {
        use(item.name, item.value);
      }
    }
  } else if constexpr (requires { model->named_parameters(); }) {
    for_each_named_parameter(*model, use);
  }
}

/// The same for what a module gathers and does not learn, such as the statistics of batch normalisation.
template <class Model, class Use>
void for_each_named_buffer(Model& model, const Use& use) {
  if constexpr (requires { model.named_buffers(); }) {
    for (const auto& item : model.named_buffers()) {
      if constexpr (requires { item.key(); }) {
        use(item.key(), item.value());
      } else {
        use(item.name, item.value);
      }
    }
  } else {
    for_each_named_buffer(*model, use);
  }
}

/// The parameters of a module that are not frozen.
[[nodiscard]] inline std::vector<torch::Tensor> learning_parameters(const torch::nn::Module& module) {
  std::vector<torch::Tensor> result;
  for (const torch::Tensor& parameter : module.parameters()) {
    if (parameter.requires_grad()) {
      result.push_back(parameter);
    }
  }
  return result;
}

template <class Model>
concept torch_module = requires(Model& model) {
  model.named_buffers();
  model.is_training();
};
template <class Model>
concept torch_model = torch_module<Model> || requires(Model& model) {
  { *model } -> torch_module;
};

/// A tensor as the memory of a state, on any device and in any layout: numbers pass as T, which holds those of the tensor.
struct torch_memory {
  using memory_type = torch_memory;
  torch::Tensor tensor;

  template <class T>
  void download(const T*, T* to, index_type) const {
    const torch::Tensor numbers =
        tensor.detach().to(torch::kCPU, c10::CppTypeToScalarType<T>::value).contiguous();
    std::memcpy(to, numbers.data_ptr(), numbers.nbytes());
  }
  template <class T>
  void upload(const T* from, T*, index_type) const {
    const torch::NoGradGuard no_grad;
    const torch::Tensor numbers = torch::empty(tensor.sizes(), c10::CppTypeToScalarType<T>::value);
    std::memcpy(numbers.data_ptr(), from, numbers.nbytes());
    tensor.detach().copy_(numbers);
  }
};

/// A tensor as a part of a state: double as it is, other floating-point numbers as float, integers and bool in 64 bits.
inline void show_tensor(state_view& visit, const std::string& name, const torch::Tensor& tensor) {
  const std::vector<index_type> shape(tensor.sizes().begin(), tensor.sizes().end());
  const torch_memory memory{tensor};
  if (tensor.scalar_type() == torch::kDouble) {
    visit.tensor(name, memory, static_cast<double*>(nullptr), shape);
  } else if (tensor.is_floating_point()) {
    visit.tensor(name, memory, static_cast<float*>(nullptr), shape);
  } else {
    require(!tensor.is_complex(), error_code::invalid_option, "gal::state_of: ", name,
            " of the module is complex; expected real numbers");
    visit.tensor(name, memory, static_cast<std::int64_t*>(nullptr), shape);
  }
}

/// Calls `use(module)` for a module and those in it, each behind the one that holds it.
template <class Module, class Use>
void for_each_module(Module& module, const Use& use) {
  if constexpr (std::derived_from<Module, torch::nn::Module>) {
    static_cast<torch::nn::Module&>(module).apply([&](torch::nn::Module& part) { use(part); });
  } else {
    for (auto part : module.modules()) {
      use(part);
    }
  }
}

}  // namespace detail

/// The parameters and buffers of a module, or of what points to one.
template <detail::torch_model Model>
struct state_of<Model> {
  static void visit(Model& model, state_view& visit) {
    const auto show = [&](const std::string& name, const torch::Tensor& tensor) {
      if (tensor.defined()) {
        detail::show_tensor(visit, name, tensor);
      }
    };
    detail::for_each_named_parameter(model, show);
    detail::for_each_named_buffer(model, show);
  }
};

/// Every module in a model is afterwards in the mode that it was in, such as layers that the program keeps in evaluation.
template <detail::torch_model Model>
class evaluation_mode<Model> {
 public:
  explicit evaluation_mode(Model& model) : model_(&model) {
    detail::for_each_module(module(), [&](auto& part) { training_.push_back(part.is_training()); });
    module().train(false);
  }
  evaluation_mode(const evaluation_mode&) = delete;
  evaluation_mode& operator=(const evaluation_mode&) = delete;
  ~evaluation_mode() {
    // A module sets those in it, too, whose own turn is later.
    std::size_t number = 0;
    detail::for_each_module(module(), [&](auto& part) { part.train(training_[number++]); });
  }

 private:
  [[nodiscard]] auto& module() const {
    if constexpr (detail::torch_module<Model>) {
      return *model_;
    } else {
      return **model_;
    }
  }

  Model* model_;
  std::vector<bool> training_;
};

}  // namespace gal
