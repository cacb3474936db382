// Checkpoints: what is saved and loaded goes on as if nothing had been between, bit for bit; what does not fit says why
// and changes nothing.
#include <gal/gal.hpp>
#include <gal/io/checkpoint.hpp>

#include "scratch.hpp"
#include "testing.hpp"

#include <doctest/doctest.h>

#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

using gal::detail::text;
using enum gal::error_code;
namespace nn = gal::nn;

template <class Object>
std::string load_refusal(gal::error_code code, const std::string& path, Object&& object) {
  return refusal(code, [&] {
    gal::load_checkpoint(path, object);
    return 0;
  });
}

// Everything a run of a small regression holds, made anew by every call of the same maker.
template <class Model, class Optimizer>
struct run {
  Model model;
  Optimizer optimizer;
  gal::adjust<Model, Optimizer, gal::mse> trainer;
  gal::batches<gal::model_scalar<Model>> batches;
  std::int64_t epoch = 0;
  std::optional<typename gal::batches<gal::model_scalar<Model>>::iterator> at;

  run(Model m, Optimizer o, const gal::dataset<gal::model_scalar<Model>>& data,
      const gal::adjust_options& options)
      : model(std::move(m)),
        optimizer(std::move(o)),
        trainer(model, optimizer, gal::mse(), options),
        batches(data, 7, /*seed=*/3) {}
  run(const run&) = delete;
  run& operator=(const run&) = delete;

  template <class Visitor>
  void visit_state(Visitor& visit) {
    visit("trainer", trainer);
    visit("batches", batches);
    visit("epoch", epoch);
    visit.after_loading([this] { at.reset(); });
  }

  // Takes that many steps, through as many epochs as that needs.
  void go(int steps) {
    for (; steps > 0; --steps) {
      if (!at || *at == batches.end()) {
        at.emplace(batches.begin());
      }
      const auto [x, y] = **at;
      trainer.step(x, y);
      ++*at;
      epoch += *at == batches.end() ? 1 : 0;
    }
  }
};

template <class T>
gal::dataset<T> samples(gal::index_type rows) {
  return {random_matrix<T>(rows, 23, 5), random_matrix<T>(2, 23, 6)};
}

// A run that is saved after `first` steps and goes on in new objects is the run that was not, after every further step.
template <class MakeModel, class MakeOptimizer, class Data>
void check_resumes(MakeModel make_model, MakeOptimizer make_optimizer, const Data& data,
                   const gal::adjust_options& options) {
  const scratch folder;
  const std::string path = folder.file("run");
  using run_type = run<decltype(make_model()), decltype(make_optimizer())>;
  for (const int first : {0, 1, 3, 4, 6, 9}) {  // an epoch has 4 batches
    CAPTURE(first);
    run_type whole(make_model(), make_optimizer(), data, options);
    whole.go(first);
    gal::save_checkpoint(path, whole);
    run_type resumed(make_model(), make_optimizer(), data, options);
    gal::load_checkpoint(path, resumed);
    CHECK(resumed.epoch == whole.epoch);
    for (int more = 0; more < 6; ++more) {
      CHECK(gal::state_difference(resumed.trainer, whole.trainer) == "");
      whole.go(1);
      resumed.go(1);
    }
    // What was saved is also what is loaded, where the trainer may have an adjuster already.
    if (first == 0) {
      continue;
    }
    gal::load_checkpoint(path, whole);
    gal::save_checkpoint(folder.file("again"), whole);
    CHECK(contents(path) == contents(folder.file("again")));
  }
}

template <class T>
nn::mlp<T> small_mlp() {
  return nn::mlp<T>({5, 6, 2}, {.activation = nn::tanh, .seed = 1});
}

template <class T, class MakeOptimizer>
void check_mlp(MakeOptimizer make_optimizer, const gal::adjust_options& options = {.hidden = {4}}) {
  check_resumes([] { return small_mlp<T>(); }, make_optimizer, samples<T>(5), options);
}

}  // namespace

