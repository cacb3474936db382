// The page about a training: its numbers are those of the training, also of one that was interrupted, whole after every
// epoch. Leaves pages for report/open_pages.py to open in a browser.
#include <gal/fit/callbacks.hpp>
#include <gal/fit/html_report.hpp>
#include <gal/gal.hpp>
#include <gal/io/checkpoint.hpp>

#include "scratch.hpp"
#include "testing.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <unistd.h>

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace {

using enum gal::error_code;
using gal::html_page;
using gal::html_report;

nlohmann::json charts_of(const std::string& path) {
  const std::string page = contents(path);
  const std::size_t begin = page.find("id=\"charts\">") + 12;
  return nlohmann::json::parse(page.substr(begin, page.find("</script>", begin) - begin));
}

// The charts of a report, in their order.
constexpr std::size_t loss = 0;
constexpr std::size_t remainder_size = 1;
constexpr std::size_t accepted = 2;
constexpr std::size_t cosine = 3;
constexpr std::size_t rate = 6;

nlohmann::json values(const nlohmann::json& charts, std::size_t chart, std::size_t curve = 0) {
  return charts[chart]["curves"][curve]["values"];
}

// 23 samples in 4 batches.
struct setting {
  gal::dataset<double> data{random_matrix(3, 23, 1), random_matrix(2, 23, 2)};
  gal::dataset<double> held_out{random_matrix(3, 11, 3), random_matrix(2, 11, 4)};
  gal::nn::mlp<double> model{{3, 8, 2}, {.seed = 5}};
  gal::adam<double> optimizer = make_optimizer();
  gal::adjust<gal::nn::mlp<double>, gal::adam<double>, gal::mse> trainer{
      model, optimizer, gal::mse(), {.hidden = {4}}};
  gal::batches<double> batches{data, 6, /*seed=*/7};
  gal::batches<double> validation{held_out, 4, {.shuffle = false}};

  // Not in place, where GCC 12 stumbles over the options' defaults.
  static gal::adam<double> make_optimizer() {
    return gal::adam<double>({.learning_rate = 0.02, .schedule = gal::linear_warm_up(6)});
  }

  setting() = default;
  setting(const setting&) = delete;
  setting& operator=(const setting&) = delete;
};

auto stop_at(std::int64_t step) {
  return gal::on_step_end([step](auto& run) {
    if (run.trainer().steps() == step) {
      run.stop("stopped");
    }
  });
}

// Ends the program, as far as `fit` can see.
auto die_at(std::int64_t step) {
  return gal::on_step_end([step](auto& run) {
    if (run.trainer().steps() == step) {
      throw std::runtime_error("died");
    }
  });
}

}  // namespace

TEST_CASE("the curves are the training's numbers") {
  const scratch here;
  const std::string path = here.file("run.html");
  setting s;
  std::array<double, 3> remainders{};
  std::array<double, 3> cosines{};
  auto add_step = gal::on_step_end([&](auto& run) {
    const auto epoch = static_cast<std::size_t>(run.epochs());
    remainders[epoch] += std::abs(run.last_step().remainder) / 4.0;
    cosines[epoch] += run.last_step().cosine / 4.0;
  });
  const gal::fit_result result =
      gal::fit(s.trainer, s.batches, s.validation, {.epochs = 3}, html_report(path), add_step);
  const nlohmann::json charts = charts_of(path);
  CHECK(charts.size() == 7);
  for (std::size_t k = 0; k < 3; ++k) {
    const gal::epoch_report& epoch = result.history[k];
    CHECK(charts[loss]["x"][k] == epoch.epoch);
    CHECK(values(charts, loss, 0)[k] == epoch.training_loss);
    CHECK(values(charts, loss, 1)[k] == epoch.validation_loss);
    CHECK(values(charts, accepted)[k] == epoch.number("accepted_share"));
    CHECK(values(charts, rate)[k] == epoch.learning_rate);
    CHECK(values(charts, remainder_size)[k].get<double>() == doctest::Approx(remainders[k]).epsilon(1e-14));
    CHECK(values(charts, cosine)[k].get<double>() == doctest::Approx(cosines[k]).epsilon(1e-14));
  }
  CHECK(values(charts, remainder_size)[0] > 0.0);
  const std::string page = contents(path);
  CHECK(page.find("<dt>epochs</dt><dd>3 of 3</dd><dd class=\"note\">12 steps</dd>") != page.npos);
  CHECK(page.find("<p>ended: 3 epochs</p>") != page.npos);
  CHECK(page.find("refused steps") == page.npos);
}

