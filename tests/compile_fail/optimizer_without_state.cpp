// The state of a trainer whose optimizer does not show its own.
// expected: gal::stateful: provide `template <class Visitor> void visit_state(Visitor& visit)`, which shows the parts of the state by name.
#include <gal/backends/eigen.hpp>
#include <gal/io/state.hpp>
#include <gal/loss/entrywise.hpp>
#include <gal/nn/mlp.hpp>
#include <gal/train/adjust.hpp>

#include <span>

struct descent {
  double learning_rate() const { return 0.1; }
  void step(std::span<const gal::parameter<double>>) {}
};

int main() {
  gal::nn::mlp<double> model({2, 1});
  descent optimizer;
  gal::adjust trainer(model, optimizer, gal::mse(), {.training = gal::adjuster_training::own_adam});
  gal::state_view state(trainer);
}
