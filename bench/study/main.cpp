// Where gradient adjustment helps, and where it does not: every task, method and control of the study. Writes the numbers of
// each part (JSON), and a page with tables and pictures made of all parts that are there.
#include "experiments.hpp"
#include "images.hpp"
#include "page.hpp"

#include "support/comparison.hpp"
#include "support/data_files.hpp"
#include "support/files.hpp"
#include "support/run_record.hpp"
#include "support/text.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace {

using study::json;
using study::network_task;
using study::scope;

constexpr std::string_view description =
    R"(Where gradient adjustment helps, and where it does not.

Parts:
  walks    the 3D problem under five optimizers, all methods and controls
  compare  networks at the default learning rate: all methods, at equal steps and in equal time
  splits   recommended against vanilla on five further splits of the regressions
  tune     each method at its own best learning rate, chosen on a validation part
  related  the related methods of the expansion: each at its own best learning rate, and in equal time
  follow   remainder, cosine, and what is accepted, over training
  sweep    epsilon, tau, hidden widths and safeguards
  search   other settings than the recommended ones, and ideas that the library does not offer, on a validation part
  images   Fashion-MNIST by convolutional networks; goes on where a run was stopped
  bound    theorem IV.4 along the paths of trainings
  page     nothing new: only the page, from the numbers that are there

--quick runs all of them in brief, and fails unless on the 3D problem at least 95 % of 20 seeds are better than vanilla
with every optimizer, and none ends in the wrong basin. --full runs as published.)";

struct settings {
  bool quick = false;
  bool full = false;
  std::string part = "all";
  std::string task = "all";
  int seeds = 0;   // 0: the part's
  int epochs = 0;  // 0: the task's
  int threads = support::default_threads();
  std::string out = "build/study";
};

// A part with networks, the tasks that it runs on, and its seeds.
struct network_part {
  std::string_view name;
  json (*run)(const network_task&, const scope&);
  std::vector<std::string_view> tasks;
  int seeds;
  int california_seeds;
};

const std::vector<std::string_view> all_tasks(study::network_names.begin(), study::network_names.end());

const std::vector<std::string_view> short_tasks = {"boston", "diabetes", "california", "digits_sgd",
                                                   "digits_adam"};

// California has ten times as many samples as all others.
const std::vector<network_part> network_parts = {
    {"compare", study::compare, all_tasks, 50, 20},
    {"splits", study::compare_splits, {"boston", "diabetes", "california"}, 20, 10},
    {"tune", study::tune, short_tasks, 50, 20},
    {"related", study::related, {"boston", "diabetes", "digits_sgd", "digits_adam"}, 20, 20},
    {"follow", study::follow, {"boston", "digits_sgd"}, 10, 10},
    {"sweep", study::sweep, {"boston", "digits_sgd"}, 20, 20},
    {"search", study::search, short_tasks, 20, 5},
    {"bound", study::bound, {"boston", "digits_sgd"}, 1, 1},
};

std::string command_of(const settings& s, std::string_view part, std::string_view task, int seeds) {
  return support::text("build/bench/bench/study/study ", s.quick ? "--quick" : "--full", " --part ", part,
                       " --task ", task, " --seeds ", seeds,
                       s.epochs > 0 ? support::text(" --epochs ", s.epochs) : "", " --out ", s.out);
}

void write(const settings& s, std::string_view part, std::string_view task, int seeds, json numbers) {
  json result{{"part", part}, {"task", task}, {"command", command_of(s, part, task, seeds)}};
  result.update(numbers);
  result["run"] = {{"threads", s.threads}};
  support::add_run_record(result["run"]);
  const std::string name = support::text(part, "_", task, ".json");
  support::write_file(std::filesystem::path(s.out) / "results" / name, result.dump(1) + "\n");
  std::printf("%s\n", name.c_str());
  std::fflush(stdout);
}

