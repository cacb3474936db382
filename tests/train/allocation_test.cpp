// A step allocates nothing after the first of its size.

#include <gal/gal.hpp>

#include "counted_allocations.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdlib>
#include <new>
#include <span>
#include <vector>

namespace {

template <class T>
gal::matrix<T> ramp(gal::index_type rows, gal::index_type columns) {
  gal::matrix<T> result(rows, columns);
  for (gal::index_type i = 0; i < result.size(); ++i) {
    result.data()[i] = static_cast<T>(0.01 * static_cast<double>(i % 97) - 0.4);
  }
  return result;
}

/// Allocations of `steps` steps after the first.
template <class Trainer, class Input, class Target>
long allocations_after_first(Trainer& trainer, const Input& x, const Target& y, int steps = 5) {
  trainer.step(x, y);
  const long before = allocations;
  for (int k = 0; k < steps; ++k) {
    trainer.step(x, y);
  }
  return allocations - before;
}

}  // namespace

TEST_CASE("the counter counts every way to the heap") {
  // Of every way two, of which one is larger than any before.
  const auto check = [](auto allocate, auto release) {
    const long before = allocations;
    void* const memory = allocate(std::size_t{64});
    seen = memory;
    largest_allocation = 0;
    void* const more = allocate(std::size_t{4096});
    seen = more;
    CHECK(allocations - before == 2);
    CHECK(largest_allocation.load() == 4096);
    release(memory);
    release(more);
  };
  constexpr std::align_val_t aligned{64};
  check([](std::size_t size) { return operator new(size); }, [](void* p) { operator delete(p); });
  check([](std::size_t size) { return operator new[](size); }, [](void* p) { operator delete[](p); });
  check([](std::size_t size) { return operator new(size, std::nothrow); },
        [](void* p) { operator delete(p); });
  check([](std::size_t size) { return operator new(size, aligned); },
        [](void* p) { operator delete(p, aligned); });
  check([](std::size_t size) { return operator new(size, aligned, std::nothrow); },
        [](void* p) { operator delete(p, aligned); });
#ifdef GAL_TEST_COUNTS_MALLOC
  check([](std::size_t size) { return std::malloc(size); }, std::free);
  check([](std::size_t size) { return std::calloc(size / 8, 8); }, std::free);
  check([](std::size_t size) { return std::realloc(nullptr, size); }, std::free);
  check([](std::size_t size) { return std::aligned_alloc(64, size); }, std::free);
  check(
      [](std::size_t size) {
        void* memory = nullptr;
        return posix_memalign(&memory, 64, size) == 0 ? memory : nullptr;
      },
      std::free);
#endif

  const long before = allocations;
  const gal::matrix<float> matrix(100, 10);
  seen = matrix.data();
  CHECK(allocations - before == 1);
}

TEST_CASE_TEMPLATE("networks of every size step without allocating", T, float, double) {
  // The last is large enough that Eigen's own product would take its buffers from the heap.
  const std::vector<std::vector<gal::index_type>> networks{
      {13, 100, 50, 1}, {8, 256, 64, 1}, {300, 400, 300, 10}};
  for (const auto& widths : networks) {
    for (const gal::index_type samples : {32, 128}) {
      for (const auto& preset : {gal::paper(), gal::recommended()}) {
        gal::nn::mlp<T> model(widths, {.activation = gal::nn::gelu});
        gal::adam<T> optimizer({.clipping = {.norm = 5.0}});
        gal::adjust_options options = preset;
        options.normalisation = widths.back() == 1 ? gal::normalisation::gate : preset.normalisation;
        options.adjuster_steps = 3;
        gal::adjust trainer(model, optimizer, gal::mse(), options);
        CHECK(allocations_after_first(trainer, ramp<T>(widths.front(), samples),
                                      ramp<T>(widths.back(), samples)) == 0);
      }
    }
  }
}

