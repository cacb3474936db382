// gal/fit/html_page.hpp: pages of curves, numbers and tables, each one file that needs nothing else (POSIX).
// Provides: html_page, machine_table. Includes the chart library uPlot as text.
#pragma once

#include <gal/core/error.hpp>
#include <gal/io/files.hpp>
#include <gal/io/machine.hpp>
#include <gal/third_party/uplot.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gal::inline GAL_ABI {

namespace detail {

/// Text as it stands in HTML, between tags and in quoted attributes.
[[nodiscard]] inline std::string html_text(std::string_view text) {
  std::string result;
  for (const char c : text) {
    switch (c) {
      case '&':
        result += "&amp;";
        break;
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      case '"':
        result += "&quot;";
        break;
      case '\'':
        result += "&#39;";
        break;
      default:
        result += c;
    }
  }
  return result;
}

/// Text as a string of JSON that may stand in a script of HTML: no tag begins or ends in it.
[[nodiscard]] inline std::string json_text(std::string_view text) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string result = "\"";
  for (const char c : text) {
    const auto code = static_cast<unsigned char>(c);
    if (code < 0x20 || code == 0x7f || std::string_view("\"\\<>&'").find(c) != std::string_view::npos) {
      result += "\\u00";
      result += digits[code >> 4];
      result += digits[code & 15];
    } else {
      result += c;
    }
  }
  return result + "\"";
}

/// Numbers as a list of JSON, which has neither NaN nor infinity: null.
[[nodiscard]] inline std::string json_list(const std::vector<double>& numbers) {
  std::string result = "[";
  for (const double number : numbers) {
    result += result.size() > 1 ? "," : "";
    result += std::isfinite(number) ? text(number) : "null";
  }
  return result + "]";
}

// Colours by Okabe and Ito, which the colour-blind can tell apart; lighter ones on dark.
inline constexpr std::string_view page_style = R"css(
:root {
  color-scheme: light dark;
  --paper: #ffffff; --panel: #f6f7f9; --line: #dfe3e8; --ink: #1d2733; --faint: #5c6a79;
  --curve-0: #0072b2; --curve-1: #d55e00; --curve-2: #009e73; --curve-3: #aa4499; --curve-4: #8a6d00; --curve-5: #555555;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #14181d; --panel: #1d232a; --line: #343d47; --ink: #e6eaee; --faint: #9aa7b4;
    --curve-0: #56b4e9; --curve-1: #ff8c42; --curve-2: #2fc89a; --curve-3: #dd88cc; --curve-4: #e0c040; --curve-5: #b0b0b0;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; padding: 1.25rem clamp(0.75rem, 3vw, 2rem) 3rem; max-width: 84rem;
  background: var(--paper); color: var(--ink); font: 16px/1.45 system-ui, sans-serif;
}
h1 { margin: 0; font-size: 1.6rem; line-height: 1.2; overflow-wrap: anywhere; }
h2 { margin: 2rem 0 0.75rem; font-size: 1.15rem; overflow-wrap: anywhere; }
p { margin: 0.35rem 0 0; color: var(--faint); overflow-wrap: anywhere; }
.headlines, .charts { display: grid; gap: 0.75rem; margin: 1rem 0; }
.headlines { grid-template-columns: repeat(auto-fit, minmax(min(100%, 11rem), 1fr)); }
.charts { grid-template-columns: repeat(auto-fit, minmax(min(100%, 27rem), 1fr)); }
.headlines > div, figure { margin: 0; padding: 0.75rem 0.9rem; background: var(--panel); border-radius: 0.5rem; min-width: 0; }
dt, .note { color: var(--faint); font-size: 0.85rem; }
dd { margin: 0; overflow-wrap: anywhere; }
dd:not(.note) { font-size: 1.6rem; font-weight: 600; line-height: 1.25; font-variant-numeric: tabular-nums; }
figcaption { font-weight: 600; }
figcaption .note { display: block; font-weight: 400; }
.tables { overflow-x: auto; }
table.rows { border-collapse: collapse; font-size: 0.92rem; font-variant-numeric: tabular-nums; }
.rows th, .rows td { padding: 0.3rem 1.5rem 0.3rem 0; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; }
.rows thead th, .rows tbody th { color: var(--faint); font-weight: 500; }
.rows td:only-of-type { overflow-wrap: anywhere; }
.uplot { width: 100% !important; font-family: inherit; }
.u-legend { color: var(--ink); font-size: 0.85rem; }
.u-legend .edge { display: none; }
.u-legend .u-marker { border-radius: 2px; }
.u-select { background: color-mix(in srgb, var(--ink) 12%, transparent); }
)css";

