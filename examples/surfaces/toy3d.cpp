// Walks down a surface with five optimizers, plain and with adjusted gradients: tables, pictures, JSON.
#include "support/console.hpp"
#include "support/gnuplot.hpp"
#include "support/program.hpp"
#include "support/surfaces.hpp"
#include "support/text.hpp"
#include "support/walks.hpp"

#include <gal/gal.hpp>

#include <CLI/CLI.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace {

using support::json;
using support::missed;
using support::optimizer_entry;
using support::position;
using support::surface;
using support::walk_result;
using support::walk_settings;

constexpr std::string_view description =
    R"(Gradient adjustment learning on a surface that one can see.

The features are a point in the plane, and the loss is the height of the surface there. From one start, each
optimizer walks down twice: plain ("vanilla"), and with the gradients that an adjuster proposes, a small network that
learns during the walk. The adjuster starts at random, so the second walk is repeated for every seed; the plain one
is always the same. A walk is better where its mean height is lower: it came down earlier, deeper, or both.

Presets:
  recommended  the library's own options, with 5 steps of the adjuster at learning rate 3e-3 in each of the walk's:
               a walk of a few hundred steps is short, and the adjuster has to learn within it
  paper        the paper's options and settings (arXiv 2201.09193), with the exact remainder of its text; on the
               other surfaces with the tau of recommended, since the paper's is for its own

With --out DIR: the paths (CSV), and through gnuplot, where it is installed, pictures (PNG, SVG; --animate: GIF).)";

// ---- Settings ------------------------------------------------------------------------------------------------------

struct settings {
  std::string optimizer = "all";
  std::string preset = "recommended";
  std::string surface_name = "paper";
  int seeds = 20;
  int steps = 0;  // 0: the table's
  bool animate = false;
  std::string out;
  std::string json_file;
};

// ---- Walks ---------------------------------------------------------------------------------------------------------

// An optimizer's walks: the plain one, and the adjusted ones by seed.
struct experiment {
  const optimizer_entry* optimizer = nullptr;
  walk_settings settings{};
  gal::adjust_options options{};
  walk_result vanilla{};
  std::vector<walk_result> adjusted{};
  std::vector<std::uint64_t> seeds{};
};

// Of the adjusted walks.
struct summary {
  double mean = 0.0;         // mean over the seeds of the mean heights
  double worst = 0.0;        // largest of them
  double final_mean = 0.0;   // mean of the heights in the end
  double final_worst = 0.0;  // largest of them
  double accepted_share = 0.0;
  int better = 0;   // lower mean height than vanilla
  int missed = 0;   // ended above the surface's goal
  int refused = 0;  // steps
};

summary summarise(const surface& ground, const experiment& e) {
  // A walk that left the range of numbers is the worst there is.
  const auto height = [](double z) { return std::isnan(z) ? std::numeric_limits<double>::infinity() : z; };
  const auto count = static_cast<double>(e.adjusted.size());
  summary result{.worst = -std::numeric_limits<double>::infinity(),
                 .final_worst = -std::numeric_limits<double>::infinity()};
  for (const walk_result& walk : e.adjusted) {
    result.mean += height(walk.mean) / count;
    result.worst = std::max(result.worst, height(walk.mean));
    result.final_mean += height(walk.final_height()) / count;
    result.final_worst = std::max(result.final_worst, height(walk.final_height()));
    result.accepted_share += walk.accepted_share / count;
    result.better += walk.mean < e.vanilla.mean ? 1 : 0;
    result.missed += missed(ground, walk) ? 1 : 0;
    result.refused += walk.refused;
  }
  return result;
}

std::vector<experiment> run(const settings& s, const surface& ground) {
  std::vector<experiment> experiments;
  for (const optimizer_entry& entry : support::optimizers) {
    if (s.optimizer == "all" || s.optimizer == entry.name) {
      experiment e{.optimizer = &entry, .settings = support::settings_for(ground.name, entry.name)};
      e.settings.steps = s.steps > 0 ? s.steps : e.settings.steps;
      e.options = support::walk_options(s.preset, entry, e.settings);
      const auto walk = [&](const support::maybe_adjusted& options) {
        return support::walk_down(ground, support::make_optimizer(e.settings), options, e.settings.steps);
      };
      e.vanilla = walk(std::nullopt);
      for (int seed = 1; seed <= s.seeds; ++seed) {
        gal::adjust_options options = e.options;
        options.adjuster.seed = static_cast<std::uint64_t>(seed);
        e.adjusted.push_back(walk(options));
        e.seeds.push_back(options.adjuster.seed);
      }
      experiments.push_back(std::move(e));
    }
  }
  return experiments;
}

