// Where gradient adjustment helps, and where it does not: every task, method and control of the study. Writes the numbers of
// each part (JSON), and a page with tables and pictures made of all parts that are there.
#include "experiments.hpp"
#include "images.hpp"
#include "page.hpp"

#include "support/files.hpp"
#include "support/run_record.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace {

using study::json;
using study::network_task;
using study::scope;

constexpr std::string_view description =
    R"(Where gradient adjustment helps, and where it does not.

Parts:
  walks     the 3D problem under five optimizers: all methods and controls
  networks  everything that the library offers, each at its own best learning rate and setting
  defaults  gradient adjustment, its controls and other settings of it at the default learning rate
  images    Fashion-MNIST by LeNet and ResNet-8: two hours, and only where it is asked for by name
  follow    remainder, cosine, and what is accepted, over training
  bound     theorem IV.4 along the paths of trainings
  page      nothing new: only the page and its pictures, from the numbers that are there

--quick runs all of them in brief, and fails unless on the 3D problem at least 95 % of 20 seeds are better than plain
with every optimizer, and none ends in the wrong basin. --full runs as published. A part that was stopped goes on where it was.)";

struct settings {
  bool quick = false;
  bool full = false;
  std::string part = "all";
  std::string task = "all";
  int seeds = 0;   // 0: the part's
  int epochs = 0;  // 0: the task's
  int threads = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  std::string out = "build/study";

  [[nodiscard]] bool wants(std::string_view a_part, std::string_view a_task) const {
    return (part == "all" || part == a_part) && (task == "all" || task == a_task);
  }
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

// California has ten times as many samples as all others.
const std::vector<network_part> network_parts = {
    {"networks", study::networks, all_tasks, 20, 10},
    {"defaults", study::defaults, all_tasks, 20, 10},
    {"follow", study::follow, {"boston", "digits_sgd"}, 10, 10},
    {"bound", study::bound, {"boston", "digits_sgd"}, 1, 1},
};

void write(const settings& s, std::string_view part, std::string_view task, int seeds, const json& numbers) {
  json result{{"part", part},
              {"task", task},
              {"command", support::text("build/bench/bench/study/study ", s.quick ? "--quick" : "--full",
                                        " --part ", part, " --task ", task, " --seeds ", seeds,
                                        s.epochs > 0 ? support::text(" --epochs ", s.epochs) : "",
                                        " --threads ", s.threads, " --out ", s.out)}};
  result.update(numbers);
  support::add_run_record(result["run"]);
  const std::string name = support::text(part, "_", task, ".json");
  support::write_file(std::filesystem::path(s.out) / "results" / name, result.dump(1) + "\n");
  std::printf("%s\n", name.c_str());
  std::fflush(stdout);
}

// What --quick asks of the 3D problem. Says what was missed.
bool first_bar_holds(const json& walks) {
  const json& differences = walks.at("contrasts").at(0).at("differences");  // of the recommended settings
  const auto better = std::ranges::count_if(differences, [](const json& d) { return d.get<double>() < 0.0; });
  const int missed = walks.at("missed").at("GAL, recommended");
  const bool holds = 100 * better >= 95 * static_cast<std::ptrdiff_t>(differences.size()) && missed == 0;
  std::printf("%-32s  %td of %zu seeds better, %d in the wrong basin%s\n",
              walks.at("title").get<std::string>().c_str(), better, differences.size(), missed,
              holds ? "" : "  FAILS");
  return holds;
}

// Returns whether the bar that is checked holds.
bool run(const settings& s) {
  bool holds = true;
  for (const std::string_view name : study::walk_names) {
    if (s.wants("walks", name)) {
      const int seeds = s.seeds > 0 ? s.seeds : 20;
      const json numbers = study::walks(name, {.seeds = seeds, .threads = s.threads});
      write(s, "walks", name, seeds, numbers);
      holds = first_bar_holds(numbers) && holds;
    }
  }
  if (s.wants("bound", "surface")) {
    write(s, "bound", "surface", 1, study::bound_of_walks());
  }
  for (const std::string_view name : all_tasks) {
    const bool wanted = std::ranges::any_of(network_parts, [&](const network_part& part) {
      return s.wants(part.name, name) && std::ranges::count(part.tasks, name) > 0;
    });
    if (!wanted) {
      continue;
    }
    if (s.task == "all" && !support::data_file(study::file_of(name))) {
      std::printf("Without %s: %s\n", std::string(name).c_str(),
                  support::no_data_file(study::file_of(name)).c_str());
      continue;
    }
    const network_task task = study::load_task(name);
    for (const network_part& part : network_parts) {
      if (s.wants(part.name, name) && std::ranges::count(part.tasks, name) > 0) {
        const int usual = name == "california" ? part.california_seeds : part.seeds;
        const int seeds = s.seeds > 0 ? s.seeds : (s.quick ? 2 : usual);
        const int epochs = s.epochs > 0 ? s.epochs : (s.quick ? 1 : 0);
        // Gone once the numbers are there.
        const std::string ledger = support::text(s.out, "/", part.name, "_", name, ".jsonl");
        write(s, part.name, name, seeds,
              part.run(task, {.seeds = seeds, .threads = s.threads, .epochs = epochs, .ledger = ledger}));
        std::filesystem::remove(ledger);
      }
    }
  }
  for (const std::string_view name : study::image_tasks) {
    if (s.part == "images" && s.wants("images", name)) {
      const int seeds = s.seeds > 0 ? s.seeds : 5;
      const std::string ledger = support::text(s.out, "/images_", name, ".jsonl");
      write(
          s, "images", name, seeds,
          study::images(name, {.seeds = seeds, .threads = s.threads, .epochs = s.epochs, .ledger = ledger}));
      std::filesystem::remove(ledger);
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
                      {"walks", "networks", "defaults", "images", "follow", "bound", "page", "all"});
  std::vector<std::string> tasks = {"surface", "all"};
  tasks.insert(tasks.end(), study::walk_names.begin(), study::walk_names.end());
  tasks.insert(tasks.end(), all_tasks.begin(), all_tasks.end());
  tasks.insert(tasks.end(), study::image_tasks.begin(), study::image_tasks.end());
  support::add_choice(app, "--task", s.task, "Task, or optimizer of the 3D problem; surface: its bound",
                      std::move(tasks));
  app.add_option("--seeds", s.seeds, "Seeds of every method, instead of the part's number")
      ->check(CLI::Range(1, 100'000));
  app.add_option("--epochs", s.epochs, "Epochs, instead of the task's number")
      ->check(CLI::Range(1, 1'000'000));
  support::add_count(app, "--threads", s.threads, "Threads; only times depend on it", 1024);
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
