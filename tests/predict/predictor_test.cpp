// Predictors: what a program trained is what a file predicts, bit for bit, from any number of threads and without the heap;
// what does not fit is said.
#include <gal/gal.hpp>
#include <gal/io/checkpoint.hpp>
#include <gal/predict.hpp>

#include "counted_allocations.hpp"
#include "scratch.hpp"
#include "testing.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <array>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <limits>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace {

using gal::index_type;
using enum gal::error_code;
namespace nn = gal::nn;

// Every kind of layer, with what its fields can be besides their defaults.
const nn::image_shape picture{.channels = 2, .height = 6, .width = 5};
const std::vector<nn::layer> all_layers = {
    nn::convolution{
        .channels = 4, .kernel = {3, 2}, .stride = {1, 2}, .padding = 1, .groups = 2, .bias = false},
    nn::batch_normalization{.momentum = 0.3, .epsilon = 1e-3},
    nn::silu,
    nn::residual{{nn::depthwise_convolution{.kernel = 3, .padding = 2, .dilation = 2, .bias = false},
                  nn::gelu, nn::channel_gate{{nn::global_average_pool{}, nn::linear{4}, nn::sigmoid}}},
                 {nn::convolution{.channels = 4, .kernel = 1}}},
    nn::max_pool{.kernel = 2, .stride = 1, .padding = {1, 0}},
    nn::average_pool{.kernel = {2, 1}},
    nn::dropout{0.4},
    nn::flatten{},
    nn::linear{.outputs = 3, .bias = false}};

// A network whose running statistics and weights are not those that it began with.
template <class T>
nn::cnn<T> stepped(nn::image_shape image, const std::vector<nn::layer>& layers) {
  nn::cnn<T> network(image, layers, {.seed = 5});
  gal::sgd<T> optimizer({.learning_rate = 1e-2});
  const auto x = random_matrix<T>(image.size(), 8, 1);
  for (int step = 0; step < 3; ++step) {
    const auto& features = network.forward(x);
    network.backward(random_matrix<T>(features.rows(), features.columns(), 2));
    optimizer.step(network.parameters());
  }
  return network;
}

template <class Network>
auto forward(Network network, const gal::matrix<typename Network::value_type>& x) {
  if constexpr (requires { network.set_training(false); }) {
    network.set_training(false);
  }
  return network.forward(x);
}

const gal::predictor_options<float> raw_options{
    .inputs = gal::standardizer<float>({10.0, -3.0, 0.1}, {2.0, 0.5, 7.0}),
    .targets = gal::standardizer<float>({100.0, 5.0}, {30.0, 0.25}),
    .columns = {"age", "bmi", "bp"},
    .target_names = {"price", "rent, \"cold\""}};

gal::predictor<float> small_predictor() {
  return gal::predictor(nn::mlp<float>({3, 4, 2}, {.seed = 1}), raw_options);
}

// The file at `path` with another header.
void edit_header(const std::string& path, const std::function<void(nlohmann::json&)>& edit) {
  const std::string bytes = contents(path);
  std::uint64_t length = 0;
  std::memcpy(&length, bytes.data(), sizeof length);
  auto header = nlohmann::json::parse(bytes.substr(8, length));
  edit(header);
  const std::string numbers = bytes.substr(8 + length);
  const std::string next = header.dump();
  length = next.size();
  std::ofstream(path, std::ios::binary)
      << std::string_view(reinterpret_cast<const char*>(&length), sizeof length) << next << numbers;
}

template <class T>
std::string load_refusal(gal::error_code code, const std::string& path,
                         gal::load_predictor_options options = {}) {
  return refusal(code, [&] { return gal::load_predictor<T>(path, options); });
}

