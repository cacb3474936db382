// Comparisons of made-up methods, of which it is known which is better.
#include <gal/core/random.hpp>
#include <gal/stats/power.hpp>
#include <gal/study.hpp>

#include "enumerators.hpp"
#include "scratch.hpp"
#include "testing.hpp"

#include <doctest/doctest.h>

#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <limits>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

using doctest::Approx;
using gal::comparison_setting;
using gal::measures;
using gal::method;
using gal::trial;
using gal::trial_purpose;
using gal::verdict;
constexpr double infinity = std::numeric_limits<double>::infinity();

static_assert(has_the_compilers_names<gal::trial_purpose>());
static_assert(has_the_compilers_names<gal::comparison_setting>());
static_assert(has_the_compilers_names<gal::verdict>());

// A method whose test value is `value(trial)`; its step takes a second.
template <class Value>
method made_up(std::string name, Value value) {
  return {std::move(name), [value](const trial& t) {
            const double result = value(t);
            return measures{
                .validation = result, .test = result, .steps = t.budget, .seconds = double(t.budget)};
          }};
}

// One of several sequences of normal numbers over the seeds.
double noise(std::uint64_t sequence, const trial& t) { return gal::random_normal(sequence, t.seed); }

// All seeds share a part that is larger than everything else: only in pairs is something to be seen.
double shared(const trial& t) { return 50.0 + 10.0 * noise(100, t); }

// Best at 0.01.
double valley(const trial& t) { return std::pow(std::log10(t.learning_rate) + 2.0, 2); }

gal::compare_options one_rate(std::uint64_t first_seed, int seeds) {
  return {.learning_rates = {0.1},
          .budget = 10,
          .tuning_seeds = 1,
          .verdict_seeds = seeds,
          .first_seed = first_seed,
          .equal_time = false};
}

const gal::contrast& find(const gal::comparison_result& r, const std::string& name,
                          comparison_setting setting) {
  const auto found = std::ranges::find_if(
      r.contrasts, [&](const gal::contrast& c) { return c.method == name && c.setting == setting; });
  REQUIRE(found != r.contrasts.end());
  return *found;
}

bool warns(const gal::comparison_result& r, const std::string& what) {
  return std::ranges::any_of(r.warnings,
                             [&](const std::string& warning) { return warning.find(what) != warning.npos; });
}

// The same text exactly where all numbers have the same bits, but the time that a run took until it threw.
std::string bits(gal::comparison_result r) {
  for (gal::comparison_run& run : r.runs) {
    run.result.seconds = run.failure.empty() ? run.result.seconds : 0.0;
  }
  return to_json(r).dump();
}

// Three methods of which one is better at a smaller rate, one throws and one diverges now and then; all with a time of their
// own. `calls` counts.
std::vector<method> troubled(std::atomic<int>& calls) {
  const auto count = [&calls](auto value) {
    return [&calls, value](const trial& t) {
      ++calls;
      return value(t);
    };
  };
  return {made_up("plain", count([](const trial& t) { return shared(t) + valley(t) + 0.1 * noise(1, t); })),
          {"throws", count([](const trial& t) -> measures {
             if (t.seed % 5 == 0) {
               throw std::runtime_error("seed 5, \"five\"");
             }
             const double value = shared(t) + 0.1 * noise(2, t);
             return {.validation = value,
                     .test = value,
                     .seconds = 1.3 * double(t.budget),
                     .further = {{"twice, exactly", 2.0 * value}, {"none", infinity}}};
           })},
          {"diverges", count([](const trial& t) -> measures {
             const double value = t.learning_rate > 0.05 ? infinity : shared(t) + 0.1 * noise(3, t);
             return {.validation = value, .test = t.seed == 6 ? std::nan("") : value, .seconds = 1.0 / 3.0};
           })}};
}

// The error is least where the logarithms of rate and setting are -2 and `best`, and the best setting at another rate is another:
// a valley along a diagonal.
method tunable(std::string name, double best, std::uint64_t sequence, std::vector<double> settings) {
  method result = made_up(std::move(name), [=](const trial& t) {
    const double rate = std::log10(t.learning_rate) + 2.0;
    const double setting = std::log10(t.setting) - best;
    return shared(t) + 0.01 * noise(sequence, t) + std::pow(rate, 2) + 4.0 * std::pow(setting - rate, 2);
  });
  result.settings = std::move(settings);
  return result;
}

gal::compare_options troubled_options() {
  return {.title = "troubled",
          .learning_rates = {0.1, 0.001, 0.01},
          .budget = 10,
          .tuning_seeds = 2,
          .verdict_seeds = 5};
}

}  // namespace

TEST_CASE("without a difference p is uniform, and better is said too often in no more than 5 %") {
  constexpr int studies = 1000;
  const std::vector<method> methods = {made_up("a", [](const trial& t) { return shared(t) + noise(1, t); }),
                                       made_up("b", [](const trial& t) { return shared(t) + noise(2, t); })};
  std::vector<double> p;
  int better = 0;
  int worse = 0;
  int by_ranks = 0;
  for (std::uint64_t study = 0; study < studies; ++study) {
    const auto result = gal::compare(methods, one_rate(1 + 100 * study, 8));
    const gal::contrast& c = result.contrasts.front();
    p.push_back(c.t_test.p_value);
    better += c.verdict == verdict::better ? 1 : 0;
    worse += c.verdict == verdict::worse ? 1 : 0;
    by_ranks += c.corrected_signed_ranks < 0.05 ? 1 : 0;
    CHECK(c.corrected_t == c.t_test.p_value);  // one comparison, whatever the number of settings
  }
  std::ranges::sort(p);
  double distance = 0.0;
  for (std::size_t i = 0; i < p.size(); ++i) {
    distance = std::max({distance, p[i] - double(i) / studies, double(i + 1) / studies - p[i]});
  }
  CHECK(distance < 1.628 / std::sqrt(double(studies)));  // Kolmogorov's, at 1 %
  const double spread = 3.0 * std::sqrt(0.05 * 0.95 * studies);
  CHECK(better <= studies / 20);
  CHECK(worse <= studies / 20);
  CHECK(better + worse <= 0.05 * studies + spread);
  CHECK(better + worse >= 0.05 * studies - spread);
  CHECK(by_ranks <= 0.05 * studies + spread);
}

