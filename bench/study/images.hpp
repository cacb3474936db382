// study/images.hpp: Fashion-MNIST by convolutional networks.
// Provides: image_tasks, images.
#pragma once

#include "numbers.hpp"

#include <array>
#include <string_view>

namespace study {

/// Names of the tasks: network and optimizer.
inline constexpr std::array<std::string_view, 4> image_tasks = {
    "fashion_lenet_sgd", "fashion_lenet_adam", "fashion_resnet8_sgd", "fashion_resnet8_adam"};

/// Plain training, gradient adjustment, adjustments in closed form and curvature-rescaled steps on Fashion-MNIST, each at its
/// own best learning rate and weight decay. Throws `gal::error` where the
/// images are not there.
[[nodiscard]] json images(std::string_view task, const scope& s);

}  // namespace study