bool holds(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE_TEMPLATE("the file of an mlp predicts the same bits, with every activation", T, float, double) {
  const scratch folder;
  const std::string path = folder.file("model.safetensors");
  for (std::size_t k = 0; k < gal::enumerators_of<nn::activation>.size(); ++k) {
    for (const bool bias : {true, false}) {
      const nn::mlp<T> network({5, 7, 6, 2},
                               {.activation = static_cast<nn::activation>(k), .bias = bias, .seed = k});
      const gal::predictor<T> made(network, {.inputs = {std::vector<double>(5, 0.1), {1, 2, 3, 1e-3, 1e3}}});
      gal::save_predictor(path, made);
      const auto loaded = gal::load_predictor<T>(path);
      for (const index_type samples : {1, 3, 40}) {
        auto x = random_matrix<T>(5, samples, 3);
        const auto predictions = loaded.predict(x);
        CHECK(predictions == made.predict(x));
        made.options().inputs.apply(x);
        CHECK(predictions == forward(network, x));
      }
    }
  }
}

TEST_CASE("the file of a cnn predicts the same bits, in evaluation") {
  const scratch folder;
  const std::string path = folder.file("model.safetensors");
  const auto check = [&]<class T>(const nn::cnn<T>& network) {
    gal::save_predictor(path, gal::predictor(network));
    const auto loaded = gal::load_predictor<T>(path);
    CHECK(loaded.inputs() == network.input_shape().size());
    for (const index_type samples : {1, 5}) {
      const auto x = random_matrix<T>(network.input_shape().size(), samples, 3);
      CHECK(loaded.predict(x) == forward(network, x));
    }
    // Loading and saving again changes no byte.
    const std::string before = contents(path);
    gal::save_predictor(path, loaded);
    CHECK(contents(path) == before);
  };
  check(stepped<float>({1, 8, 8}, nn::lenet({1, 8, 8}, 10)));
  check(stepped<float>({3, 8, 8}, nn::resnet(8, 4)));
  check(stepped<float>({3, 8, 8}, nn::efficientnet(4)));
  check(stepped<double>(picture, all_layers));
}

TEST_CASE("raw rows are scaled, and predictions scaled back") {
  const nn::mlp<float> network({3, 4, 2}, {.seed = 1});
  const gal::predictor<float> predictor(network, raw_options);
  const auto raw = random_matrix<float>(3, 6, 1, 5.0);
  const auto by_hand = [&](gal::matrix<float> x) {
    for (index_type j = 0; j < x.columns(); ++j) {
      for (index_type i = 0; i < x.rows(); ++i) {
        const auto row = static_cast<std::size_t>(i);
        x(i, j) = static_cast<float>((x(i, j) - raw_options.inputs.mean()[row]) /
                                     raw_options.inputs.deviation()[row]);
      }
    }
    auto y = forward(network, x);
    for (index_type j = 0; j < y.columns(); ++j) {
      for (index_type k = 0; k < y.rows(); ++k) {
        const auto row = static_cast<std::size_t>(k);
        y(k, j) = static_cast<float>(y(k, j) * raw_options.targets.deviation()[row] +
                                     raw_options.targets.mean()[row]);
      }
    }
    return y;
  };
  const auto batch = predictor.predict(raw);
  CHECK(batch == by_hand(raw));
  for (index_type j = 0; j < raw.columns(); ++j) {
    const std::vector<float> row(raw.view().column(j).begin(), raw.view().column(j).end());
    std::vector<float> prediction(2);
    predictor.predict(row, prediction);
    const auto expected = by_hand(gal::matrix<float>(raw.view().columns(j, 1)));
    CHECK(prediction[0] == expected(0, 0));
    CHECK(prediction[1] == expected(1, 0));
    CHECK(prediction[0] == doctest::Approx(batch(0, j)).epsilon(1e-6));
  }
  // With one input, a range of numbers is so many samples.
  const gal::predictor<float> line(nn::mlp<float>({1, 3, 1}, {.seed = 2}));
  CHECK(line.predict(std::vector<float>{1, 2, 3}).shape() == gal::shape{1, 3});
}

TEST_CASE("classifiers have probabilities and answers") {
  const nn::mlp<double> network({3, 5, 3}, {.activation = nn::tanh, .seed = 3});
  const gal::predictor<double> predictor(network, {.classes = {"setosa", "versicolor", "virginica"}});
  const auto x = random_matrix(3, 20, 1, 3.0);
  const auto logits = forward(network, x);
  CHECK(predictor.predict(x) == logits);
  const auto probabilities = predictor.probabilities(x);
  std::array<int, 3> answers{};
  for (index_type j = 0; j < x.columns(); ++j) {
    std::size_t best = 0;
    double total = 0.0;
    for (index_type k = 0; k < 3; ++k) {
      total += std::exp(logits(k, j));
      best = logits(k, j) > logits(static_cast<index_type>(best), j) ? static_cast<std::size_t>(k) : best;
    }
    for (index_type k = 0; k < 3; ++k) {
      CHECK(probabilities(k, j) == doctest::Approx(std::exp(logits(k, j)) / total).epsilon(1e-12));
    }
    CHECK(predictor.answer(x.view().column(j)) == predictor.options().classes[best]);
    ++answers[best];
  }
  CHECK(answers[0] < 20);  // not one class for all
  CHECK(answers[1] < 20);
  CHECK(answers[2] < 20);
}

TEST_CASE("four threads predict what one does") {
  const scratch folder;
  const std::string path = folder.file("model.safetensors");
  gal::save_predictor(path,
                      gal::predictor(stepped<float>({1, 8, 8}, nn::lenet({1, 8, 8}, 10)),
                                     {.inputs = {std::vector<double>(64, 0.2), std::vector<double>(64, 3.0)},
                                      .classes = {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"}}));
  const auto predictor = gal::load_predictor<float>(path);
  const auto x = random_matrix<float>(64, 24, 1);
  const auto expected = predictor.predict(x);
  gal::matrix<float> one_by_one(10, 24);
  for (index_type j = 0; j < x.columns(); ++j) {
    predictor.predict(x.view().columns(j, 1), one_by_one.view().columns(j, 1));
  }
  std::array<int, 4> wrong{};
  std::vector<std::thread> threads;
  for (std::size_t thread = 0; thread < wrong.size(); ++thread) {
    threads.emplace_back([&, thread] {
      const gal::predictor<float> copy = predictor;
      gal::matrix<float> predictions(10, 24);
      for (int round = 0; round < 5; ++round) {
        (thread % 2 == 0 ? predictor : copy).predict(x, predictions);
        wrong[thread] += predictions == expected ? 0 : 1;
        for (index_type j = 0; j < x.columns(); ++j) {
          const auto row = x.view().columns(j, 1);
          predictor.predict(row, predictions.view().columns(j, 1));
          wrong[thread] += predictor.answer(row).size() == 1 ? 0 : 1;
        }
        wrong[thread] += predictions == one_by_one ? 0 : 1;
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  CHECK(wrong == std::array<int, 4>{});
}

TEST_CASE("nothing is allocated after the first call") {
  const auto check = [](const auto& predictor) {
    using T = typename std::remove_cvref_t<decltype(predictor)>::value_type;
    const auto x = random_matrix<T>(predictor.inputs(), 32, 1);
    gal::matrix<T> predictions(predictor.outputs(), 32);
    const std::vector<T> row(static_cast<std::size_t>(predictor.inputs()), T(1));
    std::vector<T> prediction(static_cast<std::size_t>(predictor.outputs()));
    const auto call = [&] {
      predictor.predict(x, predictions);
      predictor.predict(row, prediction);
      if (!predictor.options().classes.empty()) {
        predictor.probabilities(x, predictions);
        seen = &predictor.answer(row);
      }
    };
    const long begin = allocations;
    call();
    const long before = allocations;
    CHECK(before - begin > 0);
    call();
    call();
    CHECK(allocations - before == 0);
  };
  check(small_predictor());
  check(gal::predictor(nn::mlp<double>({3, 4, 2}, {.activation = nn::gelu, .seed = 1}),
                       {.classes = {"a", "b"}}));
  check(gal::predictor(nn::mlp<float>({3, 40, 2}, {.activation = nn::identity, .seed = 1})));
  check(gal::predictor(stepped<float>(picture, all_layers)));
  check(gal::predictor(stepped<float>({1, 8, 8}, nn::lenet({1, 8, 8}, 10))));
}

TEST_CASE("weights alone need the structure") {
  const scratch folder;
  const std::string path = folder.file("weights.safetensors");
  nn::mlp<float> network({3, 4, 2}, {.activation = nn::tanh, .seed = 4});
  gal::save_safetensors(path, network, {.prefix = "net."});
  const gal::mlp_structure structure{.widths = {3, 4, 2}, .activation = nn::tanh};
  const auto predictor = gal::load_predictor<float>(path, structure, raw_options, {.prefix = "net."});
  const auto x = random_matrix<float>(3, 5, 1);
  CHECK(predictor.predict(x) == gal::predictor(network, raw_options).predict(x));
  const auto in_double =
      gal::load_predictor<double>(path, structure, {}, {.prefix = "net.", .convert = true});
  CHECK(in_double.predict(random_matrix(3, 1, 1))(0, 0) ==
        doctest::Approx(forward(network, random_matrix<float>(3, 1, 1))(0, 0)).epsilon(1e-5));

  auto images = stepped<float>(picture, all_layers);
  gal::save_safetensors(path, images);
  const auto of_images = gal::load_predictor<float>(path, gal::cnn_structure{picture, all_layers});
  const auto pictures = random_matrix<float>(picture.size(), 3, 1);
  CHECK(of_images.predict(pictures) == forward(images, pictures));

  CHECK(holds(refusal(shape_mismatch, [&] { return gal::load_predictor<float>(path, structure); }),
              "0.weight is F32 [4, 1, 3, 2] in the file, F32 [4, 3] here"));
  CHECK(holds(load_refusal<float>(malformed_data, path),
              "is no predictor; expected a file that gal::save_predictor wrote, or the network's structure"));
}

TEST_CASE("rows, results and parts that do not fit are said") {
  const auto predictor = small_predictor();
  const auto message = [&](gal::shape inputs, gal::shape results) {
    gal::matrix<float> x(inputs.rows, inputs.columns), y(results.rows, results.columns);
    return refusal(shape_mismatch, [&] {
      predictor.predict(x, y);
      return 0;
    });
  };
  CHECK(message({1, 2}, {2, 1}) == "gal::predictor::predict: a row of 2 numbers; expected 3 (age, bmi, bp)");
  CHECK(message({4, 7}, {2, 7}) ==
        "gal::predictor::predict: inputs are 4 x 7; expected 3 rows (age, bmi, bp) and at least one column");
  CHECK(holds(message({3, 0}, {2, 0}), "inputs are 3 x 0"));
  CHECK(message({3, 7}, {2, 6}) ==
        "gal::predictor::predict: results of size 2 x 6; expected 2 x 7 (price, rent, \"cold\")");
  CHECK(holds(refusal(invalid_option, [&] { return predictor.answer(std::vector<float>(3)); }),
              "the predictor has no class names"));

  const nn::mlp<float> network({3, 4, 2}, {.seed = 1});
  using options = gal::predictor_options<float>;
  const auto constructed = [&](gal::error_code code, const options& parts) {
    return refusal(code, [&] { return gal::predictor(network, parts); });
  };
  CHECK(constructed(shape_mismatch, {.columns = {"a"}}) ==
        "gal::predictor: 1 column names; expected 3, the network's inputs");
  CHECK(constructed(shape_mismatch, {.classes = {"a", "b", "c"}}) ==
        "gal::predictor: 3 class names; expected 2, the network's outputs");
  CHECK(holds(constructed(shape_mismatch, {.targets = {{1.0}, {1.0}}}), "1 means of targets; expected 2"));
  CHECK(holds(constructed(shape_mismatch, {.inputs = {{1.0}, {1.0}}}), "1 means of inputs; expected 3"));
  CHECK(holds(constructed(shape_mismatch, {.target_names = {"a"}}), "1 target names; expected 2"));
  CHECK(
      holds(constructed(invalid_option, {.columns = {"a", "b", "a"}}), "two of the column names are \"a\""));
  CHECK(holds(constructed(invalid_option, {.classes = {"a", ""}}), "a class without a name"));
  CHECK(holds(constructed(invalid_option, {.targets = raw_options.targets, .classes = {"a", "b"}}),
              "class names and scaled targets"));

  const gal::predictor<float> classifier(network, {.classes = {"a", "b"}});
  CHECK(holds(refusal(shape_mismatch, [&] { return classifier.answer(gal::matrix<float>(3, 2)); }),
              "2 samples; expected one"));
  const std::vector<float> gap = {1.0F, std::numeric_limits<float>::quiet_NaN(), 1.0F};
  CHECK(holds(refusal(non_finite, [&] { return classifier.answer(gap); }), "outputs hold a NaN"));

  const scratch folder;
  const auto saved = [&](const gal::predictor<float>& p) {
    gal::save_predictor(folder.file("model.safetensors"), p);
    return 0;
  };
  CHECK(holds(refusal(invalid_option,
                      [&] {
                        return saved(gal::predictor(network, {.classes = {"a", "\xff"}}));
                      }),
              "a name that is not UTF-8"));
  auto broken = network;
  broken.weight(0)(0, 0) = std::numeric_limits<float>::infinity();
  CHECK(holds(refusal(non_finite, [&] { return saved(gal::predictor(broken)); }), "network.0.weight holds"));
  CHECK(folder.entries() == 0);
}

TEST_CASE("files that lie are refused by what is wrong") {
  const scratch folder;
  const std::string path = folder.file("model.safetensors");
  using json = nlohmann::json;
  // What the message holds where the metadata are `field: value`; null: without the field.
  const auto check = [&](const char* field, const json& value, std::string_view part,
                         gal::error_code code = malformed_data) {
    CAPTURE(field);
    CAPTURE(value.dump().substr(0, 200));
    gal::save_predictor(path, small_predictor());
    edit_header(path, [&](json& header) {
      json& metadata = header["__metadata__"];
      if (value.is_null()) {
        metadata.erase(field);
      } else {
        metadata[field] = value;
      }
    });
    const std::string message = load_refusal<float>(code, path);
    CAPTURE(message);
    CHECK(holds(message, part));
    CHECK(holds(message, "model.safetensors"));
  };
  check("gal", nullptr, "is no predictor");
  check("gal", "checkpoint 2", "is \"checkpoint 2\"; expected \"predictor 1\"");
  check("gal", "predictor 2", "is \"predictor 2\", another version of the format; expected \"predictor 1\"");
  check("columns", "[\"a\"]", "gal::predictor: 1 column names; expected 3");
  check("columns", "[\"a\", 2, \"c\"]", "columns holds \"2\"; expected names as text");
  check("columns", "{}", "columns is \"{}\"; expected a JSON array of names");
  check("classes", "[", "classes is \"[\"; expected JSON");
  check("classes", "[\"a\", \"b\", \"c\"]", "3 class names; expected 2");
  check("targets", std::string(std::size_t{1} << 21, ' '),
        "targets is a text of 2097152 bytes; expected at most 1048576");
  check("structure", nullptr, "structure is missing");
  check("structure", "nonsense", "structure is \"nonsense\"; expected JSON");
  check("structure", "[]", "structure is an array of 0; expected an object");
  check("structure", "{}", "structure has no field network");
  check("structure", std::string(1000, '['), "structure is nested more than 64 times");
  check("structure", R"({"network": "rnn"})", "structure: network is \"rnn\"; expected one of mlp, cnn");
  const auto mlp = [&](const char* fields, std::string_view part, gal::error_code code = malformed_data) {
    check("structure", R"({"network": "mlp", )" + std::string(fields) + "}", part, code);
  };
  mlp(R"("widths": [3, 4, 2], "activation": "relu")", "has no field bias");
  mlp(R"("widths": [3, 4, 2], "activation": "swish", "bias": true)",
      "activation is \"swish\"; expected one of identity, relu, tanh, sigmoid, gelu, silu");
  mlp(R"("widths": [3, 4, 2], "activation": 1, "bias": true)", "activation is 1");
  mlp(R"("widths": [3, 4, 2], "activation": "relu", "bias": 1)", "bias is 1; expected true or false");
  mlp(R"("widths": [3, 4, 2], "activation": "relu", "bias": true, "depth": 2)",
      "has a field \"depth\"; expected network, widths, activation, bias");
  mlp(R"("widths": [3, -4, 2], "activation": "relu", "bias": true)", "widths is -4; expected a whole number");
  mlp(R"("widths": [3, 4.5, 2], "activation": "relu", "bias": true)", "widths is 4.5");
  mlp(R"("widths": [3, 1e30, 2], "activation": "relu", "bias": true)", "widths is 1e+30");
  mlp(R"("widths": [3], "activation": "relu", "bias": true)", "1 widths; expected at least");
  mlp(R"("widths": [3, 0, 2], "activation": "relu", "bias": true)", "width 0");
  mlp(R"("widths": [2000000000, 2000000000], "activation": "relu", "bias": true)",
      "layer 0: more parameters than the 46 numbers in the file");
  mlp(R"("widths": [3, 3, 2], "activation": "relu", "bias": true)",
      "does not fit its structure: network.0.weight is F32 [4, 3] in the file, F32 [3, 3] here",
      shape_mismatch);
  mlp(R"("widths": [3, 4, 2], "activation": "identity", "bias": true)", "network.1.weight is missing",
      shape_mismatch);
  const auto cnn = [&](const std::string& layers, std::string_view part) {
    check(
        "structure",
        R"({"network": "cnn", "input": {"channels": 1, "height": 3, "width": 1}, "layers": )" + layers + "}",
        part);
  };
  cnn("[]", "0 layers that compute nothing");
  cnn(R"([{"layer": "conv2d"}])",
      "structure, layers[0]: layer is \"conv2d\"; expected one of convolution, depthwise_convolution");
  cnn(R"([{"layer": "flatten"}, {"layer": "linear", "outputs": 2, "bias": true, "rank": 1}])",
      "layers[1] has a field \"rank\"; expected layer, outputs, bias");
  cnn(R"([{"layer": "max_pool", "kernel": 2, "stride": [0, 0], "padding": [0, 0]}])",
      "layers[0]: kernel is 2; expected an array of 2, height and width");
  cnn(R"([{"layer": "max_pool", "kernel": [2, 2], "stride": [0, 0], "padding": [0, 0]}])",
      "layer 0, max_pool: input is 1 x 3 x 1");
  cnn(R"([{"layer": "residual", "body": [{"layer": "activation", "function": "sin"}], "shortcut": []}])",
      "layers[0], body[0]: function is \"sin\"; expected one of identity");
  cnn(R"([{"layer": "residual", "body": [], "shortcut": []}])", "body computes nothing");
  cnn(R"([{"layer": "dropout", "probability": "half"}])", "probability is \"half\"; expected a number");
  cnn(R"([{"layer": "dropout", "probability": 1.5}])", "probability is 1.5; expected a number in [0, 1)");
  cnn(R"([{"layer": "linear", "outputs": 2, "bias": true}])", "expected flat features");
  cnn(R"([{"layer": "average_pool", "kernel": [2147483647, 2147483647], "stride": [1, 1],
           "padding": [1073741823, 1073741823]}])",
      "expected at most 268435456 numbers");
  cnn(R"([{"layer": "convolution", "channels": 2147483647, "kernel": [1, 1], "stride": [1, 1], "padding": [0, 0],
           "dilation": [1, 1], "groups": 1, "bias": false}])",
      "layer 0, convolution: more parameters than the 46 numbers in the file");
  cnn(R"([{"layer": "convolution", "channels": 1, "kernel": [1, 1], "stride": [1, 1], "padding": [0, 0],
           "dilation": [1, 1], "groups": 0, "bias": false}])",
      "groups is 0");

  // Tensors.
  const auto tensors = [&](gal::error_code code, auto edit, std::string_view part) {
    gal::save_predictor(path, small_predictor());
    edit(path);
    const std::string message = load_refusal<float>(code, path);
    CAPTURE(message);
    CHECK(holds(message, part));
  };
  const auto renamed = [](const char* from, const char* to) {
    return [=](const std::string& at) {
      edit_header(at, [&](json& header) {
        header[to] = header[from];
        header.erase(from);
      });
    };
  };
  tensors(shape_mismatch, renamed("inputs.deviation", "inputs.scale"), "inputs.deviation is missing");
  tensors(shape_mismatch, renamed("network.2.bias", "head.bias"), "head.bias is in the file, and not here");
  // The deviations are among the numbers of the file: 0.5 stands there once as a double.
  const auto with_number = [](double from, double to) {
    return [=](const std::string& at) {
      std::string bytes = contents(at);
      const std::size_t place = bytes.find(std::string(reinterpret_cast<const char*>(&from), sizeof from));
      REQUIRE(place != std::string::npos);
      std::memcpy(bytes.data() + place, &to, sizeof to);
      std::ofstream(at, std::ios::binary) << bytes;
    };
  };
  tensors(malformed_data, with_number(0.5, 0.0), "inputs.deviation holds a number that is not above 0");
  tensors(malformed_data, with_number(0.5, std::nan("")), "inputs.deviation holds a NaN or an infinity");

  gal::save_predictor(path, small_predictor());
  CHECK(holds(load_refusal<double>(shape_mismatch, path), "F32 [4, 3] in the file, F64 [4, 3] here"));
  const auto x = random_matrix<float>(3, 1, 1);
  const auto converted = gal::load_predictor<double>(path, {.convert = true});
  CHECK(converted.predict(random_matrix(3, 1, 1))(0, 0) ==
        doctest::Approx(small_predictor().predict(x)(0, 0)).epsilon(1e-5));
}