// Draws every figure that has an element `chart`, again where the width or the colours change.
inline constexpr std::string_view page_script = R"js("use strict";
(() => {
  const charts = JSON.parse(document.getElementById("charts").textContent);
  const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const number = (value) => (value == null ? "\u2013" : String(Number(value.toPrecision(4))));
  const integers = [1, 2, 5].flatMap((k) => [...Array(9).keys()].map((power) => k * 10 ** power)).sort((a, b) => a - b);

  const options = (chart, width) => {
    // Where nobody points, the last ones.
    const value = (plot, here, k, at) => number(at == null ? plot.data[k].at(-1) : here);
    const series = [{ label: chart.x_label, value }];
    const bands = [];
    const edges = {};
    const colour = (k) => style("--curve-" + (k % 6));
    // Edges first, so that the lines lie above the bands.
    const edge = { class: "edge", stroke: "transparent", width: 0, points: { show: false } };
    chart.curves.forEach((curve, k) => {
      if (curve.low) {
        bands.push({ series: [series.length + 1, series.length], fill: colour(k) + "26" });
        edges[k] = [series.length, series.length + 1];
        series.push({ ...edge, label: curve.name + ", low" }, { ...edge, label: curve.name + ", high" });
      }
    });
    const first = series.length;
    chart.curves.forEach((curve, k) =>
      series.push({ label: curve.name, stroke: colour(k), width: 2, value }));
    const axis = {
      stroke: style("--faint"), font: "12px system-ui, sans-serif", labelFont: "12px system-ui, sans-serif",
      labelSize: 24, labelGap: 4, grid: { stroke: style("--line"), width: 1 }, ticks: { stroke: style("--line"), width: 1 },
      values: (_, splits) => splits.map((value) => (value == null ? "" : number(value))),
    };
    // A logarithmic axis of few decades would have few numbers.
    const logarithmic = chart.logarithmic && {
      filter: (plot, splits) => {
        const decades = Math.log10(plot.scales.y.max / plot.scales.y.min);
        const leading = decades > 3 ? [1] : decades > 1.5 ? [1, 3] : [1, 2, 3, 5, 7];
        const step = Math.max(1, Math.ceil(decades / 6));
        return splits.map((value) => {
          const power = Math.floor(Math.log10(value) + 1e-9);
          const digit = Math.round(value / 10 ** power);
          return leading.includes(digit) && power % step === 0 ? value : null;
        });
      },
    };
    return {
      width, height: Math.round(Math.min(300, 180 + width / 5)), series, bands,
      scales: { x: { time: false }, y: { distr: chart.logarithmic ? 3 : 1, ...(chart.y_range && !chart.logarithmic && { range: chart.y_range }) } },
      axes: [
        { ...axis, label: chart.x_label, size: 34, ...(chart.x.every(Number.isInteger) && { incrs: integers }) },
        { ...axis, label: chart.y_label, ...logarithmic,
          size: (_, values) => 18 + 7 * Math.max(3, ...(values || []).map((value) => value.length)) },
      ],
      cursor: { sync: { key: chart.section } },
      legend: { markers: { fill: (_, k) => series[k].stroke } },
      hooks: { setSeries: [(plot, k, change) =>
        k >= first && change.show != null && (edges[k - first] || []).forEach((other) => plot.setSeries(other, change))] },
    };
  };

  const figures = [...document.querySelectorAll("figure > div")].map((place, k) => {
    const chart = charts[k];
    const edges = chart.curves.filter((curve) => curve.low).flatMap((curve) => [curve.low, curve.high]);
    const data = [chart.x, ...edges, ...chart.curves.map((curve) => curve.values)];
    let plot = null;
    let drawn = 0;
    const draw = () => {
      const width = place.clientWidth;
      if (width > 0) {
        plot?.destroy();
        plot = new uPlot(options(chart, width), data, place);
        drawn = width;
      }
    };
    draw();
    // In the next frame: a chart changes what is observed.
    new ResizeObserver(() => requestAnimationFrame(() => place.clientWidth !== drawn && draw())).observe(place);
    return draw;
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => figures.forEach((draw) => draw()));
})();
)js";

}  // namespace detail

/// A page of curves, numbers and tables. What is added stands on it in that order. It is one file with the chart library in
/// it, which a browser shows without a network, light or dark as its user has it, at any width. The same contents are the same
/// bytes.
///
///     gal::html_page page("Boston housing");
///     page.add(gal::html_page::headline{"mean squared error", "8.44", "plain Adam: 8.63"});
///     page.add(gal::html_page::chart{.title = "Training loss",
///                                    .y_label = "mean squared error",
///                                    .x = {1, 2, 3},
///                                    .curves = {{.name = "GAL", .values = {31.0, 12.0, 9.0}}}});
///     page.write("boston.html");
class html_page {
 public:
  /// A number to see first.
  struct headline {
    std::string label;
    std::string value;
    std::string note{};
  };

