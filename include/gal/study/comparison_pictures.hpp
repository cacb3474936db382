// gal/study/comparison_pictures.hpp: a comparison as pictures for papers and pages, by gnuplot (POSIX, nlohmann-json).
// Provides: write_pictures. Includes gal/study/comparison_result.hpp.
#pragma once

#include <gal/core/text.hpp>
#include <gal/io/gnuplot.hpp>
#include <gal/study/comparison_report.hpp>
#include <gal/study/comparison_result.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gal::inline GAL_ABI {

namespace detail {

inline constexpr std::string_view picture_frame = R"(
set grid linecolor rgb '#dddddd' linetype 1
set style textbox opaque noborder fillcolor rgb 'white'
set tics nomirror
)";

inline std::string gnuplot_number(double value) { return std::isfinite(value) ? text(value) : "NaN"; }

// Percent, with a sign.
inline std::string percent_text(double value) {
  return text(value > 0.0 ? "+" : "", fixed(value, std::abs(value) < 10.0 ? 1 : 0), " %");
}

// Differences to the baseline in percent with their intervals, a method a row. What is so far off that it would press all
// others together stands at the edge as a number.
inline std::string differences_script(const json& comparison) {
  struct colour_of {
    std::string_view setting, colour;
  };
  constexpr std::array<colour_of, 3> settings = {
      {{"own_rate", "#0072B2"}, {"equal_steps", "#009E73"}, {"equal_time", "#D55E00"}}};
  std::vector<std::string> methods;
  std::vector<double> reaches;
  const auto in_percent = [](const json& c, const char* name) {
    const double size = std::abs(number_of(c.at("baseline_mean")));
    return size > 0.0 ? 100.0 * number_of(c.at(name)) / size : measures::none;
  };
  for (const json& c : comparison.at("contrasts")) {
    const auto name = c.at("method").get<std::string>();
    if (std::ranges::find(methods, name) == methods.end()) {
      methods.push_back(name);
    }
    const double reach = std::max(std::abs(in_percent(c, "low")), std::abs(in_percent(c, "high")));
    if (std::isfinite(reach)) {
      reaches.push_back(reach);
    }
  }
  std::ranges::sort(reaches);
  double limit = reaches.empty() ? 1.0 : std::max(3.0 * reaches[reaches.size() / 2], 1.0);
  const auto beyond = std::ranges::upper_bound(reaches, limit);
  limit = beyond == reaches.begin() ? limit : 1.05 * *(beyond - 1);
  limit = limit > 0.0 ? limit : 1.0;

  std::string blocks;
  std::string plots;
  std::string labels;
  for (std::size_t s = 0; s < settings.size(); ++s) {
    std::string rows;
    for (const json& c : comparison.at("contrasts")) {
      if (c.at("setting").get<std::string>() != settings[s].setting) {
        continue;
      }
      const auto at = std::ranges::find(methods, c.at("method").get<std::string>()) - methods.begin();
      const std::string y = text(-static_cast<double>(at) + 0.24 - 0.24 * static_cast<double>(s));
      const double difference = in_percent(c, "mean_difference");
      if (std::abs(difference) <= limit) {
        const auto word = c.at("verdict").get<std::string>();
        rows += text(difference, ",", y, ",", in_percent(c, "low"), ",", in_percent(c, "high"), ",",
                     word == "better" || word == "worse" ? 7 : 6, "\n");
      } else {
        const bool is_left = difference < 0.0;
        const std::string what = !std::isfinite(difference) ? "no number"
                                 : is_left                  ? "← " + percent_text(difference)
                                                            : percent_text(difference) + " →";
        labels += text("set label ", gnuplot::literal(what), " at graph ", is_left ? "0.01" : "0.99",
                       ", first ", y, is_left ? " left" : " right",
                       " front noenhanced font ',9' textcolor rgb '", settings[s].colour, "'\n");
      }
    }
    if (!rows.empty()) {
      blocks += text("$", settings[s].setting, " << END\n", rows, "END\n");
      plots += text(plots.empty() ? "" : ", \\\n    ", "$", settings[s].setting,
                    " using 1:2:3:4 with xerrorbars linewidth 1.6 pointtype 0 linecolor rgb '",
                    settings[s].colour, "' title '", words(settings[s].setting), "', $", settings[s].setting,
                    " using 1:2:5 with points pointtype variable pointsize 1.1 linecolor rgb '",
                    settings[s].colour, "' notitle");
    }
  }
  if (plots.empty()) {
    plots = "NaN notitle";
  }
  std::string ticks;
  std::string rules;
  for (std::size_t m = 0; m < methods.size(); ++m) {
    ticks += text(m == 0 ? "" : ", ", gnuplot::literal(methods[m]), " ", -static_cast<std::ptrdiff_t>(m));
    if (m > 0) {
      const double y = 0.5 - static_cast<double>(m);
      rules += text("set arrow from graph 0, first ", y, " to graph 1, first ", y,
                    " nohead linecolor rgb '#dddddd' back\n");
    }
  }
  const bool larger = comparison.at("larger_is_better").get<bool>();
  const double level = comparison.at("level").get<double>();
  const std::string against = comparison.at("baseline").get<std::string>();
  const std::string measure = comparison.at("measure").get<std::string>();
  const double rows = static_cast<double>(std::max<std::size_t>(methods.size(), 1));
  return text(picture_frame, blocks, labels, rules, "set title ",
              gnuplot::literal(comparison.at("title").get<std::string>()),
              " noenhanced font ',16' textcolor rgb ink offset 0,0.5\nset xlabel ",
              gnuplot::literal(text("← ", larger ? "worse" : "better", "      ", measure, ": difference to ",
                                    against, " in percent, ", significant(100.0 * level, 4),
                                    " % interval      ", larger ? "better" : "worse", " →")),
              " . \"\\n\" . ",
              gnuplot::literal(text("filled: p < ", significant(1.0 - level, 2),
                                    ", corrected for the number of contrasts")),
              " noenhanced font ',11'\nset xrange [", -limit, ":", limit, "]\nset yrange [", 0.5 - rows,
              ":0.5]\nset ytics (", ticks,
              ") noenhanced\nset grid noytics\nset arrow from 0, graph 0 to 0, graph 1 nohead linewidth 1.5 "
              "linecolor rgb ink "
              "back\n",
              "set key outside top center horizontal maxrows 1 samplen 2 font ',12'\ndo for [kind in 'png'] "
              "{\n  eval "
              "start(kind, 1000, ",
              170.0 + 42.0 * rows, ")\n  plot ", plots, "\n}\n");
}

