// Object boxes as four features, as in the detection experiments of arXiv 2201.09193: a small network finds a shape in
// generated pictures, with plain and with adjusted gradients. Table, curves, pictures with boxes, JSON.
#include "support/comparison.hpp"
#include "support/text.hpp"

#include <gal/gal.hpp>
#include <gal/loss/boxes.hpp>

#include <CLI/CLI.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

constexpr std::string_view description =
    R"(Finds the box of a bright shape in generated pictures: a vanilla optimizer against the same with adjusted gradients
(GAL) on the box's four features, with the adjuster that the paper uses for detection (hidden widths 64 and 16).

A picture has 24 x 24 pixels: a rectangle or an ellipse on an uneven background with noise and specks. The network ends
in a sigmoid: centre and size as shares of the picture. The loss is the distance of the four numbers plus generalised
IoU. Pictures for training and testing are always the same; a seed sets the initial weights and the order of the batches,
and both methods share it, so that their difference is tested in pairs (Student's t-test).)";

// ---- Settings ------------------------------------------------------------------------------------------------------

constexpr gal::index_type side = 24;
constexpr gal::nn::image_shape shape_of_picture{1, side, side};

struct settings : support::comparison_settings {
  int pictures = 2000;
  int test_pictures = 400;
  double learning_rate = 1e-3;
  double epsilon = 1.0;
};

gal::adjust_options options_of(const settings& s) {
  gal::adjust_options options = gal::recommended();
  options.hidden = {64, 16};
  options.epsilon = s.epsilon;
  return options;
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

pictures draw_pictures(gal::index_type count, std::uint64_t seed) {
  pictures result;
  result.features.resize(shape_of_picture.size(), count);
  result.targets.resize(4, count);
  for (gal::index_type j = 0; j < count; ++j) {
    gal::random_stream random{gal::random_bits(seed, static_cast<std::uint64_t>(j)), 0};
    const double width = 0.2 + 0.45 * random.uniform();
    const double height = 0.2 + 0.45 * random.uniform();
    const double x = 0.5 * width + (1.0 - width) * random.uniform();
    const double y = 0.5 * height + (1.0 - height) * random.uniform();
    const bool round = random.uniform() < 0.5;
    const double brightness = 0.5 + 0.5 * random.uniform();
    const double slope_x = 0.3 * (random.uniform() - 0.5);
    const double slope_y = 0.3 * (random.uniform() - 0.5);
    for (gal::index_type row = 0; row < side; ++row) {
      for (gal::index_type column = 0; column < side; ++column) {
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

struct boxes_run : support::training_run {
  gal::matrix<float> boxes{};  // of the test pictures, after the last epoch
};

using comparison = support::comparison<boxes_run>;

boxes_run train(const pictures& training, const pictures& test, const settings& s, std::uint64_t seed,
                const support::maybe_adjusted& options, support::progress_bar& progress) {
  gal::nn::cnn<float> model(shape_of_picture, layers(), {.seed = seed});
  gal::adam<float> optimizer({.learning_rate = s.learning_rate});
  gal::batches batches(training, s.batch, seed);
  const auto measure = [&](auto&) {
    return std::array{gal::mean_intersection_over_union(model.forward(test.features), test.targets)};
  };
  boxes_run run{support::with_trainer(
      model, optimizer, gal::box_loss(), support::with_seed(options, seed), [&](auto& trainer) {
        return support::train(
            trainer, batches, s.epochs, [](auto x) { return x; }, measure, progress);
      })};
  run.boxes = model.forward(test.features);
  return run;
}

comparison compare(const settings& s, const pictures& training, const pictures& test) {
  const std::array options = {support::maybe_adjusted(), support::maybe_adjusted(options_of(s))};
  return support::compare("boxes", "Boxes of shapes",
                          {{.name = "mean_iou", .title = "mean IoU", .larger_is_better = true}}, s,
                          [&](std::size_t method, std::uint64_t seed, support::progress_bar& progress) {
                            return train(training, test, s, seed, options[method], progress);
                          });
}

// ---- Pictures of the results ---------------------------------------------------------------------------------------

constexpr gal::index_type shown = 12;  // test pictures

// The first test pictures, pixel by pixel.
std::string pictures_csv(const pictures& test) {
  std::string text = "picture,x,y,brightness\n";
  for (gal::index_type j = 0; j < std::min(shown, test.size()); ++j) {
    for (gal::index_type i = 0; i < test.features.rows(); ++i) {
      support::append_csv_row(
          text, static_cast<std::size_t>(j),
          std::array{static_cast<double>(i % side) + 0.5, static_cast<double>(i / side) + 0.5,
                     static_cast<double>(test.features(i, j))});
    }
  }
  return text;
}

// Their boxes: the true one, then those of seed 1 by either method; left, top, width and height in pixels, and the IoU.
std::string boxes_csv(const pictures& test, const comparison& c) {
  std::string text = "picture,x,y,width,height,iou\n";
  const std::array<const gal::matrix<float>*, 3> kinds = {
      &test.targets, &c.runs[support::vanilla].front().boxes, &c.runs[support::adjusted].front().boxes};
  for (const gal::matrix<float>* boxes : kinds) {
    for (gal::index_type j = 0; j < std::min(shown, test.size()); ++j) {
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

std::string script(const comparison& c, const pictures& test) {
  const gal::index_type count = std::min(shown, test.size());
  std::string overlaps;
  for (gal::index_type j = 0; j < count; ++j) {
    overlaps +=
        support::fixed(gal::intersection_over_union(c.runs[support::adjusted].front().boxes, test.targets, j),
                       2) +
        " ";
  }
  return "count = " + std::to_string(count) + "\nside = " + std::to_string(side) +
         "\noverlaps = " + support::gnuplot::literal(overlaps) +
         R"(
do for [kind in 'png svg'] {
  eval start(kind, 1300, 920)
  set multiplot title title . '; below, seed 1: true box green, vanilla orange, GAL blue' font ',18' textcolor rgb ink
  set grid linecolor rgb '#dddddd' linetype 1
  set xlabel 'epoch'
  set origin 0.0, 0.53
  set size 0.5, 0.41
  set logscale y
  set title 'Training loss'
  eval both('training_loss', 1)
  unset logscale y
  set origin 0.5, 0.53
  set key bottom right
  set title 'Mean IoU on the test part'
  eval both('mean_iou', 1)
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

}  // namespace

int main(int count, char** arguments) {
  settings s;
  s.seeds = 5;
  CLI::App app{std::string(description)};
  app.add_option("--pictures", s.pictures, "Pictures for training")
      ->check(CLI::Range(1, 10'000'000))
      ->capture_default_str();
  app.add_option("--test-pictures", s.test_pictures, "Pictures for testing")
      ->check(CLI::Range(1, 10'000'000))
      ->capture_default_str();
  app.add_option("--learning-rate", s.learning_rate, "Learning rate of Adam")
      ->check(support::positive_number)
      ->capture_default_str();
  app.add_option("--epsilon", s.epsilon, "Strength of the adjustment")
      ->check(support::positive_number)
      ->capture_default_str();
  support::add_options(app, s);
  CLI11_PARSE(app, count, arguments);

  return support::run_program("boxes", [&] {
    support::prepare_outputs(s);
    const pictures training = draw_pictures(s.pictures, 1);
    const pictures test = draw_pictures(s.test_pictures, 2);
    std::printf(
        "Boxes in generated pictures, %d for training, %d for testing; Adam, learning rate %g, %s, epsilon "
        "%g\n",
        s.pictures, s.test_pictures, s.learning_rate, support::summary(s).c_str(), s.epsilon);
    const std::vector comparisons = {compare(s, training, test)};
    support::print(comparisons.front());
    const support::json configuration = {{"optimizer", "adam"},
                                         {"learning_rate", s.learning_rate},
                                         {"epsilon", s.epsilon},
                                         {"pictures", {{"train", s.pictures}, {"test", s.test_pictures}}}};
    support::write_json(s, "boxes", configuration, comparisons, {support::to_json(comparisons.front())});
    support::write_report(s, "Boxes", configuration, comparisons);
    support::write_pictures(
        s, comparisons,
        [&](const comparison& c) {
          return std::vector<std::pair<std::string, std::string>>{{"boxes_pictures.csv", pictures_csv(test)},
                                                                  {"boxes_boxes.csv", boxes_csv(test, c)}};
        },
        [&](const comparison& c) { return script(c, test); });
  });
}
