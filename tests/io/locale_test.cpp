// What is written and read is the same in every locale, and holds every number exactly.
#include <gal/data/npy.hpp>
#include <gal/fit/callbacks.hpp>
#include <gal/fit/html_page.hpp>
#include <gal/gal.hpp>
#include <gal/io/checkpoint.hpp>

#include "other_locale.hpp"
#include "scratch.hpp"
#include "testing.hpp"

#include <doctest/doctest.h>

#include <cstdio>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

namespace {

namespace nn = gal::nn;

TEST_CASE("the locale of these tests has a decimal comma and groups digits") {
  const other_locale locale;
  std::ostringstream stream;
  stream << 1234.5;
  CHECK(stream.str() == "1.234,5");
  if (locale.has_c_locale()) {
    char number[8];
    std::snprintf(number, sizeof number, "%.1f", 0.5);
    CHECK(std::string(number) == "0,5");
  } else {
    MESSAGE("de_DE is not installed: printf is not tried");
  }
}

// A network and an optimizer whose settings are numbers of many digits.
template <class T>
struct training {
  nn::cnn<T> model;
  gal::adam<T> optimizer{{.learning_rate = 0.1 / 3.0}};

  explicit training(double probability)
      : model({1, 4, 4}, {nn::batch_normalization{.momentum = 0.1, .epsilon = 1e-5}, nn::dropout{probability},
                          nn::flatten{}, nn::linear{2}}) {}
  template <class Visitor>
  void visit_state(Visitor& visit) {
    visit("model", model);
    visit("optimizer", optimizer);
  }
};

TEST_CASE_TEMPLATE("a checkpoint is the same file in every locale, and loads in every other", T, float,
                   double) {
  const scratch folder;
  const std::string plain = folder.file("plain");
  const std::string other = folder.file("other");
  training<T> one(1.0 / 3.0);
  gal::save_checkpoint(plain, one);
  {
    const other_locale locale;
    training<T> same(1.0 / 3.0);
    gal::save_checkpoint(other, same);
    gal::load_checkpoint(plain, same);
  }
  CHECK(contents(plain) == contents(other));
  gal::load_checkpoint(other, one);
}

TEST_CASE_TEMPLATE("a checkpoint tells apart settings that differ in the last digit", T, float, double) {
  const scratch folder;
  const std::string path = folder.file("run");
  training<T> one(0.3333333);
  training<T> other(0.33333349);
  gal::save_checkpoint(path, one);
  CHECK(refusal(gal::error_code::shape_mismatch,
                [&] {
                  gal::load_checkpoint(path, other);
                  return 0;
                }) ==
        "gal::load_checkpoint: " + path +
            " does not fit: model.1 is dropout, probability 0.3333333 in the file, dropout, probability "
            "0.33333349 here");
}

// All that is written but checkpoints: a log, a page, an array's head, messages.
template <class T>
std::vector<std::string> written(const scratch& folder) {
  std::vector<std::string> result;
  const gal::matrix<T> x = random_matrix<T>(3, 1200, 1);
  const gal::matrix<T> y = random_matrix<T>(2, 1200, 2);
  const std::string log = folder.file("log.csv");
  const std::string shown = folder.file("progress");
  const std::string array = folder.file("array.npy");
  nn::mlp<T> model({3, 2});
  gal::sgd<T> optimizer({.learning_rate = 0.1 / 3.0});
  gal::adjust trainer(model, optimizer, gal::mse());
  gal::batches<T> batches(x, y, 1);
  std::FILE* const progress = std::fopen(shown.c_str(), "w");
  gal::fit(trainer, batches, {.epochs = 1}, gal::csv_log(log), gal::progress_bar(progress));
  std::fclose(progress);
  result.push_back(contents(log));
  result.push_back(contents(shown));

  gal::html_page page("page");
  page.add(gal::html_page::chart{.title = "curve",
                                 .y_label = "y",
                                 .x = {1.0 / 3.0, 1234567.5},
                                 .curves = {{.name = "y", .values = {2.0 / 3.0, 1e-300}}}});
  result.push_back(page.text());

  gal::write_npy(array, x);
  result.push_back(contents(array));

  result.push_back(
      refusal(gal::error_code::invalid_option, [] { return gal::sgd<T>({.learning_rate = -1234.5}); }));
  result.push_back(
      refusal(gal::error_code::shape_mismatch, [&] { return &model.forward(gal::matrix<T>(12345, 1)); }));
  result.push_back(refusal(gal::error_code::malformed_data, [] { return gal::parse_csv("1234567\n1,5\n"); }));
  return result;
}

TEST_CASE_TEMPLATE("files and messages are the same in every locale", T, float, double) {
  const scratch folder;
  const std::vector<std::string> plain = written<T>(folder);
  const other_locale locale;
  const std::vector<std::string> other = written<T>(folder);
  REQUIRE(plain.size() == other.size());
  for (std::size_t k = 0; k < plain.size(); ++k) {
    CAPTURE(k);
    CHECK(plain[k] == other[k]);
  }
}

TEST_CASE_TEMPLATE("files are read the same in every locale", T, float, double) {
  const scratch folder;
  const std::string array = folder.file("array.npy");
  const std::string weights = folder.file("weights");
  const gal::matrix<T> x = random_matrix<T>(3, 1200, 1);
  gal::write_npy(array, x);
  nn::mlp<T> model({3, 1200});
  gal::save_safetensors(weights, model);
  const other_locale locale;
  CHECK(gal::parse_csv("0.5,1e-3\n").values == std::vector{0.5, 0.001});
  CHECK(gal::read_npy<T>(array).shape == std::vector<gal::index_type>{1200, 3});
  gal::load_safetensors(weights, model);
}

TEST_CASE("a message has a number's digits, all that matter and no more") {
  CHECK(refusal(gal::error_code::invalid_option, [] {
          return gal::sgd<double>({.learning_rate = -0.33333349});
        }).find("learning_rate is -0.33333349;") != std::string::npos);
  CHECK(refusal(gal::error_code::invalid_option, [] {
          return gal::sgd<double>({.learning_rate = -0.1});
        }).find("learning_rate is -0.1;") != std::string::npos);
}

}  // namespace