TEST_CASE("every optimizer resumes") {
  const gal::adjust_options companion = {
      .hidden = {4}, .adjuster_steps = 2, .training = gal::adjuster_training::model_optimizer};
  const auto check = [&](auto make) {
    using T = typename decltype(make())::value_type;
    check_mlp<T>(make);
    check_mlp<T>(make, companion);
  };
  check([] { return gal::sgd<float>({.learning_rate = 0.05}); });
  check([] {
    return gal::sgd<double>({.learning_rate = 0.05,
                             .momentum = 0.9,
                             .nesterov = true,
                             .schedule = gal::linear_warm_up(3).then(gal::cosine_schedule(20))});
  });
  check([] { return gal::rmsprop<double>({.learning_rate = 0.01, .momentum = 0.5, .centred = true}); });
  check([] { return gal::adam<float>({.learning_rate = 0.01, .clipping = {.norm = 0.5}}); });
  check([] { return gal::adamw<double>({.learning_rate = 0.01, .schedule = gal::step_schedule(4, 0.5)}); });
  check([] { return gal::adabound<double>({.learning_rate = 0.01}); });
  check([] {
    return gal::lookahead(gal::lookahead(gal::adam<double>({.learning_rate = 0.01}), {.k = 3}), {.k = 2});
  });
}

TEST_CASE_TEMPLATE("slow weights are those of the checkpoint, which resumes also after other weights", T,
                   float, double) {
  const scratch folder;
  const std::string path = folder.file("run");
  const auto data = samples<T>(5);
  const auto make = [] { return gal::lookahead(gal::adam<T>({.learning_rate = 0.05}), {.k = 3}); };
  using run_type = run<nn::mlp<T>, decltype(make())>;
  run_type whole(small_mlp<T>(), make(), data, {.hidden = {4}});
  whole.go(4);
  gal::save_checkpoint(path, whole);
  run_type resumed(small_mlp<T>(), make(), data, {.hidden = {4}});
  resumed.go(8);
  gal::load_safetensors(path, resumed.model, {.prefix = "trainer.model."});
  resumed.go(1);
  gal::load_checkpoint(path, resumed);
  for (int k = 0; k < 8; ++k) {
    whole.go(1);
    resumed.go(1);
    CHECK(gal::state_difference(whole, resumed) == "");
  }
}

TEST_CASE("every kind of adjuster resumes") {
  const auto adam = [] { return gal::adam<double>({.learning_rate = 0.01}); };
  using enum gal::adjuster_kind;
  for (const auto kind : {learned, untrained, zero, uniform, normal}) {
    check_mlp<double>(adam, {.hidden = {4}, .adjuster = {.kind = kind}});
  }
  check_mlp<double>(adam, gal::paper());
  check_mlp<double>(adam, {.hidden = {4}, .adjuster_steps = 3});
}

TEST_CASE("a convolutional network resumes with its statistics and its dropout") {
  check_resumes(
      [] {
        return nn::cnn<float>({1, 4, 5},
                              {nn::convolution{.channels = 3, .kernel = 3}, nn::batch_normalization{},
                               nn::relu, nn::dropout{0.3}, nn::flatten{}, nn::linear{2}},
                              {.seed = 2});
      },
      [] { return gal::adam<float>({.learning_rate = 0.01}); }, samples<float>(20), {.hidden = {4}});
}

TEST_CASE("a changed base rate and a refused step come along") {
  const scratch folder;
  const auto data = samples<double>(5);
  const auto make = [&] {
    return std::make_unique<run<nn::mlp<double>, gal::adam<double>>>(
        small_mlp<double>(), gal::adam<double>(), data, gal::adjust_options{.hidden = {4}});
  };
  auto whole = make();
  whole->go(2);
  whole->optimizer.set_base_learning_rate(0.25);
  auto bad = data;
  bad.features(0, 0) = std::numeric_limits<double>::infinity();
  CHECK(whole->trainer.step(bad.features, bad.targets).non_finite);
  gal::save_checkpoint(folder.file("run"), *whole);
  auto resumed = make();
  gal::load_checkpoint(folder.file("run"), *resumed);
  CHECK(resumed->optimizer.learning_rate() == 0.25);
  CHECK(resumed->trainer.steps() == 3);
  CHECK(resumed->optimizer.steps() == 2);
}

TEST_CASE("batches go on within the epoch, at its end, and before the first") {
  const scratch folder;
  const auto data = samples<double>(3);
  for (const bool shuffle : {true, false}) {
    for (int looked_at = 0; looked_at <= 9; ++looked_at) {
      gal::batches<double> batches(data, 7, {.seed = 4, .shuffle = shuffle});
      gal::batches<double> resumed(data, 7, {.seed = 99, .shuffle = shuffle});
      std::vector<double> before;
      std::vector<double> whole;
      const auto read = [](auto& from, std::vector<double>& to, int from_batch, int count) {
        int k = from_batch;
        while (k < count) {
          for (const auto [x, y] : from) {
            to.insert(to.end(), x.data(), x.data() + x.size());
            to.push_back(static_cast<double>(y.columns()));
            if (++k == count) {
              break;
            }
          }
        }
      };
      read(batches, whole, 0, 20);
      gal::batches<double> first(data, 7, {.seed = 4, .shuffle = shuffle});
      read(first, before, 0, looked_at);
      gal::save_checkpoint(folder.file("batches"), first);
      gal::load_checkpoint(folder.file("batches"), resumed);
      read(resumed, before, looked_at, 20);
      CAPTURE(looked_at);
      CHECK(before == whole);
    }
  }
}

