#include "page.hpp"

#include "numbers.hpp"

#include "support/files.hpp"
#include "support/text.hpp"

#include <gal/core/text.hpp>
#include <gal/io/gnuplot.hpp>
#include <gal/study/comparison_pictures.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
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

std::string string_of(const json& object, const char* name) { return object.at(name).get<std::string>(); }

std::string number(const json& value, int digits = 4) {
  return value.is_null() ? "n/a" : significant(value.get<double>(), digits);
}

std::string probability(const json& value) {
  const double p = value.get<double>();
  return p < 0.001 ? "< 0.001" : fixed(p, 3);
}

// "-1.2 %": of the baseline's mean.
std::string percent(const json& contrast, const char* name) {
  if (contrast.at(name).is_null() || contrast.at("baseline_mean").is_null()) {
    return "no number";
  }
  const double value =
      100.0 * contrast.at(name).get<double>() / std::abs(contrast.at("baseline_mean").get<double>());
  return text(value > 0.0 ? "+" : "", fixed(value, std::abs(value) < 100.0 ? 1 : 0), " %");
}

std::string word_of(const json& contrast) {
  const std::string word = string_of(contrast, "verdict");
  return word == "better" ? "**better**" : word;
}

// "level (+0.4 %)"; a dash for none.
std::string brief(const json* contrast) {
  return contrast == nullptr ? "-"
                             : text(word_of(*contrast), " (", percent(*contrast, "mean_difference"), ")");
}

const json* find_contrast(const json* comparison, std::string_view method, std::string_view setting) {
  if (comparison != nullptr) {
    for (const json& c : comparison->at("contrasts")) {
      if (string_of(c, "method") == method && string_of(c, "setting") == setting) {
        return &c;
      }
    }
  }
  return nullptr;
}

constexpr std::string_view introduction = R"(# Where gradient adjustment helps, and where it does not

For readers who ask whether to use it. The program `bench/study` wrote this page, its pictures and its numbers
(`results/*.json`). [What the examples print](examples.md) is another page.

All comparisons are made by [`gal::compare`](compare.md): every method trains with the same seeds and is held against the plain
optimizer in pairs. *Better* and *worse* mean p < 0.05 in a paired t-test, corrected by Holm's method over all contrasts of
one comparison; *level* that the 95 % interval lies within 1 % of plain's mean; *undecided* all else.

| setting | what is compared |
|---|---|
| own rate | each method at its own best learning rate and setting, the same number of steps |
| equal steps | both at plain's best learning rate |
| equal time | each at its own best; plain takes as many steps as the method's time allows |

| method | what it is |
|---|---|
| plain | the optimizer alone; in classification with weight decay, tuned |
| GAL, recommended | `gal::recommended()` as it is, one configuration for all networks; on the 3D problem with 5 steps of the adjuster at learning rate 3e-3 |
| GAL, epsilon tuned | the same with the best epsilon of 0.5, 1, 3 and 10 |
| GAL, paper | `gal::paper()` with epsilon 0.1 and tau 1, on regression normalised per batch and with the paper's hidden widths; on the 3D problem with the paper's pairs of epsilon and tau |
| untrained adjuster, uniform noise, normal noise, linear adjuster | controls: recommended with an adjuster that does not learn, with noise in its place, and with an adjuster without hidden layers |
| weight decay, label smoothing, feature decay, mixed features | with the best of four strengths; mixed features and the two before it need no adjuster |
| rescaled | [`gal::rescaled`](rescaled.md) over the same optimizer, as it is |
| held-out samples mixed in | a tenth of the samples for training is held out, and trained on after every batch: the control of the next two |
| rates of samples | [`gal::instance_rates`](instance_rates.md), with that tenth |
| weights by a network | [`gal::held_out_adjust`](held_out_adjust.md) as it is, likewise |
| alignment reward | [`gal::alignment_reward`](alignment_reward.md) over ten random splits of the samples, which differ in nothing |

| task | network | optimizer | data |
|---|---|---|---|
| Boston housing, Diabetes, California housing | the paper's MLPs | AdamW | standardised; the measure is the mean squared error |
| Fashion-MNIST | LeNet, ResNet-8 | SGD with momentum 0.9, or AdamW | 28 x 28 pixels; [its own settings](#images) |
| Digits | MLP 64-64-10 | SGD with momentum 0.9, or AdamW | 8 x 8 pixels; the measure is the share of errors |

- **Every seed has its own division of the samples**: a quarter tests, a quarter of the rest validates. So a verdict holds over
  divisions of this data, and not for one of them. The divisions overlap: p says nothing of other data.
- Learning rate and setting are chosen by the validation parts of the first seeds, the verdict is of fresh seeds' test parts. Each
  table says how many seeds, and from which rates.
- Batches of 32. With the tuned learning rates all rates fall to zero along a line; the default learning rate is constant.

Each section names the command of its numbers. All of them, and this page:

```sh
cmake --preset bench && cmake --build --preset bench --target study
sh examples/data/get_california.sh DIRECTORY && export GAL_DATA_DIR=DIRECTORY
build/bench/bench/study/study --full --threads 1 --out docs
```

`--quick` runs all parts in brief; `--part page` draws the pictures and writes the page from the numbers that are there.

)";

