// Every public enumeration has the names of its enumerators as text, and options refuse other numbers.
#include <gal/fit/fit.hpp>
#include <gal/gal.hpp>
#include <gal/io/state.hpp>

#include "enumerators.hpp"
#include "testing.hpp"

#include <doctest/doctest.h>

#include <array>
#include <string>
#include <string_view>
#include <type_traits>

namespace {

using gal::adjust_options;
using gal::detail::text;
using enum gal::error_code;

// product_precision is checked in backends/device.
static_assert(has_the_compilers_names<gal::error_code>());
static_assert(has_the_compilers_names<gal::transpose>());
static_assert(has_the_compilers_names<gal::last_batch>());
static_assert(has_the_compilers_names<gal::csv_header>());
static_assert(has_the_compilers_names<gal::cifar100_labels>());
static_assert(has_the_compilers_names<gal::nn::activation>());
static_assert(has_the_compilers_names<gal::nn::initialization>());
static_assert(has_the_compilers_names<gal::schedule::kind>());
static_assert(has_the_compilers_names<gal::number_type>());
static_assert(has_the_compilers_names<gal::adjuster_kind>());
static_assert(has_the_compilers_names<gal::normalisation>());
static_assert(has_the_compilers_names<gal::remainder_kind>());
static_assert(has_the_compilers_names<gal::objective>());
static_assert(has_the_compilers_names<gal::safeguard>());
static_assert(has_the_compilers_names<gal::decision>());
static_assert(has_the_compilers_names<gal::tentative_step>());
static_assert(has_the_compilers_names<gal::adjuster_input>());
static_assert(has_the_compilers_names<gal::adjuster_training>());
static_assert(has_the_compilers_names<gal::non_finite_policy>());
static_assert(has_the_compilers_names<gal::expansion_order>());
static_assert(has_the_compilers_names<gal::rate_update>());
static_assert(has_the_compilers_names<gal::curvature_kind>());
static_assert(has_the_compilers_names<gal::curvature_pass>());
static_assert(has_the_compilers_names<gal::stop_reason>());

enum class complete { first, second };
constexpr auto enumerator_names(complete) { return std::to_array<std::string_view>({"first", "second"}); }
enum class too_long { first, second };
constexpr auto enumerator_names(too_long) { return std::to_array<std::string_view>({"first"}); }
enum class misspelt { first, second };
constexpr auto enumerator_names(misspelt) { return std::to_array<std::string_view>({"first", "secnd"}); }
enum class too_short { first };
constexpr auto enumerator_names(too_short) { return std::to_array<std::string_view>({"first", "second"}); }
enum class nameless { first };

TEST_CASE("the check of the names finds what is wrong with them") {
  CHECK(has_the_compilers_names<complete>());
  CHECK_FALSE(has_the_compilers_names<too_long>());
  CHECK_FALSE(has_the_compilers_names<misspelt>());
  CHECK_FALSE(has_the_compilers_names<too_short>());
  CHECK_FALSE(gal::named_enumeration<nameless>);
  CHECK_FALSE(gal::named_enumeration<int>);
}

TEST_CASE("enumerators in messages and back") {
  CHECK(gal::to_string(complete::second) == "second");
  CHECK(text("it is ", complete::first, " and ", gal::nn::silu) == "it is first and silu");
  CHECK(gal::to_string(static_cast<complete>(2)) == "2");
  CHECK(gal::to_string(static_cast<complete>(-1)) == "-1");
  CHECK(gal::to_string(gal::schedule::kind::cosine) == "cosine");
  CHECK(gal::find_enumerator<gal::safeguard>("always") == gal::safeguard::always);
  CHECK_FALSE(gal::find_enumerator<gal::safeguard>("").has_value());
  CHECK_FALSE(gal::find_enumerator<gal::safeguard>("3").has_value());
}

TEST_CASE_TEMPLATE("options that are none of their enumeration are refused with the number", T, float,
                   double) {
  gal::nn::mlp<T> model({2, 3, 2});
  gal::sgd<T> optimizer;
  const auto adjusting = [&](auto change) {
    return refusal(invalid_option, [&] {
      adjust_options options;
      change(options);
      gal::adjust trainer(model, optimizer, gal::mse(), options);
      return 0;
    });
  };
  const auto seven = [](auto& option) { option = static_cast<std::decay_t<decltype(option)>>(7); };
  CHECK(adjusting([&](auto& o) { seven(o.safeguard); }) ==
        "gal::adjust_options: safeguard is 7; expected one of not_worse, better, not_worse_than_vanilla, "
        "always, "
        "never");
  CHECK(adjusting([&](auto& o) {
          o.safeguard = static_cast<gal::safeguard>(-1);
        }).find("safeguard is -1; expected one of") != std::string::npos);
  CHECK(adjusting([&](auto& o) { seven(o.normalisation); }) ==
        "gal::adjust_options: normalisation is 7; expected one of per_sample, per_batch, gate, "
        "sample_weight, additive");
  CHECK(
      adjusting([&](auto& o) { seven(o.remainder); }) ==
      "gal::adjust_options: remainder is 7; expected one of exact, mean_over_samples, mean_over_coordinates");
  CHECK(adjusting([&](auto& o) { seven(o.objective); }) ==
        "gal::adjust_options: objective is 7; expected one of remainder, tentative_loss");
  CHECK(adjusting([&](auto& o) { seven(o.decision); }) ==
        "gal::adjust_options: decision is 7; expected one of per_batch, per_sample");
  CHECK(adjusting([&](auto& o) { seven(o.tentative_step); }) ==
        "gal::adjust_options: tentative_step is 7; expected one of mean_gradient, sample_gradients");
  CHECK(adjusting([&](auto& o) { seven(o.input); }) ==
        "gal::adjust_options: input is 7; expected one of features, features_and_gradients, losses");
  CHECK(adjusting([&](auto& o) { seven(o.training); }) ==
        "gal::adjust_options: training is 7; expected one of model_optimizer, own_adam");
  CHECK(adjusting([&](auto& o) { seven(o.non_finite); }) ==
        "gal::adjust_options: non_finite is 7; expected one of skip, raise, ignore");
  CHECK(adjusting([&](auto& o) { o.adjuster.kind = static_cast<gal::adjuster_kind>(8); }) ==
        "gal::adjuster_options: kind is 8; expected one of learned, untrained, zero, uniform, normal, "
        "label_smoothing, "
        "feature_decay, mixed_features");
  CHECK(adjusting([&](auto& o) { seven(o.adjuster.activation); }) ==
        "gal::adjuster_options: activation is 7; expected one of identity, relu, tanh, sigmoid, gelu, silu");
  CHECK(adjusting([&](auto& o) { seven(o.adjuster.initialization); }) ==
        "gal::adjuster_options: initialization is 7; expected one of fan_in, xavier");

  const auto policy = static_cast<gal::non_finite_policy>(3);
  CHECK(refusal(invalid_option, [&] {
          gal::plain trainer(model, optimizer, gal::mse(), {.non_finite = policy});
          return 0;
        }) == "gal::plain: non_finite is 3; expected one of skip, raise, ignore");
  const auto activation = static_cast<gal::nn::activation>(6);
  CHECK(refusal(invalid_option,
                [&] {
                  return gal::nn::mlp<T>({2, 3, 2}, {.activation = activation}).widths();
                }) ==
        "gal::nn::mlp_options: activation is 6; expected one of identity, relu, tanh, sigmoid, gelu, silu");
  CHECK(refusal(invalid_option, [&] {
          return gal::nn::mlp<T>({2, 3, 2}, {.initialization = static_cast<gal::nn::initialization>(2)})
              .widths();
        }) == "gal::nn::mlp_options: initialization is 2; expected one of fan_in, xavier");
  CHECK(refusal(invalid_option,
                [&] {
                  return gal::nn::cnn<T>({1, 4, 4}, {gal::nn::flatten(), activation}).input_shape();
                }) ==
        "gal::nn::cnn: layer 1, activation: activation is 6; expected one of identity, relu, tanh, sigmoid, "
        "gelu, silu");
  CHECK(refusal(invalid_option, [&] {
          return gal::adjuster<T>({2, 2}, {.kind = static_cast<gal::adjuster_kind>(8)}).options();
        }).find("gal::adjuster_options: kind is 8; expected one of") == 0);
  CHECK(refusal(invalid_option, [&] {
          adjust_options options;
          seven(options.adjuster.initialization);
          return gal::cnn_adjuster<T>({1, 1, 4}, options).options();
        }).find("gal::adjuster_options: initialization is 7; expected one of") == 0);
  CHECK(
      refusal(invalid_option,
              [&] {
                gal::adjustment_map<T, gal::eigen_backend> map(static_cast<gal::normalisation>(5), 1.0, false,
                                                               {});
                return 0;
              }) ==
      "gal::adjustment_map: kind is 5; expected one of per_sample, per_batch, gate, sample_weight, additive");

  const auto x = random_matrix<T>(2, 4, 1);
  CHECK(refusal(invalid_option, [&] {
          gal::batches batches(x, x, 2, {.last_batch = static_cast<gal::last_batch>(2)});
          return 0;
        }) == "gal::batches: last_batch is 2; expected one of keep, drop");
}

TEST_CASE("readers refuse options that are none of their enumeration") {
  CHECK(refusal(invalid_option, [] {
          return gal::parse_csv("x\n1\n", {.header = static_cast<gal::csv_header>(3)});
        }) == "gal::csv_options: header is 3; expected one of automatic, yes, no");
  const std::string record(2 + 3 * 32 * 32, '\0');
  CHECK(refusal(invalid_option, [&] {
          return gal::parse_cifar100(record, static_cast<gal::cifar100_labels>(2));
        }) == "gal::parse_cifar100: labels is 2; expected one of fine, coarse");
}

}  // namespace