// ---- Report --------------------------------------------------------------------------------------------------------

void print(const settings& s, const surface& ground, const std::vector<experiment>& experiments) {
  std::printf("%s, from (%g, %g); preset %s, %d seed%s\n", ground.title.data(), ground.start[0],
              ground.start[1], s.preset.c_str(), s.seeds, s.seeds == 1 ? "" : "s");
  if (s.preset == "recommended") {
    std::printf(
        "The adjuster takes 5 steps at learning rate 0.003 in each of the walk's: it has only the walk to "
        "learn.\n");
  }
  std::printf("\n");
  const auto height = [&](double z) {
    return ground.logarithmic ? support::scientific(z, 2) : support::fixed(z, 4);
  };
  support::console_table table(
      {"optimizer", "method", "steps", "mean z", "worst", "final z", "worst", "accepted", "better", "missed"},
      2);
  const auto share = [&](int count) { return std::to_string(count) + "/" + std::to_string(s.seeds); };
  for (const experiment& e : experiments) {
    const summary all = summarise(ground, e);
    if (&e != &experiments.front()) {
      table.add_rule();
    }
    table.add({std::string(e.optimizer->title), "vanilla", std::to_string(e.settings.steps),
               height(e.vanilla.mean), "", height(e.vanilla.final_height()), "", "", "",
               missed(ground, e.vanilla) ? "yes" : "no"});
    table.add({"", "adjusted", "", height(all.mean), height(all.worst), height(all.final_mean),
               height(all.final_worst), support::fixed(100.0 * all.accepted_share, 1) + " %",
               share(all.better), share(all.missed)});
  }
  table.print();
  std::printf(
      "\nmean z: over the path, then over the seeds; worst: largest over the seeds; accepted: steps with the "
      "adjusted\n"
      "gradient; better: seeds with a lower mean z than vanilla; missed: ended above z = %g,\n%s\n",
      ground.goal,
      ground.name == "paper" ? "so in the wrong basin (-0.1843), not in the deep one (-1.3549)"
                             : "with less than 99 % of the way down done");
  for (const experiment& e : experiments) {
    const int refused = summarise(ground, e).refused;
    if (e.vanilla.refused + refused > 0) {
      std::printf("\n%s: steps refused, since a number was not finite: vanilla %d of %d, adjusted %d of %d\n",
                  e.optimizer->title.data(), e.vanilla.refused, e.settings.steps, refused,
                  e.settings.steps * s.seeds);
    }
  }
}

json to_json(const settings& s, const surface& ground, const std::vector<experiment>& experiments) {
  json result{{"surface", ground.name},
              {"start", ground.start},
              {"goal", ground.goal},
              {"preset", s.preset},
              {"experiments", json::array()}};
  for (const experiment& e : experiments) {
    const summary all = summarise(ground, e);
    const auto seeds = static_cast<double>(s.seeds);
    json runs = json::array();
    for (std::size_t k = 0; k < e.adjusted.size(); ++k) {
      const walk_result& walk = e.adjusted[k];
      runs.push_back({{"seed", e.seeds[k]},
                      {"mean", walk.mean},
                      {"final", walk.final_height()},
                      {"accepted_share", walk.accepted_share},
                      {"refused_steps", walk.refused},
                      {"better", walk.mean < e.vanilla.mean},
                      {"missed", missed(ground, walk)}});
    }
    result["experiments"].push_back(
        {{"optimizer", e.optimizer->name},
         {"steps", e.settings.steps},
         {"learning_rate", e.settings.learning_rate},
         {"epsilon", e.options.epsilon},
         {"tau", e.options.tau},
         {"adjuster_steps", e.options.adjuster_steps},
         {"adjuster_learning_rate", e.options.training == gal::adjuster_training::own_adam
                                        ? e.options.adjuster_learning_rate
                                        : e.settings.learning_rate},
         {"vanilla",
          {{"mean", e.vanilla.mean},
           {"final", e.vanilla.final_height()},
           {"refused_steps", e.vanilla.refused},
           {"missed", missed(ground, e.vanilla)}}},
         {"adjusted",
          {{"mean", all.mean},
           {"worst_mean", all.worst},
           {"final", all.final_mean},
           {"worst_final", all.final_worst},
           {"accepted_share", all.accepted_share},
           {"refused_steps", all.refused},
           {"share_better", all.better / seeds},
           {"share_missed", all.missed / seeds}}},
         {"runs", std::move(runs)}});
  }
  return result;
}