TEST_CASE_TEMPLATE("nor do they without adjustment", T, float, double) {
  for (const auto& widths :
       {std::vector<gal::index_type>{13, 100, 50, 1}, {8, 256, 64, 1}, {300, 400, 300, 10}}) {
    gal::nn::mlp<T> model(widths);
    gal::adam<T> optimizer({.clipping = {.norm = 5.0}});
    gal::plain trainer(model, optimizer, gal::mse());
    const gal::matrix<T> x = ramp<T>(widths.front(), 64);
    const gal::matrix<T> y = ramp<T>(widths.back(), 64);
    CHECK(allocations_after_first(trainer, x, y) == 0);
    const long before = allocations;
    for (const gal::index_type samples : {10, 64, 1}) {
      trainer.step(x.view().columns(0, samples), y.view().columns(0, samples));
    }
    CHECK(allocations - before == 0);
  }
}

TEST_CASE("nor do they with a learning rate for every sample") {
  const gal::matrix<float> x = ramp<float>(8, 64);
  const gal::matrix<float> held_out = ramp<float>(8, 40);
  const std::vector<int> labels(64, 1);
  gal::nn::mlp<float> model({8, 32, 3}, {.activation = gal::nn::tanh});
  gal::adam<float> optimizer;
  gal::batches batches(x, labels, 20, 1);  // the last has four samples
  gal::instance_rates trainer(model, optimizer, gal::softmax_cross_entropy(), batches, held_out.view(),
                              std::vector<int>(40, 2));
  long before = 0;
  for (int epoch = 0; epoch < 3; ++epoch) {
    for (auto [inputs, targets] : batches) {
      trainer.step(inputs, targets);
      if (trainer.steps() == 1) {
        before = allocations;
      }
    }
  }
  CHECK(allocations - before == 0);
}

TEST_CASE("nor do they with an adjuster that learns from held-out samples") {
  const gal::matrix<float> held_out = ramp<float>(8, 40);
  gal::nn::mlp<float> model({8, 32, 3}, {.activation = gal::nn::tanh});
  gal::adam<float> optimizer;
  gal::held_out_adjust trainer(model, optimizer, gal::softmax_cross_entropy(), held_out.view(),
                               std::vector<int>(40, 2));
  CHECK(allocations_after_first(trainer, ramp<float>(8, 64), std::vector<int>(64, 1)) == 0);
}

TEST_CASE("nor do they with rewards for what was chosen") {
  const gal::dataset<float, int> data{ramp<float>(8, 64), gal::matrix<int>(1, 64, 1)};
  std::vector<gal::index_type> splits(64, 0);
  splits[5] = 1;
  const auto count = [&](auto make, std::int64_t first_steps) {
    gal::nn::mlp<float> model({8, 32, 3}, {.activation = gal::nn::tanh});
    gal::adam<float> optimizer;
    gal::choice_sampler sampler(2, {.seed = 1});
    gal::mixed_batches batches(data, splits, sampler, 20, 1);
    auto trainer = make(model, optimizer, sampler);
    long before = 0;
    for (int epoch = 0; epoch < 3; ++epoch) {
      for (auto [inputs, targets] : batches) {
        trainer.step(inputs, targets);
        if (trainer.steps() == first_steps) {
          before = allocations;
        }
      }
    }
    CHECK(sampler.probabilities()[0] != 0.5);
    return allocations - before;
  };
  const gal::softmax_cross_entropy loss;
  CHECK(count([&](auto& model, auto& optimizer,
                  auto& sampler) { return gal::alignment_reward(model, optimizer, loss, sampler); },
              2) == 0);
  const gal::matrix<float> held_out = ramp<float>(8, 40);
  CHECK(count(
            [&](auto& model, auto& optimizer, auto& sampler) {
              return gal::alignment_reward(model, optimizer, loss, sampler, held_out.view(),
                                           std::vector<int>(40, 2));
            },
            1) == 0);
}