constexpr std::string_view lessons = R"(## What else was tried

An earlier version of this study searched for better settings, and for ideas that the library does not offer: 35 candidates on the
five tasks, each at the default learning rate and at its own best of six. The program is in the history (commit dd04e2f):

```sh
build/bench/bench/study/study --full --part search --task boston --seeds 20 --out docs
```

- The preset `recommended` was chosen by that search at the default rate: the simplest candidate that was better on the
  regressions and on digits under SGD, and worse on no task. At the best rates of all little was left, of both signs.
- The speed at which the gate opens decides. A wide or fast adjuster soon multiplies all gradients by 1 + epsilon alike: for
  SGD a larger learning rate, for Adam nothing.
- A gate over the last hidden layer, an objective of the loss after the optimizer's real step, or of the next batches, and
  schedules of epsilon: several more passes through the model, and no gain that lasted.
- A learning rate that falls did more for California than any adjustment. Here all tuned rates fall.
- abs(R) as the objective, the paper's, teaches the gate to take no step at all.

)";

class page {
 public:
  page(std::filesystem::path directory, std::map<std::string, json> parts)
      : directory_(std::move(directory)), parts_(std::move(parts)) {}

  std::string write() {
    add(introduction);
    overview();
    section("walks", "The 3D problem",
            "Mean height along the path: lower is better. Plain has no seed, so every seed is compared with "
            "the same "
            "walk. The\nfunction itself takes next to no time, so a step costs what the adjuster costs. "
            "*Missed*: walks "
            "that end in the wrong basin.\n\n");
    section(
        "networks", "Each at its own best learning rate",
        "The gate changes the length of steps, so plain has to be given the same choice of rates: the honest "
        "control. Six rates, half a\ndecade apart. Right labels leave rates and weights of samples nothing "
        "to find, and "
        "equal splits the reward nothing to choose:\n[noisy labels](instance_rates.md#does-it-help) and "
        "[mixtures](alignment_reward.md#does-it-help) are what they are for.\n\n");
    section("images", "Images",
            "Fashion-MNIST, batches of 64, rates that fall to zero along a line, weight decay as every "
            "method's setting; "
            "no augmentation.\nLeNet trains 10 epochs on all 60,000 images, ResNet-8 5 epochs on 5,000 of "
            "them, since a "
            "run on all takes ten minutes; all 10,000 test\nimages decide. Rate and weight decay are chosen "
            "with one seed by "
            "networks that train on the first 10,000 images (ResNet-8: 2,500) and are\nmeasured on the last "
            "10,000 for "
            "training. Published test errors of networks of two convolutions, without augmentation: 7.5 to "
            "12.4 %\n([the data's "
            "page](https://github.com/zalandoresearch/fashion-mnist#benchmark)).\n\n");
    section("defaults", "At the default learning rate",
            "1e-3 for Adam, 0.02 for SGD, constant: what one gets who tunes nothing. On two tasks one "
            "setting of the "
            "presets at a time is\nchanged (paper, Figs. 7 and 8a).\n\n");
    section("", "Other comparisons", "");
    follow();
    bounds();
    add(lessons);
    sources();
    return std::move(text_);
  }

 private:
  [[nodiscard]] const json* find(std::string_view name) const {
    const auto found = parts_.find(std::string(name));
    return found == parts_.end() ? nullptr : &found->second;
  }

  [[nodiscard]] std::vector<std::pair<std::string, const json*>> all(std::string_view part) const {
    std::vector<std::pair<std::string, const json*>> result;
    for (const auto& [name, object] : parts_) {
      if (object.value("part", std::string()) == part) {
        result.emplace_back(name, &object);
      }
    }
    return result;
  }

  template <class... Parts>
  void add(const Parts&... parts) {
    text_ += text(parts...);
  }

  void picture(const std::string& name, const std::string& what) {
    if (std::filesystem::exists(directory_ / (name + ".png"))) {
      add("![", what, "](results/", name, ".png)\n\n");
    }
  }