TEST_CASE(
    "several methods, rates and settings together say better or worse in no more than 5 % of the studies") {
  constexpr int studies = 500;
  std::vector<method> methods;
  for (std::uint64_t k = 1; k <= 4; ++k) {
    methods.push_back(made_up("method " + std::to_string(k), [k](const trial& t) {
      return shared(t) + gal::random_normal(k + 10 * static_cast<std::uint64_t>(t.budget), t.seed) +
             gal::random_normal(k + static_cast<std::uint64_t>(1000 * t.learning_rate) * 1000, t.seed);
    }));
  }
  // Another time, so that the baseline's longer runs are others.
  methods[1].run = [run = methods[1].run](const trial& t) {
    measures result = run(t);
    result.seconds *= 1.5;
    return result;
  };
  int wrong = 0;
  for (std::uint64_t study = 0; study < studies; ++study) {
    auto options = one_rate(1 + 100 * study, 6);
    options.learning_rates = {0.01, 0.1};
    options.equal_time = true;
    const auto result = gal::compare(methods, options);
    CHECK(result.contrasts.size() == 9);
    wrong += std::ranges::any_of(result.contrasts,
                                 [](const gal::contrast& c) {
                                   return c.verdict == verdict::better || c.verdict == verdict::worse;
                                 })
                 ? 1
                 : 0;
  }
  CHECK(wrong <= 0.05 * studies + 3.0 * std::sqrt(0.05 * 0.95 * studies));
}

TEST_CASE("a difference of one deviation is found as often as theory says") {
  constexpr int studies = 1000;
  const double half = std::sqrt(0.5);  // so that differences have deviation 1
  const std::vector<method> methods = {
      made_up("plain", [half](const trial& t) { return shared(t) + half * noise(1, t); }),
      made_up("ahead", [half](const trial& t) { return shared(t) + half * noise(2, t) - 1.0; })};
  const std::int64_t needed = gal::pairs_needed(1.0);
  for (const auto seeds : {needed, needed / 2}) {
    int better = 0;
    for (std::uint64_t study = 0; study < studies; ++study) {
      const auto result = gal::compare(methods, one_rate(1 + 100 * study, static_cast<int>(seeds)));
      const gal::contrast& c = result.contrasts.front();
      better += c.verdict == verdict::better ? 1 : 0;
      CHECK(c.verdict != verdict::worse);
      if (study < 20 && c.verdict == verdict::undecided) {
        CHECK(c.needed_seeds == gal::pairs_needed(c.t_test.effect_size));
        CHECK(*c.needed_seeds > seeds);
        CHECK(warns(result, std::to_string(*c.needed_seeds) + " seeds would be needed instead of " +
                                std::to_string(seeds)));
      }
    }
    const double power = gal::paired_t_test_power(1.0, seeds);
    CAPTURE(seeds);
    CHECK(std::abs(better / double(studies) - power) < 3.0 * std::sqrt(power * (1.0 - power) / studies));
  }
}

TEST_CASE("which runs are held against which") {
  // Errors fall with the budget; "fast" has its valley at 0.1 and takes a third of the time, "slow" twice of it.
  const auto error = [](double best, double factor) {
    return [=](const trial& t) {
      return shared(t) + factor * std::pow(std::log10(t.learning_rate / best), 2) + 100.0 / double(t.budget);
    };
  };
  const auto taking = [](double seconds, method m) {
    m.run = [seconds, run = m.run](const trial& t) {
      measures result = run(t);
      // One run that was disturbed does not move the median.
      result.seconds = (t.seed == 4 ? 100.0 : seconds) * double(t.budget);
      return result;
    };
    return m;
  };
  const auto result =
      gal::compare({taking(0.1, made_up("fast", error(0.1, 2.0))), made_up("plain", error(0.01, 1.0)),
                    taking(2.0, made_up("slow", error(0.01, 1.0)))},
                   {.baseline = "plain",
                    .learning_rates = {0.1, 1.0, 0.01, 0.001},
                    .budget = 50,
                    .tuning_seeds = 2,
                    .verdict_seeds = 4});
  CHECK(result.options.learning_rates == std::vector<double>{0.001, 0.01, 0.1, 1.0});
  CHECK(result.methods[0].best_rate == 0.1);
  CHECK(result.methods[1].best_rate == 0.01);
  CHECK(result.methods[1].seconds_per_step == 1.0);
  CHECK(result.methods[2].seconds_per_step == 2.0);
  CHECK(result.methods[0].validation_mean[3] - result.methods[0].validation_mean[2] == Approx(2.0));
  CHECK(result.contrasts.size() == 6);

  const auto& steps = find(result, "fast", comparison_setting::equal_steps);
  CHECK(steps.learning_rate == 0.01);
  CHECK(steps.baseline_rate == 0.01);
  CHECK(steps.baseline_budget == 50);
  CHECK(steps.seeds == std::vector<std::uint64_t>{3, 4, 5, 6});
  CHECK(steps.t_test.mean_difference == Approx(2.0));
  CHECK(steps.mean - steps.baseline_mean == Approx(2.0));
  CHECK(steps.verdict == verdict::worse);
  const auto& own = find(result, "fast", comparison_setting::own_rate);
  CHECK(own.learning_rate == 0.1);
  CHECK(own.baseline_rate == 0.01);
  CHECK(own.t_test.mean_difference == Approx(0.0));
  // A tenth of the time: the baseline has 5 steps, and its error is 100 / 5 instead of 100 / 50.
  const auto& time = find(result, "fast", comparison_setting::equal_time);
  CHECK(time.learning_rate == 0.1);
  CHECK(time.baseline_budget == 5);
  CHECK(time.t_test.mean_difference == Approx(-18.0));
  CHECK(time.verdict == verdict::better);
  CHECK(time.relative(time.t_test.mean_difference) == Approx(-18.0 / time.baseline_mean));
  CHECK(find(result, "slow", comparison_setting::equal_time).baseline_budget == 100);
  CHECK(find(result, "slow", comparison_setting::equal_time).t_test.mean_difference == Approx(1.0));
  // The best rate of "slow" is the baseline's: both settings are the same runs, and one comparison of the study.
  CHECK(find(result, "slow", comparison_setting::equal_steps).differences ==
        find(result, "slow", comparison_setting::own_rate).differences);
  CHECK_FALSE(warns(result, "of the grid"));
  // 3 x 4 x 2 for choosing; 4 of plain, 2 x 4 of fast, 4 of slow; 2 x 4 in equal time.
  CHECK(result.runs.size() == 24 + 16 + 8);
}

