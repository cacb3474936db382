// Images: a network on digits, Fashion-MNIST, CIFAR or a folder of such files, trained by a plain optimizer or by gradient
// adjustment learning (arXiv 2201.09193); or by both, over seeds and learning rates, to a verdict.
#include "support/compare.hpp"
#include "support/console.hpp"
#include "support/gnuplot.hpp"
#include "support/problems.hpp"

#include <gal/data/gzip.hpp>
#include <gal/fit.hpp>
#include <gal/gal.hpp>
#include <gal/io/checkpoint.hpp>
#include <gal/study.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <numeric>
#include <optional>
#include <ranges>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace {

constexpr const char* description =
    R"(Trains a network to classify images, plainly or with adjusted gradients (GAL), and shows what it takes for what. With
--compare trains by both over seeds and learning rates, and says whether one is better (docs/compare.md).

--data is one of
  digits         8 x 8 pixels; a quarter of them is for testing
  fashion-mnist  Debian: apt-get install dataset-fashion-mnist
  cifar10        cifar-10-batches-bin, the binary version, in the folder that GAL_DATA_DIR names
  cifar100       cifar-100-binary, likewise
  DIRECTORY      a folder with train-images-idx3-ubyte, train-labels-idx1-ubyte and the same of t10k, with .gz or without;
                 or with data_batch_1.bin to data_batch_5.bin and test_batch.bin; or with train.bin and test.bin)";

struct settings {
  std::string data = "digits", model = "lenet", method = "plain", optimizer = "adam", schedule = "cosine";
  std::string preset = "recommended", save{}, ledger{}, out{}, json_file{};
  std::vector<std::string> augment{};
  std::vector<double> learning_rates{};
  std::optional<double> epsilon{}, tau{};
  double weight_decay = 0.0;
  int epochs = 10, batch = 32, images = 0, test_images = 0, seed = 1, seeds = 10;
  int threads = support::compare_settings::default_threads();
  bool compares = false;
};

// ---- Images --------------------------------------------------------------------------------------------------------

struct data_set : gal::image_parts {
  std::vector<std::string> names{};  // of the classes
};

// Some of the images.
gal::image_data take(const gal::image_data& images, const std::vector<gal::index_type>& rows) {
  gal::image_data result{.shape = images.shape};
  for (const gal::index_type row : rows) {
    const auto pixels = images.view().column(row);
    result.pixels.insert(result.pixels.end(), pixels.begin(), pixels.end());
    result.labels.push_back(images.labels[static_cast<std::size_t>(row)]);
  }
  return result;
}

gal::image_data as_images(const gal::dataset<float, int>& digits) {
  gal::image_data result{.shape = support::digit_shape};
  std::transform(digits.features.data(), digits.features.data() + digits.features.size(),
                 std::back_inserter(result.pixels),
                 [](float pixel) { return static_cast<std::uint8_t>(std::lround(255.0f * pixel)); });
  result.labels.assign(digits.targets.data(), digits.targets.data() + digits.size());
  return result;
}

data_set read_data(const settings& s) {
  data_set data;
  std::string folder = s.data;
  if (s.data == "cifar10" || s.data == "cifar100") {
    folder = s.data == "cifar10" ? "cifar-10-batches-bin" : "cifar-100-binary";
    const auto found = support::data_file(folder);
    support::require(found.has_value(), gal::error_code::unreadable_file, support::no_data_file(folder),
                     "; expected the binary version of https://www.cs.toronto.edu/~kriz/cifar.html");
    folder = *found;
  } else if (s.data == "fashion-mnist") {
    folder = std::filesystem::path(support::fashion_mnist_files("train").first).parent_path();
    data.names = {"T-shirt", "trousers", "pullover", "dress", "coat",
                  "sandal",  "shirt",    "sneaker",  "bag",   "boot"};
  }
  if (s.data == "digits") {
    const auto parts = support::divide(support::read_digits());
    data = {{as_images(parts.train), as_images(parts.test)}};
  } else {
    static_cast<gal::image_parts&>(data) = gal::read_image_folder(folder);
  }
  for (const char* const file : {"/batches.meta.txt", "/fine_label_names.txt"}) {  // CIFAR's
    std::ifstream names(folder + file);
    for (std::string name; std::getline(names, name) && !name.empty();) {
      data.names.push_back(name);
    }
  }
  const int last = std::max(std::ranges::max(data.train.labels), std::ranges::max(data.test.labels));
  while (std::ssize(data.names) <= last) {
    data.names.push_back(std::to_string(data.names.size()));
  }
  for (auto [images, count] : {std::pair(&data.train, s.images), std::pair(&data.test, s.test_images)}) {
    if (count > 0 && count < images->size()) {
      const double share = (count - 0.5) / static_cast<double>(images->size());
      *images = take(*images, gal::train_test_split(images->size(), {.test_fraction = share}).test);
    }
  }
  return data;
}