  // ---- In short ----------------------------------------------------------------------------------------------------

  void overview() {
    add("## In short\n\n**Tune the learning rate first.** GAL is the preset recommended; in brackets the "
        "change of the "
        "error against plain, below\nzero is better. *Best*: the method that is better than plain at its own "
        "rate by "
        "most.\n\n| task | GAL, default rate | own rate | equal steps | equal time | GAL, epsilon tuned, own "
        "rate | best at "
        "own rate |\n|---|---|---|---|---|---|---|\n");
    std::map<std::string, int> words;
    std::vector<std::pair<std::string, const json*>> tuned = all("networks");
    std::ranges::copy(all("images"), std::back_inserter(tuned));
    for (const auto& [name, comparison] : tuned) {
      const json* untuned = find("defaults_" + comparison->value("task", std::string()));
      const auto gal = [&](const json* of, const char* setting) {
        return brief(find_contrast(of, "GAL, recommended", setting));
      };
      add("| ", string_of(*comparison, "title"), " | ", gal(untuned, "own_rate"), " | ",
          gal(comparison, "own_rate"), " | ", gal(comparison, "equal_steps"), " | ",
          gal(comparison, "equal_time"), " | ",
          brief(find_contrast(comparison, "GAL, epsilon tuned", "own_rate")), " | ", best_of(*comparison),
          " |\n");
      for (const json& c : comparison->at("contrasts")) {
        words[string_of(c, "verdict")] += string_of(c, "setting") == "own_rate" ? 1 : 0;
      }
    }
    add("\nOf all methods at their own rates: ", words["better"], " better, ", words["worse"], " worse, ",
        words["level"], " level, ", words["undecided"],
        " undecided. Only what is in the last column\nis worth trying first; where it "
        "says none, that is the plain optimizer with its learning rate tuned.\n\n");
    const auto walks = all("walks");
    std::size_t better = 0;
    std::size_t pairs = 0;
    std::size_t in_equal_time = 0;
    for (const auto& [name, walk] : walks) {
      const auto count = [&](const char* setting) {
        std::size_t result = 0;
        if (const json* c = find_contrast(walk, "GAL, recommended", setting)) {
          for (const json& difference : c->at("differences")) {
            result += difference.get<double>() < 0.0 ? 1 : 0;
          }
        }
        return result;
      };
      better += count("own_rate");
      in_equal_time += count("equal_time");
      pairs += walk->at("verdict_seeds").get<std::size_t>();
    }
    if (!walks.empty()) {
      add("On the 3D problem, with five optimizers, GAL is better in ", better, " of ", pairs,
          " walks at equal steps and in ", in_equal_time, " in equal time.\n\n");
    }
  }

  // The method that is better than plain by most; the smallest mean, or the largest where that is better.
  static std::string best_of(const json& comparison) {
    const json* best = nullptr;
    const double sign = comparison.at("larger_is_better").get<bool>() ? -1.0 : 1.0;
    for (const json& c : comparison.at("contrasts")) {
      if (string_of(c, "setting") == "own_rate" && string_of(c, "verdict") == "better" &&
          (best == nullptr || sign * c.at("mean").get<double>() < sign * best->at("mean").get<double>())) {
        best = &c;
      }
    }
    return best == nullptr ? "none"
                           : text(string_of(*best, "method"), " (", percent(*best, "mean_difference"), ")");
  }

  // ---- Comparisons -------------------------------------------------------------------------------------------------

  void section(std::string_view part, std::string_view heading, std::string_view about) {
    std::vector<std::pair<std::string, const json*>> comparisons = all(part);
    std::erase_if(comparisons, [](const auto& entry) { return !entry.second->contains("contrasts"); });
    if (comparisons.empty()) {
      return;
    }
    add("## ", heading, "\n\n", about);
    for (const auto& [name, comparison] : comparisons) {
      compared(name, *comparison);
    }
  }

