#include "pictures.hpp"

#include "networks.hpp"

#include "support/gnuplot.hpp"
#include "support/text.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace study {

namespace {

using support::text;
constexpr auto literal = support::gnuplot::literal;

// A field of a data block; empty where it is null.
std::string field(const json& number) { return number.is_null() ? "" : text(number.get<double>()); }

std::string block(std::string_view name, const std::string& rows) {
  return text("$", name, " << END\n", rows, "END\n");
}

// The difference to vanilla in percent of vanilla, with its interval: "value,low,high".
std::string relative(const json& contrast) {
  if (contrast.at("difference").is_null()) {
    return ",,";
  }
  const double scale = 100.0 / std::abs(contrast.at("baseline").get<double>());
  return text(scale * contrast.at("difference").get<double>(), ",", scale * contrast.at("low").get<double>(),
              ",", scale * contrast.at("high").get<double>());
}

std::string selecting(const json& part) { return part.at("measures").size() == 3 ? "mse" : "test_error"; }

// A change of more than 50 %: drawn as a number, since a panel that reached so far would show nothing of the others.
constexpr double far = 50.0;

constexpr std::string_view frame = R"(
set style textbox opaque noborder fillcolor rgb 'white'
set grid linecolor rgb '#dddddd' linetype 1
set key off
set tics nomirror
set xtics font ',10'
)";

// All plots of a picture, in two rows of three; the title is a string or a variable of gnuplot's.
std::string panels(std::string_view title, std::string_view margins, const std::string& plots) {
  return text("do for [kind in 'png'] {\n  eval start(kind, 1500, 820)\n  set multiplot layout 2,3 title ",
              title, " font ',17' textcolor rgb ink margins ", margins, "\n", plots,
              "  unset multiplot\n}\n");
}

// A label at the right edge of a panel, on the height y.
std::string label_at_edge(std::string_view what, std::string_view y) {
  return text("  set label ", literal(what), " at graph 0.98, ", y, " right front boxed font ',10'\n");
}

// Seeds' mean heights by method, an optimizer a panel. A panel reaches as far above vanilla as the best walk is below it;
// what lies beyond stands there as numbers, so that a few walks do not press all others together.
std::string walks_script(const json& walks) {
  std::string data;
  std::string plots;
  int panel = 0;
  for (const json& optimizer : walks.at("optimizers")) {
    const double vanilla = optimizer.at("vanilla").at("mean").get<double>();
    double best = vanilla;
    for (const json& method : optimizer.at("methods")) {
      for (const json& value : method.at("values")) {
        best = value.is_null() ? best : std::min(best, value.get<double>());
      }
    }
    const double right = vanilla + std::max(vanilla - best, 0.01);
    std::string rows;
    std::string ticks;
    std::string labels = "  unset label\n";
    int row = 0;
    for (const json& method : optimizer.at("methods")) {
      ticks += text(row == 0 ? "" : ", ", literal(method.at("title").get<std::string>()), " ", -row);
      const json& values = method.at("values");
      std::vector<double> beyond;
      for (std::size_t k = 0; k < values.size(); ++k) {
        const double value =
            values[k].is_null() ? std::numeric_limits<double>::infinity() : values[k].get<double>();
        if (value <= right) {
          // Spread over the height of the row, so that equal walks do not hide each other.
          const double offset =
              values.size() < 2
                  ? 0.0
                  : 0.4 * (static_cast<double>(k) / static_cast<double>(values.size() - 1) - 0.5);
          rows += text(value, ",", -row + offset, "\n");
        } else {
          beyond.push_back(value);
        }
      }
      // Walks that missed the minimum are the highest.
      std::ranges::sort(beyond);
      const auto missed = std::min(beyond.size(), method.at("missed").get<std::size_t>());
      std::string what;
      for (std::size_t k = 0; k + missed < beyond.size(); ++k) {
        char height[16];
        std::snprintf(height, sizeof height, "%.2f", beyond[k]);
        what += text(what.empty() ? "" : ", ", height);
      }
      if (missed > 0) {
        what += text(what.empty() ? "" : ", ", missed, " in the wrong basin");
      }
      if (!what.empty()) {
        labels += label_at_edge(what + " →", text("first ", -row + 0.47));  // between the rows
      }
      ++row;
    }
    data += block(text("p", panel), rows);
    plots +=
        text("  set title ", literal(optimizer.at("title").get<std::string>()), "\n  set ytics (", ticks,
             ")\n", labels, "  set xrange [", best - 0.05 * (right - best), ":", right, "]\n  set xtics ",
             right - best > 0.3 ? 0.1 : 0.05, "\n  vanilla_height = ", vanilla,
             "\n  set arrow 1 from vanilla_height, graph 0 to vanilla_height, graph 1 nohead linewidth 2 "
             "linecolor rgb vanilla\n  plot $p",
             panel, " using 1:2 with points pointtype 7 pointsize 0.6 linecolor rgb adjusted\n");
    ++panel;
  }
  return data + std::string(frame) + R"(
set yrange [-5.6:0.6]
set format x '%.2f'
set xtics rotate by -35
set xlabel 'mean height along the path'
)" +
         panels(
             "'3D problem: a point is the walk of a seed, the line is vanilla; left is better. →: walks "
             "beyond the panel'",
             "0.12, 0.98, 0.10, 0.88 spacing 0.13, 0.17", plots);
}

