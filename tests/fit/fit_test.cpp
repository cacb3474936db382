// The training loop: the bits of the loop one would write, early stopping, resuming, Ctrl-C, and what callbacks see.
#include <gal/fit/callbacks.hpp>
#include <gal/gal.hpp>
#include <gal/io/checkpoint.hpp>
#include <gal/io/safetensors.hpp>
#include <gal/optim/lookahead.hpp>

#include "scratch.hpp"
#include "testing.hpp"

#include <doctest/doctest.h>

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

using enum gal::error_code;
using gal::stop_reason;
namespace nn = gal::nn;

// A network with all that evaluation and training do differently, on 23 samples: 4 batches an epoch.
template <class T>
struct setting_of {
  gal::dataset<T> data{random_matrix<T>(20, 23, 1), random_matrix<T>(2, 23, 2)};
  gal::dataset<T> held_out{random_matrix<T>(20, 11, 3), random_matrix<T>(2, 11, 4)};
  nn::cnn<T> model{{1, 4, 5},
                   {nn::convolution{.channels = 3, .kernel = 3}, nn::batch_normalization{}, nn::relu,
                    nn::dropout{0.2}, nn::flatten{}, nn::linear{2}},
                   {.seed = 5}};
  gal::adam<T> optimizer = make_optimizer();
  gal::adjust<nn::cnn<T>, gal::adam<T>, gal::mse> trainer{model, optimizer, gal::mse(), {.hidden = {4}}};
  gal::batches<T> batches{data, 6, /*seed=*/7};
  gal::batches<T> validation{held_out, 4, {.shuffle = false}};

  // Not in place, where GCC 12 stumbles over the options' defaults.
  static gal::adam<T> make_optimizer() {
    return gal::adam<T>({.learning_rate = 0.02, .schedule = gal::linear_warm_up(6)});
  }

  setting_of() = default;
  setting_of(const setting_of&) = delete;
  setting_of& operator=(const setting_of&) = delete;
};
using setting = setting_of<double>;

// Batches of which one cannot be read.
template <class Batches>
struct broken_batches {
  Batches* whole;
  int good;  // that many come before

  struct iterator {
    decltype(std::declval<Batches&>().begin()) at;
    int good;
    auto operator*() const { return *at; }
    iterator& operator++() {
      if (good-- == 0) {
        throw std::runtime_error("no such batch");
      }
      ++at;
      return *this;
    }
    bool operator!=(std::default_sentinel_t end) const { return at != end; }
  };
  iterator begin() { return {whole->begin(), good}; }
  auto end() { return whole->end(); }
};

// What a program writes to a terminal.
struct terminal {
  int ours = ::posix_openpt(O_RDWR | O_NOCTTY);
  std::FILE* theirs = nullptr;

  terminal() {
    REQUIRE(ours >= 0);
    REQUIRE(::grantpt(ours) == 0);
    REQUIRE(::unlockpt(ours) == 0);
    theirs = std::fopen(::ptsname(ours), "w");
    REQUIRE(theirs != nullptr);
  }
  terminal(const terminal&) = delete;
  terminal& operator=(const terminal&) = delete;
  ~terminal() {
    if (theirs != nullptr) {
      std::fclose(theirs);
    }
    ::close(ours);
  }

  // All of it; nothing can be written afterwards.
  std::string read() {
    std::fclose(std::exchange(theirs, nullptr));
    std::string text;
    std::array<char, 4096> part{};
    for (::ssize_t size = 0; (size = ::read(ours, part.data(), part.size())) > 0;) {
      text.append(part.data(), static_cast<std::size_t>(size));
    }
    return text;
  }
};

// Batches whose targets are off the model's outputs by a number for every pass: the validation losses are its squares.
struct scripted_validation {
  nn::mlp<double>* model;
  gal::matrix<double> x = random_matrix(3, 5, 9);
  std::vector<double> errors;
  std::size_t pass = 0;
  gal::matrix<double> y{};

  struct batch {
    gal::matrix_view<const double> input;
    gal::matrix_view<const double> target;
  };
  std::array<batch, 1> batches{};

  auto begin() {
    y = model->forward(x);
    for (gal::index_type i = 0; i < y.size(); ++i) {
      y.data()[i] += errors[pass];
    }
    ++pass;
    batches[0] = {x, y};
    return batches.begin();
  }
  auto end() { return batches.end(); }
};

struct tally {
  std::int64_t steps = 0;
  void step_end(auto&) { ++steps; }
  void visit_state(gal::state_view& visit) { visit("steps", steps); }
};

struct counter {
  std::string calls;
  void fit_begin(auto&) { calls += "("; }
  void step_end(auto&) { calls += "s"; }
  void epoch_end(auto&) { calls += "e"; }
  void fit_end(auto&) { calls += ")"; }
};

}  // namespace