// ---- Training ------------------------------------------------------------------------------------------------------

using network = gal::nn::cnn<float>;
// One type for all optimizers: every trainer is compiled once.
struct any_optimizer {
  using value_type = float;
  std::variant<gal::sgd<float>, gal::adam<float>, gal::adabound<float>, gal::lookahead<gal::sgd<float>>> kind;

  [[nodiscard]] double learning_rate() const {
    return std::visit([](const auto& optimizer) { return optimizer.learning_rate(); }, kind);
  }
  void step(std::span<const gal::parameter<float>> parameters) {
    std::visit([&](auto& optimizer) { optimizer.step(parameters); }, kind);
  }
};

any_optimizer make_optimizer(const settings& s, double rate, gal::index_type steps) {
  const auto with = [&](auto options) {
    options.learning_rate = rate;
    options.weight_decay = s.weight_decay;
    options.schedule = s.schedule == "cosine"   ? gal::cosine_schedule(steps)
                       : s.schedule == "linear" ? gal::linear_schedule(steps)
                       : s.schedule == "step"   ? gal::step_schedule((steps + 2) / 3)
                                                : gal::schedule();
    return options;
  };
  using kinds = decltype(any_optimizer::kind);
  const gal::sgd<float> sgd(with(gal::sgd_options{.momentum = 0.9}));
  return {s.optimizer == "adam"        ? kinds(gal::adam<float>(with(gal::adam_options())))
          : s.optimizer == "adabound"  ? kinds(gal::adabound<float>(with(gal::adabound_options())))
          : s.optimizer == "lookahead" ? kinds(gal::lookahead(sgd, {.k = 5, .alpha = 0.8}))
                                       : kinds(sgd)};
}

network make_network(const settings& s, const data_set& data, std::uint64_t seed, int threads) {
  using namespace gal::nn;
  const image_shape shape = data.train.shape;
  const gal::index_type classes = std::ssize(data.names);
  const auto layers = s.model == "mlp"     ? std::vector<layer>{flatten{}, linear{128}, relu, linear{classes}}
                      : s.model == "lenet" ? lenet(shape, classes)
                      : s.model == "efficientnet" ? efficientnet(classes)
                                                  : resnet(std::stoi(s.model.substr(6)), classes);
  return {shape, layers, {.seed = seed}, gal::eigen_backend(threads)};
}

gal::adjust_options adjustment(const settings& s, std::uint64_t seed = 0) {
  gal::adjust_options options = s.preset == "paper" ? gal::paper() : gal::recommended();
  options.epsilon = s.epsilon.value_or(options.epsilon);
  options.tau = s.tau.value_or(options.tau);
  options.adjuster.seed = seed;
  return options;
}

// Batches of images for a network: brightness with the mean 0 and the deviation 1, about, and in training what is asked for at
// random.
class image_batches {
  using bytes = gal::batches<std::uint8_t, int>;

 public:
  struct iterator {
    image_batches* owner;
    bytes::iterator at;

    auto operator*() const {
      const auto [x, labels] = *at;
      auto& augment = owner->augment_;
      return std::pair((owner->training_ ? augment(x) : augment.normalise(x)).view(), labels);
    }
    iterator& operator++() {
      ++at;
      return *this;
    }
    bool operator==(std::default_sentinel_t end) const { return at == end; }
  };

  // Training: with a seed.
  image_batches(const settings& s, const gal::image_data& images, std::optional<std::uint64_t> seed = {})
      : training_(seed.has_value()),
        order_(images.view(), images.labels, training_ ? s.batch : 250,
               {.seed = seed.value_or(0), .shuffle = training_}),
        augment_(images.shape, options(s, images.shape, seed.value_or(0))) {}

