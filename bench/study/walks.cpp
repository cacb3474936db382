#include "support/walks.hpp"

#include "experiments.hpp"
#include "methods.hpp"

#include "support/console.hpp"
#include "support/parallel.hpp"

#include <cmath>
#include <cstdint>
#include <utility>

namespace study {

namespace {

const support::surface& ground = support::surfaces.front();  // the paper's

struct timed_walk {
  support::walk_result walk;
  double step_seconds;
};

timed_walk walk(const support::walk_settings& settings, const support::maybe_adjusted& options,
                std::uint64_t seed, int steps) {
  const double start = processor_seconds();
  support::walk_result result =
      support::walk_down(ground, support::make_optimizer(settings), support::with_seed(options, seed), steps);
  return {std::move(result), (processor_seconds() - start) / steps};
}

json with_optimizer(const support::optimizer_entry& optimizer, const scope& s) {
  const support::walk_settings settings = support::settings_for(ground.name, optimizer.name);
  const std::vector<method> methods = methods_of(support::walk_options("recommended", optimizer, settings),
                                                 support::walk_options("paper", optimizer, settings));
  const auto seeds = static_cast<std::size_t>(s.seeds);
  std::vector<std::vector<timed_walk>> runs(methods.size(), std::vector<timed_walk>(seeds));
  support::progress_bar progress(std::string(optimizer.title), methods.size() * seeds);
  support::parallel_for(methods.size() * seeds, s.threads, [&](std::size_t job) {
    const std::size_t k = job / methods.size();
    runs[job % methods.size()][k] =
        walk(settings, methods[job % methods.size()].adjusted(), k + 1, settings.steps);
    progress.advance();
  });

  const auto seconds = [&](std::size_t m) {
    std::vector<double> values;
    for (const timed_walk& run : runs[m]) {
      values.push_back(run.step_seconds);
    }
    return median(std::move(values));
  };
  const timed_walk& vanilla = runs.front().front();
  json result{{"optimizer", optimizer.name},
              {"title", optimizer.title},
              {"learning_rate", settings.learning_rate},
              {"steps", settings.steps},
              {"vanilla", {{"mean", rounded(vanilla.walk.mean)}, {"missed", missed(ground, vanilla.walk)}}},
              {"methods", json::array()}};
  for (std::size_t m = 1; m < methods.size(); ++m) {
    std::vector<double> heights;
    int misses = 0;
    for (const timed_walk& run : runs[m]) {
      heights.push_back(run.walk.mean);
      misses += missed(ground, run.walk) ? 1 : 0;
    }
    const double cost = seconds(m) / seconds(0);
    const int steps = std::max(settings.steps, static_cast<int>(std::ceil(cost * settings.steps)));
    const timed_walk longer = walk(settings, methods.front().adjusted(), 0, steps);
    result["methods"].push_back(
        {{"method", methods[m].name},
         {"title", methods[m].title},
         {"missed", misses},
         {"cost", rounded(cost)},
         {"vanilla_steps", steps},
         {"equal_steps", contrast(heights, std::vector<double>(seeds, vanilla.walk.mean), false)},
         {"equal_time", contrast(heights, std::vector<double>(seeds, longer.walk.mean), false)},
         {"values", rounded(heights)}});
  }
  return result;
}

}  // namespace

json walks(const scope& s) {
  json result = json::array();
  for (const support::optimizer_entry& optimizer : support::optimizers) {
    result.push_back(with_optimizer(optimizer, s));
  }
  return {{"seeds", s.seeds}, {"optimizers", std::move(result)}};
}

}  // namespace study