  /// Values at the chart's x; a NaN or an infinity is a gap. With `low` and `high` a band around them.
  struct curve {
    std::string name;
    std::vector<double> values;
    std::vector<double> low{};
    std::vector<double> high{};
  };

  /// Curves over x, which ascends.
  struct chart {
    std::string title;
    std::string note{};
    std::string x_label = "epoch";
    std::string y_label;  ///< what the values are, with their unit
    std::vector<double> x;
    std::vector<curve> curves;
    bool logarithmic = false;  ///< where all values are positive and span at least a factor of ten
    std::optional<std::array<double, 2>> y_range{};  ///< ends of a linear axis; none: those of the values
  };

  /// Rows of cells, of which the first names the row.
  struct table {
    std::vector<std::string> header{};  ///< empty: none
    std::vector<std::vector<std::string>> rows{};
  };

  explicit html_page(std::string_view title, std::string_view subtitle = "") : title_(title) {
    body_ = detail::text("<header><h1>", detail::html_text(title), "</h1>", paragraph(subtitle),
                         "</header>\n<main>\n");
  }

  /// Begins a part of the page. The charts of a part show the same x when one points at one of them.
  void heading(std::string_view heading) {
    end_group();
    ++section_;
    body_ += detail::text("<h2>", detail::html_text(heading), "</h2>\n");
  }

  void add(const headline& number) {
    begin_group("dl", "headlines");
    body_ += detail::text("<div><dt>", detail::html_text(number.label), "</dt><dd>",
                          detail::html_text(number.value), "</dd>");
    if (!number.note.empty()) {
      body_ += detail::text("<dd class=\"note\">", detail::html_text(number.note), "</dd>");
    }
    body_ += "</div>\n";
  }

  /// Throws `shape_mismatch` where a curve has more or fewer values than there are x, and `invalid_option` where x does not
  /// ascend or a range is none.
  void add(const chart& c) {
    check(c);
    begin_group("div", "charts");
    const std::string title = detail::html_text(c.title);
    body_ += detail::text("<figure><figcaption>", title);
    if (!c.note.empty()) {
      body_ += detail::text("<span class=\"note\">", detail::html_text(c.note), "</span>");
    }
    body_ += detail::text("</figcaption><div role=\"img\" aria-label=\"", title, "\"></div></figure>\n");

    charts_ += charts_.empty() ? "" : ",\n";
    charts_ += detail::text("{\"section\":\"", section_, "\",\"x_label\":", detail::json_text(c.x_label),
                            ",\"y_label\":", detail::json_text(c.y_label),
                            ",\"logarithmic\":", is_logarithmic(c) ? "true" : "false");
    if (c.y_range) {
      charts_ += ",\"y_range\":" + detail::json_list({(*c.y_range)[0], (*c.y_range)[1]});
    }
    charts_ += ",\"x\":" + detail::json_list(c.x) + ",\"curves\":[";
    for (const curve& k : c.curves) {
      charts_ += detail::text(&k == c.curves.data() ? "" : ",", "{\"name\":", detail::json_text(k.name),
                              ",\"values\":", detail::json_list(k.values));
      if (!k.low.empty()) {
        charts_ += ",\"low\":" + detail::json_list(k.low) + ",\"high\":" + detail::json_list(k.high);
      }
      charts_ += "}";
    }
    charts_ += "]}";
  }

  /// Throws `shape_mismatch` where a row has more or fewer cells than the first.
  void add(const table& t) {
    const std::size_t cells = !t.header.empty() ? t.header.size() : t.rows.empty() ? 0 : t.rows[0].size();
    for (const auto& r : t.rows) {
      detail::require(r.size() == cells, error_code::shape_mismatch, "gal::html_page: a row of ", r.size(),
                      " cells in a table of ", cells, "; expected as many");
    }
    begin_group("div", "tables");
    body_ += "<table class=\"rows\">\n";
    if (!t.header.empty()) {
      body_ += "<thead>" + row(t.header, "th", "th") + "</thead>\n";
    }
    body_ += "<tbody>\n";
    for (const auto& r : t.rows) {
      body_ += row(r, "th", "td") + "\n";
    }
    body_ += "</tbody></table>\n";
  }

