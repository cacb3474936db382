// Object boxes as four features, as in the detection experiments of arXiv 2201.09193: a small network finds a shape in
// generated pictures, with plain and with adjusted gradients. Table, curves, pictures with boxes, JSON.
#include "support/command_line.hpp"
#include "support/console.hpp"
#include "support/files.hpp"
#include "support/gnuplot.hpp"
#include "support/parallel.hpp"
#include "support/text.hpp"

#include <gal/boxes.hpp>
#include <gal/gal.hpp>
#include <gal/t_test.hpp>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

using json = nlohmann::ordered_json;  // NaN and infinity become null

constexpr std::string_view description =
    R"(Finds the box of a bright shape in generated pictures: a vanilla optimizer against the same with adjusted gradients
(GAL) on the box's four features, with the adjuster that the paper uses for detection (hidden widths 64 and 16).

A picture has 24 x 24 pixels: a rectangle or an ellipse on an uneven background with noise and specks. The network ends
in a sigmoid: centre and size as shares of the picture. The loss is the distance of the four numbers plus generalised
IoU. Pictures for training and testing are always the same; a seed sets the initial weights and the order of the batches,
and both methods share it, so that their difference is tested in pairs (Student's t-test).)";

// ---- Settings ------------------------------------------------------------------------------------------------------

constexpr gal::index side = 24;
constexpr gal::nn::image_shape shape_of_picture{1, side, side};

struct settings {
  int seeds = 5;
  int epochs = 20;
  int pictures = 2000;
  int test_pictures = 400;
  int batch = 32;
  double learning_rate = 1e-3;
  double epsilon = 1.0;
  int threads = support::default_threads();
  std::string out;
  std::string json_file;
};

constexpr std::size_t vanilla = 0;
constexpr std::size_t adjusted = 1;
constexpr std::array<std::string_view, 2> method_names = {"vanilla", "gal"};

std::array<gal::adjust_options, 2> options_of(const settings& s) {
  gal::adjust_options ours = gal::recommended();
  ours.hidden = {64, 16};
  ours.epsilon = s.epsilon;
  gal::adjust_options plain = ours;
  plain.adjuster.kind = gal::adjuster_kind::zero;
  plain.safeguard = gal::safeguard::never;
  return {plain, ours};
}

std::vector<gal::nn::layer> layers() {
  using namespace gal::nn;
  return {convolution{.channels = 12, .kernel = 3, .padding = 1},
          relu,
          max_pool{2},
          convolution{.channels = 24, .kernel = 3, .padding = 1},
          relu,
          max_pool{2},
          convolution{.channels = 24, .kernel = 3, .padding = 1},
          relu,
          flatten{},
          linear{64},
          relu,
          linear{4},
          sigmoid};
}

// ---- Pictures ------------------------------------------------------------------------------------------------------

// Pictures, and their boxes as centre x, centre y, width and height.
using pictures = gal::dataset<float>;

pictures draw_pictures(gal::index count, std::uint64_t seed) {
  pictures result;
  result.features.resize(shape_of_picture.size(), count);
  result.targets.resize(4, count);
  for (gal::index j = 0; j < count; ++j) {
    gal::random_stream random{gal::random_bits(seed, static_cast<std::uint64_t>(j)), 0};
    const double width = 0.2 + 0.45 * random.uniform();
    const double height = 0.2 + 0.45 * random.uniform();
    const double x = 0.5 * width + (1.0 - width) * random.uniform();
    const double y = 0.5 * height + (1.0 - height) * random.uniform();
    const bool round = random.uniform() < 0.5;
    const double brightness = 0.5 + 0.5 * random.uniform();
    const double slope_x = 0.3 * (random.uniform() - 0.5);
    const double slope_y = 0.3 * (random.uniform() - 0.5);
    for (gal::index row = 0; row < side; ++row) {
      for (gal::index column = 0; column < side; ++column) {
        const double u = (static_cast<double>(column) + 0.5) / side - x;
        const double v = (static_cast<double>(row) + 0.5) / side - y;
        const double across = 2.0 * u / width;
        const double along = 2.0 * v / height;
        const bool inside = round ? across * across + along * along <= 1.0
                                  : std::abs(across) <= 1.0 && std::abs(along) <= 1.0;
        const bool speck = random.uniform() < 0.02;
        const double background = slope_x * u + slope_y * v + 0.08 * random.normal() + (speck ? 0.6 : 0.0);
        result.features(row * side + column, j) =
            static_cast<float>(background + (inside ? brightness : 0.0));
      }
    }
    const std::array box = {x, y, width, height};
    std::ranges::transform(box, result.targets.view().column(j).begin(),
                           [](double value) { return static_cast<float>(value); });
  }
  return result;
}

// ---- Training ------------------------------------------------------------------------------------------------------

struct epoch_record {
  double training_loss = 0.0;  // mean over the epoch's samples, each before its step
  double test_iou = 0.0;       // mean over the test pictures, after the epoch
  double accepted_share = 0.0;
};

struct training_result {
  std::vector<epoch_record> epochs;
  gal::index refused = 0;    // steps not taken, since a number was not finite
  gal::matrix<float> boxes;  // of the test pictures, after the last epoch

  [[nodiscard]] double iou() const { return epochs.back().test_iou; }
};

template <class Progress>
training_result train(const pictures& training, const pictures& test, const settings& s, std::uint64_t seed,
                      gal::adjust_options options, Progress& progress) {
  options.adjuster.seed = seed;
  gal::nn::cnn<float> model(shape_of_picture, layers(), {.seed = seed});
  gal::adam<float> optimizer({.learning_rate = s.learning_rate});
  gal::adjust trainer(model, optimizer, gal::box_loss(), options);
  gal::batches batches(training, s.batch, seed);

  training_result result;
  for (int epoch = 0; epoch < s.epochs; ++epoch) {
    epoch_record record;
    for (auto [x, y] : batches) {
      const gal::step_report report = trainer.step(x, y);
      const double share = static_cast<double>(x.columns()) / static_cast<double>(training.size());
      record.training_loss += share * report.loss;
      record.accepted_share += share * report.accepted_share;
      result.refused += report.non_finite ? 1 : 0;
    }
    record.test_iou = gal::mean_intersection_over_union(model.forward(test.features), test.targets);
    result.epochs.push_back(record);
    progress.advance();
  }
  result.boxes = model.forward(test.features);
  return result;
}

// The runs, by method, then by seed.
struct experiment {
  std::vector<std::uint64_t> seeds{};
  std::array<std::vector<training_result>, 2> runs{};
  double seconds = 0.0;
};

experiment run(const settings& s, const pictures& training, const pictures& test) {
  experiment e;
  const auto count = static_cast<std::size_t>(s.seeds);
  for (std::size_t k = 1; k <= count; ++k) {
    e.seeds.push_back(k);
  }
  e.runs.fill(std::vector<training_result>(count));
  const auto options = options_of(s);
  const auto start = std::chrono::steady_clock::now();
  support::progress_bar progress("boxes", 2 * count * static_cast<std::size_t>(s.epochs));
  support::parallel_for(2 * count, s.threads, [&](std::size_t task) {
    const std::size_t method = task % 2;
    e.runs[method][task / 2] = train(training, test, s, e.seeds[task / 2], options[method], progress);
  });
  e.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return e;
}

// ---- Statistics ----------------------------------------------------------------------------------------------------

std::vector<double> iou_by_seed(const experiment& e, std::size_t method) {
  std::vector<double> values;
  for (const training_result& run : e.runs[method]) {
    values.push_back(run.iou());
  }
  return values;
}

std::optional<double> deviation_of(const std::vector<double>& values) {
  return values.size() < 2 ? std::nullopt : std::optional(gal::standard_deviation(values));
}

// Of GAL against vanilla; none for a single pair, and where a run left the range of numbers.
std::optional<double> p_value(const experiment& e) {
  const std::vector<double> a = iou_by_seed(e, adjusted);
  const std::vector<double> b = iou_by_seed(e, vanilla);
  const auto finite = [](double number) { return std::isfinite(number); };
  if (a.size() < 2 || !std::ranges::all_of(a, finite) || !std::ranges::all_of(b, finite)) {
    return std::nullopt;
  }
  return gal::paired_t_test(a, b).p_value;
}

// Mean over the seeds of every epoch's records.
std::vector<epoch_record> mean_curve(const experiment& e, std::size_t method) {
  const auto& runs = e.runs[method];
  const double share = 1.0 / static_cast<double>(runs.size());
  std::vector<epoch_record> curve(runs.front().epochs.size());
  for (const training_result& run : runs) {
    for (std::size_t i = 0; i < curve.size(); ++i) {
      curve[i].training_loss += share * run.epochs[i].training_loss;
      curve[i].test_iou += share * run.epochs[i].test_iou;
      curve[i].accepted_share += share * run.epochs[i].accepted_share;
    }
  }
  return curve;
}

gal::index refused(const experiment& e, std::size_t method) {
  gal::index sum = 0;
  for (const training_result& run : e.runs[method]) {
    sum += run.refused;
  }
  return sum;
}

// ---- Report --------------------------------------------------------------------------------------------------------

void print(const settings& s, const experiment& e) {
  std::printf(
      "Boxes in generated pictures, %d for training, %d for testing; Adam, learning rate %g, batch %d, %d "
      "epoch%s, %d "
      "seed%s, epsilon %g\n\n",
      s.pictures, s.test_pictures, s.learning_rate, s.batch, s.epochs, s.epochs == 1 ? "" : "s", s.seeds,
      s.seeds == 1 ? "" : "s", s.epsilon);
  support::console_table table({"", "mean IoU", "deviation", "seed 1", "worst seed"});
  for (const std::size_t method : {vanilla, adjusted}) {
    const std::vector<double> values = iou_by_seed(e, method);
    table.add({method == vanilla ? "vanilla" : "GAL", support::fixed(gal::mean(values), 4),
               support::fixed(deviation_of(values), 4), support::fixed(values.front(), 4),
               support::fixed(std::ranges::min(values), 4)});
  }
  table.add_rule();
  table.add({"p, GAL = vanilla", support::fixed(p_value(e), 4), "", "", ""});
  table.print();
  double accepted = 0.0;
  const std::vector<epoch_record> curve = mean_curve(e, adjusted);
  for (const epoch_record& record : curve) {
    accepted += record.accepted_share / static_cast<double>(curve.size());
  }
  std::printf("\nadjusted gradients accepted for %.1f %% of the samples; %.1f s\n", 100.0 * accepted,
              e.seconds);
  if (refused(e, vanilla) + refused(e, adjusted) > 0) {
    std::printf("steps refused, since a number was not finite: vanilla %td, GAL %td\n", refused(e, vanilla),
                refused(e, adjusted));
  }
}

json to_json(const std::optional<double>& number) { return number ? json(*number) : json(nullptr); }

// Everything but `run` is the same for any number of threads.
json to_json(const settings& s, const experiment& e) {
  json result{{"program", "boxes"},
              {"configuration",
               {{"optimizer", "adam"},
                {"learning_rate", s.learning_rate},
                {"epsilon", s.epsilon},
                {"batch", s.batch},
                {"epochs", s.epochs},
                {"seeds", s.seeds},
                {"pictures", {{"train", s.pictures}, {"test", s.test_pictures}}}}}};
  for (const std::size_t method : {vanilla, adjusted}) {
    json runs = json::array();
    for (std::size_t k = 0; k < e.seeds.size(); ++k) {
      const training_result& run = e.runs[method][k];
      runs.push_back({{"seed", e.seeds[k]}, {"mean_iou", run.iou()}, {"refused_steps", run.refused}});
    }
    json curve;
    for (const epoch_record& record : mean_curve(e, method)) {
      curve["training_loss"].push_back(record.training_loss);
      curve["test_iou"].push_back(record.test_iou);
      curve["accepted_share"].push_back(record.accepted_share);
    }
    const std::vector<double> values = iou_by_seed(e, method);
    result[std::string(method_names[method])] = {
        {"mean_iou", {{"mean", gal::mean(values)}, {"deviation", to_json(deviation_of(values))}}},
        {"runs", std::move(runs)},
        {"mean_curve", std::move(curve)}};
  }
  result["p_value"] = to_json(p_value(e));
  result["run"] = {{"threads", s.threads}, {"seconds", e.seconds}};
  return result;
}

// ---- Curves and pictures -------------------------------------------------------------------------------------------

constexpr gal::index shown = 12;  // test pictures

std::string curves_csv(const experiment& e) {
  const std::array curves = {mean_curve(e, vanilla), mean_curve(e, adjusted)};
  std::string text =
      "epoch,vanilla_training_loss,vanilla_test_iou,gal_training_loss,gal_test_iou,gal_accepted_share\n";
  for (std::size_t i = 0; i < curves[vanilla].size(); ++i) {
    const epoch_record& plain = curves[vanilla][i];
    const epoch_record& ours = curves[adjusted][i];
    support::append_csv_row(text, i + 1,
                            std::array{plain.training_loss, plain.test_iou, ours.training_loss, ours.test_iou,
                                       ours.accepted_share});
  }
  return text;
}

// The first test pictures, pixel by pixel.
std::string pictures_csv(const pictures& test) {
  std::string text = "picture,x,y,brightness\n";
  for (gal::index j = 0; j < std::min(shown, test.size()); ++j) {
    for (gal::index i = 0; i < test.features.rows(); ++i) {
      support::append_csv_row(
          text, static_cast<std::size_t>(j),
          std::array{static_cast<double>(i % side) + 0.5, static_cast<double>(i / side) + 0.5,
                     static_cast<double>(test.features(i, j))});
    }
  }
  return text;
}

// Their boxes: the true one, then those of seed 1 by either method; left, top, width and height in pixels, and the IoU.
std::string boxes_csv(const pictures& test, const experiment& e) {
  std::string text = "picture,x,y,width,height,iou\n";
  const std::array<const gal::matrix<float>*, 3> kinds = {&test.targets, &e.runs[vanilla].front().boxes,
                                                          &e.runs[adjusted].front().boxes};
  for (const gal::matrix<float>* boxes : kinds) {
    for (gal::index j = 0; j < std::min(shown, test.size()); ++j) {
      const auto box = boxes->view().column(j);
      const auto pixels = [](float share) { return static_cast<double>(share) * static_cast<double>(side); };
      support::append_csv_row(
          text, static_cast<std::size_t>(j),
          std::array{pixels(box[0] - box[2] / 2), pixels(box[1] - box[3] / 2), pixels(box[2]), pixels(box[3]),
                     gal::intersection_over_union(*boxes, test.targets, j)});
    }
  }
  return text;
}

std::string script(const experiment& e, const pictures& test) {
  const gal::index count = std::min(shown, test.size());
  const std::string title =
      support::text("Boxes of shapes, ", e.seeds.size(), e.seeds.size() == 1 ? " seed" : " seeds",
                    "; below, seed 1: true box green, vanilla orange, GAL blue");
  std::string overlaps;
  for (gal::index j = 0; j < count; ++j) {
    overlaps +=
        support::fixed(gal::intersection_over_union(e.runs[adjusted].front().boxes, test.targets, j), 2) +
        " ";
  }
  return "count = " + std::to_string(count) + "\nside = " + std::to_string(side) +
         "\noverlaps = " + support::gnuplot::literal(overlaps) +
         "\ntitle = " + support::gnuplot::literal(title) + R"(
curves = 'boxes_curves.csv'
do for [kind in 'png svg'] {
  eval start(kind, 1300, 920)
  set multiplot title title font ',18' textcolor rgb ink
  set grid linecolor rgb '#dddddd' linetype 1
  set xlabel 'epoch'
  set origin 0.0, 0.53
  set size 0.5, 0.41
  set logscale y
  set title 'Training loss, mean of the seeds'
  plot curves skip 1 using 1:2 with lines linewidth 4 linecolor rgb vanilla title 'vanilla', \
    curves skip 1 using 1:4 with lines linewidth 3 linecolor rgb adjusted title 'GAL'
  unset logscale y
  set origin 0.5, 0.53
  set key bottom right
  set title 'Mean IoU on the test part, mean of the seeds'
  plot curves skip 1 using 1:3 with lines linewidth 4 linecolor rgb vanilla title 'vanilla', \
    curves skip 1 using 1:5 with lines linewidth 3 linecolor rgb adjusted title 'GAL'
  unset grid
  unset xlabel
  unset tics
  unset colorbox
  unset key
  set palette gray
  set cbrange [-0.2:1.2]
  set xrange [0:side]
  set yrange [side:0]
  set size ratio -1
  do for [picture = 0:count - 1] {
    set origin 0.01 + 0.1633 * (picture % 6), 0.26 - 0.25 * (picture / 6)
    set size 0.1633, 0.26
    set title 'GAL: IoU ' . word(overlaps, picture + 1) font ',11' offset 0, -0.5
    plot 'boxes_pictures.csv' skip 1 + picture * side * side every ::0::(side * side - 1) using 2:3:4 with image, \
      'boxes_boxes.csv' skip 1 + picture every ::0::0 using ($2 + $4/2):($3 + $5/2):($4/2):($5/2) \
        with boxxyerror fillstyle empty linewidth 3 linecolor rgb '#009E73', \
      '' skip 1 + count + picture every ::0::0 using ($2 + $4/2):($3 + $5/2):($4/2):($5/2) \
        with boxxyerror fillstyle empty linewidth 2 linecolor rgb vanilla, \
      '' skip 1 + 2 * count + picture every ::0::0 using ($2 + $4/2):($3 + $5/2):($4/2):($5/2) \
        with boxxyerror fillstyle empty linewidth 2 linecolor rgb adjusted
  }
  unset multiplot
  reset
  set datafile separator ','
}
)";
}

