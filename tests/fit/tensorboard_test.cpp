// Event files of TensorBoard: the sum of their records, and files for tensorboard/read_events.py to read.
#include <gal/fit/callbacks.hpp>
#include <gal/fit/tensorboard.hpp>
#include <gal/gal.hpp>

#include "testing.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <tuple>

TEST_CASE("the sum that event files have") {
  // RFC 3720, B.4, and the usual check value.
  CHECK(gal::detail::crc32c("123456789") == 0xe3069283U);
  CHECK(gal::detail::crc32c(std::string(32, '\0')) == 0x8a9136aaU);
  CHECK(gal::detail::crc32c(std::string(32, '\xff')) == 0x62a8ab43U);
  CHECK(gal::detail::crc32c("") == 0U);
  CHECK(gal::detail::masked_crc32c("123456789") == ((0xe3069283U >> 15 | 0xe3069283U << 17) + 0xa282ead8U));
}

TEST_CASE("events of a training") {
  const std::filesystem::path directory(GAL_TEST_EVENTS_DIR);
  std::filesystem::remove_all(directory);
  const gal::dataset<double> data{random_matrix(3, 23, 1), random_matrix(2, 23, 2)};
  gal::nn::mlp<double> model({3, 4, 2}, {.seed = 1});
  gal::adam<double> optimizer({.learning_rate = 0.01});
  gal::adjust trainer(model, optimizer, gal::mse(), {.hidden = {4}});
  gal::batches batches(data, 6, 3);
  gal::batches validation(data, 10, {.shuffle = false});
  const gal::fit_result result = gal::fit(trainer, batches, validation, {.epochs = 2},
                                          gal::tensorboard((directory / "fit").string(), 3));
  // For the other reader: what it has to find.
  std::ofstream expected(directory / "expected.csv");
  expected.precision(17);
  for (const gal::epoch_report& epoch : result.history) {
    expected << "fit,loss/training," << epoch.steps << "," << epoch.training_loss << "\n"
             << "fit,loss/validation," << epoch.steps << "," << epoch.validation_loss << "\n"
             << "fit,learning_rate," << epoch.steps << "," << epoch.learning_rate << "\n"
             << "fit,epoch/accepted_share," << epoch.steps << "," << epoch.number("accepted_share") << "\n";
  }
  // Single steps, whatever is reported: each has its own numbers.
  gal::nn::mlp<double> other_model({3, 4, 2}, {.seed = 1});
  gal::adam<double> other_optimizer({.learning_rate = 0.01});
  gal::adjust other_trainer(other_model, other_optimizer, gal::mse(), {.hidden = {4}});
  gal::batches other_batches(data, 6, 3);
  gal::fit(other_trainer, other_batches, {.epochs = 6, .report_every = 10},
           gal::tensorboard((directory / "steps").string(), 5), gal::on_step_end([&](auto& run) {
             const std::int64_t step = run.trainer().steps();
             if (step % 5 == 0) {
               const gal::adjust_report report = run.trainer().report();
               expected << "steps,loss/step," << step << "," << report.loss << "\n"
                        << "steps,step/cosine," << step << "," << report.cosine << "\n"
                        << "steps,step/remainder," << step << "," << report.remainder << "\n";
             }
           }));
  gal::event_writer events((directory / "plain").string());
  const std::string long_name(300, 'n');
  for (const auto& [name, step, value] : {std::tuple<std::string, std::int64_t, double>{"a", 0, 0.0},
                                          {"a/b", 127, -1.5},
                                          {"ä", 128, 1e30},
                                          {long_name, 1'234'567'890'123, 1e-30}}) {
    events.scalar(name, step, value);
    expected << "plain," << name << "," << step << "," << value << "\n";
  }
  gal::event_writer second((directory / "plain").string());
  CHECK(second.path() != events.path());
  CHECK(refusal(gal::error_code::invalid_option, [] { return gal::tensorboard("x", -1); }) ==
        "gal::tensorboard: every -1 steps; expected a non-negative number");
  CHECK(refusal(gal::error_code::unreadable_file, [] {
          return gal::event_writer("/dev/null/none");
        }).starts_with("gal::event_writer: cannot write /dev/null/none/events.out.tfevents."));
}
