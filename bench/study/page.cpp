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

- At the default rate many settings help and few help everywhere. What decides is how fast the gate opens: a wide adjuster, or a
  fast one, soon multiplies all gradients by 1 + epsilon alike (Over training), and then nothing is left but a larger
  learning rate for SGD, and nothing at all for Adam. A narrow adjuster with small weights takes longer, and one of four units
  does not get there.
- At the best rates the changes are small, and of both signs. On digits the recommended epsilon is too large: with 0.5 or 1 GAL
  is level.
- *Last hidden layer*: the adjuster scales the gradient of every hidden unit by itself. What looks like a gain on Boston at the
  best rates is not there with more seeds (`--part search --task boston --seeds 50`).
- *Real steps and next batches*: the objective is the loss after the step that the optimizer takes, so the gate learns
  to shorten steps too. It takes several more passes through the model, and gains nothing that lasts.
- *Schedules of epsilon*: Adam divides by the size of past gradients, so that a falling epsilon hardly shortens its steps, and
  SGD trains as with a falling learning rate. A *falling learning rate* itself does more for California than all else here,
  with adjustment and without.
- *abs(R)* as the objective, the paper's, teaches the gate to take no step at all.

)";

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
    searches();
    curves();
    sweeps();
    bounds();
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
    add("# Where gradient adjustment helps, and where it does not\n\n"
        "The program `bench/study` writes this page, its pictures and its numbers (`results/*.json`). A run "
        "is a training of "
        "one\nseed: initial weights, order of the batches, and the adjuster's weights. All methods share the "
        "seeds, so they "
        "are compared\nin pairs: the difference of the means with its 95 % confidence interval, Cohen's d of "
        "the paired "
        "differences, and p of\nStudent's paired t-test. *Better* and *worse* mean p < 0.05, *level* all "
        "else. p is not "
        "corrected for the number of\ncomparisons on this page: of a hundred that differ in nothing five "
        "pass 0.05.\n\n"
        "```sh\ncmake --preset bench && cmake --build --preset bench --target study\n"
        "sh examples/data/get_california.sh DIRECTORY && export GAL_DATA_DIR=DIRECTORY\n"
        "build/bench/bench/study/study --full --out docs\n```\n\n"
        "Each section names the command of its numbers. `--quick` runs all parts in brief.\n\n"
        "Methods: *vanilla* is the optimizer alone; *recommended* is `gal::recommended()` as it is (on the "
        "3D problem with 5 "
        "steps\nof the adjuster at learning rate 3e-3), one configuration for all networks; *paper* is "
        "`gal::paper()` with "
        "epsilon 0.1 and tau 1,\non regression normalised per batch and with the paper's hidden widths, on "
        "the 3D problem with "
        "the paper's pairs. The controls are\nrecommended with an adjuster that does not learn, with noise "
        "in its place, and with an adjuster without hidden layers.\n\n"
        "Networks and data: as in [the examples](../README.md#results): Boston, diabetes and California "
        "housing, "
        "standardised, a\nquarter for testing (the split of scikit-learn, seed 1), Adam; digits of 8 x 8 "
        "pixels, an MLP "
        "64-64-10, SGD with momentum\n0.9 or Adam. Batches of 32; the learning rate is constant.\n\n");
  }

  // A line for every claim that was to be tested, as it came out.
  void overview() {
    add("## In short\n\n| question | answer |\n|---|---|\n");
    if (const json* walks = find("walks", "surface")) {
      int better = 0;
      int pairs = 0;
      int missed = 0;
      for (const json& optimizer : walks->at("optimizers")) {
        const json& ours = optimizer.at("methods").at(0);
        better += ours.at("equal_steps").at("better").get<int>();
        pairs += ours.at("equal_steps").at("pairs").get<int>();
        missed += ours.at("missed").get<int>();
      }
      add("| 3D problem, five optimizers: is recommended better, at equal steps? | ", better, " of ", pairs,
          " walks are, ", missed, " end in the wrong basin |\n");
      add("| 3D problem: which controls are better than vanilla too, at equal steps? | ",
          better_walkers(*walks), " |\n");
    }
    verdicts("compare", "recommended", "equal_steps", "at the default learning rate");
    verdicts("compare", "recommended", "equal_time", "at the default learning rate, in equal time");
    verdicts("compare", "paper", "equal_steps", "at the default learning rate");
    std::string not_worse;
    for (const json* part : all("compare")) {
      const std::string measure = selecting(*part);
      for (const json& method : part->at("methods")) {
        const std::string name = string_of(method, "method");
        if (name == "vanilla" || name == "recommended" || name == "paper") {
          continue;
        }
        const std::string is = verdict(measure, method.at("equal_steps").at(measure));
        if (is != "worse") {
          not_worse += text(not_worse.empty() ? "" : "; ", string_of(*part, "title"), ": ",
                            string_of(method, "title"), " ", is);
        }
      }
    }
    add("| Is every control worse than vanilla (MSE, or error), at equal steps? | ",
        not_worse.empty() ? "yes" : text("all but ", not_worse), " |\n");
    verdicts("tune", "recommended", "test", "each at its own best learning rate");
    verdicts("tune", "paper", "test", "each at its own best learning rate");
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

  void verdicts(std::string_view part_name, std::string_view method_name, const char* scope_name,
                std::string_view where) {
    std::string answers;
    for (const json* part : all(part_name)) {
      for (const json& method : part->at("methods")) {
        if (string_of(method, "method") != method_name) {
          continue;
        }
        answers += text(answers.empty() ? "" : "; ", string_of(*part, "title"), ": ");
        bool first = true;
        for (const json& measure : part->at("measures")) {
          const std::string name = measure.get<std::string>();
          answers +=
              text(first ? "" : ", ", title_of(name), " ", verdict(name, method.at(scope_name).at(name)));
          first = false;
        }
      }
    }
    if (!answers.empty()) {
      add("| Is ", method_name, " better, ", where, "? | ", answers, " |\n");
    }
  }

  void walks() {
    const json* part = find("walks", "surface");
    if (part == nullptr) {
      return;
    }
    add("## The 3D problem\n\nMean height along the path, lower is better; the walk of vanilla is one, so "
        "each seed is "
        "compared with the same\nnumber. Cost is the time of a step over vanilla's; in equal time vanilla "
        "walks on for as many "
        "more steps.\n\n");
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
    add("\nThe function costs nothing here, so a step costs what the adjuster costs: in equal time no "
        "learned adjuster is "
        "ahead.\n\n");
    add(command(*part));
  }

  void comparisons() {
    const auto parts = all("compare");
    if (parts.empty()) {
      return;
    }
    add("## At the default learning rate\n\nCost is the processor time of a step over vanilla's, medians of "
        "the runs. In equal "
        "time vanilla is given as many more\nepochs, rounded up.\n\n");
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
    add("## The honest control: each at its own best learning rate\n\nThe gate changes the length of steps, "
        "so vanilla has to be "
        "given the same choice: every method trains at eleven\nrates from half to sixteen times the default "
        "one, a factor of about 1.4 apart, on three quarters of the samples for training;\nthe rate with the "
        "least error on the rest, mean of the seeds, is taken; then the method trains on all of them and "
        "is measured\non the test part.\n\n");
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

  void searches() {
    const auto parts = all("search");
    if (parts.empty()) {
      return;
    }
    add("## What else was tried\n\nOther settings than the recommended ones, and ideas that the library "
        "does not offer "
        "([idea_trainer.hpp](../bench/study/idea_trainer.hpp)),\neach one configuration for all tasks. They "
        "are "
        "compared with vanilla on the validation part (a quarter of the samples for\ntraining), so that the "
        "test part stays unseen: change of the MSE, or of the share of errors, and p. At the default "
        "learning\nrate; and each, vanilla too, at the best of half, one, two, four, eight and sixteen times "
        "it, chosen and compared on the\nsame part. The preset was chosen by the first table, with more "
        "seeds: the "
        "simplest that is better on the regressions and on\ndigits under SGD and worse on none.\n\n");
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
    add("## Over training\n\nWhat Figs. 6 and 8 of the paper show: the remainder of the tentative step, the "
        "cosine of the angle "
        "between gradient and\nadjustment, how much of the adjusted gradients is accepted, and how often "
        "their tentative loss is "
        "below that of the plain\ngradient.\n\n");
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
    add("## Epsilon, tau, hidden widths, safeguards\n\nOne setting at a time, the others as the preset's "
        "(paper, Figs. 7 and 8a): "
        "change of the test MSE, or of the test error,\nagainst vanilla, and p.\n\n");
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
    add("## The bound of theorem IV.4\n\nThe size of the remainder R of real steps against (L/2) max "
        "abs(cos) norm(step)^2, "
        "L and the cosine the largest at 32\npoints of the step: on the 3D problem of every step of seed 1, "
        "for networks of "
        "every tenth, in the space of the parameters,\nwith the loss of the step's batch. Steps whose bound "
        "is below 1e-11 are "
        "left out: there the subtraction in R is rounding.\nR may exceed the bound by 0.1 %, since L may be "
        "larger between the "
        "points.\n\n"
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