// Validation over the learning rates, a method a panel, with the baseline in each.
inline std::string rates_script(const json& comparison) {
  const bool larger = comparison.at("larger_is_better").get<bool>();
  const auto baseline_name = comparison.at("baseline").get<std::string>();
  const json& rates = comparison.at("learning_rates");
  std::string blocks;
  std::string plots;
  std::size_t panels = 0;
  std::size_t baseline = 0;
  double best = measures::none;
  double worst = measures::none;  // of the baseline
  const json& methods = comparison.at("methods");
  for (std::size_t m = 0; m < methods.size(); ++m) {
    std::string rows;
    for (std::size_t k = 0; k < methods[m].at("validation_mean").size(); ++k) {
      const double value = number_of(methods[m].at("validation_mean")[k]);
      const bool is_best = rates[k] == methods[m].at("best_rate");
      rows += text(rates[k].get<double>(), ",", gnuplot_number(value), ",",
                   is_best ? gnuplot_number(value) : "NaN", "\n");
      const bool is_baseline = methods[m].at("name") == baseline_name;
      const auto keep = [&](double& kept, bool smaller) {
        if (std::isfinite(value) && !(smaller ? kept <= value : kept >= value)) {
          kept = value;
        }
      };
      keep(best, !larger);
      if (is_baseline) {
        baseline = m;
        keep(worst, larger);
      }
    }
    blocks += text("$m", m, " << END\n", rows, "END\n");
  }
  // As far as the baseline reaches, or twice the size of the best value.
  double span = std::isfinite(worst) ? std::abs(worst - best) : 0.0;
  span = best != 0.0 ? std::min(span, 2.0 * std::abs(best)) : span;
  span = span > 0.0 ? span : 1.0;
  const double low = larger ? best - 1.05 * span : best - 0.05 * span;
  const double high = larger ? best + 0.05 * span : best + 1.05 * span;
  for (std::size_t m = 0; m < methods.size(); ++m) {
    if (m == baseline) {
      continue;
    }
    const double setting = number_of(methods[m].value("best_setting", json()));
    const std::string title = text(methods[m].at("name").get<std::string>(),
                                   std::isfinite(setting) ? text(", setting ", setting) : std::string());
    plots += text("  set title ", gnuplot::literal(title), " noenhanced\n  plot ");
    for (const auto& [which, colour] : {std::pair(baseline, "vanilla"), std::pair(m, "adjusted")}) {
      plots += text(which == baseline ? "" : ", ", "$m", which,
                    " using 1:2 with lines linewidth 2.5 linecolor rgb ", colour, " notitle, $m", which,
                    " using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb ", colour, " notitle");
    }
    plots += "\n";
    ++panels;
  }
  const std::size_t columns = std::clamp<std::size_t>(panels, 1, 4);
  const std::size_t rows = std::max<std::size_t>((panels + columns - 1) / columns, 1);
  const double height = 150.0 + 220.0 * static_cast<double>(rows);
  const double width = std::max(560.0, 100.0 + 300.0 * static_cast<double>(columns));
  return text(
      picture_frame, blocks, "set logscale x\nset format x '10^{%L}'\nset key off\nset xtics font ',10'\n",
      "set ytics font ',10'\nset title font ',10.5'\n", "set yrange [", low, ":", high,
      "]\ndo for [kind in 'png'] {\n  eval start(kind, ", width, ", ", height, ")\n  set multiplot layout ",
      rows, ",", columns, " title ",
      gnuplot::literal(text(comparison.at("title").get<std::string>(), ": ",
                            comparison.at("measure").get<std::string>(),
                            " on the validation part over the learning rate")),
      " . \"\\n\" . ",
      gnuplot::literal(text("blue: the method; red: ", baseline_name, "; dots: the rate that was chosen")),
      " noenhanced font ',16' textcolor rgb ink margins ", 75.0 / width, ", 0.985, ", 40.0 / height, ", ",
      1.0 - 105.0 / height, " spacing ", 60.0 / width, ", ", 74.0 / height, "\n", plots,
      "  unset multiplot\n}\n");
}

}  // namespace detail