TEST_CASE("fit does what the loop does that one would write, bit for bit") {
  setting loop;
  for (int epoch = 0; epoch < 3; ++epoch) {
    for (const auto [x, y] : loop.batches) {
      loop.trainer.step(x, y);
    }
  }
  setting plain;
  counter calls;
  const gal::fit_result result = gal::fit(plain.trainer, plain.batches, {.epochs = 3}, calls);
  CHECK(gal::state_difference(plain.trainer, loop.trainer) == "");
  CHECK(gal::state_difference(plain.batches, loop.batches) == "");
  CHECK(calls.calls ==
        "(sssse"
        "sssse"
        "sssse)");
  CHECK(result.reason == stop_reason::epochs);
  CHECK(result.message == "3 epochs");
  CHECK(result.epochs == 3);
  CHECK(result.steps == 12);
  CHECK(result.best_epoch == 0);
  CHECK(std::isnan(result.history[2].validation_loss));

  // Looking at other samples in between changes nothing.
  setting validated;
  gal::fit(validated.trainer, validated.batches, validated.validation, {.epochs = 3, .restore_best = false});
  CHECK(gal::state_difference(validated.trainer, loop.trainer) == "");
  CHECK(validated.model.training());
}

TEST_CASE("the losses of an epoch are means over the samples") {
  setting loop;
  setting fitted;
  const gal::fit_result result = gal::fit(fitted.trainer, fitted.batches, fitted.validation, {.epochs = 2});
  for (int epoch = 0; epoch < 2; ++epoch) {
    double sum = 0.0;
    double accepted = 0.0;
    double remainders = 0.0;
    for (const auto [x, y] : loop.batches) {
      const gal::adjust_report report = loop.trainer.step(x, y);
      remainders += std::abs(report.remainder);
      sum += report.loss * static_cast<double>(x.columns());
      accepted += report.accepted_share;
    }
    const gal::epoch_report& reported = result.history[static_cast<std::size_t>(epoch)];
    CHECK(reported.training_loss == sum / 23.0);
    CHECK(reported.number("accepted_share") == accepted / 4.0);
    CHECK(reported.number("remainder") == remainders / 4.0);  // its size alone matters
    CHECK(std::isnan(reported.number("of nobody")));
    loop.model.set_training(false);
    const double loss =
        gal::evaluate_loss(gal::mse(), loop.model.forward(loop.held_out.features), loop.held_out.targets)
            .mean;
    loop.model.set_training(true);
    CHECK(reported.validation_loss == doctest::Approx(loss).epsilon(1e-14));
    CHECK(reported.epoch == epoch + 1);
    CHECK(reported.steps == 4 * (epoch + 1));
    CHECK(reported.refused == 0);
  }
}

TEST_CASE("training ends where validation does not improve, with the best weights") {
  nn::mlp<double> model({3, 4, 2}, {.seed = 1});
  gal::adam<double> optimizer({.learning_rate = 1e-2});
  gal::adjust trainer(model, optimizer, gal::mse(), {.hidden = {4}});
  const gal::dataset<double> data{random_matrix(3, 8, 1), random_matrix(2, 8, 2)};
  gal::batches batches(data, 4, 3);
  const auto run = [&](const std::vector<double>& errors, const gal::fit_options& options) {
    scripted_validation validation{&model, random_matrix(3, 5, 9), errors};
    std::vector<gal::state_copy> weights;
    const gal::fit_result result =
        gal::fit(trainer, batches, validation, options,
                 gal::on_epoch_end([&](auto& training) { weights.emplace_back(training.model()); }));
    const auto best = options.restore_best ? static_cast<std::size_t>(result.best_epoch) : weights.size();
    if (best > 0) {
      gal::state_copy now(model);
      CHECK(gal::state_difference(now, weights[best - 1]) == "");
      gal::state_copy& other = weights[best % weights.size()];
      CHECK((weights.size() == 1 || gal::state_difference(now, other) != ""));
    }
    return result;
  };
  const double none = std::numeric_limits<double>::quiet_NaN();

  gal::fit_result result = run({4, 3, 2, 2.5, 3, 2.1, 1}, {.epochs = 7, .patience = 3});
  CHECK(result.reason == stop_reason::patience);
  CHECK(result.message == "3 epochs without a better validation loss");
  CHECK(result.epochs == 6);
  CHECK(result.best_epoch == 3);
  CHECK(result.best_validation_loss == doctest::Approx(4.0));
  CHECK(result.history[2].is_best);
  CHECK_FALSE(result.history[5].is_best);

  result = run({4, 3, 2, 2.5, 1}, {.epochs = 5, .patience = 3});  // better in time, in the last epoch
  CHECK(result.reason == stop_reason::epochs);
  CHECK(result.best_epoch == 5);
  result = run({4, 3.99, 3.98, 3.97}, {.epochs = 4, .patience = 2, .min_improvement = 0.5});
  CHECK(result.reason == stop_reason::patience);
  CHECK(result.epochs == 3);
  CHECK(result.best_epoch == 1);
  result = run({4, 2, 3}, {.epochs = 3, .restore_best = false});
  CHECK(result.best_epoch == 2);
  result = run({none, 2, none, none}, {.epochs = 4, .patience = 2});
  CHECK(result.best_epoch == 2);
  CHECK(result.reason == stop_reason::patience);
  CHECK(result.epochs == 4);
  result = run({none, none, none}, {.epochs = 3, .patience = 2});
  CHECK(result.reason == stop_reason::patience);
  CHECK(result.epochs == 2);
  CHECK(std::isnan(result.best_validation_loss));
}