  iterator begin() { return {this, order_.begin()}; }
  std::default_sentinel_t end() const { return {}; }
  gal::index_type size() const { return order_.size(); }

 private:
  static gal::augmentation_options options(const settings& s, gal::nn::image_shape shape,
                                           std::uint64_t seed) {
    const auto asked = [&](const char* what) { return std::ranges::count(s.augment, what) > 0; };
    return {.padding = asked("crop") ? (shape.height + 7) / 8 : 0,
            .flip = asked("flip"),
            .mean = std::vector(static_cast<std::size_t>(shape.channels), 0.4),
            .deviation = std::vector(static_cast<std::size_t>(shape.channels), 0.3),
            .cutout = asked("cutout") ? shape.height / 2 : 0,
            .seed = seed};
  }

  bool training_;
  bytes order_;
  gal::augmentation<float> augment_;
};

// Calls `loop(trainer, batches)` with a trainer of the model, adjusting or not, and the batches of the images.
template <class Loop>
void train(const settings& s, const gal::image_data& images, const gal::trial& trial, bool adjusts,
           network& model, Loop loop) {
  image_batches batches(s, images, trial.seed);
  any_optimizer optimizer = make_optimizer(s, trial.learning_rate, batches.size() * trial.budget);
  if (adjusts) {
    gal::adjust trainer(model, optimizer, gal::softmax_cross_entropy(), adjustment(s, trial.seed));
    loop(trainer, batches);
  } else {
    gal::plain trainer(model, optimizer, gal::softmax_cross_entropy());
    loop(trainer, batches);
  }
}

struct mistake {
  gal::index_type image;
  std::size_t label, answer;
  double share;  // the answer's probability
};

// What a network makes of images. Error and loss are NaN where a score is not finite.
struct evaluation {
  double error = 0.0, loss = 0.0;
  gal::confusion_matrix counts;
  std::vector<mistake> mistakes{};  // the most confident first
};

evaluation evaluate(const settings& s, network& model, const gal::image_data& images) {
  const gal::evaluation_mode mode(model);
  evaluation result{.counts = gal::confusion_matrix(model.output_shape().size())};
  gal::index_type image = 0;
  for (const auto& [x, labels] : image_batches(s, images)) {
    const auto& scores = model.forward(x);
    result.counts.add(scores, labels);
    const double weight = static_cast<double>(x.columns()) / static_cast<double>(images.size());
    result.error += weight * gal::error_rate(scores, labels);
    result.loss += weight * gal::evaluate_loss(gal::softmax_cross_entropy(), scores, labels).mean;
    for (gal::index_type j = 0; j < x.columns(); ++j, ++image) {
      const auto column = std::as_const(scores).view().column(j);
      const auto best = std::ranges::max_element(column);
      const auto label = static_cast<std::size_t>(labels(0, j)),
                 answer = static_cast<std::size_t>(best - column.begin());
      if (answer != label && std::isfinite(*best)) {
        const double sum =
            std::accumulate(column.begin(), column.end(), 0.0, [&](double before, float score) {
              return before + std::exp(static_cast<double>(score - *best));
            });
        result.mistakes.push_back({image, label, answer, 1.0 / sum});
      }
    }
  }
  std::ranges::stable_sort(result.mistakes, std::greater(), &mistake::share);
  result.mistakes.resize(std::min<std::size_t>(result.mistakes.size(), 24));
  return result;
}

// ---- One training --------------------------------------------------------------------------------------------------

using support::json;

// All that results depend on, but learning rate and seed.
std::string summary(const settings& s, const data_set& data) {
  const gal::adjust_options options = adjustment(s);
  const bool adjusts = s.compares || s.method == "gal";
  return support::text(
      s.data, ", ", data.train.size(), " images", s.augment.empty() ? "" : " augmented", ", ",
      data.test.size(), " for testing; ", s.model, "; ", s.optimizer, ", ", s.schedule, " rate, batch ",
      s.batch, ", ", s.epochs, " epochs",
      adjusts ? support::text("; GAL ", s.preset, ", epsilon ", options.epsilon, ", tau ", options.tau) : "");
}

