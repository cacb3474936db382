// A number that is in two parameter blocks would be stepped twice and saved twice: it is refused by name of both.
#include <gal/backends/eigen.hpp>
#include <gal/io/safetensors.hpp>
#include <gal/loss.hpp>
#include <gal/optim/lookahead.hpp>
#include <gal/optim/optimizers.hpp>
#include <gal/taylor/check_gradients.hpp>
#include <gal/train/adjust.hpp>

#include "scratch.hpp"
#include "testing.hpp"

#include <doctest/doctest.h>

#include <array>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace {

using gal::error_code;

// y = a x, of one number a; it lists what it is told to.
template <class T>
struct proportional {
  using input_type = gal::matrix<T>;
  using feature_type = gal::matrix<T>;
  using blocks = std::vector<gal::parameter<T>>;

  std::vector<T> a = std::vector<T>(4, T(2)), da = std::vector<T>(4, T(0));
  blocks (*list)(proportional&) = [](proportional& m) { return blocks{m.block(0, 0, 4)}; };
  feature_type x, y;

  gal::parameter<T> block(std::size_t value, std::size_t gradient, std::size_t count) {
    return {std::span(a).subspan(value, count), std::span(da).subspan(gradient, count)};
  }
  const feature_type& forward(const input_type& input) {
    x = y = input;
    for (gal::index_type i = 0; i < y.size(); ++i) {
      y.data()[i] *= a[0];
    }
    return y;
  }
  void backward(const feature_type& g) {
    for (gal::index_type i = 0; i < g.size(); ++i) {
      da[0] += g.data()[i] * x.data()[i];
    }
  }
  blocks parameters() { return list(*this); }
};

// A listing, and what is said of it.
template <class T>
struct listing {
  typename proportional<T>::blocks (*list)(proportional<T>&);
  std::string shared;  // by whom
};

template <class T>
std::array<listing<T>, 5> wrong_listings() {
  using model = proportional<T>;
  using blocks = typename model::blocks;
  return {{{[](model& m) {
              return blocks{m.block(0, 0, 4), m.block(0, 0, 4)};
            },
            "the value of parameter block 0 and the value of parameter block 1"},
           {[](model& m) {
              return blocks{m.block(0, 0, 1), m.block(1, 1, 1), m.block(1, 2, 2)};
            },
            "the value of parameter block 1 and the value of parameter block 2"},
           {[](model& m) {
              return blocks{m.block(0, 0, 3), m.block(3, 2, 1)};
            },
            "the gradient of parameter block 0 and the gradient of parameter block 1"},
           {[](model& m) {
              return blocks{m.block(2, 2, 2), m.block(0, 0, 3)};
            },
            "the value of parameter block 0 and the value of parameter block 1"},
           {[](model& m) {
              return blocks{{std::span(m.a).first(1), std::span(m.a).first(1)}};
            },
            "the value of parameter block 0 and the gradient of parameter block 0"}}};
}

constexpr const char* ending = " share memory; expected every number in one place";

}  // namespace

TEST_CASE_TEMPLATE("optimizers refuse blocks that overlap, before anything is done", T, float, double) {
  for (const listing<T>& wrong : wrong_listings<T>()) {
    proportional<T> model;
    model.list = wrong.list;
    model.da = {T(1), T(1), T(1), T(1)};
    const auto blocks = model.parameters();
    const std::span<const gal::parameter<T>> parameters(blocks);
    const auto check = [&](auto optimizer, const std::string& where) {
      for (int step = 0; step < 2; ++step) {  // the second time too
        CHECK(refusal(error_code::invalid_option, [&] {
                optimizer.step(parameters);
                return 0;
              }) == where + wrong.shared + ending);
      }
      CHECK(model.a == std::vector<T>(4, T(2)));
    };
    check(gal::sgd<T>(), "gal: the optimizer: ");
    check(gal::rmsprop<T>(), "gal: the optimizer: ");
    check(gal::adam<T>(), "gal: the optimizer: ");
    check(gal::adamw<T>(), "gal: the optimizer: ");
    check(gal::adabound<T>(), "gal: the optimizer: ");
    check(gal::lookahead(gal::sgd<T>()), "gal::lookahead: ");
  }
}