TEST_CASE("a callback ends training, after the step or after the epoch") {
  setting in_epoch;
  gal::fit_result result =
      gal::fit(in_epoch.trainer, in_epoch.batches, {.epochs = 5}, gal::on_step_end([](auto& run) {
                 if (run.trainer().steps() == 6) {
                   run.stop("enough steps");
                 }
               }));
  CHECK(result.reason == stop_reason::requested);
  CHECK(result.message == "enough steps");
  CHECK(result.steps == 6);
  CHECK(result.epochs == 1);

  setting after_epoch;
  counter calls;
  result = gal::fit(after_epoch.trainer, after_epoch.batches, {.epochs = 5}, calls,
                    gal::on_epoch_end([](auto& run) {
                      if (run.last_epoch().epoch == 2) {
                        run.stop("enough epochs");
                      }
                    }));
  CHECK(result.steps == 8);
  CHECK(result.epochs == 2);
  CHECK(calls.calls == "(ssssesssse)");

  setting limited;
  result = gal::fit(limited.trainer, limited.batches, {.epochs = 5}, gal::time_limit(0.0));
  CHECK(result.reason == stop_reason::requested);
  CHECK(result.message == "the time limit of 0 seconds");
  CHECK(result.steps == 1);
  CHECK(gal::fit(limited.trainer, limited.batches, {.epochs = 0}).steps == 1);
}

TEST_CASE("Ctrl-C ends training after the step, and the earlier handler is back") {
  static int earlier = 0;
  struct ::sigaction before = {};
  struct ::sigaction ours = {};
  ours.sa_handler = [](int) { ++earlier; };
  REQUIRE(::sigaction(SIGINT, &ours, &before) == 0);
  const auto interrupt_at = [](std::int64_t step) {
    return gal::on_step_end([step](auto& run) {
      if (run.trainer().steps() == step) {
        ::raise(SIGINT);
      }
    });
  };
  for (const std::int64_t step : {1, 4, 6}) {  // the last of an epoch, too
    setting s;
    counter calls;
    const gal::fit_result result =
        gal::fit(s.trainer, s.batches, s.validation, {.epochs = 5}, interrupt_at(step), calls);
    CHECK(result.reason == stop_reason::interrupted);
    CHECK(result.message == "interrupted");
    CHECK(result.steps == step);
    CHECK(calls.calls.ends_with("s)"));
    CHECK(earlier == 0);
    ::raise(SIGINT);
    CHECK(earlier == 1);
    earlier = 0;
  }
  // Also after an exception; and where it is not to be handled, or ignored.
  setting thrown;
  CHECK_THROWS_AS(gal::fit(thrown.trainer, thrown.batches, {.epochs = 5},
                           gal::on_step_end([](auto&) { throw std::runtime_error("no"); })),
                  std::runtime_error);
  ::raise(SIGINT);
  CHECK(earlier == 1);
  setting unhandled;
  CHECK(gal::fit(unhandled.trainer, unhandled.batches, {.epochs = 2, .handle_interrupt = false},
                 interrupt_at(3))
            .steps == 8);
  CHECK(earlier == 2);
  struct ::sigaction ignore = {};
  ignore.sa_handler = SIG_IGN;
  ::sigaction(SIGINT, &ignore, nullptr);
  setting ignored;
  CHECK(gal::fit(ignored.trainer, ignored.batches, {.epochs = 2}, interrupt_at(3)).steps == 8);
  ::sigaction(SIGINT, &before, nullptr);
}

TEST_CASE("a training that is interrupted anywhere and called again is the one that was not") {
  const scratch folder;
  const gal::fit_options options{.epochs = 6, .patience = 2};
  setting whole;
  const gal::fit_result expected = gal::fit(whole.trainer, whole.batches, whole.validation, options,
                                            gal::csv_log(folder.file("whole.csv")));
  for (const std::int64_t step : {1, 3, 4, 5, 8, 11}) {
    for (const std::int64_t every_steps : {0, 1}) {
      std::filesystem::remove(folder.file("run"));
      std::filesystem::remove(folder.file("log.csv"));
      gal::fit_result result;
      int calls = 0;
      do {
        setting part;
        const std::int64_t end = part.trainer.steps() + step * ++calls;
        result = gal::fit(part.trainer, part.batches, part.validation, options,
                          gal::csv_log(folder.file("log.csv")),
                          gal::checkpointing(folder.file("run"), {.every_steps = every_steps}),
                          gal::on_step_end([&](auto& run) {
                            if (run.trainer().steps() == end) {
                              ::raise(SIGINT);
                            }
                          }));
        if (result.reason != stop_reason::interrupted) {
          CHECK(gal::state_difference(part.trainer, whole.trainer) == "");
          CHECK(gal::state_difference(part.batches, whole.batches) == "");
        }
      } while (result.reason == stop_reason::interrupted && calls < 100);
      CAPTURE(step);
      CHECK(result.reason == expected.reason);
      CHECK(result.epochs == expected.epochs);
      CHECK(result.best_epoch == expected.best_epoch);
      CHECK(result.best_validation_loss == expected.best_validation_loss);
      CHECK(contents(folder.file("log.csv")) == contents(folder.file("whole.csv")));
      CHECK(calls > 1);
    }
  }
}

TEST_CASE("a training that has ended ends at once when it is called again") {
  const scratch folder;
  setting first;
  const auto run = [&](setting& s) {
    return gal::fit(s.trainer, s.batches, s.validation, {.epochs = 3},
                    gal::checkpointing(folder.file("run")));
  };
  const gal::fit_result result = run(first);
  setting second;
  const gal::fit_result again = run(second);
  CHECK(again.history.empty());
  CHECK(again.steps == result.steps);
  CHECK(again.message == "3 epochs, all of them before: raise epochs to train longer");
  CHECK(gal::state_difference(first.trainer, second.trainer) == "");
}