// Pictures, and what they are drawn of.
void draw(const settings& s, const data_set& data, const evaluation& test, const std::string& confusion) {
  const gal::nn::image_shape shape = data.test.shape;
  std::string pixels;
  std::string captions = "class,answer\n";
  for (const auto& [image, label, answer, share] : test.mistakes) {
    const auto from = data.test.view().column(image);
    for (gal::index_type i = 0; i < 3 * shape.area(); ++i) {  // red, green and blue side by side
      pixels +=
          static_cast<char>(from[static_cast<std::size_t>(i % 3 % shape.channels * shape.area() + i / 3)]);
    }
    captions += support::text(data.names[label], ",", data.names[answer], ": ",
                              support::fixed(100.0 * share, 1), " %\n");
  }
  const std::filesystem::path out(s.out);
  support::write_file(out / "confusion.csv", confusion);
  support::write_file(out / "mistakes.csv", captions);
  support::write_file(out / "mistakes.rgb", pixels);
  const auto plotter = support::gnuplot::find();
  if (!plotter) {
    std::printf("\ngnuplot is not in PATH: no pictures. The tables are in %s\n", s.out.c_str());
    return;
  }
  const std::string title = support::text(s.data, ", ", s.model, ", ", s.method, ": test error ",
                                          support::fixed(100.0 * test.error, 2), " %");
  const std::string head = support::text(
      "set title noenhanced ", support::gnuplot::literal(title), "\nclasses = ", data.names.size(),
      "\ncount = ", test.mistakes.size(), "\nwidth = ", shape.width, "\nheight = ", shape.height);
  plotter->draw(out, "confusion", head + R"(
eval start('png', classes > 20 ? 1700 : 1000, classes > 20 ? 1600 : 900)
set tics noenhanced; set xtics rotate by -45
set xlabel 'answer'; set ylabel 'class'; set cblabel 'wrong answers'
set xrange [-0.5:classes - 0.5]; set yrange [classes - 0.5:-0.5]; set cbrange [0:*]
set palette defined (0 'white', 0.05 '#FDE9D9', 1 '#D55E00')
plot 'confusion.csv' matrix rowheaders columnheaders using 1:2:($1 == $2 ? 0 : $3) with image notitle, \
  '' matrix rowheaders columnheaders using 1:2:(classes > 20 || $3 == 0 ? '' : sprintf('%d', $3)) with labels \
    textcolor rgb ink notitle
)",
                {"png"});
  if (!test.mistakes.empty()) {
    plotter->draw(out, "mistakes", head + R"(
across = 6; cell = width + height / 2 + 1
down = (count + across - 1) / across
eval start('png', 175 * across, 175 * down + 70)
unset border; unset tics; set margins 0, 0, 0.5, 4
set label 'blue: the class; orange: the answer and its probability' at graph 0.5, graph 1 offset 0, 0.6 center
set xrange [0:across * cell]; set yrange [down * cell:0]
x(k) = int(k) % across * cell + (cell - width) / 2
y(k) = int(k) / across * cell + cell - height
plot for [k = 0:count - 1] 'mistakes.rgb' binary skip=3 * width * height * k array=(width, height) \
    origin=(x(k) + 0.5, y(k) + 0.5) format='%uchar' using 1:2:3 with rgbimage notitle, \
  'mistakes.csv' skip 1 using (x($0) + width / 2.0):(y($0) - 0.3 * height):1 with labels noenhanced \
    textcolor rgb adjusted notitle, \
  '' skip 1 using (x($0) + width / 2.0):(y($0) - 0.12 * height):2 with labels noenhanced textcolor rgb vanilla notitle
)",
                  {"png"});
  }
  std::printf("\nTables and pictures are in %s\n", s.out.c_str());
}