TEST_CASE("without validation there is no curve of it, and every second step is one of two") {
  const scratch here;
  const std::string path = here.file("run.html");
  setting s;
  double second_steps = 0.0;
  auto add_step = gal::on_step_end([&](auto& run) {
    second_steps += run.steps_in_epoch() % 2 == 0 ? std::abs(run.last_step().remainder) / 2.0 : 0.0;
  });
  gal::fit(s.trainer, s.batches, {.epochs = 1, .report_every = 2}, html_report(path), add_step);
  const nlohmann::json charts = charts_of(path);
  CHECK(charts[loss]["curves"].size() == 1);
  CHECK(values(charts, remainder_size)[0].get<double>() == doctest::Approx(second_steps).epsilon(1e-14));
  CHECK(contents(path).find("validation") == std::string::npos);
}

TEST_CASE("an epoch of fewer batches than steps between two reports has its last") {
  const scratch here;
  const std::string path = here.file("run.html");
  setting s;
  std::vector<double> last(2);
  auto look = gal::on_step_end(
      [&](auto& run) { last[static_cast<std::size_t>(run.epochs())] = std::abs(run.read_step().remainder); });
  const gal::fit_result result =
      gal::fit(s.trainer, s.batches, {.epochs = 2, .report_every = 50}, html_report(path), look);
  const nlohmann::json charts = charts_of(path);
  for (std::size_t k = 0; k < 2; ++k) {
    CHECK(values(charts, loss)[k] == result.history[k].training_loss);
    CHECK(values(charts, remainder_size)[k] == last[k]);
    CHECK(values(charts, rate)[k] == result.history[k].learning_rate);
  }
}

TEST_CASE("the page is there after every epoch, and of a second training begins anew") {
  const scratch here;
  const std::string path = here.file("run.html");
  setting s;
  html_report report(path);
  std::vector<std::size_t> epochs;
  auto look = gal::on_epoch_end([&](auto&) {
    epochs.push_back(charts_of(path)[loss]["x"].size());
    CHECK(contents(path).find("ended:") == std::string::npos);
  });
  gal::fit(s.trainer, s.batches, {.epochs = 3}, report, look);
  gal::fit(s.trainer, s.batches, {.epochs = 2}, report, look);
  CHECK(epochs == std::vector<std::size_t>{1, 2, 3, 1, 2});
  CHECK(std::distance(std::filesystem::directory_iterator(here.path), {}) == 1);
  // Nor are the steps of an epoch that did not end part of it.
  setting plain;
  gal::fit(plain.trainer, plain.batches, {.epochs = 1}, html_report(here.file("plain.html")));
  setting stopped;
  CHECK_THROWS_AS(gal::fit(stopped.trainer, stopped.batches, {.epochs = 1}, report, die_at(2)),
                  std::runtime_error);
  setting again;
  gal::fit(again.trainer, again.batches, {.epochs = 1}, report);
  CHECK(values(charts_of(path), remainder_size) ==
        values(charts_of(here.file("plain.html")), remainder_size));
  gal::fit(s.trainer, s.batches, {.epochs = 0}, report);
  CHECK(charts_of(path).empty());
  gal::fit(s.trainer, s.batches, {.epochs = 0}, html_report(path));
  CHECK(charts_of(path).empty());
}

TEST_CASE("the page of a training that resumes is that of one that was not interrupted") {
  const scratch here;
  for (const bool validates : {true, false}) {
    const auto fit = [&](const char* name, auto... others) {
      setting s;
      html_report report(here.file(name), {.title = "t"});
      if (validates) {
        gal::fit(s.trainer, s.batches, s.validation, {.epochs = 5}, report, others...);
      } else {
        gal::fit(s.trainer, s.batches, {.epochs = 5}, report, others...);
      }
    };
    const auto checkpoints = [&](const char* name) {
      return gal::checkpointing(here.file(name), {.every_steps = 1});
    };
    fit("whole.html", checkpoints("whole.safetensors"));
    fit("parts.html", checkpoints("parts.safetensors"), stop_at(4));  // an epoch's last step
    fit("parts.html", checkpoints("parts.safetensors"), stop_at(6));
    CHECK(contents(here.file("parts.html")) != contents(here.file("whole.html")));
    CHECK_THROWS_AS(fit("parts.html", checkpoints("parts.safetensors"), die_at(15)), std::runtime_error);
    fit("parts.html", checkpoints("parts.safetensors"));
    CHECK(contents(here.file("parts.html")) == contents(here.file("whole.html")));
    // A training that had ended: the page is there again.
    std::filesystem::remove(here.file("parts.html"));
    fit("parts.html", checkpoints("parts.safetensors"));
    CHECK(contents(here.file("parts.html")) == contents(here.file("whole.html")));
    for (const char* name : {"whole.safetensors", "parts.safetensors"}) {
      std::filesystem::remove(here.file(name));
    }
  }
}