TEST_CASE("a measure of which more is better") {
  const std::vector<method> methods = {
      made_up("plain", [](const trial& t) { return shared(t) - valley(t) + 0.1 * noise(1, t); }),
      made_up("higher", [](const trial& t) { return shared(t) - valley(t) + 0.1 * noise(2, t) + 1.0; })};
  auto options = one_rate(1, 6);
  options.learning_rates = {0.001, 0.01, 0.1};
  options.larger_is_better = true;
  const auto result = gal::compare(methods, options);
  CHECK(result.methods[0].best_rate == 0.01);
  CHECK(result.contrasts.front().t_test.mean_difference > 0.0);
  CHECK(result.contrasts.front().verdict == verdict::better);
}

TEST_CASE("level is what lies within the margin, whichever way") {
  const std::vector<method> methods = {
      made_up("plain", [](const trial& t) { return 100.0 + 0.2 * noise(1, t); }),
      made_up("like it", [](const trial& t) { return 100.0 + 0.2 * noise(2, t); })};
  auto options = one_rate(1, 20);
  const auto result = gal::compare(methods, options);
  const gal::contrast& c = result.contrasts.front();
  REQUIRE(c.corrected_t > 0.05);
  CHECK(std::max(-c.t_test.low, c.t_test.high) < 0.01 * c.baseline_mean);
  CHECK(c.verdict == verdict::level);
  CHECK_FALSE(c.needed_seeds);
  options.margin = 0.99 * std::max(-c.t_test.low, c.t_test.high) / c.baseline_mean;
  CHECK(gal::compare(methods, options).contrasts.front().verdict == verdict::undecided);
  // The same numbers are level with themselves, also around 0.
  const auto zero = [](const trial&) { return 0.0; };
  CHECK(gal::compare({made_up("a", zero), made_up("b", zero)}, options).contrasts.front().verdict ==
        verdict::level);
}

TEST_CASE("a learning rate at the end of the grid, and those at which runs are lost") {
  const auto slope = [](const trial& t) { return t.learning_rate + shared(t); };
  // The smallest is the best, but one of its two runs diverges.
  const auto risky = [](const trial& t) {
    return t.learning_rate < 0.02 && t.seed == 2 ? std::nan("") : t.learning_rate + shared(t);
  };
  // One run of the middle is lost, and both of the others.
  const auto riskier = [](const trial& t) {
    return t.learning_rate != 0.1 || t.seed == 2 ? infinity : shared(t);
  };
  auto options = one_rate(1, 3);
  options.tuning_seeds = 2;
  options.learning_rates = {0.01, 0.1, 1.0};
  const auto result =
      gal::compare({made_up("falls", [&](const trial& t) { return -slope(t); }), made_up("slope", slope),
                    made_up("risky", risky), made_up("riskier", riskier)},
                   options);
  CHECK(result.methods[0].best_rate == 1.0);
  CHECK(warns(result, "falls: its best learning rate, 1, is the largest of the grid"));
  CHECK(result.methods[1].best_rate == 0.01);
  CHECK(warns(result, "slope: its best learning rate, 0.01, is the smallest of the grid"));
  CHECK(result.methods[2].best_rate == 0.1);
  CHECK(result.methods[2].lost == std::vector<std::size_t>{1, 0, 0});
  CHECK(warns(result, "risky: of the runs for choosing a learning rate 1 of 6 gave no finite number"));
  CHECK(result.methods[3].best_rate == 0.1);
  CHECK(warns(result, "riskier: of the runs for choosing a learning rate 5 of 6 gave no finite number"));
}