json train_one(const settings& s, const data_set& data) {
  const auto seed = static_cast<std::uint64_t>(s.seed);
  network model = make_network(s, data, seed, s.threads);
  image_batches tests(s, data.test);
  json curve;
  const gal::trial trial{seed, s.learning_rates.front(), s.epochs};
  train(s, data.train, trial, s.method == "gal", model, [&](auto& trainer, auto& batches) {
    auto log = gal::on_epoch_end([&](auto& run) {
      const gal::epoch_report& epoch = run.last_epoch();
      const evaluation test = evaluate(s, model, data.test);
      std::printf("epoch %d: test error %.2f %%\n", static_cast<int>(epoch.epoch), 100.0 * test.error);
      std::fflush(stdout);
      curve.push_back(
          {{"training_loss", epoch.training_loss}, {"test_loss", test.loss}, {"test_error", test.error}});
    });
    const auto fit = [&](auto... report) {
      gal::fit(trainer, batches, tests, {.epochs = s.epochs, .restore_best = false}, gal::progress_bar(), log,
               report...);
    };
    if (s.out.empty()) {
      fit();
    } else {
      fit(gal::html_report(
          s.out + "/training.html",
          {summary(s, data), {{"validation", "the test images, by which nothing is chosen"}}}));
    }
  });
  const evaluation test = evaluate(s, model, data.test);
  support::require(std::isfinite(test.error), gal::error_code::non_finite,
                   "the network diverged; expected a smaller --learning-rate than ", trial.learning_rate);
  if (!s.save.empty()) {
    gal::save_checkpoint(s.save, model);
  }

  std::string csv = "class";
  std::vector<std::string> header = {"class", "recall, %"};
  for (const std::string& name : data.names) {
    csv.append(",").append(name);
    header.push_back(name);
  }
  const std::size_t shown = data.names.size() > 20 ? 2 : header.size();
  header.resize(shown);
  support::console_table table(header);
  std::vector<std::vector<gal::index_type>> confusion(data.names.size());
  for (std::size_t k = 0; k < data.names.size(); ++k) {
    const auto label = static_cast<gal::index_type>(k);
    csv.append("\n").append(data.names[k]);
    const bool has_samples = test.counts.support(label) > 0;
    std::vector<std::string> row = {
        data.names[k], has_samples ? support::fixed(100.0 * test.counts.recall(label), 1) : "n/a"};
    for (gal::index_type answer = 0; answer < test.counts.classes(); ++answer) {
      confusion[k].push_back(test.counts.count(label, answer));
      row.push_back(std::to_string(test.counts.count(label, answer)));
      csv.append(",").append(row.back());
    }
    row.resize(shown);
    table.add(row);
  }
  std::printf("\ntest error %.2f %%, loss %.4f. Of every class its answers:\n\n", 100.0 * test.error,
              test.loss);
  table.print();
  if (!s.out.empty()) {
    draw(s, data, test, csv + "\n");
  }
  return {{"test_error", test.error}, {"test_loss", test.loss}, {"confusion", confusion}, {"curve", curve}};
}

// ---- Both methods --------------------------------------------------------------------------------------------------

json compare(const settings& s, const data_set& data) {
  const gal::split_indices split = gal::train_test_split(data.train.size(), {.test_fraction = 1.0 / 6.0});
  const gal::image_data training = take(data.train, split.train);
  const gal::image_data validation = take(data.train, split.test);
  const auto run = [&](const gal::trial& trial, bool adjusts) -> gal::measures {
    network model = make_network(s, data, trial.seed, 1);
    train(s, training, trial, adjusts, model, [&](auto& trainer, auto& batches) {
      for (std::int64_t epoch = 0; epoch < trial.budget; ++epoch) {
        for (const auto& [x, y] : batches) {
          trainer.step(x, y);
        }
      }
    });
    const bool tests = trial.purpose == gal::trial_purpose::verdict;
    return {.validation = 100.0 * evaluate(s, model, validation).error,
            .test = tests ? 100.0 * evaluate(s, model, data.test).error : gal::measures::none};
  };
  const auto result = gal::compare({{"plain", [&](const gal::trial& trial) { return run(trial, false); }},
                                    {"GAL", [&](const gal::trial& trial) { return run(trial, true); }}},
                                   {.title = summary(s, data),
                                    .measure = "test error, %",
                                    .learning_rates = s.learning_rates,
                                    .budget = s.epochs,
                                    .verdict_seeds = s.seeds,
                                    .first_seed = static_cast<std::uint64_t>(s.seed),
                                    .threads = s.threads,
                                    .ledger = s.ledger,
                                    .progress = gal::show_progress});
  std::printf("\n%s", gal::text_table(result).c_str());
  if (!s.out.empty()) {
    gal::write_page(result, s.out + "/comparison.html");
    std::printf("\nThe page is in %s\n", s.out.c_str());
  }
  return gal::to_json(result);
}

}  // namespace

