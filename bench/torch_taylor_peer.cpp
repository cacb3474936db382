// The curvature along a direction by double backward: the gradient of <g, u>, multiplied with u.
#include "torch_taylor_peer.hpp"

#include <torch/torch.h>

#include <cstddef>
#include <memory>
#include <vector>

namespace {

struct training {
  torch::nn::Sequential model;
  std::unique_ptr<torch::optim::Adam> optimizer;
  std::vector<torch::Tensor> direction;
  torch::Tensor x;
  torch::Tensor y;
  torch::Tensor curvature;

  void plain() {
    optimizer->zero_grad();
    torch::mse_loss(model->forward(x), y).backward();
    optimizer->step();
  }

  void with_curvature() {
    const auto parameters = model->parameters();
    const auto loss = torch::mse_loss(model->forward(x), y);
    const auto gradients =
        torch::autograd::grad({loss}, parameters, {}, /*retain_graph=*/true, /*create_graph=*/true);
    auto slope = torch::zeros({});
    for (std::size_t k = 0; k < parameters.size(); ++k) {
      slope = slope + (gradients[k] * direction[k]).sum();
    }
    const auto product = torch::autograd::grad({slope}, parameters, {}, false, false, /*allow_unused=*/true);
    curvature = torch::zeros({});
    for (std::size_t k = 0; k < parameters.size(); ++k) {
      parameters[k].mutable_grad() = gradients[k].detach();
      if (product[k].defined()) {  // the last bias has none
        curvature += (product[k] * direction[k]).sum();
      }
    }
    optimizer->step();
  }
};

}  // namespace

namespace bench {

torch_steps torch_steps_of(const network& net) {
  torch::set_num_threads(1);
  torch::manual_seed(1);
  const auto all = std::make_shared<training>();
  for (std::size_t l = 0; l + 1 < net.widths.size(); ++l) {
    all->model->push_back(torch::nn::Linear(net.widths[l], net.widths[l + 1]));
    if (l + 2 < net.widths.size()) {
      all->model->push_back(torch::nn::ReLU());
    }
  }
  all->optimizer =
      std::make_unique<torch::optim::Adam>(all->model->parameters(), torch::optim::AdamOptions(1e-5));
  for (const auto& parameter : all->model->parameters()) {
    all->direction.push_back(parameter.detach().clone());
  }
  all->x = torch::randn({net.batch, net.widths.front()});
  all->y = torch::randn({net.batch, net.widths.back()});
  return {[all] { all->plain(); }, [all] { all->with_curvature(); }};
}

}  // namespace bench
