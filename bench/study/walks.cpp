#include "support/walks.hpp"

#include "experiments.hpp"

#include <gal/study.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace study {

json walks(std::string_view name, const scope& s) {
  const support::surface& ground = support::surfaces.front();  // the paper's
  const auto& optimizer = *std::ranges::find(support::optimizers, name, &support::optimizer_entry::name);
  const support::walk_settings settings = support::settings_for(ground.name, name);
  std::vector<gal::method> methods;
  const auto add = [&](std::string title, const support::maybe_adjusted& options) {
    methods.push_back({std::move(title), [&ground, settings, options](const gal::trial& t) -> gal::measures {
                         const double start = processor_seconds();
                         const auto walk = support::walk_down(ground, support::make_optimizer(settings),
                                                              support::with_seed(options, t.seed),
                                                              static_cast<int>(t.budget));
                         return {.validation = missed(ground, walk) ? 1.0 : 0.0,
                                 .test = walk.mean,
                                 .seconds = processor_seconds() - start};
                       }});
  };
  const gal::adjust_options ours = support::walk_options("recommended", optimizer, settings);
  add("plain", std::nullopt);
  add("GAL, recommended", ours);
  add("GAL, paper", support::walk_options("paper", optimizer, settings));
  for (const auto& [title, options] : controls_of(ours)) {
    add(title, options);
  }
  const auto compared = gal::compare(methods, {.title = support::text("3D problem, ", optimizer.title),
                                               .measure = "mean height of the path",
                                               .learning_rates = {settings.learning_rate},
                                               .budget = settings.steps,
                                               .tuning_seeds = 1,
                                               .verdict_seeds = std::max(2, s.seeds),
                                               .threads = s.threads});
  json result = gal::to_json(compared);
  result.erase("runs");
  for (const gal::comparison_run& run : compared.runs) {
    json& count = result["missed"][run.method];
    count = (count.is_null() ? 0 : count.get<int>()) +
            (run.trial.budget == settings.steps && run.result.validation > 0.0 ? 1 : 0);
  }
  return result;
}

}  // namespace study
