// study/ideas.hpp: what the study tries beyond the library's options.
// Provides: idea_settings.
#pragma once

#include <cstddef>

namespace study {

/// What an idea changes. As it stands nothing: then the loop does what `gal::adjust` does with the recommended settings.
struct idea_settings {
  enum class aim {
    tentative_loss,  ///< as recommended
    same_batch,    ///< the batch's loss after the optimizer's real step, momentum and second moments included
    next_batches,  ///< the loss of batches that the step has not seen
  };
  aim objective = aim::tentative_loss;
  std::size_t horizon = 1;   ///< the next batches, whose mean loss counts
  bool last_hidden = false;  ///< the feature is the last hidden layer; the last layer belongs to the loss
  bool centred =
      false;  ///< the gate's mean over the batch is taken out, so that only weights among samples stay
  bool sees_motion =
      false;  ///< the adjuster sees where the optimizer's last step, repeated, would move the features
  double final_epsilon = 1.0;  ///< at the end over that at the beginning, on a straight line between
  double final_rate = 1.0;     ///< likewise of the optimizer's learning rate
};

}  // namespace study