TEST_CASE("a method's setting is chosen together with its learning rate") {
  const auto plain = made_up("plain", [](const trial& t) {
    CHECK(std::isnan(t.setting));
    return shared(t) + 0.01 * noise(1, t) + std::pow(std::log10(t.learning_rate) + 3.0, 2);
  });
  const std::vector<method> methods = {plain, tunable("tunable", 0.0, 2, {1.0, 0.01, 10.0, 0.1}),
                                       tunable("edge", 3.0, 3, {0.1, 1.0, 10.0}),
                                       tunable("pair", 0.0, 4, {1.0, 10.0})};
  auto options = one_rate(1, 8);
  options.learning_rates = {1e-4, 1e-3, 1e-2, 1e-1};
  options.tuning_seeds = 2;
  options.equal_time = true;
  const auto result = gal::compare(methods, options);
  CHECK(std::isnan(result.methods[0].best_setting));
  CHECK(result.methods[0].settings.empty());
  CHECK(result.methods[0].mean_by_setting.empty());
  const gal::method_summary& found = result.methods[1];
  CHECK(found.settings == std::vector<double>{0.01, 0.1, 1.0, 10.0});
  CHECK(found.best_rate == 1e-2);
  CHECK(found.best_setting == 1.0);
  CHECK(found.setting_at_rate == std::vector<double>{0.01, 0.1, 1.0, 10.0});
  REQUIRE(found.mean_by_setting.size() == 4);
  CHECK(found.validation_mean[1] == found.mean_by_setting[1][1]);
  CHECK(found.mean_by_setting[2][1] - found.mean_by_setting[2][2] == Approx(5.0).epsilon(0.02));
  // At the baseline's rate with the setting that is best there; at its own with that of the best pair.
  const auto& steps = find(result, "tunable", comparison_setting::equal_steps);
  CHECK(steps.learning_rate == 1e-3);
  CHECK(steps.method_setting == 0.1);
  CHECK(std::isnan(steps.baseline_setting));
  CHECK(steps.t_test.mean_difference == Approx(1.0).epsilon(0.05));
  CHECK(steps.verdict == verdict::worse);
  const auto& own = find(result, "tunable", comparison_setting::own_rate);
  CHECK(own.learning_rate == 1e-2);
  CHECK(own.method_setting == 1.0);
  CHECK(std::abs(own.t_test.mean_difference) < 0.05);
  // 4 x 2 of plain and 4 x 2 for every setting; 8 seeds of plain and 2 x 8 of others, whose steps take as long as plain's.
  CHECK(result.runs.size() == 8 + 8 * (4 + 3 + 2) + 8 + 3 * 16);

  CHECK_FALSE(warns(result, "tunable: its best"));
  CHECK(warns(result, "edge: its best setting, 10, is the largest of the list; one beyond may be better"));
  CHECK_FALSE(warns(result, "pair: its best setting"));

  // Where all is lost at the baseline's rate, the best of all; one rate, and settings alone; 0 is a natural end.
  const auto limited = [](const trial& t) {
    return t.learning_rate < 5e-3 ? infinity : shared(t) + t.setting * (1.0 + t.learning_rate);
  };
  method fragile = made_up("fragile", limited);
  fragile.settings = {0.0, 1.0, 2.0};
  const auto lost = gal::compare({plain, fragile}, options);
  CHECK(lost.methods[1].setting_at_rate == std::vector<double>(4, 0.0));
  CHECK(lost.contrasts.front().method_setting == 0.0);
  CHECK(lost.contrasts.front().lost == 8);
  CHECK(warns(
      lost,
      "fragile: of the runs for choosing a learning rate and a setting 12 of 24 gave no finite number"));
  CHECK(warns(lost, "fragile: of the runs for the verdict at learning rate 0.001, setting 0 8 of 8"));
  CHECK_FALSE(warns(lost, "fragile: its best setting"));
  auto single = one_rate(1, 8);
  single.learning_rates = {1e-2};
  const auto alone = gal::compare({methods[1], plain}, single);
  CHECK(alone.methods[0].best_setting == 1.0);
  CHECK(alone.methods[0].validation_mean.size() == 1);
  CHECK(alone.methods[1].validation_mean.empty());
  CHECK(alone.contrasts.front().baseline_setting == 1.0);
  CHECK(alone.runs.size() == 4 + 8 + 8);
  // Of a measure of which more is better, the other end.
  options.larger_is_better = true;
  CHECK(gal::compare({plain, fragile}, options).methods[1].best_setting == 2.0);
}

TEST_CASE("a comparison with settings goes on from its ledger, shows them, and refuses other lists") {
  using enum gal::error_code;
  const scratch folder;
  std::atomic<int> calls = 0;
  std::vector<method> methods = {
      made_up("plain", [&](const trial& t) { return ++calls, shared(t) + valley(t); }),
      tunable("tunable", 0.0, 2, {1.0, 0.1, 10.0})};
  methods[1].run = [&calls, run = methods[1].run](const trial& t) {
    ++calls;
    measures result = run(t);
    result.seconds *= 1.5;
    return result;
  };
  methods[0].settings = {0.5};
  auto options = troubled_options();
  const std::string whole = bits(gal::compare(methods, options));
  options.ledger = folder.file("ledger.jsonl");
  calls = 0;
  const auto result = gal::compare(methods, options);
  CHECK((bits(result) == whole));
  const int all = calls;
  const std::string ledger = contents(options.ledger);
  std::size_t made = 0;  // lines that are left
  for (std::size_t end = ledger.find('\n') + 1; end != 0; end = ledger.find('\n', end) + 1, ++made) {
    for (const std::size_t size : {end, std::min(ledger.size(), end + 30)}) {
      std::ofstream(options.ledger, std::ios::binary | std::ios::trunc) << ledger.substr(0, size);
      calls = 0;
      options.threads = 1 + static_cast<int>(made % 3);
      CHECK((bits(gal::compare(methods, options)) == whole));
      CHECK(calls == all - static_cast<int>(made));
    }
  }
  CHECK(made == static_cast<std::size_t>(all) + 1);

  calls = 0;
  const std::string kept = contents(options.ledger);
  auto others = methods;
  others[1].settings = {10.0, 1.0, 0.1};  // in another order
  static_cast<void>(gal::compare(others, options));
  CHECK(calls == 0);
  others[1].settings.push_back(100.0);
  CHECK(refusal(shape_mismatch, [&] { return gal::compare(others, options); }) ==
        "gal::compare: the ledger " + options.ledger +
            " is of another comparison: its settings is [[0.5],[0.1,1.0,10.0]], and this one's "
            "[[0.5],[0.1,1.0,10.0,100.0]]; expected a ledger of its own");
  CHECK(contents(options.ledger) == kept);
  std::string old = kept;
  old.replace(old.find("compare 2"), 9, "compare 1");
  std::ofstream(options.ledger, std::ios::binary | std::ios::trunc) << old;
  CHECK(refusal(malformed_data, [&] { return gal::compare(methods, options); }) ==
        "gal::compare: the ledger " + options.ledger +
            " has the layout \"gal::compare 1\", as another version of the library wrote it, and not "
            "\"gal::compare 2\"; expected a file that is not there yet");

  CHECK(gal::text_table(result).find(
            "against plain, its best learning rate 0.01 of 3 from 0.001 to 0.1, chosen "
            "with 2 seeds, with its setting 0.5;") != std::string::npos);
  CHECK(gal::text_table(result).find("learning rate  setting ") != std::string::npos);
  CHECK(gal::csv_text(result).find("\ntunable,choosing,0.01,0.1,10,1,") != std::string::npos);
  const auto json = to_json(result);
  CHECK(json["methods"][1]["best_setting"] == 1.0);
  CHECK(json["methods"][1]["mean_by_setting"][2].size() == 3);
  CHECK(json["contrasts"][0]["method_setting"] == 1.0);
  CHECK(json["runs"][0]["setting"] == 0.5);
  const std::string page = gal::comparison_page(result).text();
  for (const char* part :
       {"at each rate with the best setting", "Settings, by validation", "<td>1, the best</td>"}) {
    CAPTURE(part);
    CHECK(page.find(part) != std::string::npos);
  }
}