TEST_CASE("what is not finite is a gap, and is told") {
  const scratch here;
  const std::string path = here.file("run.html");
  setting s;
  s.data.features(0, 3) = std::numeric_limits<double>::infinity();
  gal::batches<double> batches(s.data, 23, 7);
  gal::fit(s.trainer, batches, s.validation, {.epochs = 2}, html_report(path));
  const nlohmann::json charts = charts_of(path);
  CHECK(values(charts, loss, 0).dump() == "[null]");  // after which nothing could be different
  CHECK(values(charts, remainder_size).dump() == "[null]");
  CHECK(values(charts, loss, 1)[0].is_number());
  CHECK(contents(path).find("<dt>refused steps</dt><dd>1</dd>") != std::string::npos);
  CHECK(contents(path).find("<dt>training loss</dt><dd>none</dd>") != std::string::npos);
}

TEST_CASE("the settings are there, in words") {
  const scratch here;
  const std::string path = here.file("run.html");
  setting s;
  gal::fit(s.trainer, s.batches, {.epochs = 1},
           html_report(path, {.title = "a < b", .configuration = {{"data", "<one> & \"two\""}}}));
  const std::string page = contents(path);
  const auto has_row = [&](const std::string& name, const std::string& value) {
    return page.find("<tr><th>" + name + "</th><td>" + value + "</td></tr>") != page.npos;
  };
  CHECK(page.find("<title>a &lt; b</title>") != page.npos);
  CHECK(has_row("data", "&lt;one&gt; &amp; &quot;two&quot;"));
  CHECK(has_row("epochs", "1"));
  CHECK(has_row("batches in an epoch", "4"));
  CHECK(has_row("model parameters", "50"));
  CHECK(has_row("model widths", "3, 8, 2"));
  CHECK(has_row("model activation", "relu"));
  CHECK(has_row("model bias", "yes"));
  CHECK(has_row("optimizer method", "adam"));
  CHECK(has_row("optimizer learning rate", "0.02"));
  CHECK(has_row("optimizer schedule 0 kind", "linear"));
  CHECK(has_row("trainer normalisation", "gate"));
  CHECK(has_row("trainer safeguard", "not_worse_than_vanilla"));
  CHECK(has_row("trainer hidden", "4"));
  CHECK(page.find("clipping") == page.npos);
  CHECK(page.find("<th>compiler</th>") != page.npos);
}

TEST_CASE("misuse of a report is refused") {
  CHECK(refusal(invalid_option, [] { return html_report(""); }) ==
        "gal::html_report: an empty name; expected the path of a file");
  setting s;
  CHECK(refusal(unreadable_file, [&] {
          gal::fit(s.trainer, s.batches, {.epochs = 1}, html_report("/dev/null/run.html"));
          return 0;
        }).starts_with("gal::replace_file: cannot write /dev/null/run.html: "));
}

TEST_CASE("pages for a browser") {
  const std::filesystem::path directory(GAL_TEST_REPORTS_DIR);
  std::filesystem::remove_all(directory);
  std::filesystem::create_directories(directory);
  setting s;
  gal::fit(s.trainer, s.batches, s.validation, {.epochs = 30},
           html_report((directory / "fit.html").string(), {.title = "Training, for a browser"}));

  // Whatever may be put on a page.
  const double none = std::numeric_limits<double>::quiet_NaN();
  const std::string title = "</script><script>throw 'x'</script><!-- \"a\" & 'b' \\ \xe2\x80\xa8 ä 你好";
  html_page page(title, title);
  page.add(html_page::headline{title, "1"});
  page.add(html_page::chart{
      .title = title,
      .y_label = title,
      .x = {1, 2, 3, 4, 5, 6},
      .curves = {{title, {3, 2, none, 5, 4, 4}, {2, 1, none, 3, 2, 2}, {4, 3, none, 7, 6, 6}},
                 {"other", {none, 1, 1.5, 1, none, 1}}}});
  page.add(html_page::chart{.title = "one number", .y_label = "y", .x = {1}, .curves = {{"c", {1e-300}}}});
  page.add(
      html_page::chart{.title = "nothing", .y_label = "y", .x = {1, 2}, .curves = {{"c", {none, none}}}});
  page.add(html_page::chart{.title = "no x", .y_label = "y", .x = {}, .curves = {{"c", {}}}});
  page.add(html_page::chart{.title = "decades",
                            .y_label = "y",
                            .x = {0.5, 1.25, 7},
                            .curves = {{"c", {1e-30, 1e250, 1}}, {"d", {1, 1, 1}}},
                            .logarithmic = true});
  page.add(
      html_page::chart{.title = "constant", .y_label = "y", .x = {-2, 3}, .curves = {{"c", {1e9, 1e9}}}});
  page.add(html_page::table{{"a", "b"}, {{title, std::string(300, 'x')}}});
  page.write((directory / "anything.html").string());
  std::ofstream(directory / "titles.json")
      << nlohmann::json{{"fit.html", "Training, for a browser"}, {"anything.html", title}};
}