// The relative change in percent, rounded, where it is too large to be drawn.
std::optional<long> far_worse(const json& contrast) {
  if (contrast.at("difference").is_null()) {
    return std::nullopt;
  }
  const double change =
      100.0 * contrast.at("difference").get<double>() / contrast.at("baseline").get<double>();
  return change > far ? std::optional(std::lround(change)) : std::nullopt;
}

// The relative change by every method, a task a panel.
std::string effects_script(const std::vector<const json*>& tasks) {
  std::string data;
  std::string plots;
  int panel = 0;
  for (const json* task : tasks) {
    std::string rows;
    std::string ticks;
    std::string labels;
    int row = 0;
    const std::string measure = selecting(*task);
    for (const json& method : task->at("methods")) {
      if (method.contains("equal_steps")) {
        ticks += text(row == 0 ? "" : ", ", literal(method.at("title").get<std::string>()), " ", -row);
        const json& contrast = method.at("equal_steps").at(measure);
        if (const auto change = far_worse(contrast)) {
          labels += label_at_edge(text("+", *change, " % →"), text("first ", -row));
        } else {
          rows += text(relative(contrast), ",", -row, "\n");
        }
        ++row;
      }
    }
    data += block(text("p", panel), rows);
    plots +=
        text("  unset label\n", labels, "  set xrange [*<-1:", labels.empty() ? "1" : "10",
             "<*]  # zero is always seen, beside the numbers\n  set title ",
             literal(text(task->at("title").get<std::string>(), measure == "mse" ? ": MSE" : ": error")),
             "\n  set ytics (", ticks, ")\n  plot $p", panel,
             " using 1:4:2:3 with xerrorbars pointtype 7 pointsize 1.2 linewidth 2 linecolor rgb adjusted\n");
    ++panel;
  }
  return data + std::string(frame) + R"(
set yrange [-5.6:0.6]
set xlabel 'change against vanilla in percent'
set arrow 1 from 0, graph 0 to 0, graph 1 nohead linewidth 2 linecolor rgb vanilla
)" +
         panels(
             "'Change of the test error against vanilla, 95 % interval; left of the line is better. → stands "
             "for changes beyond 50 %'",
             "0.12, 0.98, 0.09, 0.88 spacing 0.13, 0.16", plots);
}