TEST_CASE("a run that throws or diverges is reported, and its pair left out") {
  std::atomic<int> calls = 0;
  const auto result = gal::compare(troubled(calls), troubled_options());
  const auto& c = find(result, "throws", comparison_setting::own_rate);
  CHECK(c.seeds == std::vector<std::uint64_t>{3, 4, 6, 7});
  CHECK(c.lost == 1);
  CHECK(c.baseline_lost == 0);
  CHECK(warns(result,
              "throws: of the runs for the verdict at learning rate 0.01 1 of 5 threw (seed 5, learning "
              "rate 0.01: \"seed 5, \"five\"\"); their pairs are left out"));
  const auto& d = find(result, "diverges", comparison_setting::own_rate);
  CHECK(d.seeds == std::vector<std::uint64_t>{3, 4, 5, 7});
  CHECK(warns(result, "1 of 5 gave no finite number"));
  CHECK(result.methods[2].best_rate != 0.1);
  const auto failed =
      std::ranges::count_if(result.runs, [](const auto& run) { return !run.failure.empty(); });
  CHECK(failed >= 1);

  // Nothing is said in favour of who lost more.
  const auto fragile = [](double gain) {
    return made_up("fragile", [gain](const trial& t) {
      if (t.seed == 5) {
        throw 1;  // no std::exception
      }
      return shared(t) - gain + 0.01 * noise(1, t);
    });
  };
  const method sound = made_up("sound", [](const trial& t) { return shared(t) + 0.01 * noise(2, t); });
  const auto judged = [&](const std::vector<method>& methods) {
    return gal::compare(methods, one_rate(1, 8)).contrasts.front();
  };
  CHECK(judged({sound, fragile(1.0)}).corrected_t < 0.001);
  CHECK(judged({sound, fragile(1.0)}).verdict == verdict::undecided);
  CHECK(judged({sound, fragile(0.0)}).verdict == verdict::undecided);
  CHECK(judged({sound, fragile(-1.0)}).verdict == verdict::worse);
  CHECK(judged({fragile(1.0), sound}).verdict == verdict::undecided);
  CHECK(judged({fragile(-1.0), sound}).verdict == verdict::better);
  CHECK(warns(gal::compare({sound, fragile(0.0)}, one_rate(1, 8)), "an exception that is no std::exception"));

  // Where one pair is left, or none, there is nothing to test.
  const auto broken = [](const trial& t) { return t.seed == 3 ? 1.0 : std::nan(""); };
  const auto alone = judged({sound, made_up("broken", broken)});
  CHECK(alone.seeds == std::vector<std::uint64_t>{3});
  CHECK(alone.verdict == verdict::undecided);
  CHECK(alone.corrected_t == 1.0);
  CHECK(std::isnan(alone.t_test.low));
  const auto nothing = judged({sound, made_up("broken", [](const trial&) { return infinity; })});
  CHECK(nothing.seeds.empty());
  CHECK(std::isnan(nothing.mean));
  auto timed = one_rate(1, 8);
  timed.equal_time = true;
  const auto no_time = gal::compare({sound, made_up("broken", [](const trial&) { return infinity; })}, timed);
  CHECK(no_time.contrasts.size() == 2);
  CHECK(
      warns(no_time, "broken: its steps took nan seconds and the baseline's 1: no comparison in equal time"));
}

TEST_CASE("any number of threads gives the same bits") {
  std::atomic<int> calls = 0;
  auto options = troubled_options();
  const std::string one = bits(gal::compare(troubled(calls), options));
  const int made = calls;
  for (const int threads : {2, 4, 100}) {
    options.threads = threads;
    calls = 0;
    CHECK((bits(gal::compare(troubled(calls), options)) == one));
    CHECK(calls == made);
  }
}

