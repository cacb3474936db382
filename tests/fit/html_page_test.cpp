// Pages: what stands in them whatever is put in, gaps, misuse, and that the file is replaced as a whole.
#include <gal/fit/html_page.hpp>
#include <gal/fit/tensorboard.hpp>

#include "testing.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <unistd.h>

#include <array>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace {

using enum gal::error_code;
using gal::html_page;

// What no reader may take for a part of the page: ends of scripts, comments, quotes, controls, UTF-8 with the line
// separator that ends a line of JavaScript.
const std::string hostile =
    "</script><script>alert('x')</script><!-- \"a\" & \\ \n\t\x01 &amp; ä 你好 \xe2\x80\xa8 </title></style>";

std::size_t count(std::string_view text, std::string_view what) {
  std::size_t result = 0;
  for (std::size_t at = text.find(what); at != text.npos; at = text.find(what, at + 1)) {
    ++result;
  }
  return result;
}

std::string between(const std::string& text, const std::string& before, const std::string& after) {
  const std::size_t begin = text.find(before) + before.size();
  return text.substr(begin, text.find(after, begin) - begin);
}

nlohmann::json charts_of(const html_page& page) {
  return nlohmann::json::parse(between(page.text(), "id=\"charts\">", "</script>"));
}

// The elements that are open at the end, after all that closes has closed what was opened last.
std::vector<std::string> open_elements(const std::string& html) {
  std::vector<std::string> open;
  for (std::size_t at = html.find('<'); at != html.npos; at = html.find('<', at + 1)) {
    const std::string tag = html.substr(at + 1, html.find_first_of(" >", at) - at - 1);
    if (tag.starts_with('/')) {
      REQUIRE_FALSE(open.empty());
      CHECK(open.back() == tag.substr(1));
      open.pop_back();
    } else {
      open.push_back(tag);
    }
  }
  return open;
}

html_page::chart chart_of(std::vector<double> values) {
  html_page::chart result{.title = "t", .y_label = "y", .x = {}, .curves = {{"c", std::move(values)}}};
  for (std::size_t k = 0; k < result.curves[0].values.size(); ++k) {
    result.x.push_back(static_cast<double>(k));
  }
  return result;
}

}  // namespace

TEST_CASE("the chart library is npm's, with its licence, in every page") {
  CHECK(gal::detail::uplot_version == "1.6.32");
  CHECK(gal::detail::uplot_script.size() == 51081);
  CHECK(gal::detail::crc32c(gal::detail::uplot_script) == 0xd73e1dffU);
  CHECK(gal::detail::uplot_style.size() == 1858);  // and the end of its line
  const std::string page = html_page("t").text();
  CHECK(count(page, gal::detail::uplot_script) == 1);
  CHECK(count(page, gal::detail::uplot_style) == 1);
  CHECK(count(page, gal::detail::uplot_licence) == 1);
  CHECK(count(page, "Permission is hereby granted, free of charge") == 1);
}

TEST_CASE("text stays text, wherever it is put") {
  html_page page(hostile, hostile);
  page.heading(hostile);
  page.add(html_page::headline{hostile, hostile, hostile});
  page.add(html_page::chart{.title = hostile,
                            .note = hostile,
                            .x_label = hostile,
                            .y_label = hostile,
                            .x = {1},
                            .curves = {{hostile, {1}}}});
  page.add(html_page::table{{hostile, hostile}, {{hostile, hostile}}});
  const std::string text = page.text();
  CHECK(count(text, "<script") == 3);
  CHECK(count(text, "</script") == 3);
  CHECK(count(text, "<!--") == 0);
  CHECK(count(text, "<title>") == 1);
  CHECK(count(text, "</title>") == 1);
  const std::string escaped =
      "&lt;/script&gt;&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&lt;!-- &quot;a&quot; &amp; \\ \n\t\x01 "
      "&amp;amp; ä 你好 \xe2\x80\xa8 &lt;/title&gt;&lt;/style&gt;";
  CHECK(count(text, escaped) == 14);
  CHECK(between(text, "<title>", "</title>") == escaped);
  const nlohmann::json chart = charts_of(page)[0];
  CHECK(chart["x_label"] == hostile);
  CHECK(chart["y_label"] == hostile);
  CHECK(chart["curves"][0]["name"] == hostile);
}

TEST_CASE("numbers come back exactly, and what is not finite is a gap") {
  const double none = std::numeric_limits<double>::quiet_NaN();
  const double infinity = std::numeric_limits<double>::infinity();
  const std::vector<double> values = {0.1, -1e-300, 1.7976931348623157e308, 5e-324, -0.0, 123456789.125};
  html_page page("t");
  page.add(chart_of(values));
  page.add(chart_of({1.0, none, infinity, -infinity, 2.0}));
  page.add(chart_of({}));
  const nlohmann::json charts = charts_of(page);
  CHECK(charts[0]["curves"][0]["values"].get<std::vector<double>>() == values);
  CHECK(charts[1]["curves"][0]["values"].dump() == "[1,null,null,null,2]");
  CHECK(charts[2]["x"].dump() == "[]");
}