  /// The page, as text.
  [[nodiscard]] std::string text() const {
    return detail::text(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n", page_policy, "<title>",
        detail::html_text(title_), "</title>\n<style>\n", detail::uplot_style, detail::page_style,
        "</style>\n</head>\n<body>\n", body_, end_of_group(), "</main>\n",
        "<noscript><p>The curves are drawn by a script, which is switched off here.</p></noscript>\n",
        "<script type=\"application/json\" id=\"charts\">\n[", charts_, "]\n</script>\n<script>\n/*\n",
        detail::uplot_licence, "*/\n", detail::uplot_script, "</script>\n<script>\n", detail::page_script,
        "</script>\n</body>\n</html>\n");
  }

  /// Writes it with `replace_file`: the file is the old page or the new one. Throws `unreadable_file`.
  void write(const std::string& path) const { replace_file(path, {text()}); }

 private:
  // The browser itself refuses whatever would leave the file.
  static constexpr std::string_view page_policy =
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; "
      "script-src 'unsafe-inline'; img-src data:\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<link rel=\"icon\" href=\"data:,\">\n";

  static void check(const chart& c) {
    detail::require(!c.curves.empty(), error_code::invalid_option, "gal::html_page: the chart \"", c.title,
                    "\" has no curves; expected at least one");
    detail::require(std::ranges::all_of(c.x, [](double x) { return std::isfinite(x); }) &&
                        std::ranges::adjacent_find(c.x, std::greater_equal<>()) == c.x.end(),
                    error_code::invalid_option, "gal::html_page: the x of the chart \"", c.title,
                    "\" do not ascend; expected finite numbers, each greater than the one before");
    detail::require(!c.y_range || (*c.y_range)[0] < (*c.y_range)[1], error_code::invalid_option,
                    "gal::html_page: the y_range of the chart \"", c.title,
                    "\" is empty; expected the smallest value, then a larger one");
    for (const curve& k : c.curves) {
      detail::require(k.values.size() == c.x.size(), error_code::shape_mismatch,
                      "gal::html_page: the curve \"", k.name, "\" has ", k.values.size(),
                      " values; expected ", c.x.size(), ", one for each x");
      const std::size_t edges = k.low.empty() && k.high.empty() ? 0 : c.x.size();
      detail::require(k.low.size() == edges && k.high.size() == edges, error_code::shape_mismatch,
                      "gal::html_page: the band of the curve \"", k.name, "\" has ", k.low.size(),
                      " low and ", k.high.size(), " high values; expected none, or ", c.x.size(),
                      " of each, one for each x");
    }
  }

  static bool is_logarithmic(const chart& c) {
    double smallest = std::numeric_limits<double>::infinity();
    double largest = 0.0;
    for (const curve& k : c.curves) {
      for (const auto* values : {&k.values, &k.low, &k.high}) {
        for (const double value : *values) {
          if (std::isfinite(value)) {
            smallest = std::min(smallest, value);
            largest = std::max(largest, value);
          }
        }
      }
    }
    return c.logarithmic && smallest > 0.0 && largest >= 10.0 * smallest;
  }

  static std::string paragraph(std::string_view text) {
    return text.empty() ? "" : detail::text("<p>", detail::html_text(text), "</p>");
  }

  static std::string row(const std::vector<std::string>& cells, std::string_view first,
                         std::string_view other) {
    std::string result = "<tr>";
    for (const std::string& cell : cells) {
      const std::string_view tag = &cell == cells.data() ? first : other;
      result += detail::text("<", tag, ">", detail::html_text(cell), "</", tag, ">");
    }
    return result + "</tr>";
  }

  // Headlines, and charts, that follow each other stand side by side, in one element.
  void begin_group(std::string_view tag, std::string_view kind) {
    if (kind != group_kind_) {
      end_group();
      body_ += detail::text("<", tag, " class=\"", kind, "\">\n");
      group_tag_ = tag;
      group_kind_ = kind;
    }
  }
  void end_group() {
    body_ += end_of_group();
    group_tag_ = {};
    group_kind_ = {};
  }
  [[nodiscard]] std::string end_of_group() const {
    return group_tag_.empty() ? "" : detail::text("</", group_tag_, ">\n");
  }

  std::string title_;
  std::string body_;
  std::string charts_;  // for the script, in the order of their figures
  std::string_view group_tag_{};
  std::string_view group_kind_{};
  int section_ = 0;
};

/// `machine_record()` as rows of a table.
[[nodiscard]] inline html_page::table machine_table() {
  html_page::table result;
  for (auto& [name, value] : machine_record()) {
    std::ranges::replace(name, '_', ' ');
    result.rows.push_back({std::move(name), std::move(value)});
  }
  return result;
}

}  // namespace gal
