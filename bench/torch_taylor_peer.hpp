// The curvature along a direction in libtorch, for taylor_bench.
#pragma once

#include "networks.hpp"

#include <functional>

namespace bench {

/// Training steps of one network, on one thread: Adam's, and the same with u^T H u of the batch's loss beside.
struct torch_steps {
  std::function<void()> plain;
  std::function<void()> with_curvature;
};

torch_steps torch_steps_of(const network& net);

}  // namespace bench