TEST_CASE_TEMPLATE("blocks may move, and are looked at anew", T, float, double) {
  proportional<T> model, moved;
  gal::sgd<T> optimizer({.learning_rate = 1.0});
  const std::array apart{model.block(0, 0, 2), model.block(2, 2, 2)};
  const std::array elsewhere{moved.block(0, 0, 2), moved.block(2, 2, 2)};
  const std::array tied{moved.block(0, 0, 2), moved.block(1, 2, 2)};
  model.da = moved.da = {T(1), T(1), T(1), T(1)};
  optimizer.step(apart);
  optimizer.step(elsewhere);
  CHECK(model.a == std::vector<T>(4, T(1)));
  CHECK(moved.a == std::vector<T>(4, T(1)));
  CHECK_THROWS_AS(optimizer.step(tied), gal::error);
  optimizer.step(elsewhere);
  CHECK(moved.a == std::vector<T>(4, T(0)));
  CHECK(optimizer.steps() == 3);
}

TEST_CASE_TEMPLATE("the trainer and check_gradients refuse them, whatever the optimizer", T, float, double) {
  struct descent {
    double learning_rate() const { return 0.1; }
    void step(std::span<const gal::parameter<T>> parameters) {
      for (const auto& block : parameters) {
        block.value[0] -= block.gradient[0];
      }
    }
  };
  const auto x = random_matrix<T>(2, 3, 1);
  for (const listing<T>& wrong : wrong_listings<T>()) {
    proportional<T> model;
    model.list = wrong.list;
    descent optimizer;
    gal::adjust trainer(model, optimizer, gal::mse{}, {.hidden = {}});
    for (int step = 0; step < 2; ++step) {
      CHECK(refusal(error_code::invalid_option, [&] {
              trainer.step(x, x);
              return 0;
            }) == "gal::adjust, the model: " + wrong.shared + ending);
    }
    CHECK(model.a == std::vector<T>(4, T(2)));
    CHECK(trainer.steps() == 0);
    CHECK(refusal(error_code::invalid_option, [&] {
            return gal::check_gradients(model, gal::mse{}, x, x).passed;
          }) == "gal::check_gradients: " + wrong.shared + ending);
  }
}

TEST_CASE("the adjuster's blocks are looked at too") {
  struct tied_adjuster {
    gal::matrix<double> h;
    std::vector<double> a = {1.0, 1.0}, da = {0.0, 0.0};
    gal::matrix_view<const double> forward(gal::matrix_view<const double> x) {
      h.assign(x);
      return std::as_const(h).view();
    }
    void backward(gal::matrix_view<const double>) {}
    std::array<gal::parameter<double>, 2> parameters() {
      return {gal::parameter<double>(a, da), gal::parameter<double>(a, da)};
    }
  };
  proportional<double> model;
  gal::sgd<double> optimizer;
  gal::adjust trainer(model, optimizer, gal::mse{}, {}, tied_adjuster{});
  const auto x = random_matrix(2, 3, 1);
  CHECK(refusal(error_code::invalid_option,
                [&] {
                  trainer.step(x, x);
                  return 0;
                }) ==
        std::string("gal::adjust, the adjuster: the value of parameter block 0 and the value of "
                    "parameter block 1") +
            ending);
}

TEST_CASE_TEMPLATE("weights that share memory are neither saved nor loaded", T, float, double) {
  const scratch folder;
  const std::string path = folder.file("weights.safetensors");
  proportional<T> model;
  model.list = [](proportional<T>& m) {
    return typename proportional<T>::blocks{m.block(0, 0, 1), m.block(1, 1, 1), m.block(0, 2, 1)};
  };
  CHECK(refusal(error_code::invalid_option, [&] {
          gal::save_safetensors(path, model);
          return 0;
        }) == std::string("gal::save_safetensors: 0 and 2") + ending);
  CHECK(folder.entries() == 0);
  proportional<T> apart;
  apart.list = [](proportional<T>& m) {
    return typename proportional<T>::blocks{m.block(0, 0, 1), m.block(1, 1, 1), m.block(2, 2, 1)};
  };
  gal::save_safetensors(path, apart);
  CHECK(refusal(error_code::invalid_option, [&] {
          gal::load_safetensors(path, model);
          return 0;
        }) == std::string("gal::load_safetensors: 0 and 2") + ending);
}