void write_pictures(const settings& s, const experiment& e, const pictures& test) {
  const std::filesystem::path out(s.out);
  support::write_file(out / "boxes_curves.csv", curves_csv(e));
  support::write_file(out / "boxes_pictures.csv", pictures_csv(test));
  support::write_file(out / "boxes_boxes.csv", boxes_csv(test, e));
  const auto plotter = support::gnuplot::find();
  if (!plotter) {
    std::printf("\ngnuplot is not in PATH: no pictures. The curves are in %s\n", s.out.c_str());
    return;
  }
  if (refused(e, vanilla) + refused(e, adjusted) > 0) {
    std::printf("\nNo picture: runs left the range of numbers.\n");
    return;
  }
  plotter->draw(out, "boxes", script(e, test), {"png", "svg"});
  std::printf("\nCurves and pictures are in %s\n", s.out.c_str());
}

}  // namespace

int main(int count, char** arguments) {
  settings s;
  CLI::App app{std::string(description)};
  app.add_option("--seeds", s.seeds, "Runs of either method, of seeds 1, 2, ...")
      ->check(CLI::Range(1, 100'000))
      ->capture_default_str();
  app.add_option("--epochs", s.epochs, "Passes through the training part")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  app.add_option("--pictures", s.pictures, "Pictures for training")
      ->check(CLI::Range(1, 10'000'000))
      ->capture_default_str();
  app.add_option("--test-pictures", s.test_pictures, "Pictures for testing")
      ->check(CLI::Range(1, 10'000'000))
      ->capture_default_str();
  app.add_option("--batch", s.batch, "Samples in a batch")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  app.add_option("--learning-rate", s.learning_rate, "Learning rate of Adam")
      ->check(support::positive_number)
      ->capture_default_str();
  app.add_option("--epsilon", s.epsilon, "Strength of the adjustment")
      ->check(support::positive_number)
      ->capture_default_str();
  app.add_option("--threads", s.threads, "Threads; the results do not depend on it")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  app.add_option("--out", s.out, "Directory for curves and pictures")->check(support::no_name);
  app.add_option("--json", s.json_file, "File for all numbers")->check(support::no_name);
  CLI11_PARSE(app, count, arguments);

  try {
    support::prepare_output(s.out, s.json_file);
    const pictures training = draw_pictures(s.pictures, 1);
    const pictures test = draw_pictures(s.test_pictures, 2);
    const experiment e = run(s, training, test);
    print(s, e);
    if (!s.json_file.empty()) {
      support::write_file(s.json_file, to_json(s, e).dump(2) + "\n");
    }
    if (!s.out.empty()) {
      write_pictures(s, e, test);
    }
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "boxes: %s\n", failure.what());
    return 1;
  }
  return 0;
}