TEST_CASE("more epochs train nothing where patience had ended training, and the message says what does") {
  const scratch folder;
  setting s;
  const auto run = [&](setting& with, const gal::fit_options& options) {
    return gal::fit(with.trainer, with.batches, with.validation, options,
                    gal::checkpointing(folder.file("run")));
  };
  // No epoch is better by so much as the first, which has nothing before it.
  const gal::fit_result ended = run(s, {.epochs = 9, .patience = 2, .min_improvement = 1e9});
  CHECK(ended.message == "2 epochs without a better validation loss");
  setting again;
  const gal::fit_result none = run(again, {.epochs = 99, .patience = 2, .min_improvement = 1e9});
  CHECK(none.reason == stop_reason::patience);
  CHECK(none.history.empty());
  CHECK(none.message ==
        "2 epochs without a better validation loss, all of them before: raise patience to train longer");
  setting longer;
  const gal::fit_result more = run(longer, {.epochs = 99, .patience = 4, .min_improvement = 1e9});
  CHECK(more.history.size() == 2);
  CHECK(more.message == "4 epochs without a better validation loss");
}

TEST_CASE("training ends after an epoch in which every step was refused, and says so") {
  const double none = std::numeric_limits<double>::quiet_NaN();
  setting s;
  s.data.targets.fill(none);
  const gal::fit_result result = gal::fit(s.trainer, s.batches, {.epochs = 30});
  CHECK(result.reason == stop_reason::refused);
  CHECK(result.message ==
        "every step of epoch 1 was refused: losses or gradients are not finite; look at targets and learning "
        "rate");
  CHECK(result.history.size() == 1);
  CHECK(result.history[0].refused == 4);
  // A rate that explodes.
  nn::mlp<double> model({20, 4, 2}, {.seed = 1});
  gal::sgd<double> optimizer({.learning_rate = 1e300});
  gal::plain trainer(model, optimizer, gal::mse());
  setting other;
  const gal::fit_result exploded = gal::fit(trainer, other.batches, {.epochs = 30});
  CHECK(exploded.reason == stop_reason::refused);
  CHECK(exploded.epochs < 5);
  // One step that is taken is enough to go on.
  setting third;
  for (gal::index_type j = 0; j < 17; ++j) {
    third.data.targets(0, j) = none;
  }
  gal::batches<double> in_order(third.data, 6, {.shuffle = false});
  const gal::fit_result goes_on = gal::fit(third.trainer, in_order, {.epochs = 3});
  CHECK(goes_on.reason == stop_reason::epochs);
  CHECK(goes_on.history[0].refused == 3);
  // Of steps that were not reported nobody knows.
  setting fourth;
  fourth.data.targets(0, 22) = none;  // in the last batch, whose step is reported
  gal::batches<double> last_refused(fourth.data, 6, {.shuffle = false});
  const gal::fit_result unread = gal::fit(fourth.trainer, last_refused, {.epochs = 3, .report_every = 100});
  CHECK(unread.history.back().refused == 1);
  CHECK(unread.reason == stop_reason::epochs);
}

TEST_CASE("a checkpoint of other data is refused, and one that fits is said on the progress line") {
  const scratch folder;
  setting first;
  gal::fit(first.trainer, first.batches, {.epochs = 2}, gal::checkpointing(folder.file("run")));
  setting other;
  other.data.targets(1, 22) += 1e-9;
  const std::string why = refusal(shape_mismatch, [&] {
    return gal::fit(other.trainer, other.batches, {.epochs = 3}, gal::checkpointing(folder.file("run")));
  });
  CHECK(why.find("batches.fingerprint_of_data is ") != std::string::npos);
  std::FILE* const to = std::fopen(folder.file("out").c_str(), "w");
  REQUIRE(to != nullptr);
  setting second;
  const gal::fit_result result = gal::fit(second.trainer, second.batches, {.epochs = 3},
                                          gal::progress_bar(to), gal::checkpointing(folder.file("run")));
  std::fclose(to);
  CHECK(result.history.size() == 1);
  CHECK(contents(folder.file("out"))
            .starts_with("resumed after 2 epochs of " + folder.file("run") + "\nepoch 3/3: "));
}

TEST_CASE("a callback's own state is part of the checkpoint") {
  const scratch folder;
  tally first;
  setting a;
  gal::fit(a.trainer, a.batches, {.epochs = 1}, first, gal::checkpointing(folder.file("run")));
  tally second;
  setting b;
  gal::fit(b.trainer, b.batches, {.epochs = 2}, second, gal::checkpointing(folder.file("run")));
  CHECK(second.steps == 8);
}

TEST_CASE("a state that is not finite ends training, and the checkpoint stays") {
  const scratch folder;
  nn::mlp<double> model({3, 4, 2}, {.seed = 1});
  gal::sgd<double> optimizer({.learning_rate = 0.01});
  gal::adjust trainer(model, optimizer, gal::mse(), {.hidden = {4}});
  const gal::dataset<double> data{random_matrix(3, 8, 1), random_matrix(2, 8, 2)};
  gal::batches batches(data, 4, 3);
  std::string good;
  const gal::fit_result result =
      gal::fit(trainer, batches, {.epochs = 10}, gal::checkpointing(folder.file("run")),
               gal::on_epoch_end([&](auto& run) {
                 if (run.epochs() == 2) {
                   good = contents(folder.file("run"));
                   run.model().bias(0)(0, 0) = std::numeric_limits<double>::quiet_NaN();
                 }
               }));
  CHECK(result.reason == stop_reason::requested);
  CHECK(result.message.find("trainer.model.0.bias holds a NaN or an infinity") != std::string::npos);
  CHECK(result.epochs == 3);
  CHECK(result.history.back().refused == 2);
  CHECK(std::isnan(result.history.back().training_loss));
  CHECK(contents(folder.file("run")) == good);
}