// Error on the validation part over the learning rate, a task a panel.
std::string tune_script(const std::vector<const json*>& tasks) {
  std::string data;
  std::string plots;
  int panel = 0;
  for (const json* task : tasks) {
    std::string rows;
    std::string ticks;
    std::string chosen;  // rate and error of every method
    const json& methods = task->at("methods");
    const json& rates = methods.front().at("grid");
    const double first = rates.front().at("learning_rate").get<double>();
    const double last = rates.back().at("learning_rate").get<double>();
    double low = std::numeric_limits<double>::infinity();
    double high = 0.0;
    for (std::size_t k = 0; k < rates.size(); ++k) {
      const std::string rate = field(rates[k].at("learning_rate"));
      rows += rate;
      if (k % 2 == 0) {  // room for all is not there
        ticks += (k == 0 ? "" : ", ") + rate;
      }
      for (const json& method : methods) {
        const json& error = method.at("grid")[k].at("validation");
        rows += "," + field(error);
        if (!error.is_null()) {
          low = std::min(low, error.get<double>());
          high = std::max(high, error.get<double>());
        }
        if (method.at("grid")[k].at("learning_rate") == method.at("learning_rate")) {
          chosen += text(rate, ",", field(error), "\n");
        }
      }
      rows += '\n';
    }
    data += block(text("p", panel), rows) + block(text("c", panel), chosen);
    const bool mse = selecting(*task) == "mse";
    plots += text(
        "  set title ", literal(task->at("title").get<std::string>()), "\n  set xtics (", ticks,
        ")\n  set xrange [", 0.8 * first, ":", 1.25 * last, "]\n  set ylabel '",
        mse ? "MSE" : "share of errors", "'\n",
        // Curves of which one is ten times as high as another.
        high > 5.0 * low ? "  set logscale y\n  set ytics (0.02, 0.05, 0.1, 0.2, 0.5, 1)\n"
                         : "  unset logscale y\n  set ytics auto\n",
        "  plot $p", panel,
        " using 1:2 with linespoints pointtype 7 linewidth 3 linecolor rgb vanilla title 'vanilla', $p",
        panel,
        " using 1:3 with linespoints pointtype 7 linewidth 3 linecolor rgb adjusted title 'recommended', $p",
        panel,
        " using 1:4 with linespoints pointtype 6 linewidth 2 dashtype 2 linecolor rgb ink title 'paper', $c",
        panel,
        " using 1:2 with points pointtype 6 pointsize 2.8 linewidth 2 linecolor rgb ink title 'best rate of "
        "each'\n",
        panel == 0 ? "  set key off\n" : "");
    ++panel;
  }
  return data + std::string(frame) + R"(
set key on at screen 0.85, screen 0.28 center center  # where no panel is
set logscale x
set xlabel 'learning rate'
)" +
         panels("'Error on the validation part, mean of the seeds; lower is better'",
                "0.075, 0.98, 0.09, 0.88 spacing 0.08, 0.17", plots);
}

// Curves over the epochs: the test measure, remainder, cosine, and what was accepted or ahead.
std::string follow_script(const json& part) {
  const std::string measure = selecting(part);
  const json& methods = part.at("methods");  // vanilla, recommended, paper
  const std::vector<std::string> names = {measure, "remainder", "cosine", "accepted_share", "ahead_share"};
  std::string rows;
  for (std::size_t epoch = 0; epoch < methods.front().at("curves").at(measure).size(); ++epoch) {
    rows += text(epoch + 1);
    for (const json& method : methods) {
      for (const std::string& name : names) {
        rows += "," + field(method.at("curves").at(name)[epoch]);
      }
    }
    rows += '\n';
  }
  return block("curves", rows) + std::string(frame) + "title = " +
         literal(
             text(part.at("title").get<std::string>(), ", mean of ", part.at("seeds").get<int>(), " seeds")) +
         R"(
vanilla_line(k) = sprintf("$curves using 1:%d with lines linewidth 3 linecolor rgb vanilla title 'vanilla'", k + 1)
gal_line(k) = sprintf("$curves using 1:%d with lines linewidth 3 linecolor rgb adjusted title 'recommended'", k + 6)
paper_line(k) = sprintf("$curves using 1:%d with lines linewidth 2 dashtype 2 linecolor rgb ink title 'paper'", k + 11)
set key top right
set xlabel 'epoch'
change(k) = sprintf("(100 * ($%d / $2 - 1)) ", k)
do for [kind in 'png'] {
  eval start(kind, 1500, 820)
  set multiplot layout 2,3 title title font ',17' textcolor rgb ink margins 0.06, 0.98, 0.09, 0.88 spacing 0.07, 0.17
  set logscale y
  set title )" +
         literal(measure == "mse" ? "MSE on the test part" : "Share of errors on the test part") + R"(
  eval 'plot ' . vanilla_line(1) . ', ' . gal_line(1) . ', ' . paper_line(1)
  unset logscale y
  set format y '%g %%'
  set yrange [-30:30]
  set title 'The same against vanilla, cut at 30 %'
  eval 'plot 0 linewidth 3 linecolor rgb vanilla title "vanilla", $curves using 1:' . change(7) . ' with lines linewidth 3 linecolor rgb adjusted title "recommended", $curves using 1:' . change(12) . ' with lines linewidth 2 dashtype 2 linecolor rgb ink title "paper"'
  set yrange [*:*]
  set logscale y
  set format y '10^{%T}'
  set title 'Remainder of the tentative step, |R|'
  eval 'plot ' . vanilla_line(2) . ', ' . gal_line(2) . ', ' . paper_line(2)
  unset logscale y
  set format y '%g'
  set yrange [-1.05:1.05]
  set key at graph 0.97, graph 0.8
  set title 'Cosine between gradient and adjustment'
  eval 'plot ' . gal_line(3) . ', ' . paper_line(3)
  set yrange [-0.02:1.02]
  set title 'Share of samples accepted'
  eval 'plot ' . gal_line(4) . ', ' . paper_line(4)
  set title 'Share of steps ahead of vanilla''s'
  eval 'plot ' . gal_line(5) . ', ' . paper_line(5)
  set yrange [*:*]
  unset multiplot
}
)";
}

