// A callback that expects training to end where it returns true.
// expected: gal::callback_for, requirement 3: `epoch_end` cannot be called as `void epoch_end(run)`; correct it, or leave it out.
#include <gal/backends/eigen.hpp>
#include <gal/data/batches.hpp>
#include <gal/data/dataset.hpp>
#include <gal/fit/callbacks.hpp>
#include <gal/loss/entrywise.hpp>
#include <gal/nn/mlp.hpp>
#include <gal/train/adjust.hpp>

struct callback {
  bool epoch_end(auto&) { return true; }
};

int main() {
  gal::nn::mlp<double> model({2, 1});
  gal::adam<double> optimizer;
  gal::adjust trainer(model, optimizer, gal::mse());
  gal::dataset<double> data{gal::matrix<double>(2, 8), gal::matrix<double>(1, 8)};
  gal::batches batches(data, 4);
  gal::fit(trainer, batches, {.epochs = 1}, callback());
}