TEST_CASE("a comparison that was killed goes on from its ledger, and gives the same bits") {
  const scratch folder;
  const std::string path = folder.file("ledger.jsonl");
  std::atomic<int> calls = 0;
  auto options = troubled_options();
  options.ledger = path;
  const std::string whole = bits(gal::compare(troubled(calls), options));
  const int all = calls;
  CHECK((whole == bits(gal::compare(troubled(calls), troubled_options()))));
  const std::string ledger = contents(path);
  std::vector<std::size_t> ends;  // of the lines
  for (std::size_t at = ledger.find('\n'); at != ledger.npos; at = ledger.find('\n', at + 1)) {
    ends.push_back(at + 1);
  }
  REQUIRE(ends.size() == static_cast<std::size_t>(all) + 1);
  for (std::size_t k = 0; k <= ends.size(); ++k) {
    const std::size_t begin = k == 0 ? 0 : ends[k - 1];
    const std::size_t end = k == ends.size() ? begin : ends[k];
    for (const std::size_t size : {begin, begin + (end - begin) / 2, end - (end > begin ? 1 : 0)}) {
      std::ofstream(path, std::ios::binary | std::ios::trunc) << ledger.substr(0, size);
      calls = 0;
      options.threads = 1 + static_cast<int>(k % 3);
      CHECK((bits(gal::compare(troubled(calls), options)) == whole));
      CHECK(calls == all - static_cast<int>(k == 0 ? 0 : k - 1));
      const std::string again = contents(path);
      CHECK(again.ends_with('\n'));
      CHECK(std::ranges::count(again, '\n') == all + 1);
    }
  }

  // Stopped from within, as by a signal.
  std::filesystem::remove(path);
  int reports = 0;
  options.threads = 2;
  options.progress = [&](const gal::comparison_progress& progress) {
    CHECK(progress.done <= progress.expected);
    CHECK(progress.seconds_left >= 0.0);
    if (++reports == 10) {
      throw std::runtime_error("stop");
    }
  };
  calls = 0;
  CHECK_THROWS_WITH(static_cast<void>(gal::compare(troubled(calls), options)), "stop");
  CHECK(calls < all);
  const int before = calls;
  std::size_t left = 1;
  options.progress = [&](const gal::comparison_progress& progress) {
    reports = static_cast<int>(progress.done);
    left = progress.expected - progress.done;
  };
  CHECK((bits(gal::compare(troubled(calls), options)) == whole));
  CHECK(calls == all);
  CHECK(before >= 10);
  CHECK(reports == all);
  CHECK(left == 0);
}

TEST_CASE("a ledger of something else is refused before the first run, and left as it is") {
  using enum gal::error_code;
  const scratch folder;
  const std::string path = folder.file("ledger.jsonl");
  std::atomic<int> calls = 0;
  auto options = troubled_options();
  options.ledger = path;
  static_cast<void>(gal::compare(troubled(calls), options));
  const std::string ledger = contents(path);
  calls = 0;
  const auto refused = [&](gal::error_code code, const gal::compare_options& o) {
    const std::string message = refusal(code, [&] { return gal::compare(troubled(calls), o); });
    CHECK(calls == 0);
    return message;
  };
  auto other = options;
  other.budget = 11;
  CHECK(refused(shape_mismatch, other) ==
        "gal::compare: the ledger " + path +
            " is of another comparison: its budget is 10, and this one's 11; "
            "expected a ledger of its own");
  other = options;
  other.title = "\xff another";
  CHECK(refused(shape_mismatch, other).find("its title is \"troubled\"") != std::string::npos);
  other = options;
  other.learning_rates.push_back(1.0);
  CHECK(refused(shape_mismatch, other).find("its learning_rates is [0.001,0.01,0.1]") != std::string::npos);
  other = options;
  other.baseline = "throws";
  CHECK(refused(shape_mismatch, other).find("its baseline is \"plain\"") != std::string::npos);
  CHECK(contents(path) == ledger);
  // What decides no run may change.
  other = options;
  other.level = 0.9;
  other.margin = 0.5;
  other.measure = "loss";
  static_cast<void>(gal::compare(troubled(calls), other));
  CHECK(calls == 0);

  const auto put = [&](const std::string& text) { std::ofstream(path, std::ios::binary) << text; };
  for (const std::string foreign : {"a letter", "a letter\nof two lines\n", "[1, 2]\n", "{\"x\": 1}\n"}) {
    put(foreign);
    CHECK(refused(malformed_data, options) ==
          "gal::compare: " + path +
              " is no ledger of a comparison; expected one, or a file that is not there yet");
    CHECK(contents(path) == foreign);
  }
  const std::size_t second = ledger.find('\n') + 1;
  put(ledger.substr(0, second) + "{}\n" + ledger.substr(second));
  CHECK(refused(malformed_data, options) ==
        "gal::compare: line 2 of the ledger " + path +
            " is no run; expected one a line, of which only the last may be "
            "torn");

  other.ledger = folder.file("missing/ledger.jsonl");
  CHECK(refused(unreadable_file, other) ==
        "gal::compare: cannot write the ledger " + other.ledger + ": No such file or directory");
  other.ledger = folder.path.string();
  CHECK(refused(unreadable_file, other) ==
        "gal::compare: cannot write the ledger " + other.ledger + ": Is a directory");

  put(ledger);
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  REQUIRE(::flock(file, LOCK_EX) == 0);
  CHECK(refused(unreadable_file, options) ==
        "gal::compare: the ledger " + path + " is in use by another process");
  ::close(file);
}

TEST_CASE("the library measures the time of the thread") {
  const auto work = [](int rounds) {
    return method{"works " + std::to_string(rounds), [rounds](const trial& t) {
                    double x = 1.0;
                    for (int k = 0; k < 100'000 * rounds; ++k) {
                      x = std::sqrt(x + static_cast<double>(t.seed));
                    }
                    return measures{.validation = x, .test = x};
                  }};
  };
  auto options = one_rate(1, 5);
  options.equal_time = true;
  options.threads = 2;
  const auto result = gal::compare({work(1), work(8)}, options);
  const auto budget = find(result, "works 8", comparison_setting::equal_time).baseline_budget;
  CHECK(budget > 40);  // 80, were the clock exact
  CHECK(budget < 160);
  CHECK(result.runs.front().result.steps == 10);  // the budget, where nothing is said
}