TEST_CASE("an axis is logarithmic only where that shows something") {
  const auto is_logarithmic = [](std::vector<double> values, bool wanted = true) {
    html_page::chart chart = chart_of(std::move(values));
    chart.logarithmic = wanted;
    html_page page("t");
    page.add(chart);
    return charts_of(page)[0]["logarithmic"].get<bool>();
  };
  const double none = std::numeric_limits<double>::quiet_NaN();
  CHECK(is_logarithmic({1, 10}));
  CHECK(is_logarithmic({none, 1e-9, 1}));
  CHECK_FALSE(is_logarithmic({1, 10}, false));
  CHECK_FALSE(is_logarithmic({1, 9}));
  CHECK_FALSE(is_logarithmic({0, 10}));
  CHECK_FALSE(is_logarithmic({-1, 10}));
  CHECK_FALSE(is_logarithmic({none, none}));
  html_page::chart banded = chart_of({1, 2});
  banded.logarithmic = true;
  banded.curves[0].low = {-1, 1};
  banded.curves[0].high = {100, 100};
  html_page page("t");
  page.add(banded);
  CHECK(charts_of(page)[0]["logarithmic"] == false);
}

TEST_CASE("a page is whole at any time, and the same again") {
  html_page page("t", "s");
  const auto check = [&] {
    const std::string text = page.text();
    CHECK(open_elements(between(text, "<body>\n", "<noscript>")).empty());
    CHECK(text == page.text());
    CHECK(text.ends_with("</script>\n</body>\n</html>\n"));
    // Nothing that a browser would fetch.
    for (const std::string_view what : {"src=", "href=\"h", "@import", "url(", "fetch("}) {
      CHECK(count(text, what) == 0);
    }
  };
  check();
  page.add(html_page::headline{"a", "1"});
  page.add(html_page::headline{"b", "2", "note"});
  check();
  page.add(chart_of({1, 2}));
  page.add(chart_of({1, 2}));
  check();
  CHECK(count(page.text(), "<div class=\"charts\">") == 1);
  CHECK(count(page.text(), "<dl class=\"headlines\">") == 1);
  page.heading("h");
  page.add(chart_of({1, 2}));
  page.add(html_page::table{});
  page.add(gal::machine_table());
  check();
  CHECK(count(page.text(), "<div class=\"charts\">") == 2);
  const nlohmann::json charts = charts_of(page);
  CHECK(charts[0]["section"] == charts[1]["section"]);
  CHECK(charts[0]["section"] != charts[2]["section"]);
}

TEST_CASE("misuse of a page is refused, and changes nothing") {
  html_page page("t");
  const std::string before = page.text();
  const auto refused = [&](gal::error_code code, const auto& part) {
    return refusal(code, [&] {
      page.add(part);
      return 0;
    });
  };
  html_page::chart chart = chart_of({1, 2});
  chart.curves.clear();
  CHECK(refused(invalid_option, chart) ==
        "gal::html_page: the chart \"t\" has no curves; expected at least one");
  chart = chart_of({1, 2});
  chart.curves[0].values.push_back(3);
  CHECK(refused(shape_mismatch, chart) ==
        "gal::html_page: the curve \"c\" has 3 values; expected 2, one for each x");
  chart = chart_of({1, 2});
  chart.curves[0].low = {1, 2};
  CHECK(refused(shape_mismatch, chart) ==
        "gal::html_page: the band of the curve \"c\" has 2 low and 0 high values; expected none, or 2 of "
        "each, one for "
        "each x");
  for (const std::vector<double>& x :
       {std::vector<double>{1, 1}, {2, 1}, {1, std::numeric_limits<double>::infinity()}}) {
    chart = chart_of({1, 2});
    chart.x = x;
    CHECK(refused(invalid_option, chart) ==
          "gal::html_page: the x of the chart \"t\" do not ascend; expected finite numbers, each greater "
          "than the one "
          "before");
  }
  chart = chart_of({1, 2});
  chart.y_range = std::array{1.0, 1.0};
  CHECK(refused(invalid_option, chart) ==
        "gal::html_page: the y_range of the chart \"t\" is empty; expected the smallest value, then a larger "
        "one");
  CHECK(refused(shape_mismatch, html_page::table{{"a", "b"}, {{"1", "2"}, {"3"}}}) ==
        "gal::html_page: a row of 1 cells in a table of 2; expected as many");
  CHECK(page.text() == before);
}

TEST_CASE("the file is the old page or the new one") {
  const std::filesystem::path directory =
      std::filesystem::temp_directory_path() / ("gal_html_page_" + std::to_string(::getpid()));
  std::filesystem::create_directories(directory);
  const std::string path = (directory / "page.html").string();
  html_page page("first");
  page.write(path);
  page.heading("second");
  page.write(path);
  std::ifstream file(path, std::ios::binary);
  CHECK(std::string(std::istreambuf_iterator<char>(file), {}) == page.text());
  CHECK(std::distance(std::filesystem::directory_iterator(directory), {}) == 1);
  CHECK(refusal(unreadable_file, [&] {
          page.write(path + "/page.html");
          return 0;
        }).starts_with("gal::replace_file: cannot write " + path + "/page.html: "));
  std::filesystem::remove_all(directory);
}