TEST_CASE("models, optimizers and adjusters of one's own") {
  struct line {
    using input_type = std::vector<double>;
    using feature_type = std::vector<double>;
    double a = 0.5;
    double da = 0.0;
    std::vector<double> x;
    std::vector<double> y;
    const feature_type& forward(const input_type& input) {
      x = y = input;
      for (double& value : y) {
        value *= a;
      }
      return y;
    }
    void backward(const feature_type& gradient) {
      for (std::size_t j = 0; j < gradient.size(); ++j) {
        da += gradient[j] * x[j];
      }
    }
    auto parameters() { return std::array{gal::parameter<double>({&a, 1}, {&da, 1})}; }
  };
  struct heavy_ball {
    double velocity = 0.0;
    [[nodiscard]] double learning_rate() const { return 0.01; }
    void step(std::span<const gal::parameter<double>> parameters) {
      velocity = 0.9 * velocity + parameters[0].gradient[0];
      parameters[0].value[0] -= 0.01 * velocity;
    }
    void visit_state(gal::state_view& visit) { visit("velocity", velocity); }
  };
  struct factor {
    double s = 0.1;
    double ds = 0.0;
    gal::matrix<double> h;
    gal::random_stream stream{7, 0};
    const gal::matrix<double>& forward(gal::matrix_view<const double> input) {
      h.resize(input.rows(), input.columns());
      h.fill(s + 0.1 * stream.uniform());
      return h;
    }
    void backward(gal::matrix_view<const double> gradient) {
      for (gal::index_type i = 0; i < gradient.size(); ++i) {
        ds += gradient.data()[i];
      }
    }
    auto parameters() { return std::array{gal::parameter<double>({&s, 1}, {&ds, 1})}; }
    [[nodiscard]] gal::random_stream noise() const { return stream; }
    void set_noise(gal::random_stream noise) { stream = noise; }
  };
  const scratch folder;
  const std::vector<double> x = {-1.0, 0.5, 2.0};
  const std::vector<double> y = {-3.0, 1.5, 6.0};
  const gal::adjust_options options{.input = gal::adjuster_input::features};
  line model;
  heavy_ball optimizer;
  gal::adjust trainer(model, optimizer, gal::mse(), options, factor{});
  for (int k = 0; k < 4; ++k) {
    trainer.step(x, y);
  }
  gal::save_checkpoint(folder.file("own"), trainer);
  line model2;
  heavy_ball optimizer2;
  gal::adjust resumed(model2, optimizer2, gal::mse(), options, factor{});
  gal::load_checkpoint(folder.file("own"), resumed);
  for (int k = 0; k < 4; ++k) {
    trainer.step(x, y);
    resumed.step(x, y);
    CHECK(model.a == model2.a);
    CHECK(optimizer.velocity == optimizer2.velocity);
    CHECK(trainer.adjuster().s == resumed.adjuster().s);
  }
}

TEST_CASE("an optimizer alone has to have its state before it is loaded") {
  const scratch folder;
  const std::string path = folder.file("adam");
  auto model = small_mlp<double>();
  gal::adam<double> optimizer;
  optimizer.reserve(model.parameters());
  optimizer.step(model.parameters());
  gal::save_checkpoint(path, optimizer);
  gal::adam<double> fresh;
  CHECK(load_refusal(shape_mismatch, path, fresh) ==
        "gal::load_checkpoint: " + path +
            " does not fit: moments is F64 [2, 50] in the file, F64 [0, 0] here");
  fresh.reserve(model.parameters());
  gal::load_checkpoint(path, fresh);
  CHECK(gal::state_difference(fresh, optimizer).empty());
}