/// Draws a comparison by gnuplot: `name`_differences.png has the differences to the baseline with their intervals, and
/// `name`_rates.png, where there are several learning rates, the validation means over them. The scripts, with the data in
/// them, stay beside: `gnuplot NAME_rates.gp` draws it again. Returns whether gnuplot is there; without it the scripts
/// are written alone. The directory exists. Throws `gal::error` where a file cannot be written, and where gnuplot fails.
///
/// `comparison` is what `to_json` makes of a result, or what was read of such a file; it needs no runs.
inline bool write_pictures(const nlohmann::ordered_json& comparison, const std::string& directory,
                           const std::string& name = "comparison") {
  std::vector<std::pair<std::string, std::string>> scripts = {
      {name + "_differences", detail::differences_script(comparison)}};
  if (comparison.at("learning_rates").size() > 1) {
    scripts.emplace_back(name + "_rates", detail::rates_script(comparison));
  }
  const std::optional<gnuplot> program = gnuplot::find();
  for (const auto& [script_name, script] : scripts) {
    if (program) {
      program->draw(directory, script_name, script, {"png"});
    } else {
      gnuplot::write_script(directory, script_name, script);
    }
  }
  return program.has_value();
}

/// The same of a result.
inline bool write_pictures(const comparison_result& result, const std::string& directory,
                           const std::string& name = "comparison") {
  return write_pictures(to_json(result), directory, name);
}

}  // namespace gal
