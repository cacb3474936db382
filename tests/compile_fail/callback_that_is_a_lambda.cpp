// A lambda of which nobody knows when it is to be called.
// expected: gal::callback_for: provide at least one of `void fit_begin(run)`, `step_end(run)`, `epoch_end(run)` and `fit_end(run)`, or wrap a function in gal::on_step_end or gal::on_epoch_end.
#include <gal/backends/eigen.hpp>
#include <gal/data/batches.hpp>
#include <gal/data/dataset.hpp>
#include <gal/fit/callbacks.hpp>
#include <gal/loss/entrywise.hpp>
#include <gal/nn/mlp.hpp>
#include <gal/train/adjust.hpp>

int main() {
  gal::nn::mlp<double> model({2, 1});
  gal::adam<double> optimizer;
  gal::adjust trainer(model, optimizer, gal::mse());
  gal::dataset<double> data{gal::matrix<double>(2, 8), gal::matrix<double>(1, 8)};
  gal::batches batches(data, 4);
  gal::fit(trainer, batches, {.epochs = 1}, [](auto&) {});
}