  // Any file of the form of `to_json(comparison_result)`, with or without the runs, and a command if it has one.
  void compared(const std::string& name, const json& comparison) {
    const std::string baseline = string_of(comparison, "baseline");
    const json& rates = comparison.at("learning_rates");
    const bool tunes = rates.size() > 1;
    add("### ", string_of(comparison, "title"), "\n\n", string_of(comparison, "measure"), ", ",
        comparison.at("larger_is_better").get<bool>() ? "larger" : "smaller", " is better; ",
        comparison.at("verdict_seeds"), " seeds");
    if (tunes) {
      add(", learning rates ", rates.front(), " to ", rates.back(), " chosen with ",
          comparison.at("tuning_seeds"));
    } else {
      add(", learning rate ", rates.front());
    }
    double time = 0.0;
    std::string mean = "n/a";
    for (const json& c : comparison.at("contrasts")) {
      mean = string_of(c, "setting") == "own_rate" && !c.at("baseline_mean").is_null()
                 ? number(c.at("baseline_mean"))
                 : mean;
    }
    std::map<std::string, double> times;
    for (const json& m : comparison.at("methods")) {
      const json& seconds = m.at("seconds_per_step");
      times[string_of(m, "name")] = seconds.is_null() ? 0.0 : seconds.get<double>();
      if (string_of(m, "name") == baseline) {
        time = times[baseline];
        const json setting = m.value("best_setting", json());
        add(". ", baseline, ": ", mean, " at learning rate ", m.at("best_rate"),
            setting.is_null() ? "" : text(" and setting ", setting.get<double>()), ", ",
            significant(1e6 * time, 3), " microseconds a step.\n\n");
      }
    }
    picture(name + "_differences", string_of(comparison, "title") + ": differences to " + baseline);
    const bool has_missed = comparison.contains("missed");
    const bool has_time = comparison.value("equal_time", false);
    add("| method | rate | setting | mean | difference, 95 % | d | p | verdict |",
        tunes ? " equal steps |" : "", has_time ? " cost | equal time |" : "", has_missed ? " missed |" : "",
        "\n|---|---:|---:|---:|---:|---:|---:|---|", tunes ? "---|" : "", has_time ? "---:|---|" : "",
        has_missed ? "---:|" : "", "\n");
    for (const json& c : comparison.at("contrasts")) {
      if (string_of(c, "setting") != "own_rate") {
        continue;
      }
      const std::string method = string_of(c, "method");
      const json setting = c.value("method_setting", json());
      add("| ", method, " | ", number(c.at("learning_rate")), " | ", setting.is_null() ? "" : number(setting),
          " | ", number(c.at("mean")), " | ", percent(c, "mean_difference"), " [", percent(c, "low"), ", ",
          percent(c, "high"), "] | ", number(c.at("effect_size"), 3), " | ",
          probability(c.at("p_t_test_corrected")), " | ", word_of(c), " |");
      if (tunes) {
        add(" ", brief(find_contrast(&comparison, method, "equal_steps")), " |");
      }
      if (has_time) {
        add(" ", time > 0.0 ? fixed(times[method] / time, 2) : "n/a", " | ",
            brief(find_contrast(&comparison, method, "equal_time")), " |");
      }
      if (has_missed) {
        add(" ", comparison.at("missed").at(method), " |");
      }
      add("\n");
    }
    add("\n");
    picture(name + "_rates", string_of(comparison, "title") + ": validation over the learning rates");
    // That more seeds were needed is in the table: undecided.
    std::vector<std::string> warnings;
    for (const json& warning : comparison.at("warnings")) {
      const auto what = warning.get<std::string>();
      if (what.find("seeds would be needed") == std::string::npos) {
        warnings.push_back(what);
      }
    }
    if (!warnings.empty()) {
      add("Warnings:\n\n");
      for (const std::string& warning : warnings) {
        add("- ", warning, "\n");
      }
      add("\n");
    }
    commands({{name, &comparison}});
  }

  // ---- Other parts -------------------------------------------------------------------------------------------------

  void follow() {
    const auto parts = all("follow");
    if (parts.empty()) {
      return;
    }
    add(R"(## Over training

What Figs. 6 and 8 of the paper show, at the default learning rate, mean of the seeds:

- the remainder R of the tentative step. The preset recommended minimises the tentative loss, not R: its R is larger than
  plain's. The preset paper, whose step is shorter by the size of the batch, minimises abs(R);
- the cosine of the angle between gradient and adjustment: at 1 the adjustment is a factor on the gradient;
- the share of samples whose adjusted gradient is accepted;
- *ahead*: the share of steps whose tentative loss is below that of the plain gradient.

)");
    for (const auto& [name, part] : parts) {
      picture(name, string_of(*part, "title") + " over the epochs");
      add("| ", string_of(*part, "title"),
          " | abs(R), first epoch | last | cosine, first | last | accepted, first | last | ahead, first | "
          "last "
          "|\n|---|---:|---:|---:|---:|---:|---:|---:|---:|\n");
      for (const json& method : part->at("methods")) {
        add("| ", string_of(method, "method"), " |");
        for (const char* column : {"remainder", "cosine", "accepted", "ahead"}) {
          add(" ", number(method.at(column).front()), " | ", number(method.at(column).back()), " |");
        }
        add("\n");
      }
      add("\n");
    }
    commands(parts);
  }