// ---- Pictures ------------------------------------------------------------------------------------------------------

// Heights as they are drawn in the 3D pictures.
double drawn_height(const surface& ground, double z) { return ground.logarithmic ? std::log10(1.0 + z) : z; }

// The paths of vanilla and of the first seed, side by side.
std::string path_csv(const surface& ground, const experiment& e) {
  std::string text =
      "step,vanilla_x,vanilla_y,vanilla_z,vanilla_drawn_z,adjusted_x,adjusted_y,adjusted_z,adjusted_drawn_"
      "z\n";
  for (std::size_t i = 0; i < e.vanilla.path.size(); ++i) {
    const position& a = e.vanilla.path[i];
    const position& b = e.adjusted.front().path[i];
    support::append_csv_row(
        text, i,
        std::array{a.x, a.y, a.z, drawn_height(ground, a.z), b.x, b.y, b.z, drawn_height(ground, b.z)});
  }
  return text;
}

constexpr int grid_cells = 60;  // in each direction

// The surface on a grid, in gnuplot's form "nonuniform matrix": x along the first row, y down the first column.
std::string grid_csv(const surface& ground) {
  const auto at = [](const std::array<double, 2>& range, int i) {
    return range[0] + (range[1] - range[0]) * i / static_cast<double>(grid_cells);
  };
  std::string text = std::to_string(grid_cells + 1);
  for (int i = 0; i <= grid_cells; ++i) {
    text += support::text(",", at(ground.x_range, i));
  }
  text += '\n';
  for (int j = 0; j <= grid_cells; ++j) {
    text += support::text(at(ground.y_range, j));
    for (int i = 0; i <= grid_cells; ++i) {
      const std::array<double, 2> place{at(ground.x_range, i), at(ground.y_range, j)};
      std::array<double, 2> unused{};
      text += support::text(",", drawn_height(ground, ground.value(place, unused)));
    }
    text += '\n';
  }
  return text;
}

// What all pictures of a surface share: data, axes, and titles.
std::string scene_script(const settings& s, const surface& ground, const experiment& e) {
  const std::string name(e.optimizer->name);
  std::string script =
      support::text("grid = '", ground.name, ".csv'\npath = '", name, "_path.csv'\nranges = 'set xrange [",
                    ground.x_range[0], ":", ground.x_range[1], "]; set yrange [", ground.y_range[0], ":",
                    ground.y_range[1], "]'\nset view ", ground.view[0], ",", ground.view[1], ", 1.12, 1.1\n");
  script += "$minima << END\n";
  for (const support::point& minimum : ground.minima) {
    std::array<double, 2> unused{};
    script += support::text(minimum[0], ",", minimum[1], ",",
                            drawn_height(ground, ground.value(minimum, unused)), "\n");
  }
  script += "END\n";
  const auto literal = support::gnuplot::literal;
  const std::string title = support::text(ground.title, ", ", e.optimizer->title, ", preset ", s.preset,
                                          ", seed ", e.seeds.front());
  script += "ztitle = " + literal(ground.logarithmic ? "log_{10}(1 + z)" : "z") +
            "\nformula = " + literal(ground.formula) + "\ntitle = " + literal(title) + "\n";
  script += R"(
# Grey heights, so that the paths have all the colour.
set palette defined (0 '#8fa3b3', 0.5 '#ccd6dd', 1 '#f7f9fa')
set pm3d scansautomatic border linecolor rgb '#b4c0c9' linewidth 0.3
unset colorbox
set xyplane relative 0.12
)";
  return script;
}

// The part of the plane that both paths cross, with a margin, as gnuplot's commands for the ranges: whole cells of the
// grid, where lines of equal height end.
std::string crossed_script(const surface& ground, const experiment& e) {
  std::array<double, 2> low{std::numeric_limits<double>::infinity(), std::numeric_limits<double>::infinity()};
  std::array<double, 2> high{-low[0], -low[1]};
  for (const walk_result* walk : {&e.vanilla, &e.adjusted.front()}) {
    for (const position& place : walk->path) {
      const std::array<double, 2> at{place.x, place.y};
      for (std::size_t k = 0; k < 2; ++k) {
        if (std::isfinite(at[k])) {
          low[k] = std::min(low[k], at[k]);
          high[k] = std::max(high[k], at[k]);
        }
      }
    }
  }
  const auto range = [&](std::size_t k, const std::array<double, 2>& whole) {
    const double cell = (whole[1] - whole[0]) / grid_cells;
    const double margin = 0.15 * (high[k] - low[k]);
    const double first = std::floor((low[k] - margin - whole[0]) / cell);
    const double last = std::ceil((high[k] + margin - whole[0]) / cell);
    return support::text("[", whole[0] + (std::clamp(first, 0.0, grid_cells - 1.0) - 1e-6) * cell, ":",
                         whole[0] + (std::clamp(last, 1.0, grid_cells + 0.0) + 1e-6) * cell, "]");
  };
  return support::text("crossed = 'set xrange ", range(0, ground.x_range), "; set yrange ",
                       range(1, ground.y_range), "'\n");
}