TEST_CASE("a checkpoint holds a standardizer") {
  const scratch folder;
  const std::string path = folder.file("run.safetensors");
  gal::standardizer<float> inputs, targets, unfitted;
  inputs.fit(random_matrix<float>(4, 30, 1));
  targets.fit(random_matrix<float>(1, 30, 2));
  const auto state = [](auto& a, auto& b, auto& c) {
    return [&](auto& visit) {
      visit("inputs", a);
      visit("targets", b);
      visit("unfitted", c);
    };
  };
  gal::save_checkpoint(path, state(inputs, targets, unfitted));
  // New ones take their sizes from the file; fitted ones of the same size its numbers.
  gal::standardizer<float> a, b({0.0}, {1.0}), c;
  gal::load_checkpoint(path, state(a, b, c));
  CHECK(a == inputs);
  CHECK(b == targets);
  CHECK(c == unfitted);
  CHECK(gal::state_difference(a, inputs).empty());
  gal::standardizer<float> other({0.0, 0.0}, {1.0, 1.0});
  CHECK(holds(refusal(shape_mismatch,
                      [&] {
                        gal::load_checkpoint(path, state(other, b, c));
                        return 0;
                      }),
              "inputs.mean is F64 [4] in the file, F64 [2] here"));
  CHECK(other.mean()[0] == 0.0);
  std::string bytes = contents(path);
  const double deviation = targets.deviation()[0];
  const std::size_t place =
      bytes.find(std::string(reinterpret_cast<const char*>(&deviation), sizeof deviation));
  REQUIRE(place != std::string::npos);
  const double below = -1.0;
  std::memcpy(bytes.data() + place, &below, sizeof below);
  std::ofstream(path, std::ios::binary) << bytes;
  CHECK(holds(refusal(malformed_data,
                      [&] {
                        gal::load_checkpoint(path, state(a, b, c));
                        return 0;
                      }),
              "targets.deviation holds a number that is not above 0"));
  CHECK(b == targets);
}

