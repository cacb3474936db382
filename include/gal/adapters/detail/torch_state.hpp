// gal/adapters/detail/torch_state.hpp: what libtorch's optimizers keep, as parts of a state.
// Provides nothing to call by name. Included by gal/adapters/torch_*.hpp.
#pragma once

#include <gal/adapters/detail/torch_module.hpp>
#include <gal/core/text.hpp>
#include <gal/core/view.hpp>

#include <c10/util/Type.h>
#include <torch/torch.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <sstream>
#include <string>
#include <string_view>
#include <typeinfo>
#include <utility>
#include <vector>

namespace gal::inline GAL_ABI::detail {

/// Parameters that an optimizer steps and the model does not have, such as those of a loss: "0.1" is the second of the first
/// group.
template <class Model>
void show_other_parameters(state_view& visit, torch::optim::Optimizer& optimizer, Model& model) {
  for (std::size_t g = 0; g < optimizer.param_groups().size(); ++g) {
    const std::vector<torch::Tensor>& parameters = optimizer.param_groups()[g].params();
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      bool is_of_model = false;
      for_each_named_parameter(model, [&](const std::string&, const torch::Tensor& parameter) {
        is_of_model = is_of_model || parameter.is_same(parameters[i]);
      });
      if (!is_of_model) {
        show_tensor(visit, text("parameters.", g, ".", i), parameters[i]);
      }
    }
  }
}

// Bytes in words that live as long as who reads them.
struct archive_memory {
  using memory_type = host_memory;
  std::shared_ptr<std::vector<std::uint64_t>> words;
};

/// An optimizer, by its class and the sizes of its groups, which have to be the same, and by what it writes of itself:
/// moments, counts of steps, learning rates. `loaded` returns the one that takes them, which may be another than `here`.
template <class Loaded>
void show_optimizer(state_view& visit, std::string_view name, torch::optim::Optimizer& here,
                    const Loaded& loaded) {
  std::vector<std::size_t> sizes;
  for (auto& group : here.param_groups()) {
    sizes.push_back(group.params().size());
  }
  visit.setting(text(name, ".class"), c10::demangle(typeid(here).name()));
  visit.setting(text(name, ".parameters"), sizes);
  torch::serialize::OutputArchive archive;
  here.save(archive);
  std::ostringstream stream;
  archive.save_to(stream);
  const std::string bytes = stream.str();
  const index_type count = visit.count(text(name, ".bytes"), static_cast<index_type>(bytes.size()));
  const archive_memory memory{
      std::make_shared<std::vector<std::uint64_t>>(static_cast<std::size_t>(count + 7) / 8)};
  std::memcpy(memory.words->data(), bytes.data(), std::min(bytes.size(), 8 * memory.words->size()));
  visit.tensor(text(name, ".archive"), memory, memory.words->data(),
               {static_cast<index_type>(memory.words->size())});
  visit.after_loading([memory, count, loaded] {
    std::istringstream bytes_read(
        std::string(reinterpret_cast<const char*>(memory.words->data()), static_cast<std::size_t>(count)));
    torch::serialize::InputArchive loaded_archive;
    loaded_archive.load_from(bytes_read);
    loaded().load(loaded_archive);
  });
}

}  // namespace gal::detail