// What --quick asks of the 3D problem. Says what was missed.
bool first_bar_holds(const json& walks) {
  bool holds = true;
  for (const json& optimizer : walks.at("optimizers")) {
    const json& recommended = optimizer.at("methods").at(0);
    const json& equal_steps = recommended.at("equal_steps");
    const auto better = equal_steps.at("better").get<double>();
    const auto pairs = equal_steps.at("pairs").get<double>();
    const int missed = recommended.at("missed");
    const bool passes = better >= 0.95 * pairs && missed == 0;
    std::printf("%-16s  %2.0f of %2.0f seeds better, %d in the wrong basin%s\n",
                optimizer.at("title").get<std::string>().c_str(), better, pairs, missed,
                passes ? "" : "  FAILS");
    holds = holds && passes;
  }
  return holds;
}

// Returns whether the bar that is checked holds.
bool run(const settings& s) {
  const auto wanted = [](const std::string& chosen, std::string_view name) {
    return chosen == "all" || chosen == name;
  };
  bool holds = true;
  if (wanted(s.part, "walks") && (s.task == "all" || s.task == "surface")) {
    const int seeds = s.seeds > 0 ? s.seeds : 20;
    const json numbers = study::walks({.seeds = seeds, .threads = s.threads});
    write(s, "walks", "surface", seeds, numbers);
    holds = first_bar_holds(numbers);
  }
  if (wanted(s.part, "bound") && (s.task == "all" || s.task == "surface")) {
    write(s, "bound", "surface", 1, study::bound_of_walks());
  }
  for (const std::string_view name : study::image_tasks) {
    if (s.part == "images" && wanted(s.task, name)) {  // by its own name alone: it takes an hour
      const int seeds = s.seeds > 0 ? s.seeds : 5;
      const std::string ledger = support::text(s.out, "/images_", name, ".jsonl");
      write(s, "images", name, seeds,
            study::images(name, {.seeds = seeds, .threads = s.threads, .epochs = s.epochs}, ledger));
    }
  }
  for (const std::string_view name : all_tasks) {
    if (!wanted(s.task, name)) {
      continue;
    }
    if (s.task == "all" && !support::data_file(study::file_of(name))) {
      std::printf("Without %s: %s\n", std::string(name).c_str(),
                  support::no_data_file(study::file_of(name)).c_str());
      continue;
    }
    const network_task task = study::load_task(name);
    for (const network_part& part : network_parts) {
      if (wanted(s.part, part.name) && std::ranges::count(part.tasks, name) > 0) {
        const int usual = name.starts_with("california") ? part.california_seeds : part.seeds;
        const int seeds = s.seeds > 0 ? s.seeds : (s.quick ? 2 : usual);
        const scope extent{
            .seeds = seeds, .threads = s.threads, .epochs = s.epochs > 0 ? s.epochs : (s.quick ? 1 : 0)};
        write(s, part.name, name, seeds, part.run(task, extent));
      }
    }
  }
  study::write_page(s.out);
  return holds || !s.quick;
}

}  // namespace

int main(int count, char** arguments) {
  settings s;
  CLI::App app{std::string(description)};
  auto* const quick =
      app.add_flag("--quick", s.quick, "In brief, and fail where the first bar does not hold");
  app.add_flag("--full", s.full, "As published")->excludes(quick);
  support::add_choice(app, "--part", s.part, "Part to run",
                      {"walks", "compare", "splits", "tune", "related", "follow", "sweep", "search", "images",
                       "bound", "page", "all"});
  std::vector<std::string> tasks = {"surface", "all"};
  tasks.insert(tasks.end(), all_tasks.begin(), all_tasks.end());
  tasks.insert(tasks.end(), study::image_tasks.begin(), study::image_tasks.end());
  support::add_choice(app, "--task", s.task, "Task to run it on; surface: the 3D problem", std::move(tasks));
  app.add_option("--seeds", s.seeds, "Seeds of every method, instead of the part's number")
      ->check(CLI::Range(1, 100'000));
  app.add_option("--epochs", s.epochs, "Epochs, instead of the task's number")
      ->check(CLI::Range(1, 1'000'000));
  app.add_option("--threads", s.threads, "Threads; only times depend on it")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  app.add_option("--out", s.out, "Directory for results.md and results/")
      ->check(support::no_name)
      ->capture_default_str();
  CLI11_PARSE(app, count, arguments);

  bool holds = true;
  const int status = support::run_program("study", [&] {
    support::require(s.quick || s.full, gal::error_code::invalid_option, "expected --quick or --full");
    support::prepare_output(s.out, "");
    holds = run(s);
  });
  return holds ? status : 1;
}