// For read_predictor.py: a file, raw images, and what is predicted of them.
TEST_CASE("Python predicts from the file of a cnn what we do") {
  const std::filesystem::path out = GAL_TEST_PREDICTOR_OUT;
  std::filesystem::create_directories(out);
  const auto network =
      stepped<float>({2, 4, 3}, {nn::convolution{.channels = 3, .kernel = 3, .padding = 1},
                                 nn::batch_normalization{}, nn::relu, nn::flatten{}, nn::linear{2}});
  std::vector<double> mean(24), deviation(24);
  for (std::size_t i = 0; i < 24; ++i) {
    mean[i] = 0.1 * static_cast<double>(i);
    deviation[i] = 1.0 + static_cast<double>(i);
  }
  const gal::predictor<float> predictor(network,
                                        {.inputs = {mean, deviation}, .classes = {"Katze", "H\u00fcndin"}});
  gal::save_predictor((out / "cnn.safetensors").string(), predictor);
  const auto x = random_matrix<float>(24, 2, 7, 10.0);
  const auto y = predictor.predict(x);
  const nlohmann::json expected = {{"inputs", std::vector<float>(x.data(), x.data() + x.size())},
                                   {"outputs", std::vector<float>(y.data(), y.data() + y.size())}};
  std::ofstream(out / "expected.json") << expected;
}
