// Object boxes as four features, as in the detection experiments of arXiv 2201.09193: a small network finds a shape in
// generated pictures, with plain and with adjusted gradients: `gal::compare`, and a picture of the boxes.
#include "support/compare.hpp"
#include "support/gnuplot.hpp"
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
#include <filesystem>
#include <functional>
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

struct settings : support::compare_settings {
  std::string out{};
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

using boxes = gal::matrix<float>;  // of the test pictures

template <class MakeTrainer>
boxes find_boxes(const pictures& training, const pictures& test, const settings& s, const gal::trial& t,
                 MakeTrainer make_trainer) {
  gal::nn::cnn<float> model(shape_of_picture, layers(), {.seed = t.seed});
  gal::adam<float> optimizer({.learning_rate = t.learning_rate});
  auto trainer = make_trainer(model, optimizer);
  gal::batches batches(training, s.batch, t.seed);
  for (int epoch = 0; epoch < t.budget; ++epoch) {
    for (auto [x, y] : batches) {
      trainer.step(x, y);
    }
  }
  return model.forward(test.features);
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

// Their boxes: the true one, then those by either method; left, top, width and height in pixels.
std::string boxes_csv(const pictures& test, const boxes& vanilla, const boxes& adjusted) {
  std::string text = "picture,x,y,width,height\n";
  for (const boxes* kind : {&test.targets, &vanilla, &adjusted}) {
    for (gal::index_type j = 0; j < std::min(shown, test.size()); ++j) {
      const auto box = kind->view().column(j);
      std::array<double, 4> pixels = {box[0] - box[2] / 2, box[1] - box[3] / 2, box[2], box[3]};
      for (double& share : pixels) {
        share *= side;
      }
      support::append_csv_row(text, static_cast<std::size_t>(j), pixels);
    }
  }
  return text;
}

void draw(const settings& s, const pictures& test, const boxes& vanilla, const boxes& adjusted) {
  const std::filesystem::path out(s.out);
  support::write_file(out / "boxes_pictures.csv", pictures_csv(test));
  support::write_file(out / "boxes_boxes.csv", boxes_csv(test, vanilla, adjusted));
  const auto plotter = support::gnuplot::find();
  if (!plotter) {
    std::printf("\ngnuplot is not in PATH: no pictures. The boxes are in %s\n", s.out.c_str());
    return;
  }
  plotter->draw(out, "boxes",
                support::text("count = ", std::min(shown, test.size()), "\nside = ", side, "\n") +
                    R"(
do for [kind in 'png svg'] {
  eval start(kind, 1300, 520)
  set multiplot title 'True boxes green, those of vanilla orange, of GAL blue (seed 1)' font ',18' textcolor rgb ink
  unset tics
  unset colorbox
  unset key
  set palette gray
  set cbrange [-0.2:1.2]
  set xrange [0:side]
  set yrange [side:0]
  set size ratio -1
  do for [picture = 0:count - 1] {
    set origin 0.01 + 0.1633 * (picture % 6), 0.46 - 0.46 * (picture / 6)
    set size 0.1633, 0.46
    plot 'boxes_pictures.csv' skip 1 + picture * side * side every ::0::(side * side - 1) using 2:3:4 with image, \
      'boxes_boxes.csv' skip 1 + picture every ::0::0 using ($2 + $4/2):($3 + $5/2):($4/2):($5/2) \
        with boxxyerror fillstyle empty linewidth 3 linecolor rgb '#009E73', \
      '' skip 1 + count + picture every ::0::0 using ($2 + $4/2):($3 + $5/2):($4/2):($5/2) \
        with boxxyerror fillstyle empty linewidth 2 linecolor rgb vanilla, \
      '' skip 1 + 2 * count + picture every ::0::0 using ($2 + $4/2):($3 + $5/2):($4/2):($5/2) \
        with boxxyerror fillstyle empty linewidth 2 linecolor rgb adjusted
  }
  unset multiplot
}
)",
                {"png", "svg"});
  std::printf("\nBoxes and pictures are in %s\n", s.out.c_str());
}

}  // namespace

int main(int count, char** arguments) {
  settings s;
  s.seeds = 5;
  CLI::App app{std::string(description)};
  support::add_count(app, "--pictures", s.pictures, "Pictures for training");
  support::add_count(app, "--test-pictures", s.test_pictures, "Pictures for testing");
  support::add_positive(app, "--learning-rate", s.learning_rate, "Learning rate of Adam");
  support::add_positive(app, "--epsilon", s.epsilon, "Strength of the adjustment");
  support::add_path(app, "--out", s.out, "Directory for test pictures with the boxes of seed 1");
  support::add_options(app, s);
  CLI11_PARSE(app, count, arguments);

  return support::run_program("boxes", [&] {
    support::prepare_outputs(s, s.out);
    const pictures training = draw_pictures(s.pictures, 1);
    const pictures test = draw_pictures(s.test_pictures, 2);
    using finder = std::function<boxes(const gal::trial&)>;
    const finder vanilla = [&](const gal::trial& t) {
      return find_boxes(training, test, s, t,
                        [](auto& model, auto& adam) { return gal::plain(model, adam, gal::box_loss()); });
    };
    const finder adjusted = [&](const gal::trial& t) {
      return find_boxes(training, test, s, t, [&](auto& model, auto& adam) {
        gal::adjust_options options = options_of(s);
        options.adjuster.seed = t.seed;
        return gal::adjust(model, adam, gal::box_loss(), options);
      });
    };
    const auto measured = [&](const finder& find) {
      return [&](const gal::trial& t) -> gal::measures {
        return {.test = gal::mean_intersection_over_union(find(t), test.targets)};
      };
    };
    const auto result =
        support::compare(s, "boxes", {{"vanilla", measured(vanilla)}, {"GAL", measured(adjusted)}},
                         {.title = support::text("Boxes in generated pictures, ", s.pictures,
                                                 " for training, ", s.test_pictures, " for testing; Adam, ",
                                                 support::summary(s), ", epsilon ", s.epsilon),
                          .measure = "mean intersection over union",
                          .larger_is_better = true,
                          .learning_rates = {s.learning_rate}});
    support::write_results(s, "boxes", "Boxes",
                           {{"optimizer", "adam"},
                            {"epsilon", s.epsilon},
                            {"batch", s.batch},
                            {"pictures", {{"train", s.pictures}, {"test", s.test_pictures}}}},
                           {result});
    if (!s.out.empty()) {
      const gal::trial first{.seed = 1, .learning_rate = s.learning_rate, .budget = s.budget};
      draw(s, test, vanilla(first), adjusted(first));
    }
  });
}