// Three panels: the surface; the part that the paths cross, from above, with a mark on each at the same steps; and the
// heights over the steps.
std::string still_script(const settings& s, const surface& ground, const experiment& e) {
  return scene_script(s, ground, e) + crossed_script(ground, e) +
         support::text("between = ", std::max(1, e.settings.steps / 10), "\n") +
         (ground.logarithmic ? "logarithmic = 1\n" : "logarithmic = 0\n") + R"(
do for [kind in 'png svg'] {
  eval start(kind, 1800, 640)
  set multiplot title sprintf("%s\n{/*0.75 %s}", title, formula) font ',17' textcolor rgb ink

  eval ranges
  set margins -1, -1, -1, -1
  set xtics offset 0, -0.3
  set origin 0.0, 0.08
  set size 0.38, 0.84
  set title 'The surface, and both paths'
  set xlabel 'x'
  set ylabel 'y'
  set zlabel ztitle rotate parallel
  set key at screen 0.36, screen 0.04 center center horizontal maxrows 1 samplen 2 width 2
  splot grid nonuniform matrix using 1:2:3 with pm3d notitle, \
    path skip 1 using 2:3:5 with lines linewidth 6 linecolor rgb 'white' notitle, \
    path skip 1 using 6:7:9 with lines linewidth 6 linecolor rgb 'white' notitle, \
    path skip 1 using 2:3:5 with lines linewidth 4 linecolor rgb vanilla title 'vanilla', \
    path skip 1 using 6:7:9 with lines linewidth 2.5 linecolor rgb adjusted title 'adjusted', \
    path skip 1 every ::::0 using 2:3:5 with points pointtype 7 pointsize 1.8 linecolor rgb ink title 'start', \
    $minima with points pointtype 3 pointsize 1.8 linewidth 2.5 linecolor rgb ink title 'minimum'

  # From above: lines of equal height.
  set view map
  eval crossed
  set origin 0.36, 0.0
  set size 0.33, 0.92
  set margins at screen 0.425, screen 0.68, screen 0.18, screen 0.80
  set title sprintf('From above: a mark every %d steps', between)
  set xtics auto offset 0, 0
  unset zlabel
  unset key
  set contour base
  set cntrparam levels 24
  set cntrlabel onecolor
  splot grid nonuniform matrix using 1:2:3 with lines nosurface linecolor rgb '#b4c0c9' linewidth 1 notitle, \
    path skip 1 using 2:3:(0) with lines nocontour linewidth 3 linecolor rgb vanilla notitle, \
    path skip 1 using 6:7:(0) with lines nocontour linewidth 2 linecolor rgb adjusted notitle, \
    path skip 1 every between using 2:3:(0) with points nocontour pointtype 7 pointsize 1.4 linecolor rgb vanilla notitle, \
    path skip 1 every between using 6:7:(0) with points nocontour pointtype 6 pointsize 1.9 linewidth 2.5 linecolor rgb adjusted notitle, \
    path skip 1 every ::::0 using 2:3:(0) with points nocontour pointtype 7 pointsize 1.8 linecolor rgb ink notitle, \
    $minima using 1:2:(0) with points nocontour pointtype 3 pointsize 1.8 linewidth 2.5 linecolor rgb ink notitle
  unset contour

  set origin 0.7, 0.0
  set size 0.3, 0.92
  set margins at screen 0.755, screen 0.985, screen 0.18, screen 0.80
  set title 'Height over the steps: lower is better'
  set xrange [0:*]
  set yrange [*:*]
  set xlabel 'step'
  set ylabel (logarithmic ? 'z (logarithmic)' : 'z') rotate by 90
  if (logarithmic) { set logscale y; set format y '10^{%T}'; set yrange [1e-8 < *:*] }
  set grid linecolor rgb '#dddddd' linetype 1
  plot path skip 1 using 1:4 with lines linewidth 3 linecolor rgb vanilla notitle, \
    path skip 1 using 1:8 with lines linewidth 2 linecolor rgb adjusted notitle, \
    path skip 1 every between using 1:4 with points pointtype 7 pointsize 1.4 linecolor rgb vanilla notitle, \
    path skip 1 every between using 1:8 with points pointtype 6 pointsize 1.9 linewidth 2.5 linecolor rgb adjusted notitle
  unset multiplot
  unset logscale y
  unset grid
  set format y
)" + support::text("  set view ", ground.view[0], ",", ground.view[1], ", 1.12, 1.1\n}\n");
}