TEST_CASE("the log has a row for every epoch, and keeps those from before") {
  const scratch folder;
  setting s;
  const gal::fit_result result =
      gal::fit(s.trainer, s.batches, s.validation, {.epochs = 2}, gal::csv_log(folder.file("log.csv")));
  const gal::table log = gal::read_csv(folder.file("log.csv"));
  CHECK(log.rows() == 2);
  CHECK(log(1, log.column_index("training_loss")) == result.history[1].training_loss);
  CHECK(log(1, log.column_index("validation_loss")) == result.history[1].validation_loss);
  CHECK(log(0, log.column_index("steps")) == 4.0);
  // Without validation there is no column of it.
  setting without;
  gal::csv_log twice(folder.file("log.csv"));
  const gal::fit_result plain = gal::fit(without.trainer, without.batches, {.epochs = 2}, twice);
  const gal::table plain_log = gal::read_csv(folder.file("log.csv"));
  CHECK(plain_log.names == std::vector<std::string>{"epoch", "steps", "refused", "training_loss",
                                                    "learning_rate", "remainder", "accepted_share", "cosine",
                                                    "tentative_loss", "adjustment_norm"});
  CHECK(plain_log.rows() == 2);  // a new file
  CHECK(plain_log(1, 3) == plain.history[1].training_loss);
  // Nor rows of another training, whose log it was.
  gal::fit(without.trainer, without.batches, {.epochs = 3}, twice);
  CHECK(gal::read_csv(folder.file("log.csv")).values[0] == 1.0);
  CHECK(gal::read_csv(folder.file("log.csv")).rows() == 3);
  std::ofstream(folder.file("other.csv")) << "a,b\n1,2\n";
  gal::csv_log refused(folder.file("other.csv"));
  CHECK(refusal(malformed_data, [&] {
          setting first;
          gal::fit(first.trainer, first.batches, {.epochs = 1}, gal::checkpointing(folder.file("run")));
          setting second;
          gal::fit(second.trainer, second.batches, {.epochs = 2}, refused,
                   gal::checkpointing(folder.file("run")));
          return 0;
        }).find("other.csv has other columns; expected epoch,steps,refused") != std::string::npos);
}

TEST_CASE("progress elsewhere than on a terminal is a line for every epoch") {
  const scratch folder;
  std::FILE* const to = std::fopen(folder.file("out").c_str(), "w");
  REQUIRE(to != nullptr);
  setting s;
  const gal::fit_result result =
      gal::fit(s.trainer, s.batches, s.validation, {.epochs = 2}, gal::progress_bar(to));
  std::fclose(to);
  const auto& h = result.history;
  const auto shown = [](double number) { return gal::detail::significant(number, 6); };
  CHECK(contents(folder.file("out")) ==
        gal::detail::text("epoch 1/2: loss ", shown(h[0].training_loss), ", validation ",
                          shown(h[0].validation_loss), " (best)\n", "epoch 2/2: loss ",
                          shown(h[1].training_loss), ", validation ", shown(h[1].validation_loss),
                          h[1].is_best ? " (best)" : "", "\nended: 2 epochs\n"));
}