TEST_CASE("a checkpoint that does not fit says what differs, and changes nothing") {
  const scratch folder;
  const std::string path = folder.file("run");
  const auto data = samples<double>(5);
  using mlp_run = run<nn::mlp<double>, gal::adam<double>>;
  mlp_run whole(small_mlp<double>(), gal::adam<double>(), data, {.hidden = {4}});
  whole.go(3);
  gal::save_checkpoint(path, whole);
  const std::string begin = "gal::load_checkpoint: " + path + " does not fit: ";
  const auto check = [&](auto model, auto optimizer, const gal::adjust_options& options,
                         const std::string& expected) {
    const auto own_data = samples<gal::model_scalar<decltype(model)>>(5);
    run<decltype(model), decltype(optimizer)> other(model, optimizer, own_data, options);
    run<decltype(model), decltype(optimizer)> before(model, optimizer, own_data, options);
    const std::string what = load_refusal(shape_mismatch, path, other);
    CHECK(what.substr(0, begin.size()) == begin);
    // Data of another scalar are other data, which is said first.
    CHECK_MESSAGE(what.find(expected) != std::string::npos, what);
    CHECK(gal::state_difference(other, before).empty());
    CHECK(refusal(invalid_option, [&] { return &other.trainer.adjuster(); }).find("none yet") !=
          std::string::npos);
  };
  const gal::adjust_options same{.hidden = {4}};
  check(nn::mlp<double>({5, 7, 2}, {.activation = nn::relu}), gal::adam<double>(), same,
        "trainer.model.widths is 5, 6, 2 in the file, 5, 7, 2 here; trainer.model.activation is tanh "
        "in the file, relu here; trainer.model.0.weight is F64 [6, 5] in the file, F64 [7, 5] here");
  check(nn::mlp<float>({5, 6, 2}, {.activation = nn::tanh}), gal::adam<float>(), same,
        "trainer.model.0.weight is F64 [6, 5] in the file, F32 [6, 5] here");
  check(small_mlp<double>(), gal::adam<double>({.learning_rate = 0.1, .beta2 = 0.99}), same,
        "trainer.optimizer.options.beta2 is 0.999 in the file, 0.99 here; trainer.optimizer.learning_rate is "
        "0.001 "
        "in the file, 0.1 here");
  check(small_mlp<double>(), gal::adamw<double>({.weight_decay = 0.0}), same,
        "trainer.optimizer.options.method is adam in the file, adamw here");
  check(small_mlp<double>(), gal::adam<double>({.schedule = gal::cosine_schedule(9)}), same,
        "trainer.optimizer.schedule.0.kind is constant in the file, cosine here; "
        "trainer.optimizer.schedule.0.steps is 0, "
        "9223372036854775807 in the file, 9, 9223372036854775807 here");
  check(small_mlp<double>(), gal::adam<double>(), {.epsilon = 1.0, .hidden = {5}},
        "trainer.options.epsilon is 3 in the file, 1 here; trainer.options.hidden is 4 in the file, 5 here; "
        "trainer.adjuster.network.widths is 4, 4, 2 in the file, 4, 5, 2 here");
  check(small_mlp<double>(), gal::lookahead(gal::adam<double>()), same,
        "trainer.optimizer.k is missing in the file; trainer.optimizer.alpha is missing in the file");

  // A model without this optimizer, or with more.
  CHECK(load_refusal(shape_mismatch, path, whole.model).find("widths is missing in the file") !=
        std::string::npos);
  double extra = 0.0;
  const auto more = [&](auto& visit) {
    whole.visit_state(visit);
    visit("extra", extra);
  };
  CHECK(load_refusal(shape_mismatch, path, more) == begin + "extra is missing in the file");
}