int main(int count, char** arguments) {
  settings s;
  CLI::App app(description);
  const auto file = [&](const char* name, std::string& value, const char* what) {
    app.add_option(name, value, what)->check(support::no_name);
  };
  const auto choice = [&](const char* name, std::string& value, const char* what,
                          std::vector<std::string> words) {
    support::add_choice(app, name, value, what, std::move(words));
  };
  const auto whole = [&](const char* name, int& value, const char* what) {
    support::add_count(app, name, value, what, 100'000'000);
  };
  file("--data", s.data, "Images, as above [digits]");
  choice("--model", s.model, "Network",
         {"mlp", "lenet", "resnet8", "resnet14", "resnet20", "resnet32", "resnet56", "efficientnet"});
  choice("--method", s.method, "Gradients as they are, or adjusted", {"plain", "gal"});
  choice("--optimizer", s.optimizer, "sgd has momentum 0.9, lookahead is over it",
         {"adam", "sgd", "lookahead", "adabound"});
  app.add_option("--learning-rate", s.learning_rates, "One, or a grid for --compare [by the optimizer]")
      ->check(support::positive_number);
  choice("--schedule", s.schedule, "Of the rate; step: a tenth after each third",
         {"constant", "linear", "step", "cosine"});
  app.add_option("--weight-decay", s.weight_decay, "Weight decay [0]")->check(CLI::NonNegativeNumber);
  app.add_option("--augment", s.augment, "What is done to training images at random [nothing]")
      ->check(CLI::IsMember({"crop", "flip", "cutout"}));
  whole("--epochs", s.epochs, "Passes through the training images");
  whole("--batch", s.batch, "Images in a batch");
  whole("--images", s.images, "Images for training, drawn at random; 0: all");
  whole("--test-images", s.test_images, "Images for testing, likewise");
  choice("--preset", s.preset, "Options of the adjustment", {"recommended", "paper"});
  app.add_option("--epsilon", s.epsilon, "Strength of the adjustment [the preset's]");
  app.add_option("--tau", s.tau, "Tentative learning rate over the optimizer's [the preset's]");
  whole("--seed", s.seed, "Of weights, batches and augmentation; the first of --compare");
  app.add_flag("--compare", s.compares, "Train by both methods, to a verdict");
  whole("--seeds", s.seeds, "Seeds of the verdict");
  file("--ledger", s.ledger, "File that keeps the runs of --compare, to go on from");
  whole("--threads", s.threads, "Threads; the results do not depend on it");
  file("--save", s.save, "File for the trained network");
  file("--out", s.out, "Directory for pages, tables and pictures");
  file("--json", s.json_file, "File for all numbers");
  CLI11_PARSE(app, count, arguments);

  return support::run_program("images", [&] {
    support::prepare_output(s.out, s.json_file);
    support::prepare_output({}, s.save);
    const data_set data = read_data(s);
    if (s.learning_rates.empty()) {
      const double rate = s.optimizer.starts_with("ada") ? 1e-3 : 0.02;
      s.learning_rates = s.compares ? std::vector{0.3 * rate, rate, 3.0 * rate} : std::vector{rate};
    }
    support::require(s.compares || s.learning_rates.size() == 1, gal::error_code::invalid_option,
                     s.learning_rates.size(), " learning rates; expected one without --compare");
    std::printf("%s; %td classes\n", summary(s, data).c_str(), std::ssize(data.names));
    json result = s.compares ? compare(s, data) : train_one(s, data);
    result["program"] = "images";
    result["configuration"] = {{"summary", summary(s, data)},        {"augment", s.augment},
                               {"weight_decay", s.weight_decay},     {"method", s.method},
                               {"learning_rates", s.learning_rates}, {"seed", s.seed}};
    result["run"]["threads"] = s.threads;
    support::add_run_record(result["run"]);
    if (!s.json_file.empty()) {
      support::write_file(s.json_file, result.dump(2) + "\n");
    }
  });
}
