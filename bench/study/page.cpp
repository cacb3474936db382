#include "page.hpp"

#include "networks.hpp"
#include "pictures.hpp"

#include "support/files.hpp"
#include "support/text.hpp"

#include <gal/core/text.hpp>

#include <nlohmann/json.hpp>

#include <cmath>
#include <fstream>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace study {

namespace {

using gal::detail::fixed;
using gal::detail::significant;
using support::text;

// ---- Numbers as text -----------------------------------------------------------------------------------------------

std::string number(const json& value) {
  return value.is_null() ? "n/a" : significant(value.get<double>(), 4);
}

std::string probability(const json& value) {
  if (value.is_null()) {
    return "n/a";
  }
  const double p = value.get<double>();
  return p < 0.001 ? "< 0.001" : fixed(p, 3);
}

// A measure's number; shares as percent.
std::string shown(const std::string& measure, const json& value) {
  if (measure != "test_error" || value.is_null()) {
    return number(value);
  }
  return fixed(100.0 * value.get<double>(), 2) + " %";
}

// Better, worse or level with the baseline, at p < 0.05.
std::string verdict(const std::string& measure, const json& contrast) {
  if (contrast.at("p").is_null() || contrast.at("p").get<double>() >= 0.05) {
    return contrast.at("p").is_null() ? "diverged" : "level";
  }
  const bool larger = contrast.at("difference").get<double>() > 0.0;
  return larger == (measure == "r2") ? "**better**" : "worse";
}

std::string title_of(const std::string& measure) {
  return measure == "test_error"  ? "error"
         : measure == "test_loss" ? "loss"
         : measure == "r2"        ? "R2"
         : measure == "mae"       ? "MAE"
                                  : "MSE";
}

std::string selecting(const json& part) { return part.at("measures").size() == 3 ? "mse" : "test_error"; }

// "-0.12 [-0.2, -0.04]" in the unit of the measure.
std::string interval(const std::string& measure, const json& contrast) {
  return contrast.at("difference").is_null()
             ? "n/a"
             : text(shown(measure, contrast.at("difference")), " [", shown(measure, contrast.at("low")), ", ",
                    shown(measure, contrast.at("high")), "]");
}

std::string string_of(const json& part, const char* field) { return part.at(field).get<std::string>(); }

std::string command(const json& part) { return text("```sh\n", string_of(part, "command"), "\n```\n\n"); }

// What the tables of the search say, in words: to be read again when they are run anew.
constexpr std::string_view search_lessons = R"(What came of it:

- **The speed at which the gate opens decides.** At the default rate many settings help on some tasks, few on all. A wide or
  fast adjuster soon multiplies all gradients by 1 + epsilon alike ([over training](#over-training)). For SGD that is a
  larger learning rate; for Adam it is nothing. A narrow adjuster with small weights takes longer. One of four units never
  gets there.
- **At the best rates little is left.** The changes are small, and of both signs. On digits the recommended epsilon is too
  large: with 0.5 or 1 GAL is level.
- **Last hidden layer** (the adjuster scales the gradient of every hidden unit by itself): the gain on Boston at the best
  rates is not there with more seeds (`--part search --task boston --seeds 50`).
- **Real steps and next batches** (the objective is the loss after the step that the optimizer takes): the gate learns to
  shorten steps too. This takes several more passes through the model, and no gain lasts.
- **Schedules of epsilon**: Adam divides by the size of past gradients, so a falling epsilon hardly shortens its steps. SGD
  trains as with a falling learning rate.
- **A falling learning rate** does more for California than anything else here, with adjustment and without.
- **abs(R) as the objective**, the paper's, teaches the gate to take no step at all.

)";

// Of the parts that were published before their files said where they come from: the commit that published them.
constexpr std::pair<std::string_view, std::string_view> published[] = {
    {"splits_boston", "dcc0a73"},
    {"splits_diabetes", "dcc0a73"},
    {"search_boston", "cef105b"},
    {"search_california", "fe3a89c"},
    {"", "f701b37"},  // all others
};

std::string_view publishing_commit(std::string_view name) {
  for (const auto& [part, commit] : published) {
    if (part.empty() || part == name) {
      return commit;
    }
  }
  return {};
}

// ---- The page ------------------------------------------------------------------------------------------------------

class page {
 public:
  page(parts_by_name parts, std::set<std::string> pictures)
      : parts_(std::move(parts)), pictures_(std::move(pictures)) {}

  std::string write() {
    introduction();
    overview();
    walks();
    comparisons();
    splits();
    tuned();
    related();
    searches();
    curves();
    sweeps();
    bounds();
    sources();
    return std::move(text_);
  }

 private:
  [[nodiscard]] const json* find(std::string_view part, std::string_view task) const {
    const auto found = parts_.find(text(part, "_", task));
    return found == parts_.end() ? nullptr : &found->second;
  }

  [[nodiscard]] std::vector<const json*> all(std::string_view part) const {
    std::vector<const json*> result;
    for (const std::string_view task : network_names) {
      if (const json* found = find(part, task)) {
        result.push_back(found);
      }
    }
    return result;
  }

  template <class... Parts>
  void add(const Parts&... parts) {
    text_ += text(parts...);
  }

  void picture(const std::string& name, std::string_view what) {
    if (pictures_.contains(name)) {
      add("![", what, "](results/", name, ".png)\n\n");
    }
  }

  void introduction() {
    add(R"(# Where gradient adjustment helps, and where it does not

For readers who ask whether to use it. The program `bench/study` wrote this page, its pictures and its numbers
(`results/*.json`). [What the examples print](examples.md) is another page.

- A **run** is a training of one seed: initial weights, order of the batches, and the adjuster's weights.
- All methods share the seeds, so they are **compared in pairs**: the difference of the means with its 95 % confidence
  interval, Cohen's d of the paired differences, and p of Student's paired t-test.
- **Better** and **worse** mean p < 0.05, **level** all else. p is not corrected for the number of comparisons on this page:
  of a hundred that differ in nothing, five pass 0.05.

| method | what it is |
|---|---|
| vanilla | the optimizer alone |
| recommended | `gal::recommended()` as it is, one configuration for all networks; on the 3D problem with 5 steps of the adjuster at learning rate 3e-3 |
| paper | `gal::paper()` with epsilon 0.1 and tau 1, on regression normalised per batch and with the paper's hidden widths; on the 3D problem with the paper's pairs of epsilon and tau |
| untrained adjuster, noise, linear adjuster | controls: recommended with an adjuster that does not learn, with uniform or normal noise in its place, and with an adjuster without hidden layers |

| task | network | optimizer | data |
|---|---|---|---|
| Boston housing, Diabetes, California housing | the paper's MLPs | Adam | standardised, a quarter for testing (the split of scikit-learn, seed 1) |
| Digits | MLP 64-64-10 | SGD with momentum 0.9, or Adam | 8 x 8 pixels, likewise |

Batches of 32; the learning rate is constant. Each section names the command of its numbers. All of them, and this page:

```sh
cmake --preset bench && cmake --build --preset bench --target study
sh examples/data/get_california.sh DIRECTORY && export GAL_DATA_DIR=DIRECTORY
build/bench/bench/study/study --full --out docs
```

`--quick` runs all parts in brief; `--part page` draws the pictures and writes the page from the numbers that are there.

)");
  }

  // What came out, a task a row.
  void overview() {
    add("## In short\n\n**Tune the learning rate first.** In brackets the change of the MSE, or of the error "
        "rate, against "
        "vanilla;\nbelow zero is better.\n\n"
        "| task | recommended, default rate | recommended, in equal time | recommended, each at its best "
        "rate | "
        "recommended, five other splits | paper, default rate | paper, each at its best rate "
        "|\n|---|---|---|---|---|---|---|\n");
    for (const std::string_view task : network_names) {
      const json* compared = find("compare", task);
      if (compared == nullptr) {
        continue;
      }
      add("| ", string_of(*compared, "title"), " | ", verdicts("compare", task, "recommended", "equal_steps"),
          " | ", verdicts("compare", task, "recommended", "equal_time"), " | ",
          verdicts("tune", task, "recommended", "test"), " | ", verdict_of_splits(task), " | ",
          verdicts("compare", task, "paper", "equal_steps"), " | ", verdicts("tune", task, "paper", "test"),
          " |\n");
    }
    add("\n");
    controls();
    if (const json* walks = find("walks", "surface")) {
      int better = 0;
      int pairs = 0;
      int missed = 0;
      int in_equal_time = 0;
      for (const json& optimizer : walks->at("optimizers")) {
        const json& ours = optimizer.at("methods").at(0);
        better += ours.at("equal_steps").at("better").get<int>();
        pairs += ours.at("equal_steps").at("pairs").get<int>();
        missed += ours.at("missed").get<int>();
        in_equal_time += ours.at("equal_time").at("better").get<int>();
      }
      add("On the 3D problem, with five optimizers:\n\n- recommended is better in ", better, " of ", pairs,
          " walks at equal steps and in ", in_equal_time, " in equal time; ", missed,
          " end in the wrong basin;\n- controls that are better than vanilla too, at equal steps: ",
          better_walkers(*walks), ".\n\n");
    }
  }

  // Whether what is better than vanilla is so for its learning: the controls, a task a row.
  void controls() {
    const auto parts = all("compare");
    if (parts.empty()) {
      return;
    }
    add("The controls at the default rate, MSE or error rate:\n\n| task |");
    std::string rule = "\n|---|";
    const auto is_control = [](const json& method) {
      const std::string name = string_of(method, "method");
      return name != "vanilla" && name != "recommended" && name != "paper";
    };
    for (const json& method : parts.front()->at("methods")) {
      if (is_control(method)) {
        add(" ", string_of(method, "title"), " |");
        rule += "---|";
      }
    }
    add(rule, "\n");
    for (const json* part : parts) {
      const std::string measure = selecting(*part);
      add("| ", string_of(*part, "title"), " |");
      for (const json& method : part->at("methods")) {
        if (is_control(method)) {
          const json& contrast = method.at("equal_steps").at(measure);
          add(" ", verdict(measure, contrast), change_of(contrast), " |");
        }
      }
      add("\n");
    }
    add("\n");
  }

  // The controls that walk better than vanilla, and with how many optimizers.
  static std::string better_walkers(const json& walks) {
    std::map<std::string, int> optimizers;
    for (const json& optimizer : walks.at("optimizers")) {
      for (const json& method : optimizer.at("methods")) {
        const std::string name = string_of(method, "method");
        const json& steps = method.at("equal_steps");
        if (name != "recommended" && name != "paper" && !steps.at("p").is_null() &&
            steps.at("p").get<double>() < 0.05 && steps.at("difference").get<double>() < 0.0) {
          ++optimizers[string_of(method, "title")];
        }
      }
    }
    std::string result;
    for (const auto& [title, count] : optimizers) {
      result +=
          text(result.empty() ? "" : "; ", title, " with ", count, " of ", walks.at("optimizers").size());
    }
    return result.empty() ? "none" : result;
  }

  // " (-1.2 %)": a change of the mean against vanilla.
  static std::string change_of(const json& contrast) {
    if (contrast.at("difference").is_null()) {
      return "";
    }
    const double percent =
        100.0 * contrast.at("difference").get<double>() / contrast.at("baseline").get<double>();
    return text(" (", std::signbit(percent) ? "" : "+", fixed(percent, 1), " %)");
  }

  // A method against vanilla: one word where all measures agree, else one for each; and the change of the measure that
  // selects. A dash where it was not measured.
  std::string verdicts(std::string_view part_name, std::string_view task, std::string_view method_name,
                       const char* scope_name) const {
    const json* part = find(part_name, task);
    if (part == nullptr) {
      return "-";
    }
    for (const json& method : part->at("methods")) {
      if (string_of(method, "method") != method_name) {
        continue;
      }
      const json& scope = method.at(scope_name);
      std::set<std::string> words;
      std::string each;
      for (const json& name : part->at("measures")) {
        const auto measure = name.get<std::string>();
        const std::string word = verdict(measure, scope.at(measure));
        words.insert(word);
        each += text(each.empty() ? "" : ", ", title_of(measure), " ", word);
      }
      return (words.size() == 1 ? *words.begin() : each) + change_of(scope.at(selecting(*part)));
    }
    return "-";
  }

  // Over the splits together, and of how many of them each verdict is.
  std::string verdict_of_splits(std::string_view task) const {
    const json* part = find("splits", task);
    if (part == nullptr) {
      return "-";
    }
    std::map<std::string, int> counts;
    for (const json& split : part->at("splits")) {
      ++counts[verdict("mse", split.at("contrasts").at("mse"))];
    }
    const json& all_splits = part->at("over_splits").at("mse");
    std::string result = verdict("mse", all_splits) + change_of(all_splits) + ":";
    const char* comma = " ";
    for (const auto& [word, count] : counts) {
      result += text(comma, word, " on ", count);
      comma = ", ";
    }
    return result;
  }

  void walks() {
    const json* part = find("walks", "surface");
    if (part == nullptr) {
      return;
    }
    add("## The 3D problem\n\nMean height along the path: lower is better. Vanilla has no seed, so every "
        "seed is compared "
        "with the same walk.\n*Cost* is the time of a step over that of vanilla's. *In equal time* vanilla "
        "walks that "
        "many times as many steps.\n\n");
    picture("walks", "Mean heights of all seeds, by optimizer and method");
    add("| optimizer | method | vanilla | mean | difference, 95 % | d | p | better | wrong basin | cost | "
        "vanilla in equal time | better "
        "|\n|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n");
    for (const json& optimizer : part->at("optimizers")) {
      bool first = true;
      for (const json& method : optimizer.at("methods")) {
        const json& steps = method.at("equal_steps");
        const json& time = method.at("equal_time");
        add("| ", first ? string_of(optimizer, "title") : "", " | ", string_of(method, "title"), " | ",
            number(steps.at("baseline")), " | ", number(steps.at("mean")), " | ", interval("z", steps), " | ",
            number(steps.at("d")), " | ", probability(steps.at("p")), " | ", steps.at("better"), " of ",
            steps.at("pairs"), " | ", method.at("missed"), " | ", number(method.at("cost")), " | ",
            number(time.at("baseline")), " | ", time.at("better"), " |\n");
        first = false;
      }
    }
    add("\nThe function itself takes next to no time here, so a step costs what the adjuster costs. In equal "
        "time no "
        "learned\nadjuster is ahead.\n\n");
    add(command(*part));
  }

  void comparisons() {
    const auto parts = all("compare");
    if (parts.empty()) {
      return;
    }
    add("## At the default learning rate\n\n*Cost* is the processor time of a step over that of vanilla's, "
        "medians of "
        "the runs. *In equal time* vanilla trains for\nthat many times as many epochs, rounded up.\n\n");
    picture("effects", "Relative change of the test error by every method, by task");
    for (const json* part : parts) {
      add("### ", string_of(*part, "title"), "\n\n", part->at("seeds"), " seeds, ", part->at("epochs"),
          " epochs, learning rate ", number(part->at("learning_rate")), ". Vanilla's step takes ",
          fixed(1e6 * part->at("vanilla_step_seconds").get<double>(), 0), " microseconds.\n\n");
      add("| method | measure | mean | vanilla | difference, 95 % | d | p | better | verdict | cost | "
          "vanilla in equal time | p | verdict "
          "|\n|---|---|---:|---:|---:|---:|---:|---:|---|---:|---:|---:|---|\n");
      for (const json& method : part->at("methods")) {
        if (!method.contains("equal_steps")) {
          continue;
        }
        bool first = true;
        for (const json& name : part->at("measures")) {
          const std::string measure = name.get<std::string>();
          const json& steps = method.at("equal_steps").at(measure);
          const json& time = method.at("equal_time").at(measure);
          add("| ", first ? string_of(method, "title") : "", " | ", title_of(measure), " | ",
              shown(measure, steps.at("mean")), " | ", shown(measure, steps.at("baseline")), " | ",
              interval(measure, steps), " | ", number(steps.at("d")), " | ", probability(steps.at("p")),
              " | ", steps.at("better"), " of ", steps.at("pairs"), " | ", verdict(measure, steps), " | ",
              first ? fixed(method.at("cost").get<double>(), 2) : "", " | ",
              shown(measure, time.at("baseline")), " | ", probability(time.at("p")), " | ",
              verdict(measure, time), " |\n");
          first = false;
        }
      }
      add("\n", command(*part));
    }
  }

  void splits() {
    const auto parts = all("splits");
    if (parts.empty()) {
      return;
    }
    add("## Five further splits\n\nRecommended against vanilla at the default learning rate on the splits of "
        "the seeds 2 to 6, "
        "MSE; the last row compares\nthe five means.\n\n| data | split | recommended | vanilla | difference, "
        "95 % | d | p | better | "
        "verdict |\n|---|---|---:|---:|---:|---:|---:|---:|---|\n");
    for (const json* part : parts) {
      const auto row = [&](const std::string& data, const std::string& split, const json& c) {
        add("| ", data, " | ", split, " | ", number(c.at("mean")), " | ", number(c.at("baseline")), " | ",
            interval("mse", c), " | ", number(c.at("d")), " | ", probability(c.at("p")), " | ",
            c.at("better"), " of ", c.at("pairs"), " | ", verdict("mse", c), " |\n");
      };
      bool first = true;
      for (const json& split : part->at("splits")) {
        row(first ? string_of(*part, "title") : "", text(split.at("split").get<int>()),
            split.at("contrasts").at("mse"));
        first = false;
      }
      row("", "all", part->at("over_splits").at("mse"));
    }
    add("\n");
    commands(parts);
  }

  void tuned() {
    const auto parts = all("tune");
    if (parts.empty()) {
      return;
    }
    add(R"(## The honest control: each at its own best learning rate

The gate changes the length of steps, so vanilla has to be given the same choice. For every method:

1. It trains at eleven rates from half to sixteen times the default one, a factor of about 1.4 apart, on three quarters of the
   samples for training.
2. The rate with the least error on the last quarter, mean of the seeds, is taken.
3. It trains at that rate on all samples for training, and is measured on the test part.

)");
    picture("learning_rates", "Validation error over the learning rate, by task");
    add("| task | method | learning rate | measure | mean | vanilla | difference, 95 % | d | p | better | "
        "verdict "
        "|\n|---|---|---:|---|---:|---:|---:|---:|---:|---:|---|\n");
    for (const json* part : parts) {
      std::string task = string_of(*part, "title");
      for (const json& method : part->at("methods")) {
        if (!method.contains("test")) {
          add("| ", task, " | vanilla | ", number(method.at("learning_rate")), edge(method),
              " | | | | | | | | |\n");
          continue;
        }
        bool first = true;
        for (const json& name : part->at("measures")) {
          const std::string measure = name.get<std::string>();
          const json& c = method.at("test").at(measure);
          add("| | ", first ? string_of(method, "title") : "", " | ",
              first ? number(method.at("learning_rate")) + edge(method) : "", " | ", title_of(measure), " | ",
              shown(measure, c.at("mean")), " | ", shown(measure, c.at("baseline")), " | ",
              interval(measure, c), " | ", number(c.at("d")), " | ", probability(c.at("p")), " | ",
              c.at("better"), " of ", c.at("pairs"), " | ", verdict(measure, c), " |\n");
          first = false;
        }
      }
    }
    add("\nA star marks a rate at the end of the grid: a better one may lie beyond.\n\n");
    commands(parts);
  }

  static std::string edge(const json& method) {
    const json& grid = method.at("grid");
    const json& rate = method.at("learning_rate");
    return rate == grid.front().at("learning_rate") || rate == grid.back().at("learning_rate") ? "*" : "";
  }

  // By gal::compare, whose verdicts are others than those of this page.
  void related() {
    const auto parts = all("related");
    if (parts.empty()) {
      return;
    }
    std::size_t rows = 0;
    std::size_t better = 0;
    std::size_t worse = 0;
    for (const json* part : parts) {
      for (const json& c : part->at("contrasts")) {
        const std::string word = string_of(c, "verdict");
        const bool shows = string_of(c, "setting") != "equal_steps";
        rows += shows ? 1 : 0;
        better += shows && word == "better" ? 1 : 0;
        worse += shows && word == "worse" ? 1 : 0;
      }
    }
    add("## The related methods, with right labels\n\n**Against a tuned optimizer better in ", better,
        ", worse in ", worse, " of the ", rows, " rows below.**\n\n");
    add(R"(What the other methods of the expansion do where nothing is wrong with the data, by [`gal::compare`](compare.md). Three quarters of
the samples for training train, the rest chooses each method's learning rate of six half decades, with three seeds; fresh seeds are
tested on the test part. All rates fall to zero along a line.

| method | what it is |
|---|---|
| plain | the optimizer alone, which all others are held against |
| GAL | `gal::recommended()` |
| rescaled | `gal::rescaled` over the same optimizer, as it is |
| held-out samples mixed in | a tenth of the samples for training is held out, and trained on after every batch: the control of the next two |
| rates of samples | `gal::instance_rates`, with that tenth |
| weights by a network | `gal::held_out_adjust` as it is, likewise |
| alignment reward | `gal::alignment_reward` over ten random splits of the samples, which differ in nothing |

- *Own rate*: each at its own best learning rate, with the same number of steps. *Equal time*: plain takes as many steps as the
  method's time allows.
- p is that of the paired t-test, corrected by Holm's method over all rows of the task, and those with plain's learning rate that the
  files have. *Level* means that the interval lies within 1 % of plain's mean, *undecided* all that is neither that nor p < 0.05.
- Right labels leave rates and weights nothing to find, and equal splits the reward nothing to choose:
  [noisy labels](instance_rates.md#does-it-help) and [mixtures](alignment_reward.md#does-it-help) are what they are for.

| task | method | setting | learning rate | mean | plain | difference, 95 % | d | p | verdict |
|---|---|---|---:|---:|---:|---:|---:|---:|---|
)");
    for (const json* part : parts) {
      const std::string measure = string_of(*part, "measure");
      std::string task = string_of(*part, "title");
      std::string before;
      for (const json& c : part->at("contrasts")) {
        const std::string setting = string_of(c, "setting");
        if (setting == "equal_steps") {
          continue;
        }
        const std::string method = string_of(c, "method");
        const json difference = {
            {"difference", c.at("mean_difference")}, {"low", c.at("low")}, {"high", c.at("high")}};
        const std::string word = string_of(c, "verdict");
        add("| ", std::exchange(task, ""), " | ", method == before ? "" : method, " | ",
            setting == "own_rate" ? "own rate" : "equal time", " | ", number(c.at("learning_rate")), " | ",
            shown(measure, c.at("mean")), " | ", shown(measure, c.at("baseline_mean")), " | ",
            interval(measure, difference), " | ", number(c.at("effect_size")), " | ",
            probability(c.at("p_t_test_corrected")), " | ", word == "better" ? "**better**" : word, " |\n");
        before = method;
      }
    }
    add("\n");
    commands(parts);
  }

  void searches() {
    const auto parts = all("search");
    if (parts.empty()) {
      return;
    }
    add(R"(## What else was tried

Settings other than the recommended ones, and ideas that the library does not offer
([idea_trainer.hpp](../bench/study/idea_trainer.hpp)), each one configuration for all tasks. The numbers are the change of the
MSE, or of the error rate, against vanilla, and p. They are measured on the validation part (a quarter of the samples for
training), so that the test part stays unseen. In the second table every method, vanilla too, trains at the best of half, one,
two, four, eight and sixteen times the default rate, chosen and compared on the same part.

The preset was chosen by the first table, with more seeds: the simplest candidate that is better on the regressions and on
digits under SGD, and worse on no task.

)");
    search_table(parts, "validation", "at the default rate");
    search_table(parts, "tuned", "each at its best rate");
    constexpr int enough = 20;  // seeds, of which the lessons speak
    add("Bold: better, p < 0.05; of ", parts.front()->at("candidates").size(), " candidates on ",
        parts.size(), " tasks a few pass that by chance alone.\n\n",
        parts.front()->at("seeds").get<int>() < enough ? std::string_view() : search_lessons);
    commands(parts);
  }

  void search_table(const std::vector<const json*>& parts, const char* scope_name, std::string_view title) {
    add("| ", title, " |");
    std::string rule = "\n|---|";
    for (const json* part : parts) {
      add(" ", string_of(*part, "title"), ", ", part->at("seeds"), " seeds |");
      rule += "---:|";
    }
    add(rule, "\n");
    for (std::size_t k = 0; k < parts.front()->at("candidates").size(); ++k) {
      add("| ", string_of(parts.front()->at("candidates")[k], "title"), " |");
      for (const json* part : parts) {
        const std::string measure = selecting(*part);
        add(" ", relative(part->at("candidates").at(k).at(scope_name).at(measure), measure), " |");
      }
      add("\n");
    }
    add("\n");
  }

  // "-1.2 % (p 0.01)".
  static std::string relative(const json& contrast, const std::string& measure) {
    if (contrast.at("difference").is_null()) {
      return "diverged";
    }
    const double percent =
        100.0 * contrast.at("difference").get<double>() / contrast.at("baseline").get<double>();
    const std::string change = text(std::signbit(percent) ? "" : "+", fixed(percent, 1), " %");
    const bool better = verdict(measure, contrast) == "**better**";
    return text(better ? "**" : "", change, better ? "**" : "", " (", probability(contrast.at("p")), ")");
  }

  void curves() {
    const auto parts = all("follow");
    if (parts.empty()) {
      return;
    }
    add(R"(## Over training

What Figs. 6 and 8 of the paper show, mean of the seeds:

- the remainder R of the tentative step. The preset recommended minimises the tentative loss, not R: its R is larger than
  vanilla's. The preset paper, whose step is shorter by the size of the batch, minimises abs(R);
- the cosine of the angle between gradient and adjustment: at 1 the adjustment is a factor on the gradient;
- the share of samples whose adjusted gradient is accepted;
- *ahead*: the share of steps whose tentative loss is below that of the plain gradient.

)");
    for (const json* part : parts) {
      picture(text("follow_", string_of(*part, "task")), text(string_of(*part, "title"), " over the epochs"));
      add("| ", string_of(*part, "title"),
          " | abs(R), first epoch | last | cosine, first | last | accepted, first | last | ahead, first | "
          "last |\n|---|---:|---:|---:|---:|---:|---:|---:|---:|\n");
      for (const json& method : part->at("methods")) {
        const json& c = method.at("curves");
        const auto ends = [&](const char* name) {
          return text(number(c.at(name).front()), " | ", number(c.at(name).back()));
        };
        add("| ", string_of(method, "title"), " | ", ends("remainder"), " | ", ends("cosine"), " | ",
            ends("accepted_share"), " | ", ends("ahead_share"), " |\n");
      }
      add("\n");
    }
    commands(parts);
  }

  void sweeps() {
    const auto parts = all("sweep");
    if (parts.empty()) {
      return;
    }
    add(R"(## Epsilon, tau, hidden widths, safeguards

One setting at a time, the others as in the preset (paper, Figs. 7 and 8a): change of the test MSE, or of the error rate,
against vanilla, and p.

)");
    for (const json* part : parts) {
      picture(text("sweep_", string_of(*part, "task")), text(string_of(*part, "title"), ": sweeps"));
    }
    add("| preset/setting | value |");
    std::string rule = "\n|---|---|";
    for (const json* part : parts) {
      add(" ", string_of(*part, "title"), ", ", part->at("seeds"), " seeds |");
      rule += "---:|";
    }
    add(rule, "\n");
    for (std::size_t k = 0; k < parts.front()->at("settings").size(); ++k) {
      const json& setting = parts.front()->at("settings")[k];
      add("| ", string_of(setting, "field"), " | ", string_of(setting, "value"), " |");
      for (const json* part : parts) {
        const std::string measure = selecting(*part);
        add(" ", relative(part->at("settings").at(k).at("test").at(measure), measure), " |");
      }
      add("\n");
    }
    add("\n");
    commands(parts);
  }

  void bounds() {
    std::vector<const json*> parts = all("bound");
    if (const json* surface = find("bound", "surface")) {
      parts.insert(parts.begin(), surface);
    }
    if (parts.empty()) {
      return;
    }
    add(R"(## The bound of theorem IV.4

The theorem bounds the remainder R of a step by (L/2) max abs(cos) norm(step)^2, with L and the cosine as
[algorithm.md](algorithm.md#known-facts-and-limits) has them. Here both are the largest at 32 points of the step. On the 3D
problem every step of seed 1 is checked; of networks every tenth, in the space of the parameters, with the loss of the step's
batch.

- Steps whose bound is below 1e-11 are left out: there the subtraction in R is rounding.
- *Holds* allows R to exceed the bound by 0.1 %, since L may be larger between the points.

)"
        "| path | method | steps | holds | median of abs(R) over the bound | largest | median of the largest "
        "abs(cos) "
        "|\n|---|---|---:|---:|---:|---:|---:|\n");
    for (const json* part : parts) {
      for (const json& path : part->at("paths")) {
        const json& n = path.at("numbers");
        if (n.is_null()) {
          continue;
        }
        add("| ", string_of(path, "path"), " | ", string_of(path, "method"), " | ", n.at("segments"), " | ",
            fixed(100.0 * n.at("held_share").get<double>(), 1), " % | ", number(n.at("median_ratio")), " | ",
            number(n.at("largest_ratio")), " | ", number(n.at("median_cosine")), " |\n");
      }
    }
    add("\n");
    commands(parts);
  }

  // What every file says of where its numbers come from.
  void sources() {
    add(R"(## Where the numbers come from

Every file of the study says with which library, commit, compiler, flags and on which machine it was computed. Files that were
computed before they said so have a dash; the commit is then the one that published them.

| file | commit | compiler | flags | machine | date |
|---|---|---|---|---|---|
)");
    for (const auto& [name, part] : parts_) {
      add("| [", name, "](results/", name, ".json) |");
      if (part.contains("run")) {
        const json& run = part.at("run");
        const auto of_run = [&](const char* field) { return run.value(field, std::string("-")); };
        add(" ", of_run("commit"), " | ", of_run("compiler"), " | `", of_run("flags"), "` | ",
            of_run("processor"), " | ", of_run("date"), " |\n");
      } else {
        add(" published with ", publishing_commit(name), " | - | - | - | - |\n");
      }
    }
    add("\n");
  }

  void commands(const std::vector<const json*>& parts) {
    add("```sh\n");
    for (const json* part : parts) {
      add(string_of(*part, "command"), "\n");
    }
    add("```\n\n");
  }

  parts_by_name parts_;
  std::set<std::string> pictures_;
  std::string text_;
};

parts_by_name read_parts(const std::filesystem::path& directory) {
  parts_by_name result;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    if (entry.path().extension() == ".json") {
      std::ifstream file(entry.path());
      result[entry.path().stem().string()] = json::parse(file);
    }
  }
  return result;
}

}  // namespace

void write_page(const std::filesystem::path& directory) {
  const parts_by_name parts = read_parts(directory / "results");
  const std::set<std::string> pictures = draw_pictures(directory / "results", parts);
  std::string contents = page(parts, pictures).write();
  contents.erase(contents.find_last_not_of('\n') + 1);
  support::write_file(directory / "results.md", contents + "\n");
}

}  // namespace study