TEST_CASE("what is no checkpoint, of another version, or holds what none holds") {
  const scratch folder;
  const std::string path = folder.file("run");
  const auto data = samples<double>(5);
  run<nn::mlp<double>, gal::adam<double>> whole(small_mlp<double>(), gal::adam<double>(), data,
                                                {.hidden = {4}});
  whole.go(3);
  gal::save_safetensors(path, whole.model);
  CHECK(load_refusal(malformed_data, path, whole) ==
        "gal::load_checkpoint: " + path +
            " is no checkpoint; expected a file that gal::save_checkpoint wrote");
  gal::save_checkpoint(path, whole);
  const std::string good = contents(path);
  const auto with = [&](std::string_view from, std::string_view to) {
    std::string bad = good;
    REQUIRE(bad.find(from) != std::string::npos);
    bad.replace(bad.find(from), from.size(), to);
    std::ofstream(path, std::ios::binary) << bad;
    return path;
  };
  CHECK(load_refusal(malformed_data, with("checkpoint 2", "checkpoint 9"), whole) ==
        "gal::load_checkpoint: " + path +
            " is \"checkpoint 9\"; expected \"checkpoint 2\", the version of this library");
  CHECK(
      load_refusal(malformed_data, with("checkpoint 2", "checkpoint 1"), whole) ==
      "gal::load_checkpoint: " + path +
          " is \"checkpoint 1\", an older layout with numbers in place of names; expected \"checkpoint 2\", "
          "the version of this library");

  // An enumerator that this library does not know, or of which a file has the number.
  for (const auto& [name, spelt] : {std::pair{"sinh", "\"sinh\""}, std::pair{"2", "\"2\"   "}}) {
    CHECK(
        load_refusal(
            shape_mismatch,
            with("\"trainer.model.activation\":\"tanh\"", text("\"trainer.model.activation\":", spelt)),
            whole) ==
        text("gal::load_checkpoint: ", path, " does not fit: trainer.model.activation is \"", name,
             "\" in the file, which is none of identity, relu, tanh, sigmoid, gelu, silu; it is tanh here"));
  }

  // Numbers, where they lie.
  gal::safetensors_file file(path);
  std::uint64_t header = 0;
  std::memcpy(&header, good.data(), 8);
  const auto with_number = [&](const std::string& name, auto number) {
    std::string bad = good;
    std::memcpy(bad.data() + 8 + header + file.find(name)->begin, &number, sizeof number);
    std::ofstream(path, std::ios::binary) << bad;
    return path;
  };
  run<nn::mlp<double>, gal::adam<double>> fresh(small_mlp<double>(), gal::adam<double>(), data,
                                                {.hidden = {4}});
  run<nn::mlp<double>, gal::adam<double>> before(small_mlp<double>(), gal::adam<double>(), data,
                                                 {.hidden = {4}});
  const std::string begin = "gal::load_checkpoint: " + path + ": ";
  const double none = std::numeric_limits<double>::quiet_NaN();
  CHECK(load_refusal(malformed_data, with_number("trainer.model.2.bias", none), fresh) ==
        begin + "trainer.model.2.bias holds a NaN or an infinity; expected finite numbers");
  CHECK(load_refusal(malformed_data, with_number("trainer.optimizer.base_rate", none), fresh) ==
        begin + "trainer.optimizer.base_rate holds a NaN or an infinity; expected finite numbers");
  CHECK(load_refusal(malformed_data, with_number("trainer.optimizer.steps", std::int64_t{-1}), fresh) ==
        begin + "trainer.optimizer.steps is -1; expected 0 to 9223372036854775807");
  CHECK(load_refusal(malformed_data, with_number("batches.position", std::int64_t{24}), fresh) ==
        begin + "batches.position is 24; expected 0 to 23");
  bool flag = true;
  const auto flagged = [&](auto& visit) { visit("flag", flag); };
  gal::save_checkpoint(folder.file("flag"), flagged);
  std::string flags = contents(folder.file("flag"));
  flags[flags.size() - 8] = 2;
  std::ofstream(folder.file("flag"), std::ios::binary) << flags;
  CHECK(load_refusal(malformed_data, folder.file("flag"), flagged).ends_with("flag is 2; expected 0 to 1"));
  CHECK(load_refusal(malformed_data, with_number("trainer.features", std::int64_t{1} << 40), fresh)
            .starts_with(begin + "trainer.features is 1099511627776; expected 0 to "));
  CHECK(load_refusal(shape_mismatch, with_number("trainer.features", std::int64_t{3}), fresh)
            .find("trainer.adjuster.network.widths is 4, 4, 2 in the file, 6, 4, 3 here") !=
        std::string::npos);
  CHECK(gal::state_difference(fresh, before).empty());
}

TEST_CASE("a state that is not finite is not saved, and the file stays") {
  const scratch folder;
  const std::string path = folder.file("run");
  const auto data = samples<float>(5);
  run<nn::mlp<float>, gal::adam<float>> whole(small_mlp<float>(), gal::adam<float>(), data, {.hidden = {4}});
  whole.go(2);
  gal::save_checkpoint(path, whole);
  const std::string good = contents(path);
  whole.model.bias(1)(0, 0) = std::numeric_limits<float>::infinity();
  CHECK(refusal(non_finite,
                [&] {
                  gal::save_checkpoint(path, whole);
                  return 0;
                }) ==
        "gal: " + path +
            " was not written: trainer.model.2.bias holds a NaN or an infinity; expected finite numbers");
  CHECK(contents(path) == good);
}

TEST_CASE("the weights in a checkpoint are weights") {
  const scratch folder;
  const std::string path = folder.file("run");
  const auto data = samples<float>(5);
  run<nn::mlp<float>, gal::adam<float>> whole(small_mlp<float>(), gal::adam<float>(), data, {.hidden = {4}});
  whole.go(5);
  gal::save_checkpoint(path, whole);
  nn::mlp<float> model({5, 6, 2}, {.activation = nn::tanh, .seed = 9});
  gal::load_safetensors(path, model, {.prefix = "trainer.model."});
  CHECK(gal::state_difference(model, whole.model).empty());
}
