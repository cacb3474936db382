// gal/fit/evaluation_mode.hpp: a model in evaluation, without dropout and with the statistics that it gathered.
// Provides: evaluation_mode.
#pragma once

#include <gal/core/detail/flags.hpp>

namespace gal::inline GAL_ABI {

/// Keeps a model in evaluation, where it knows of that (`set_training` and `training`), for as long as this lives; then it
/// is in the mode that it was in. Specialised for models of another library, as for the modules of libtorch.
///
///     {
///       const gal::evaluation_mode mode(model);
///       predictions = model.forward(x);
///     }
template <class Model>
class evaluation_mode {
 public:
  explicit evaluation_mode(Model& model) : model_(&model) {
    if constexpr (has_modes) {
      training_ = model.training();
      model.set_training(false);
    }
  }
  evaluation_mode(const evaluation_mode&) = delete;
  evaluation_mode& operator=(const evaluation_mode&) = delete;
  ~evaluation_mode() {
    if constexpr (has_modes) {
      model_->set_training(training_);
    }
  }

 private:
  static constexpr bool has_modes = requires(Model& model) { model.set_training(model.training()); };
  Model* model_;
  bool training_ = false;
};

}  // namespace gal