// Relative change over each setting, a preset a row.
std::string sweep_script(const json& part) {
  const std::string measure = selecting(part);
  std::string data;
  std::string plots;
  int panel = 0;
  for (const std::string_view preset : {"recommended", "paper"}) {
    for (const std::string_view name : {"epsilon", "tau", "hidden"}) {
      std::string rows;
      std::string ticks;
      std::string labels;
      int row = 0;
      for (const json& setting : part.at("settings")) {
        if (setting.at("field") != text(preset, "/", name)) {
          continue;
        }
        ticks += text(row == 0 ? "" : ", ", literal(setting.at("value").get<std::string>()), " ", row);
        const json& contrast = setting.at("test").at(measure);
        if (const auto change = far_worse(contrast)) {
          labels += text("  set label \"↑\\n+", *change, " %\" at first ", row,
                         ", graph 0.94 center front boxed font ',10'\n");
        } else {
          rows += text(row, ",", relative(contrast), "\n");
        }
        ++row;
      }
      data += block(text("p", panel), rows);
      plots += text("  unset label\n", labels, "  set title '", preset, ": ", name, "'\n  set xtics (", ticks,
                    ")\n  set xrange [-0.5:", row, "-0.5]\n  plot 0 linewidth 2 linecolor rgb vanilla",
                    rows.empty() ? ""
                                 : text(", $p", panel,
                                        " using 1:2:3:4 with yerrorbars pointtype 7 pointsize 1.2 linewidth "
                                        "2 linecolor rgb adjusted"),
                    "\n");
      ++panel;
    }
  }
  return data + std::string(frame) + "title = " +
         literal(text(part.at("title").get<std::string>(), ": change of the test ",
                      measure == "mse" ? "MSE" : "error",
                      " against vanilla, 95 % interval; below 0 is better. ↑: beyond 50 %")) +
         R"(
set format y '%g %%'
set yrange [*<-1:1<*]  # zero is always seen
)" + panels("title", "0.06, 0.98, 0.06, 0.88 spacing 0.07, 0.14", plots);
}

}  // namespace

std::set<std::string> draw_pictures(const std::filesystem::path& directory, const parts_by_name& parts) {
  const auto plotter = support::gnuplot::find();
  std::set<std::string> drawn;
  const auto draw = [&](const std::string& name, const std::string& script) {
    if (plotter) {
      plotter->draw(directory, name, script, {"png"});
    }
    if (std::filesystem::exists(directory / (name + ".png"))) {
      drawn.insert(name);
    }
  };
  const auto of_all_tasks = [&](std::string_view part) {
    std::vector<const json*> result;
    for (const std::string_view task : network_names) {
      if (const auto found = parts.find(text(part, "_", task)); found != parts.end()) {
        result.push_back(&found->second);
      }
    }
    return result;
  };
  if (const auto walks = parts.find("walks_surface"); walks != parts.end()) {
    draw("walks", walks_script(walks->second));
  }
  if (const auto tasks = of_all_tasks("compare"); !tasks.empty()) {
    draw("effects", effects_script(tasks));
  }
  if (const auto tasks = of_all_tasks("tune"); !tasks.empty()) {
    draw("learning_rates", tune_script(tasks));
  }
  for (const auto& [name, part] : parts) {
    if (name.starts_with("follow_")) {
      draw(name, follow_script(part));
    } else if (name.starts_with("sweep_")) {
      draw(name, sweep_script(part));
    }
  }
  return drawn;
}

}  // namespace study