TEST_CASE("on a terminal a loss has its step, and an exception leaves a line of its own") {
  terminal screen;
  const auto slowly = [](std::int64_t end) {
    return gal::on_step_end([end](auto& run) {
      ::usleep(120'000);  // the line renews itself ten times a second
      if (run.trainer().steps() == end) {
        throw std::runtime_error("no");
      }
    });
  };
  setting s;
  CHECK_THROWS_AS(gal::fit(s.trainer, s.batches, {.epochs = 1, .report_every = 2},
                           gal::progress_bar(screen.theirs), slowly(3)),
                  std::runtime_error);
  setting loop;
  auto at = loop.batches.begin();
  std::vector<double> losses;
  for (int k = 0; k < 2; ++k, ++at) {
    const auto [x, y] = *at;
    losses.push_back(gal::step_report(loop.trainer.step(x, y)).loss);
  }
  const std::string shown = "loss " + gal::detail::significant(losses[1], 4);
  CHECK(screen.read() ==
        "\repoch 1/1 [=======                       ]\033[K\repoch 1/1 [===============               ] " +
            shown + "\033[K\repoch 1/1 [======================        ] " + shown + " at step 2\033[K\r\n");
}

TEST_CASE("gradient statistics are those of all parameters") {
  setting s;
  gal::gradient_statistics norms;
  std::vector<double> expected;
  gal::fit(s.trainer, s.batches, {.epochs = 2}, norms, gal::on_step_end([&](auto& run) {
             double square = 0.0;
             for (const auto& block : run.model().parameters()) {
               for (const double g : block.gradient) {
                 square += g * g;
               }
             }
             expected.push_back(std::sqrt(square));
           }));
  REQUIRE(norms.epochs().size() == 2);
  const auto& last = norms.epochs().back();
  CHECK(last.epoch == 2);
  CHECK(last.smallest ==
        doctest::Approx(*std::min_element(expected.begin() + 4, expected.end())).epsilon(1e-14));
  CHECK(last.largest ==
        doctest::Approx(*std::max_element(expected.begin() + 4, expected.end())).epsilon(1e-14));
  CHECK(last.mean ==
        doctest::Approx((expected[4] + expected[5] + expected[6] + expected[7]) / 4.0).epsilon(1e-14));

  // Without a finite norm there is nothing to say.
  setting broken;
  for (const auto& block : broken.model.parameters()) {
    std::ranges::fill(block.value, std::numeric_limits<double>::quiet_NaN());
  }
  gal::gradient_statistics none;
  gal::fit(broken.trainer, broken.batches, {.epochs = 1}, gal::on_step_end([](auto& run) {
             for (const auto& block : run.model().parameters()) {
               std::ranges::fill(block.gradient, std::numeric_limits<double>::quiet_NaN());
             }
           }),
           none);
  CHECK(std::isnan(none.epochs().back().smallest));
  CHECK(std::isnan(none.epochs().back().mean));
  CHECK(std::isnan(none.epochs().back().largest));
}

TEST_CASE("gradient statistics leave out refused steps, and say so where nothing is left") {
  setting s;
  for (gal::index_type j = 6; j < 12; ++j) {
    s.data.targets(0, j) = 1e200;  // whose squared error is infinite
  }
  gal::batches<double> batches(s.data, 6, {.shuffle = false});
  gal::gradient_statistics norms;
  std::vector<double> expected;
  gal::fit(s.trainer, batches, {.epochs = 1}, norms, gal::on_step_end([&](auto& run) {
             double square = 0.0;
             for (const auto& block : run.model().parameters()) {
               for (const double g : block.gradient) {
                 square += g * g;
               }
             }
             if (run.trainer().steps() != 2) {
               expected.push_back(std::sqrt(square));
             }
           }));
  CHECK(norms.epochs()[0].steps == 3);
  CHECK(norms.epochs()[0].mean ==
        doctest::Approx((expected[0] + expected[1] + expected[2]) / 3.0).epsilon(1e-14));
  s.data.targets.fill(1e200);
  gal::fit(s.trainer, batches, {.epochs = 1}, norms);
  CHECK(norms.epochs()[1].steps == 0);
  CHECK(std::isnan(norms.epochs()[1].smallest));
  CHECK(std::isnan(norms.epochs()[1].mean));
  CHECK(std::isnan(norms.epochs()[1].largest));
  // What an epoch that did not end has seen is not the next training's.
  setting other;
  gal::fit(other.trainer, other.batches, {.epochs = 1}, norms,
           gal::on_step_end([](auto& run) { run.stop("now"); }));
  gal::fit(other.trainer, other.batches, {.epochs = 1}, norms);
  CHECK(norms.epochs()[2].steps == 4);
}

TEST_CASE_TEMPLATE("reported are steps of the whole training, and the last of every epoch", T, float,
                   double) {
  for (const std::int64_t every : {1, 3, 5, 50}) {
    CAPTURE(every);
    setting_of<T> loop;
    setting_of<T> fitted;
    std::vector<std::int64_t> reported;
    std::vector<double> shown;
    const gal::fit_result result =
        gal::fit(fitted.trainer, fitted.batches, {.epochs = 3, .report_every = every},
                 gal::on_step_end([&](auto& run) {
                   CHECK(run.read_step().loss == run.trainer().report().loss);
                   if (run.step_is_reported()) {
                     CHECK(run.last_step_number() == run.trainer().steps());
                     reported.push_back(run.last_step_number());
                   }
                   shown.push_back(run.last_step().loss);
                 }));
    std::vector<std::int64_t> expected;
    for (int epoch = 0; epoch < 3; ++epoch) {
      double sum = 0.0;
      double samples = 0.0;
      gal::adjust_report report;
      for (const auto [x, y] : loop.batches) {
        report = loop.trainer.step(x, y);
        const std::int64_t step = loop.trainer.steps();
        if (step % every == 0 || step % 4 == 0) {
          expected.push_back(step);
          sum += report.loss * static_cast<double>(x.columns());
          samples += static_cast<double>(x.columns());
          CHECK(shown[static_cast<std::size_t>(step - 1)] == report.loss);
        }
      }
      CHECK(result.history[static_cast<std::size_t>(epoch)].training_loss == sum / samples);
      CHECK(result.history[static_cast<std::size_t>(epoch)].learning_rate == report.learning_rate);
    }
    CHECK(reported == expected);
    CHECK(gal::state_difference(loop.trainer, fitted.trainer) == "");
  }
}

TEST_CASE_TEMPLATE("an exception in validation leaves the model as it was", T, float, double) {
  setting_of<T> expected;
  setting_of<T> thrown;
  gal::fit(expected.trainer, expected.batches, expected.validation, {.epochs = 1});
  broken_batches<gal::batches<T>> broken{&thrown.validation, 1};
  CHECK_THROWS_AS(gal::fit(thrown.trainer, thrown.batches, broken, {.epochs = 1}), std::runtime_error);
  CHECK(thrown.model.training());
  // The next training is that of one that never validated: with dropout.
  gal::fit(expected.trainer, expected.batches, {.epochs = 2});
  gal::fit(thrown.trainer, thrown.batches, {.epochs = 2});
  CHECK(gal::state_difference(thrown.trainer, expected.trainer) == "");
  // The same where a batch does not fit, and for a model that is kept in evaluation.
  const gal::matrix<T> narrow(3, 2);
  const std::vector<std::pair<gal::matrix<T>, gal::matrix<T>>> unfit{{narrow, narrow}};
  for (const bool training : {true, false}) {
    thrown.model.set_training(training);
    CHECK_THROWS_AS(gal::fit(thrown.trainer, thrown.batches, unfit, {.epochs = 1}), gal::error);
    CHECK(thrown.model.training() == training);
  }
}

TEST_CASE_TEMPLATE("slow weights do not pull the best weights back, nor loaded ones", T, float, double) {
  const scratch folder;
  nn::mlp<T> model({3, 4, 2}, {.seed = 1});
  gal::lookahead optimizer(gal::sgd<T>({.learning_rate = 0.05}), {.k = 3});
  gal::adjust trainer(model, optimizer, gal::mse(), {.hidden = {4}});
  const gal::dataset<T> data{random_matrix<T>(3, 8, 1), random_matrix<T>(2, 8, 2)};
  gal::dataset<T> other = data;  // of which training knows the less, the longer it takes
  for (gal::index_type i = 0; i < other.targets.size(); ++i) {
    other.targets.data()[i] *= T(-1);
  }
  gal::batches batches(data, 4, 3);
  gal::batches validation(other, 4, 3);
  const auto stand_still = [&] {  // steps of no length
    gal::state_copy expected(model);
    optimizer.set_base_learning_rate(0.0);
    for (int k = 0; k < 7; ++k) {
      trainer.step(data.features, data.targets);
      gal::state_copy now(model);
      CHECK(gal::state_difference(now, expected) == "");
    }
    optimizer.set_base_learning_rate(0.05);
  };
  gal::save_safetensors(folder.file("weights"), model);
  std::vector<gal::state_copy> weights;
  const gal::fit_result result =
      gal::fit(trainer, batches, validation, {.epochs = 9},
               gal::on_epoch_end([&](auto& run) { weights.emplace_back(run.model()); }));
  REQUIRE(result.best_epoch < 9);
  gal::state_copy best(model);
  CHECK(gal::state_difference(best, weights[static_cast<std::size_t>(result.best_epoch - 1)]) == "");
  stand_still();
  gal::load_safetensors(folder.file("weights"), model);
  stand_still();
}

TEST_CASE("a program that ends between two callbacks loses and doubles nothing") {
  const scratch folder;
  setting whole;
  gal::fit(whole.trainer, whole.batches, {.epochs = 4}, gal::csv_log(folder.file("whole.csv")));
  const auto end_in_epoch = [](std::int64_t epoch) {
    return gal::on_epoch_end([epoch](auto& run) {
      if (run.epochs() == epoch) {
        throw std::runtime_error("killed");
      }
    });
  };
  const auto fit = [&](auto... others) {
    setting s;
    tally steps;
    gal::fit(s.trainer, s.batches, {.epochs = 4}, steps, gal::csv_log(folder.file("log.csv")), others...);
    return steps.steps;
  };
  const auto save = [&] { return gal::checkpointing(folder.file("run")); };
  CHECK_THROWS_AS(fit(end_in_epoch(2), save()), std::runtime_error);
  CHECK_THROWS_AS(fit(save(), end_in_epoch(2)), std::runtime_error);
  CHECK_THROWS_AS(fit(save(), end_in_epoch(3)), std::runtime_error);
  CHECK(fit(save()) == 16);
  CHECK(contents(folder.file("log.csv")) == contents(folder.file("whole.csv")));
}

TEST_CASE("reports that are not read change nothing but what is reported") {
  setting all;
  setting some;
  gal::fit(all.trainer, all.batches, {.epochs = 2});
  const gal::fit_result result = gal::fit(some.trainer, some.batches, {.epochs = 2, .report_every = 4});
  CHECK(gal::state_difference(all.trainer, some.trainer) == "");
  CHECK(result.history[1].training_loss == some.trainer.report().loss);
}

TEST_CASE("options out of range") {
  setting s;
  const auto message = [&](const gal::fit_options& options) {
    return refusal(invalid_option, [&] { return gal::fit(s.trainer, s.batches, options); });
  };
  CHECK(message({.epochs = -1}) == "gal::fit_options: epochs is -1; expected at least 0");
  CHECK(message({.patience = -1}) == "gal::fit_options: patience is -1; expected at least 0");
  CHECK(message({.patience = 2}) ==
        "gal::fit_options: patience is 2 without a validation set; expected 0, or batches to validate on");
  CHECK(message({.min_improvement = -0.5}) ==
        "gal::fit_options: min_improvement is -0.5; expected a non-negative number");
  CHECK(message({.report_every = 0}) == "gal::fit_options: report_every is 0; expected at least 1");
  CHECK(refusal(invalid_option, [] { return gal::time_limit(-1.0); }) ==
        "gal::time_limit: -1 seconds; expected a non-negative number");
  CHECK(refusal(invalid_option, [] { return gal::checkpointing("x", {.every_steps = -1}); }) ==
        "gal::checkpointing_options: every 1 epochs and -1 steps; expected non-negative numbers");
  std::array<scripted_validation::batch, 0> none;
  CHECK(refusal(shape_mismatch, [&] { return gal::fit(s.trainer, none, {.epochs = 1}); }) ==
        "gal::fit: an epoch without batches; expected at least one");
}

namespace {

// y = a, which steps towards the targets' mean: the trainer of gal/train/trainer.hpp.
struct walker {
  using report_type = gal::step_report;
  struct constant {
    double a = 0.0;
    double da = 0.0;
    auto parameters() { return std::array{gal::parameter<double>({&a, 1}, {&da, 1})}; }
  };
  constant y;
  gal::step_report last;
  std::int64_t taken = 0;

  gal::batch_loss evaluate(const gal::nothing&, const std::vector<double>& targets) {
    double sum = 0.0;
    for (const double t : targets) {
      sum += (y.a - t) * (y.a - t);
    }
    return {sum / static_cast<double>(targets.size()), static_cast<gal::index_type>(targets.size())};
  }
  gal::step_report step(const gal::nothing& none, const std::vector<double>& targets) {
    const gal::batch_loss before = evaluate(none, targets);
    for (const double t : targets) {
      y.a += 0.1 * (t - y.a) / static_cast<double>(targets.size());
    }
    ++taken;
    last = {.loss = before.mean, .learning_rate = 0.1, .samples = before.samples};
    return last;
  }
  constant& model() { return y; }
  gal::step_report report() const { return last; }
  std::int64_t steps() const { return taken; }
};

static_assert(gal::trainer_for<walker, gal::nothing, std::vector<double>>);
using matrix_type = gal::matrix<double>;
using network = gal::nn::mlp<double>;
static_assert(gal::trainer_for<gal::plain<network, gal::adam<double>, gal::mse>, matrix_type, matrix_type>);
static_assert(gal::trainer_for<gal::adjust<network, gal::adam<double>, gal::mse>, matrix_type, matrix_type>);
static_assert(!gal::trainer_for<walker, gal::nothing, matrix_type>);
static_assert(!gal::trainer_for<network, matrix_type, matrix_type>);

// A method that reports a number of its own.
struct counting_report : gal::step_report {
  double count = none;
  template <class Visitor>
  void visit_numbers(Visitor& visit) const {
    visit(gal::reported_number{.name = "count", .value = count, .meaning = "how many steps there were"});
  }
};
struct counting_walker : walker {
  using report_type = counting_report;
  counting_report report() const {
    counting_report result;
    static_cast<gal::step_report&>(result) = last;
    result.count = static_cast<double>(taken);
    return result;
  }
  counting_report step(const gal::nothing& none, const std::vector<double>& targets) {
    walker::step(none, targets);
    return report();
  }
};

}  // namespace

TEST_CASE("plain training goes through fit as through its own loop, and on from a checkpoint") {
  const scratch folder;
  setting loop;
  gal::plain by_hand(loop.model, loop.optimizer, gal::mse());
  for (int epoch = 0; epoch < 3; ++epoch) {
    for (const auto [x, y] : loop.batches) {
      by_hand.step(x, y);
    }
  }
  for (const std::int64_t first : {1, 3}) {
    setting s;
    gal::plain trainer(s.model, s.optimizer, gal::mse());
    gal::fit(trainer, s.batches, {.epochs = first}, gal::checkpointing(folder.file("plain.safetensors")));
    setting again;
    gal::plain resumed(again.model, again.optimizer, gal::mse());
    const gal::fit_result result =
        gal::fit(resumed, again.batches, {.epochs = 3}, gal::checkpointing(folder.file("plain.safetensors")));
    CHECK(gal::state_difference(resumed, by_hand) == "");
    CHECK((first == 3 || result.history.back().numbers.empty()));
    std::filesystem::remove(folder.file("plain.safetensors"));
  }
}

TEST_CASE("a trainer of one's own is fitted, validated, and ends with its best") {
  const scratch folder;
  walker trainer;
  const std::vector<std::pair<gal::nothing, std::vector<double>>> batches{{{}, {1.0, 3.0}}, {{}, {2.0}}};
  const std::vector<std::pair<gal::nothing, std::vector<double>>> validation{{{}, {0.3}}};
  gal::fit_result result = gal::fit(trainer, batches, validation, {.epochs = 50, .patience = 2},
                                    gal::csv_log(folder.file("log.csv")));
  CHECK(result.reason == stop_reason::patience);
  CHECK(result.best_epoch == 1);
  CHECK(result.history.front().training_loss == doctest::Approx((5.0 * 2 + 1.8025 * 1.8025) / 3.0));
  CHECK(trainer.y.a == doctest::Approx(0.37775));  // of the first epoch
  CHECK(gal::read_csv(folder.file("log.csv")).rows() == 3);
}

TEST_CASE("logs show the numbers of a method that they do not know") {
  const scratch folder;
  counting_walker trainer;
  const std::vector<std::pair<gal::nothing, std::vector<double>>> batches{{{}, {1.0, 3.0}}, {{}, {2.0}}};
  const gal::fit_result result =
      gal::fit(trainer, batches, {.epochs = 2}, gal::csv_log(folder.file("log.csv")));
  CHECK(result.history[0].number("count") == 1.5);
  const gal::table log = gal::read_csv(folder.file("log.csv"));
  CHECK(log(1, log.column_index("count")) == 3.5);
  CHECK(result.history[0].numbers.front().meaning == "how many steps there were");
}