std::string animation_script(const settings& s, const surface& ground, const experiment& e) {
  return scene_script(s, ground, e) + support::text("steps = ", e.settings.steps, "\n") + R"(
eval start('gif', 720, 560)
set pm3d noborder
eval ranges
set xtics offset 0, -0.3
set xlabel 'x'
set ylabel 'y'
set zlabel ztitle rotate parallel
set origin 0.03, 0.06
set size 0.97, 0.94
set key at screen 0.5, screen 0.03 center center horizontal maxrows 1 samplen 2
frames = 45
do for [frame = 0:frames + 10] {
  # More frames where the walks are fast: at their beginning; the last ones stand still.
  now = frame >= frames ? steps : int(steps * (1.0 * frame / frames)**2)
  set title sprintf("%s\nstep %d of %d", title, now, steps)
  splot grid nonuniform matrix using 1:2:3 with pm3d notitle, \
    path skip 1 every ::::now using 2:3:5 with lines linewidth 4 linecolor rgb vanilla title 'vanilla', \
    path skip 1 every ::::now using 6:7:9 with lines linewidth 3 linecolor rgb adjusted title 'adjusted', \
    path skip 1 every ::::0 using 2:3:5 with points pointtype 7 pointsize 1.5 linecolor rgb ink title 'start', \
    $minima with points pointtype 3 pointsize 1.5 linewidth 2 linecolor rgb ink title 'minimum'
}
)";
}

void write_pictures(const settings& s, const surface& ground, const std::vector<experiment>& experiments) {
  const std::filesystem::path out(s.out);
  support::write_file(out / (std::string(ground.name) + ".csv"), grid_csv(ground));
  for (const experiment& e : experiments) {
    support::write_file(out / (std::string(e.optimizer->name) + "_path.csv"), path_csv(ground, e));
  }
  const auto plotter = support::gnuplot::find();
  if (!plotter) {
    std::printf("\ngnuplot is not in PATH: no pictures. The paths are in %s\n", s.out.c_str());
    return;
  }
  for (const experiment& e : experiments) {
    const std::string name(e.optimizer->name);
    plotter->draw(out, name, still_script(s, ground, e), {"png", "svg"});
    if (s.animate) {
      plotter->draw(out, name + "_walk", animation_script(s, ground, e), {"gif"});
    }
  }
  std::printf("\nPaths and pictures are in %s\n", s.out.c_str());
}

const surface& surface_called(std::string_view name) {
  return *std::ranges::find(support::surfaces, name, &surface::name);  // --surface was checked
}

}  // namespace

int main(int count, char** arguments) {
  settings s;
  CLI::App app{std::string(description)};
  support::add_choice(app, "--optimizer", s.optimizer, "Which optimizer walks",
                      {"gd", "lookahead", "rmsprop", "adam", "adabound", "all"});
  support::add_choice(app, "--preset", s.preset, "Options of the adjustment", {"paper", "recommended"});
  support::add_choice(app, "--surface", s.surface_name, "The surface",
                      {"paper", "rosenbrock", "himmelblau", "beale"});
  support::add_count(app, "--seeds", s.seeds, "Walks with adjusted gradients, of seeds 1, 2, ...", 100'000);
  app.add_option("--steps", s.steps, "Steps of every walk, instead of the optimizer's own number")
      ->check(CLI::Range(1, 1'000'000));
  auto* const out = app.add_option("--out", s.out, "Directory for paths and pictures of the first seed")
                        ->check(support::no_name);
  app.add_flag("--animate", s.animate, "Draw animations too")->needs(out);
  support::add_path(app, "--json", s.json_file, "File for all numbers");
  CLI11_PARSE(app, count, arguments);

  return support::run_program("toy3d", [&] {
    support::prepare_outputs(s.out, {s.json_file});
    const surface& ground = surface_called(s.surface_name);
    const std::vector<experiment> experiments = run(s, ground);
    print(s, ground, experiments);
    support::write_json(s.json_file, "toy3d", to_json(s, ground, experiments), {{"threads", 1}});
    if (!s.out.empty()) {
      write_pictures(s, ground, experiments);
    }
  });
}
