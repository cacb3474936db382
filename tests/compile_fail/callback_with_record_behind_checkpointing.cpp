// Logs that would miss the epoch in which the program ends.
// expected: gal::fit: behind checkpointing stands a callback that keeps a record (csv_log, html_report, tensorboard, or one with visit_state), whose last event the checkpoint would miss; put checkpointing behind it.
#include <gal/backends/eigen.hpp>
#include <gal/data/batches.hpp>
#include <gal/data/dataset.hpp>
#include <gal/fit/callbacks.hpp>
#include <gal/fit/html_report.hpp>
#include <gal/fit/tensorboard.hpp>
#include <gal/io/checkpoint.hpp>
#include <gal/loss/entrywise.hpp>
#include <gal/nn/mlp.hpp>
#include <gal/train/adjust.hpp>

struct tally {
  int epochs = 0;
  void epoch_end(auto&) { ++epochs; }
  void visit_state(auto& visit) { visit("epochs", epochs); }
};

template <class... Callbacks>
constexpr bool stands_right = gal::detail::records_stand_before_saving<Callbacks...>();
using save = gal::checkpointing;
static_assert(stands_right<> && stands_right<save> &&
              stands_right<gal::progress_bar, save, gal::progress_bar>);
static_assert(stands_right<tally, gal::csv_log, gal::html_report, gal::tensorboard, save, save>);
static_assert(!stands_right<save, tally> && !stands_right<save, gal::progress_bar, gal::html_report>);
static_assert(!stands_right<save, gal::tensorboard>);

int main() {
  gal::nn::mlp<double> model({2, 1});
  gal::adam<double> optimizer;
  gal::adjust trainer(model, optimizer, gal::mse());
  gal::dataset<double> data{gal::matrix<double>(2, 8), gal::matrix<double>(1, 8)};
  gal::batches batches(data, 4);
  gal::fit(trainer, batches, {.epochs = 1}, gal::checkpointing("run"), gal::csv_log("log.csv"));
}