TEST_CASE("neither do convolutional networks") {
  const gal::matrix<float> x = ramp<float>(3 * 15 * 17, 40);
  std::vector<int> labels(40, 1);
  for (const auto& layers :
       {gal::nn::lenet({3, 15, 17}, 10), gal::nn::resnet(8, 10), gal::nn::efficientnet(10)}) {
    gal::nn::cnn<float> model({3, 15, 17}, layers);
    gal::adam<float> optimizer;
    const auto check = [&](auto trainer) {
      CHECK(allocations_after_first(trainer, x, labels, 2) == 0);
      const long before = allocations;
      trainer.step(x.view().columns(0, 7), std::span<const int>(labels).first(7));
      trainer.step(x, labels);
      CHECK(allocations - before == 0);
    };
    check(gal::adjust(model, optimizer, gal::softmax_cross_entropy()));
    check(gal::plain(model, optimizer, gal::softmax_cross_entropy()));
  }
}

TEST_CASE("neither do other losses, optimizers and adjusters") {
  const gal::matrix<float> x = ramp<float>(6, 20);
  const std::vector<int> labels(20, 1);
  const auto count = [&](auto optimizer, gal::adjust_options options) {
    gal::nn::mlp<float> model({6, 9, 4});
    gal::adjust trainer(model, optimizer, gal::softmax_cross_entropy(), options);
    return allocations_after_first(trainer, x, labels, 12);
  };
  gal::adjust_options noise;
  noise.adjuster.kind = gal::adjuster_kind::normal;
  gal::adjust_options shared = gal::paper();
  shared.adjuster_steps = 4;
  CHECK(count(gal::sgd<float>({.momentum = 0.9}), noise) == 0);
  for (const auto& options : {gal::label_smoothing(0.1), gal::feature_decay(0.1), gal::mixed_features(0.1)}) {
    CHECK(count(gal::sgd<float>({.momentum = 0.9}), options) == 0);
  }
  CHECK(count(gal::lookahead(gal::rmsprop<float>(), {.k = 3}), shared) == 0);
  CHECK(count(gal::adabound<float>({.schedule = gal::linear_warm_up(5).then(gal::cosine_schedule(9))}), {}) ==
        0);

  gal::nn::mlp<float> scorer({6, 9, 4});
  gal::adam<float> adam;
  gal::adjust convolving(scorer, adam, gal::softmax_cross_entropy(), {},
                         gal::cnn_adjuster<float>({.channels = 1, .height = 1, .width = 4}));
  CHECK(allocations_after_first(convolving, x, labels) == 0);

  const gal::sample_loss squares([](auto sample, auto target, auto gradient) {
    double sum = 0.0;
    for (std::size_t i = 0; i < sample.size(); ++i) {
      const double r = sample[i] - static_cast<double>(target[i]);
      gradient[i] = 2 * r;
      sum += r * r;
    }
    return sum;
  });
  gal::nn::mlp<float> model({6, 9, 4});
  gal::adamw<float> optimizer;
  gal::adjust trainer(model, optimizer, squares);
  CHECK(allocations_after_first(trainer, x, ramp<float>(4, 20)) == 0);
}

TEST_CASE("a smaller batch, and the largest again, allocate nothing") {
  gal::nn::mlp<float> model({13, 100, 50, 1});
  gal::adam<float> optimizer;
  gal::adjust trainer(model, optimizer, gal::mse());
  const gal::matrix<float> x = ramp<float>(13, 64);
  const gal::matrix<float> y = ramp<float>(1, 64);
  trainer.step(x, y);
  const long before = allocations;
  for (const gal::index_type samples : {10, 64, 1, 33, 64}) {
    trainer.step(x.view().columns(0, samples), y.view().columns(0, samples));
  }
  CHECK(allocations - before == 0);
}

TEST_CASE("an epoch of batches allocates nothing") {
  const gal::matrix<float> x = ramp<float>(13, 100);
  const gal::matrix<float> y = ramp<float>(1, 100);
  gal::nn::mlp<float> model({13, 20, 1});
  gal::adam<float> optimizer;
  gal::adjust trainer(model, optimizer, gal::mse());
  gal::batches batches(x, y, 32, {.seed = 1});
  const auto epoch = [&] {
    for (const auto [features, targets] : batches) {
      trainer.step(features, targets);
    }
  };
  epoch();
  const long before = allocations;
  epoch();
  CHECK(allocations - before == 0);
}