TEST_CASE("what a comparison looks like") {
  std::atomic<int> calls = 0;
  const auto result = gal::compare(troubled(calls), troubled_options());
  const std::string table = gal::text_table(result);
  CHECK(table.starts_with(
      "troubled\nerror, smaller is better; against plain, its best learning rate 0.01 of 3 from "
      "0.001 to 0.1, chosen with 2 seeds; 5 fresh seeds for the verdict\n\nmethod "));
  CHECK(table.find("95 % interval") != std::string::npos);
  CHECK(table.find("\ndiverges  own rate ") != std::string::npos);
  CHECK(table.find("\nwarning: throws: ") != std::string::npos);

  std::istringstream csv(gal::csv_text(result));
  std::string line;
  std::getline(csv, line);
  CHECK(line ==
        "method,purpose,learning_rate,setting,budget,seed,validation,test,steps,seconds,failure,"
        "\"twice, exactly\",none");
  std::size_t lines = 0;
  bool has_failure = false;
  bool has_gap = false;
  while (std::getline(csv, line)) {
    ++lines;
    has_failure = has_failure || line.ends_with(",\"seed 5, \"\"five\"\"\",,");
    has_gap = has_gap || (line.starts_with("diverges,verdict,") && line.find(",6,") != line.npos &&
                          line.find(",,") != line.npos);
  }
  CHECK(lines == result.runs.size());
  CHECK(has_failure);
  CHECK(has_gap);

  const auto json = nlohmann::json::parse(to_json(result).dump());
  CHECK(json["contrasts"].size() == result.contrasts.size());
  CHECK(json["contrasts"][1]["mean_difference"] == result.contrasts[1].t_test.mean_difference);
  CHECK(json["contrasts"][1]["verdict"] == to_string(result.contrasts[1].verdict));
  CHECK(json["runs"].size() == result.runs.size());
  const auto run = std::ranges::find_if(
      result.runs, [](const auto& r) { return r.method == "throws" && r.failure.empty(); });
  const auto& of_run = json["runs"][static_cast<std::size_t>(run - result.runs.begin())];
  CHECK(of_run["further"]["twice, exactly"] == 2.0 * run->result.test);
  CHECK(of_run["further"]["none"].is_null());
  CHECK(json["methods"][2]["validation_mean"][2].is_null());

  const scratch folder;
  gal::write_page(result, folder.file("page.html"));
  const std::string page = contents(folder.file("page.html"));
  for (const char* part : {"<h1>troubled</h1>", "Validation over learning rates", "Differences, equal time",
                           "<dt>throws, own rate</dt>", "<td>own rate</td>", "Warnings"}) {
    CAPTURE(part);
    CHECK(page.find(part) != std::string::npos);
  }
  CHECK(gal::comparison_page("two", {result, result}).text().find("<h2>troubled: error, smaller") !=
        std::string::npos);
  // One rate: no curves over it.
  const auto small = gal::compare(troubled(calls), one_rate(1, 3));
  CHECK(gal::comparison_page(small).text().find("Validation over learning rates") == std::string::npos);
  CHECK(gal::text_table(small).find("against plain, learning rate 0.1; 3 fresh seeds") != std::string::npos);
  // With one rate own rates are equal steps: once is enough.
  CHECK(gal::text_table(small).find("equal steps") != std::string::npos);
  CHECK(gal::text_table(small).find("own rate") == std::string::npos);
  CHECK(gal::comparison_page(small).text().find("own rate") == std::string::npos);
  // What a run has come to that diverged.
  CHECK(gal::detail::signed_text(1.5e9) == "+1.5e+09");
  CHECK(gal::detail::signed_text(-12.5) == "-12.50");
}

TEST_CASE("pictures of a comparison") {
  std::atomic<int> calls = 0;
  auto options = troubled_options();
  options.title = "it's troubled";
  std::vector<method> methods = troubled(calls);
  methods.push_back(made_up("far off", [](const trial& t) { return 30.0 * shared(t) + noise(4, t); }));
  methods.back().settings = {2.0};
  const auto result = gal::compare(methods, options);
  const scratch folder;
  const auto drawn = [&](const auto& comparison, const char* name) {
    const bool done = gal::write_pictures(comparison, folder.path.string(), name);
    CHECK(done == gal::gnuplot::find().has_value());
    for (const char* which : {"_differences", "_rates"}) {
      const std::string file = std::string(name) + which;
      const bool is_there = std::filesystem::exists(folder.path / (file + ".png"));
      CHECK(is_there == done);
      CHECK((!is_there || contents((folder.path / (file + ".png")).string()).starts_with("\x89PNG\r\n")));
    }
    return contents(folder.file((std::string(name) + "_differences.gp").c_str()));
  };
  const std::string script = drawn(result, "here");
  for (const char* part :
       {"set title 'it''s troubled'", "'throws' 0, 'diverges' -1, 'far off' -2", " % →'", "title 'own rate'",
        "title 'equal time'", "'← better      error: difference to plain"}) {
    CAPTURE(part);
    CHECK(script.find(part) != std::string::npos);
  }
  // A row is the difference in percent, its place, the interval, and an open point where nothing is said.
  const gal::contrast& own = find(result, "throws", comparison_setting::own_rate);
  const std::size_t row = script.find("$own_rate << END\n") + 17;
  CHECK(std::stod(script.substr(row)) == Approx(100.0 * own.relative(own.t_test.mean_difference)));
  CHECK(script.substr(row, script.find('\n', row) - row)
            .ends_with(own.verdict == verdict::undecided ? ",6" : ",7"));
  const std::string rates = contents(folder.file("here_rates.gp"));
  CHECK(rates.find("set title 'far off, setting 2'") != std::string::npos);
  CHECK(rates.find("0.1,NaN,NaN\n") != std::string::npos);  // where "diverges" does
  CHECK(script == drawn(nlohmann::ordered_json::parse(to_json(result).dump()), "here"));
  CHECK(folder.entries() == (gal::gnuplot::find() ? 4 : 2));

  // One rate, nothing to show but that a run has no number, and no gnuplot.
  const method broken = made_up("broken", [](const trial&) { return infinity; });
  const auto small = gal::compare({made_up("plain", shared), broken}, one_rate(1, 3));
  const std::string path = std::getenv("PATH");
  ::setenv("PATH", "/nowhere", 1);
  CHECK_FALSE(gal::write_pictures(small, folder.path.string(), "small"));
  ::setenv("PATH", path.c_str(), 1);
  CHECK(std::filesystem::exists(folder.file("small_differences.gp")));
  CHECK_FALSE(std::filesystem::exists(folder.file("small_rates.gp")));
  CHECK(contents(folder.file("small_differences.gp")).find("'no number'") != std::string::npos);
  if (const auto program = gal::gnuplot::find()) {
    CHECK(gal::write_pictures(small, folder.path.string(), "small"));
    CHECK(refusal(gal::error_code::unreadable_file, [&] {
            program->draw(folder.path, "wrong", "plot 'no such file'\n", {"png"});
            return 0;
          }).starts_with("gnuplot failed on " + folder.file("wrong.gp") + ":\n"));
  }
  CHECK_THROWS_AS(static_cast<void>(gal::write_pictures(small, folder.file("missing"))), gal::error);
}