  void bounds() {
    const auto parts = all("bound");
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

| path | method | steps | holds | median of abs(R) over the bound | largest | median of the largest abs(cos) |
|---|---|---:|---:|---:|---:|---:|
)");
    for (const auto& [name, part] : parts) {
      for (const json& path : part->at("paths")) {
        if (const json& n = path.at("numbers"); !n.is_null()) {
          add("| ", string_of(path, "path"), " | ", string_of(path, "method"), " | ", n.at("segments"), " | ",
              fixed(100.0 * n.at("held_share").get<double>(), 1), " % | ", number(n.at("median_ratio")),
              " | ", number(n.at("largest_ratio")), " | ", number(n.at("median_cosine")), " |\n");
        }
      }
    }
    add("\n");
    commands(parts);
  }

  void sources() {
    add("## Where the numbers come from\n\nEvery file says with which library, commit, compiler, flags and "
        "on which "
        "machine it was computed.\n\n| file | commit | compiler | flags | machine | date "
        "|\n|---|---|---|---|---|---|\n");
    for (const auto& [name, part] : parts_) {
      const json run = part.value("run", json::object());
      const auto of_run = [&](const char* field) { return run.value(field, std::string("-")); };
      add("| [", name, "](results/", name, ".json) | ", of_run("commit"), " | ", of_run("compiler"), " | `",
          of_run("flags"), "` | ", of_run("processor"), " | ", of_run("date"), " |\n");
    }
    add("\n");
  }

  void commands(const std::vector<std::pair<std::string, const json*>>& parts) {
    std::string lines;
    for (const auto& [name, part] : parts) {
      lines += part->contains("command") ? string_of(*part, "command") + "\n" : "";
    }
    if (!lines.empty()) {
      add("```sh\n", lines, "```\n\n");
    }
  }

  std::filesystem::path directory_;  // of the pictures
  std::map<std::string, json> parts_;
  std::string text_;
};

// Four panels over the epochs, a line a method.
std::string follow_script(const json& part) {
  std::string script = "set key bottom\nset xlabel 'epoch'\nset grid linecolor rgb '#dddddd'\n";
  std::string plots;
  constexpr std::pair<const char*, const char*> panels[] = {
      {"remainder", "size of the remainder"},
      {"cosine", "cosine of adjustment and gradient"},
      {"accepted", "share of samples accepted"},
      {"ahead", "share of steps ahead of the plain gradient"}};
  for (const auto& [column, title] : panels) {
    plots += text("  set title '", title, "'\n  ", column == panels[0].first ? "set" : "unset",
                  " logscale y\n  plot ");
    int line = 0;
    for (const json& method : part.at("methods")) {
      const std::string block = text("$", column, line);
      script += block + " << END\n";
      for (std::size_t k = 0; k < method.at(column).size(); ++k) {
        script +=
            text(k + 1, ",",
                 method.at(column)[k].is_null() ? "NaN" : text(method.at(column)[k].get<double>()), "\n");
      }
      script += "END\n";
      constexpr const char* colours[] = {"vanilla", "adjusted", "ink"};
      plots += text(line == 0 ? "" : ", ", block, " with lines linewidth 2.5 linecolor rgb ",
                    colours[line % 3], " title ", gal::gnuplot::literal(string_of(method, "method")));
      ++line;
    }
    plots += "\n";
  }
  return text(
      script, "do for [kind in 'png'] {\n  eval start(kind, 1200, 800)\n  set multiplot layout 2,2 title ",
      gal::gnuplot::literal(string_of(part, "title")), " font ',17'\n", plots, "  unset multiplot\n}\n");
}

}  // namespace

void write_page(const std::filesystem::path& directory) {
  const std::filesystem::path results = directory / "results";
  std::map<std::string, json> parts;
  for (const auto& entry : std::filesystem::directory_iterator(results)) {
    if (entry.path().extension() == ".json") {
      std::ifstream file(entry.path());
      parts[entry.path().stem().string()] = json::parse(file);
    }
  }
  const auto program = gal::gnuplot::find();
  for (const auto& [name, part] : parts) {
    if (part.contains("contrasts")) {
      gal::write_pictures(part, results.string(), name);
    } else if (program && part.value("part", std::string()) == "follow") {
      program->draw(results, name, follow_script(part), {"png"});
    }
  }
  if (!program) {
    std::printf("gnuplot is not in PATH: no new pictures; their scripts are in %s\n",
                results.string().c_str());
  }
  std::string contents = page(results, std::move(parts)).write();
  contents.erase(contents.find_last_not_of('\n') + 1);
  support::write_file(directory / "results.md", contents + "\n");
}

}  // namespace study