TEST_CASE("comparisons refuse what they cannot make") {
  using enum gal::error_code;
  std::atomic<int> calls = 0;
  const std::vector<method> methods = troubled(calls);
  const auto refused = [&](const std::vector<method>& m, auto change) {
    auto options = troubled_options();
    change(options);
    const std::string message = refusal(invalid_option, [&] { return gal::compare(m, options); });
    CHECK(calls == 0);
    return message;
  };
  const auto same = [](gal::compare_options&) {};
  CHECK(refused({}, same) ==
        "gal::compare: 0 methods; expected a baseline and at least one to hold against it");
  CHECK(refused({methods[0]}, same).starts_with("gal::compare: 1 methods; "));
  CHECK(refused({methods[0], methods[1], methods[0]}, same) ==
        "gal::compare: two methods are called \"plain\"; expected different names");
  CHECK(refused({methods[0], {"", methods[1].run}}, same) ==
        "gal::compare: method 1 has no name; expected one to report it by");
  CHECK(refused({methods[0], {"empty", {}}}, same) ==
        "gal::compare: the method \"empty\" has no function; expected one from gal::trial to gal::measures");
  const auto with_settings = [&](std::vector<double> settings) {
    auto changed = methods;
    changed[2].settings = std::move(settings);
    return refused(changed, same);
  };
  CHECK(with_settings({1.0, std::nan("")}) ==
        "gal::compare: the method \"diverges\" has the setting nan; expected finite numbers");
  CHECK(with_settings({-infinity}).find("has the setting -inf; ") != std::string::npos);
  CHECK(with_settings({1.0, 2.0, 1.0}) ==
        "gal::compare: the method \"diverges\" has the setting 1 twice; expected different settings");
  const auto with = [&](auto change) { return refused(methods, change); };
  CHECK(with([](auto& o) { o.baseline = "vanilla"; }) ==
        "gal::compare: the baseline \"vanilla\" is none of the methods; expected one of plain, throws, "
        "diverges");
  CHECK(with([](auto& o) { o.learning_rates.clear(); }) ==
        "gal::compare: learning_rates is empty; expected at least one rate");
  CHECK(with([](auto& o) {
          o.learning_rates = {0.1, 0.0};
        }) == "gal::compare: the learning rate 0; expected a positive number");
  CHECK(with([](auto& o) { o.learning_rates = {-0.1}; }) ==
        "gal::compare: the learning rate -0.1; expected a positive number");
  CHECK(with([](auto& o) { o.learning_rates = {std::nan("")}; }) ==
        "gal::compare: the learning rate nan; expected a positive number");
  CHECK(with([](auto& o) {
          o.learning_rates = {0.1, 0.2, 0.1};
        }) == "gal::compare: learning_rates has 0.1 twice; expected different rates");
  CHECK(with([](auto& o) { o.budget = 0; }) == "gal::compare: budget is 0; expected at least 1");
  CHECK(with([](auto& o) { o.tuning_seeds = 0; }) == "gal::compare: tuning_seeds is 0; expected at least 1");
  CHECK(with([](auto& o) { o.verdict_seeds = 1; }) ==
        "gal::compare: verdict_seeds is 1; expected at least 2, since one pair has no spread");
  CHECK(with([](auto& o) { o.threads = 0; }) == "gal::compare: threads is 0; expected at least 1");
  for (const double level : {0.0, 1.0, 95.0, std::nan("")}) {
    CHECK(with([level](auto& o) { o.level = level; }).starts_with("gal::compare: level is "));
  }
  CHECK(with([](auto& o) { o.margin = -0.1; }) ==
        "gal::compare: margin is -0.1; expected a non-negative number");

  // Nothing to choose a learning rate by.
  const method untold = {"untold", [](const trial&) { return measures{.test = 1.0}; }};
  CHECK(refusal(non_finite,
                [&] {
                  return gal::compare({methods[0], untold}, troubled_options());
                }) ==
        "gal::compare: the method \"untold\" has no validation value to choose its learning rate by: 6 of 6 "
        "gave "
        "no finite number; expected gal::measures whose `validation` is the measure on samples that the run "
        "neither trains on nor tests on, and learning rates at which it does not diverge");
  const method hopeless = {"hopeless", [](const trial&) -> measures { throw std::runtime_error("no data"); }};
  CHECK(refusal(non_finite, [&] {
          return gal::compare({methods[0], hopeless}, troubled_options());
        }).find("6 of 6 threw (seed 1, learning rate 0.001: \"no data\")") != std::string::npos);
}
