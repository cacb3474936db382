// Files of weights: those that PyTorch wrote, in both directions; every way in which a file may be wrong; the state of
// objects as a list, on which they rest.
#include <gal/gal.hpp>
#include <gal/io/safetensors.hpp>

#include "counted_allocations.hpp"
#include "scratch.hpp"
#include "testing.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

using enum gal::error_code;
namespace nn = gal::nn;
using nlohmann::json;

const std::filesystem::path data(GAL_TEST_SAFETENSORS_DIR);    // what PyTorch wrote
const std::filesystem::path output(GAL_TEST_SAFETENSORS_OUT);  // what is written here, for PyTorch

std::string contents(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}
void write(const std::filesystem::path& path, std::string_view bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

// A directory that is gone at the end.
template <class T>
nn::mlp<T> torch_mlp(std::uint64_t seed = 3) {
  return nn::mlp<T>({3, 5, 4, 2}, {.activation = nn::tanh, .seed = seed});
}

template <class T>
nn::cnn<T> torch_cnn(std::uint64_t seed = 3) {
  return nn::cnn<T>(
      {2, 7, 8},
      {nn::convolution{.channels = 4, .kernel = 3, .padding = 1, .bias = false}, nn::batch_normalization{},
       nn::relu,
       nn::residual{{nn::convolution{.channels = 6, .kernel = {3, 2}, .stride = 2, .padding = 1, .groups = 2},
                     nn::silu},
                    {nn::convolution{.channels = 6, .kernel = {1, 2}, .stride = 2, .padding = {0, 1}}}},
       nn::depthwise_convolution{.kernel = 3, .padding = 1}, nn::batch_normalization{},
       nn::channel_gate{
           {nn::global_average_pool{}, nn::flatten{}, nn::linear{3}, nn::silu, nn::linear{6}, nn::sigmoid}},
       nn::max_pool{2}, nn::flatten{}, nn::linear{.outputs = 3, .bias = false}},
      {.seed = seed, .training = false});
}

// Outputs of a model for the inputs in expected.json.
template <class Model>
std::vector<double> outputs(Model& model, const json& input, gal::index_type rows) {
  using T = gal::model_scalar<Model>;
  std::vector<T> x;
  for (const json& number : input) {
    x.push_back(static_cast<T>(number.get<double>()));
  }
  const auto columns = static_cast<gal::index_type>(x.size()) / rows;
  const auto& y = model.forward(gal::matrix_view<const T>(x.data(), rows, columns));
  return {y.data(), y.data() + y.size()};
}

double largest_difference(const std::vector<double>& a, const json& b) {
  REQUIRE(a.size() == b.size());
  double largest = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    largest = std::max(largest, std::abs(a[i] - b[i].get<double>()));
  }
  return largest;
}

// The bytes of a file with this header; `length` stands in for its length where it is given.
std::string file_of(const std::string& header, std::size_t data_bytes,
                    std::uint64_t length = ~std::uint64_t{0}) {
  const std::uint64_t written = length == ~std::uint64_t{0} ? header.size() : length;
  std::string bytes(8, '\0');
  std::memcpy(bytes.data(), &written, 8);
  return bytes + header + std::string(data_bytes, '\1');
}

}  // namespace

TEST_CASE("what PyTorch wrote computes what PyTorch computes") {
  const json expected = json::parse(contents(data / "expected.json"));
  auto mlp = torch_mlp<float>();
  gal::load_safetensors((data / "mlp.safetensors").string(), mlp);
  CHECK(largest_difference(outputs(mlp, expected["mlp"]["input"], 3), expected["mlp"]["output"]) < 1e-6);
  auto cnn = torch_cnn<double>();
  gal::load_safetensors((data / "cnn.safetensors").string(), cnn);
  CHECK(largest_difference(outputs(cnn, expected["cnn"]["input"], 112), expected["cnn"]["output"]) < 1e-13);

  // And back, for `torch_files.py check`: the same file, but for PyTorch's counters of batches.
  std::filesystem::create_directories(output);
  gal::save_safetensors((output / "gal_mlp.safetensors").string(), mlp);
  CHECK(contents(output / "gal_mlp.safetensors") == contents(data / "mlp.safetensors"));
  gal::save_safetensors((output / "gal_cnn.safetensors").string(), cnn);
  gal::safetensors_file ours((output / "gal_cnn.safetensors").string());
  gal::safetensors_file theirs((data / "cnn.safetensors").string());
  CHECK(ours.entries().size() + 2 == theirs.entries().size());
  for (const gal::safetensors_entry& entry : ours.entries()) {
    const gal::safetensors_entry* const other = theirs.find(entry.name);
    CAPTURE(entry.name);
    REQUIRE(other != nullptr);
    CHECK(other->shape == entry.shape);
    CHECK(other->type == entry.type);
    std::vector<std::byte> a(entry.end - entry.begin);
    std::vector<std::byte> b(other->end - other->begin);
    ours.read(entry, a.data());
    theirs.read(*other, b.data());
    CHECK(a == b);
  }
  write(output / "gal_outputs.json", json{{"mlp", outputs(mlp, expected["mlp"]["input"], 3)},
                                          {"cnn", outputs(cnn, expected["cnn"]["input"], 112)}}
                                         .dump());
}

TEST_CASE("float and double convert where that is asked for") {
  const json expected = json::parse(contents(data / "expected.json"));
  const std::string single = (data / "mlp.safetensors").string();
  const std::string twofold = (data / "cnn.safetensors").string();
  auto mlp = torch_mlp<double>();
  CHECK(refusal(shape_mismatch, [&] {
          gal::load_safetensors(single, mlp);
          return 0;
        }).find("0.weight is F32 [5, 3] in the file, F64 [5, 3] here") != std::string::npos);
  gal::load_safetensors(single, mlp, {.convert = true});
  CHECK(largest_difference(outputs(mlp, expected["mlp"]["input"], 3), expected["mlp"]["output"]) < 1e-6);
  auto exact = torch_mlp<float>();
  gal::load_safetensors(single, exact);
  CHECK(mlp.weight(1)(2, 3) == static_cast<double>(exact.weight(1)(2, 3)));

  auto cnn = torch_cnn<float>();
  gal::load_safetensors(twofold, cnn, {.convert = true});
  CHECK(largest_difference(outputs(cnn, expected["cnn"]["input"], 112), expected["cnn"]["output"]) < 1e-5);

  const scratch folder;
  nn::mlp<double> wide({1, 1});
  nn::mlp<float> narrow({1, 1}, {.seed = 4});
  const auto before = narrow;
  wide.bias(0)(0, 0) = 1e200;
  gal::save_safetensors(folder.file("wide"), wide);
  CHECK(refusal(malformed_data,
                [&] {
                  gal::load_safetensors(folder.file("wide"), narrow, {.convert = true});
                  return 0;
                }) ==
        "gal::safetensors_file: " + folder.file("wide") + ": \"0.bias\": a number beyond the range of float");
  auto unchanged = before;
  CHECK(gal::state_difference(narrow, unchanged).empty());
  wide.bias(0)(0, 0) = -std::numeric_limits<double>::infinity();
  gal::save_safetensors(folder.file("wide"), wide);
  gal::load_safetensors(folder.file("wide"), narrow, {.convert = true});
  CHECK(narrow.bias(0)(0, 0) == -std::numeric_limits<float>::infinity());
}

TEST_CASE("a prefix picks one of several models") {
  const scratch folder;
  const std::string path = folder.file("model");
  auto model = torch_mlp<float>(1);
  gal::save_safetensors(path, model, {.prefix = "net."});
  auto other = torch_mlp<float>(2);
  CHECK(refusal(shape_mismatch,
                [&] {
                  gal::load_safetensors(path, other);
                  return 0;
                }) == "gal::load_safetensors: " + path +
                          " does not fit the model: 0.weight is missing in the file; 0.bias is missing in "
                          "the file; 2.weight is "
                          "missing in the file; 2.bias is missing in the file; 8 more");
  gal::load_safetensors(path, other, {.prefix = "net."});
  CHECK(gal::state_difference(model, other).empty());
}

TEST_CASE_TEMPLATE("tensors of any type may lie beside the model's, and empty ones", T, float, double) {
  const scratch folder;
  const std::string path = folder.file("mixed");
  nn::mlp<T> model({2, 1}, {.seed = 7});
  gal::save_safetensors(path, model, {.prefix = "net."});
  const gal::safetensors_file plain(path);
  const std::string bytes = contents(path);
  const std::size_t size = plain.entries().back().end;

  struct tensor {
    std::string type;
    std::string shape;
    std::size_t bytes;
  };
  // Every type of the format (version 0.8), those of less than a byte packed, and ones that there are not yet.
  const std::vector<tensor> others = {
      {"BOOL", "[3]", 3},      {"U8", "[3]", 3},          {"I8", "[3]", 3},
      {"F4", "[3,2]", 3},      {"F4", "[6]", 3},          {"F6_E2M3", "[4]", 3},
      {"F6_E3M2", "[2,4]", 6}, {"F8_E5M2", "[3]", 3},     {"F8_E4M3", "[3]", 3},
      {"F8_E8M0", "[3]", 3},   {"F8_E4M3FNUZ", "[3]", 3}, {"F8_E5M2FNUZ", "[3]", 3},
      {"I16", "[3]", 6},       {"U16", "[3]", 6},         {"F16", "[3]", 6},
      {"BF16", "[3]", 6},      {"I32", "[3]", 12},        {"U32", "[3]", 12},
      {"F32", "[3]", 12},      {"C64", "[3]", 24},        {"F64", "[3]", 24},
      {"I64", "[3]", 24},      {"U64", "[3]", 24},        {"F32", "[1000,0]", 0},
      {"F64", "[0,1000]", 0},  {"F4", "[0,3]", 0},        {"F32", "[4611686018427387904,4,0]", 0},
      {"C128", "[3]", 48},     {"F3", "[3]", 2},          {"Q2_K", "[4611686018427387904,4]", 7}};
  std::string header;
  std::size_t end = 0;
  const auto add = [&](const std::string& name, const std::string& type, const std::string& shape,
                       std::size_t count) {
    header += (header.empty() ? "{\"" : ",\"") + name + R"(":{"dtype":")" + type + R"(","shape":)" + shape +
              R"(,"data_offsets":[)" + std::to_string(end) + "," + std::to_string(end + count) + "]}";
    end += count;
  };
  for (const gal::safetensors_entry& entry : plain.entries()) {
    add(entry.name, entry.type, entry.shape.size() == 2 ? "[1,2]" : "[1]", entry.end - entry.begin);
  }
  for (std::size_t k = 0; k < others.size(); ++k) {
    add("other." + std::to_string(k), others[k].type, others[k].shape, others[k].bytes);
  }
  std::string file = file_of(header + "}", 0);
  file += bytes.substr(bytes.size() - size) + std::string(end - size, '\1');
  write(path, file);

  nn::mlp<T> loaded({2, 1}, {.seed = 8});
  gal::load_safetensors(path, loaded, {.prefix = "net."});
  CHECK(gal::state_difference(loaded, model).empty());

  gal::safetensors_file mixed(path);
  REQUIRE(mixed.entries().size() == others.size() + 2);
  for (std::size_t k = 0; k < others.size(); ++k) {
    const gal::safetensors_entry* const found = mixed.find("other." + std::to_string(k));
    REQUIRE(found != nullptr);
    CHECK(found->type == others[k].type);
    std::vector<std::byte> raw(others[k].bytes);
    mixed.read(*found, raw.data());
    CHECK(std::ranges::all_of(raw, [](std::byte b) { return b == std::byte{1}; }));
  }
}

TEST_CASE_TEMPLATE("a tensor without numbers goes to a file and back", T, float, double) {
  const scratch folder;
  const std::string path = folder.file("empty");
  gal::matrix<T> none(0, 1000);
  gal::matrix<T> some(2, 3, T(5));
  const auto both = [&](auto& visit) {
    visit("none", none);
    visit("some", some);
  };
  gal::save_safetensors(path, both);
  some.fill(T(0));
  gal::load_safetensors(path, both);
  CHECK(some(1, 2) == T(5));
  CHECK(gal::safetensors_file(path).find("none")->shape == std::vector<gal::index_type>{1000, 0});
}

TEST_CASE("names follow PyTorch's modules") {
  nn::mlp<float> affine({2, 3, 4}, {.activation = nn::identity, .bias = false});
  const gal::state_view view(affine);
  REQUIRE(view.entries().size() == 2);
  CHECK(view.entries()[0].name == "0.weight");
  CHECK(view.entries()[1].name == "1.weight");
  CHECK(view.entries()[1].shape == std::vector<gal::index_type>{4, 3});
  nn::point<double> point({1.0, 2.0});
  CHECK(gal::state_view(point).entries()[0].name == "coordinates");
}

TEST_CASE("a file of another network says what differs, and changes nothing") {
  const scratch folder;
  const std::string path = folder.file("model");
  nn::mlp<double> narrow({3, 4, 2});
  nn::mlp<double> deep({3, 5, 4, 2}, {.seed = 1});
  gal::save_safetensors(path, narrow);
  auto before = deep;
  CHECK(refusal(shape_mismatch,
                [&] {
                  gal::load_safetensors(path, deep);
                  return 0;
                }) ==
        "gal::load_safetensors: " + path +
            " does not fit the model: 0.weight is F64 [4, 3] in the file, F64 [5, 3] here; 0.bias is "
            "F64 [4] in the file, F64 [5] here; 2.weight is F64 [2, 4] in the file, F64 [4, 5] here; "
            "2.bias is F64 [2] in the file, F64 [4] here; 2 more");
  CHECK(gal::state_difference(deep, before).empty());
  gal::save_safetensors(path, deep);
  CHECK(refusal(shape_mismatch,
                [&] {
                  nn::mlp<double> other({3, 5, 4});
                  gal::load_safetensors(path, other);
                  return 0;
                }) ==
        "gal::load_safetensors: " + path +
            " does not fit the model: 4.bias is in the file, and not here; 4.weight is in the file, and "
            "not here");
}

TEST_CASE("a model of parameters only") {
  struct line {
    using input_type = std::vector<double>;
    using feature_type = std::vector<double>;
    std::vector<double> a = {1.0, 2.0};
    std::vector<double> da = {0.0, 0.0};
    const feature_type& forward(const input_type&) { return a; }
    void backward(const feature_type&) {}
    auto parameters() { return std::vector{std::pair{std::span(a), std::span(da)}}; }
  };
  const scratch folder;
  line model;
  gal::save_safetensors(folder.file("line"), model);
  model.a = {5.0, 5.0};
  gal::load_safetensors(folder.file("line"), model);
  CHECK(model.a == std::vector{1.0, 2.0});
  CHECK(gal::safetensors_file(folder.file("line")).find("0")->shape == std::vector<gal::index_type>{2});
}

TEST_CASE("files that are damaged or hostile are refused, cost nothing and change nothing") {
  const scratch folder;
  const std::string path = folder.file("hostile");
  nn::mlp<float> model({2, 1}, {.seed = 7});  // 0.weight: 8 bytes, 0.bias: 4
  auto before = model;
  const std::string weight = R"("0.weight":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]})";
  const std::string bias = R"("0.bias":{"dtype":"F32","shape":[1],"data_offsets":[8,12]})";
  const std::string header = "{" + weight + "," + bias + "}";
  const auto message = [&](gal::error_code code, const std::string& bytes) {
    write(path, bytes);
    largest_allocation = 0;
    const std::string what = refusal(code, [&] {
      gal::load_safetensors(path, model);
      return 0;
    });
    CHECK(largest_allocation.load() <= std::max(bytes.size() + 1, std::size_t{1} << 14));
    CHECK(gal::state_difference(model, before).empty());
    const std::string begin = "gal::safetensors_file: " + path + ": ";
    return what.starts_with(begin) ? what.substr(begin.size()) : what;
  };
  const auto with_header = [&](const std::string& text, std::size_t data_bytes = 12) {
    return message(malformed_data, file_of(text, data_bytes));
  };

  SUBCASE("right, to begin with") {
    write(path, file_of(header, 12));
    auto copy = model;
    largest_allocation = 0;
    gal::load_safetensors(path, copy);
    CHECK(largest_allocation.load() >= header.size());  // what is counted where a file is refused
    CHECK(gal::state_difference(copy, before) == "0.weight");
  }
  SUBCASE("of another length") {
    CHECK(message(malformed_data, "") == "0 bytes; expected at least 8, the length of the header");
    CHECK(message(malformed_data, "1234567") == "7 bytes; expected at least 8, the length of the header");
    const std::string size = std::to_string(8 + header.size() + 12);
    const std::string most = std::to_string(header.size() + 12);
    CHECK(message(malformed_data, file_of(header, 12, 500)) ==
          "a header of 500 bytes in a file of " + size + "; expected at most " + most);
    CHECK(message(malformed_data, file_of(header, 12, ~std::uint64_t{0} - 3)) ==
          "a header of 18446744073709551612 bytes in a file of " + size + "; expected at most " + most);
    for (std::size_t cut = 1; cut <= 12; ++cut) {  // every truncation of the data, then of the header
      CHECK(message(malformed_data, file_of(header, 12 - cut)).starts_with("\"0."));
    }
    for (std::size_t cut = 1; cut <= header.size(); ++cut) {
      CHECK(message(malformed_data, file_of(header, 0).substr(0, 8 + header.size() - cut))
                .starts_with("a header of " + std::to_string(header.size()) + " bytes"));
    }
    CHECK(with_header(header, 13) == "tensors of 12 bytes and 13 bytes of data; expected as many");
  }
  SUBCASE("whose header is longer than any, in a file without end") {
    write(path, file_of("{", 0, (std::uint64_t{1} << 24) + 1));
    REQUIRE(::truncate(path.c_str(), ::off_t{1} << 40) == 0);
    largest_allocation = 0;
    CHECK(refusal(malformed_data, [&] {
            return gal::safetensors_file(path);
          }).find("expected at most 16777216") != std::string::npos);
    CHECK(largest_allocation.load() < (std::size_t{1} << 14));
  }
  SUBCASE("of a tensor that is larger than memory") {
    write(path,
          file_of(R"({"0.weight":{"dtype":"F32","shape":[1,274877906944],"data_offsets":[0,1099511627776]}})",
                  0));
    REQUIRE(::truncate(path.c_str(),
                       static_cast<::off_t>(std::filesystem::file_size(path)) + (::off_t{1} << 40)) == 0);
    largest_allocation = 0;
    CHECK(refusal(shape_mismatch,
                  [&] {
                    gal::load_safetensors(path, model);
                    return 0;
                  })
              .find("0.weight is F32 [1, 274877906944] in the file, F32 [1, 2] here; 0.bias is missing") !=
          std::string::npos);
    CHECK(largest_allocation.load() < (std::size_t{1} << 14));
  }
  SUBCASE("whose header is no JSON, or another one") {
    CHECK(with_header("") == "the header does not begin with {; expected JSON");
    CHECK(with_header(" " + header) == "the header does not begin with {; expected JSON");
    CHECK(with_header("[1]") == "the header does not begin with {; expected JSON");
    CHECK(with_header("{" + weight + "," + bias).starts_with("the header is no JSON from its byte "));
    CHECK(with_header(header + "x").starts_with("the header is no JSON from its byte "));
    CHECK(with_header("{\"a\xff\":{}}").starts_with("the header is no JSON from its byte "));
    CHECK(with_header(R"({"a":1})") == "\"a\": the number 1; expected sizes below 2^63, and two offsets");
    CHECK(with_header(R"({"a":null})") == "\"a\": null; expected a value");
    CHECK(with_header(R"({"a":true})") == "\"a\": a truth value; expected text or numbers");
    CHECK(with_header(R"({"a":[]})") == "\"a\": an array; expected text, or an object");
    CHECK(with_header(R"({"a":"b"})") == "\"a\": text; expected an object or numbers");
    CHECK(with_header(R"({"a":{}})") == "\"a\": a field is missing; expected dtype, shape and data_offsets");
    CHECK(with_header(R"({"a":{"dtype":{}}})") == "\"a\": an object inside it; expected numbers, or text");
    CHECK(with_header(R"({"a":{"dtype":["F32"]}})") == "\"a\": an array; expected text, or an object");
    CHECK(with_header(R"({"a":{"shape":[[1]]}})") == "\"a\": an array; expected text, or an object");
    CHECK(with_header(R"({"a":{"shape":[{}]}})") == "\"a\": an object inside it; expected numbers, or text");
    CHECK(with_header(R"({"a":{"shape":1}})") ==
          "\"a\": the number 1; expected sizes below 2^63, and two offsets");
    CHECK(with_header(R"({"a":{"colour":1}})") ==
          "\"a\": a field \"colour\"; expected dtype, shape and data_offsets, each of them once");
    CHECK(with_header(R"({"a":{"dtype":"F32","dtype":"F32"}})") ==
          "\"a\": a field \"dtype\"; expected dtype, shape and data_offsets, each of them once");
    CHECK(with_header(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0]}})") ==
          "\"a\": 1 data_offsets; expected 2");
    CHECK(with_header(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4,8]}})") ==
          "\"a\": the number 8; expected sizes below 2^63, and two offsets");
    CHECK(with_header(R"({"__metadata__":{"a":1}})") ==
          "\"__metadata__\": the number 1; expected sizes below 2^63, and two offsets");
    CHECK(with_header(R"({"__metadata__":{"a":{}}})") ==
          "\"__metadata__\": an object inside it; expected numbers, or text");
    CHECK(with_header(R"({"__metadata__":{},"__metadata__":{}})") == "\"__metadata__\": it appears twice");
    CHECK(with_header(R"({"__metadata__":{"a":"b","a":"c"}})") == "\"a\": it appears twice in __metadata__");
    CHECK(with_header(std::string(200000, '[')) == "the header does not begin with {; expected JSON");
    std::string deep;
    for (int k = 0; k < 20000; ++k) {
      deep += R"({"a":)";
    }
    CHECK(with_header(deep).starts_with("\"a\": a field \"a\"; expected dtype"));
    CHECK(with_header(R"({"a":{"shape":)" + std::string(100000, '[')) ==
          "\"a\": an array; expected text, or an object");
  }
  SUBCASE("whose tensors are not where they can be") {
    const auto entry = [](const char* shape, const char* offsets, const char* type = "F32") {
      return std::string(R"({"0.weight":{"dtype":")") + type + R"(","shape":)" + shape +
             R"(,"data_offsets":)" + offsets + "}}";
    };
    CHECK(with_header(entry("[1,3]", "[0,16]")) ==
          "\"0.weight\": bytes 0 to 16 of 12; expected a range inside");
    CHECK(with_header(entry("[1,3]", "[8,0]")) ==
          "\"0.weight\": bytes 8 to 0 of 12; expected a range inside");
    CHECK(with_header(entry("[1,2]", "[4,12]")) ==
          "\"0.weight\": begins at byte 4; expected 0, where the tensor before it ends");
    CHECK(with_header(entry("[1,2]", "[0,12]")) == "\"0.weight\": 12 bytes; expected 8 for its shape");
    CHECK(with_header(entry("[1,2]", "[0,8]")) ==
          "tensors of 8 bytes and 12 bytes of data; expected as many");
    CHECK(with_header(entry("[4294967296,4294967296]", "[0,12]")) ==
          "\"0.weight\": more numbers than the 12 bytes of data hold");
    CHECK(with_header(entry("[4611686018427387904,4]", "[0,0]"), 0) ==
          "\"0.weight\": more numbers than the 0 bytes of data hold");
    CHECK(with_header(entry("[9223372036854775808]", "[0,12]")) ==
          "\"0.weight\": the number 9223372036854775808; expected sizes below 2^63, and two offsets");
    CHECK(with_header(entry("[1]", "[0,18446744073709551616]"))
              .starts_with("\"0.weight\": the number 18446744073709551616;"));
    CHECK(with_header(entry("[-1]", "[0,12]")) == "\"0.weight\": the number -1; expected none below 0");
    std::string sizes = "[1";
    for (int k = 0; k < 100000; ++k) {
      sizes += ",1";
    }
    CHECK(with_header(entry((sizes + "]").c_str(), "[0,4]")) == "\"0.weight\": more than 64 sizes");
    CHECK(with_header(entry("[1.5]", "[0,12]")) ==
          "\"0.weight\": the number 1.5; expected integers below 2^64");
    CHECK(with_header(entry("[1]", "[0,12]", "C64")) == "\"0.weight\": 12 bytes; expected 8 for its shape");
    CHECK(with_header(entry("[23]", "[0,12]", "F4")) ==
          "\"0.weight\": 23 numbers of 4 bits; expected a whole number of bytes");
    CHECK(with_header(entry("[22]", "[0,12]", "F4")) == "\"0.weight\": 12 bytes; expected 11 for its shape");
    CHECK(with_header(entry("[25]", "[0,12]", "F4")) ==
          "\"0.weight\": more numbers than the 12 bytes of data hold");
    CHECK(with_header(entry("[1000,0]", "[0,12]")) == "\"0.weight\": 12 bytes; expected 0 for its shape");
    // Of a type that is not known its place counts alone.
    CHECK(with_header(entry("[3]", "[0,16]", "F31")) ==
          "\"0.weight\": bytes 0 to 16 of 12; expected a range inside");
    CHECK(with_header(entry("[3]", "[4,12]", "F31")) ==
          "\"0.weight\": begins at byte 4; expected 0, where the tensor before it ends");
    CHECK(with_header("{" + weight + R"(,"0.bias":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}})") ==
          "\"0.bias\": begins at byte 4; expected 8, where the tensor before it ends");
    CHECK(with_header("{" + weight + R"(,"0.bias":{"dtype":"F32","shape":[1],"data_offsets":[12,16]}})",
                      16) == "\"0.bias\": begins at byte 12; expected 8, where the tensor before it ends");
    CHECK(with_header("{" + weight + R"(,"0.weight":{"dtype":"F32","shape":[1],"data_offsets":[8,12]}})") ==
          "\"0.weight\": two tensors of this name");
  }
  SUBCASE("of other tensors") {
    const std::string begin = "gal::load_safetensors: " + path + " does not fit the model: ";
    const auto other = [&](const std::string& entries) {
      const std::string what = message(shape_mismatch, file_of("{" + entries + "}", 12));
      return what.starts_with(begin) ? what.substr(begin.size()) : what;
    };
    CHECK(other(R"("0.weight":{"dtype":"F32","shape":[2,1],"data_offsets":[0,8]},)" + bias) ==
          "0.weight is F32 [2, 1] in the file, F32 [1, 2] here");
    CHECK(other(R"("0.weight":{"dtype":"F16","shape":[1,4],"data_offsets":[0,8]},)" + bias) ==
          "0.weight is F16 [1, 4] in the file, a type that is not read; expected F32 [1, 2]");
    CHECK(other(R"("0.weight":{"dtype":"I32","shape":[1,2],"data_offsets":[0,8]},)" + bias) ==
          "0.weight is I32 [1, 2] in the file, a type that is not read; expected F32 [1, 2]");
    CHECK(other(R"("0.weight":{"dtype":"C64","shape":[1],"data_offsets":[0,8]},)" + bias) ==
          "0.weight is C64 [1] in the file, a type that is not read; expected F32 [1, 2]");
    CHECK(other(R"("0.weight":{"dtype":"F31","shape":[1,2],"data_offsets":[0,8]},)" + bias) ==
          "0.weight is F31 [1, 2] in the file, a type that is not read; expected F32 [1, 2]");
    CHECK(other(R"("0.weight":{"dtype":")" + std::string(100, 'F') +
                R"(","shape":[1,2],"data_offsets":[0,8]},)" + bias) ==
          "0.weight is " + std::string(40, 'F') +
              " [1, 2] in the file, a type that is not read; expected F32 [1, 2]");
    CHECK(other(R"("0.weights":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]},)" + bias) ==
          "0.weight is missing in the file; 0.weights is in the file, and not here");
    write(path, file_of("{}", 0));
    CHECK(refusal(shape_mismatch, [&] {
            gal::load_safetensors(path, model);
            return 0;
          }) == begin + "0.weight is missing in the file; 0.bias is missing in the file");
    // A counter of batches, and tensors without numbers, are no misfit.
    write(path, file_of("{" + weight + "," + bias +
                            R"(,"1.num_batches_tracked":{"dtype":"I64","shape":[],"data_offsets":[12,20]}})",
                        20));
    auto copy = model;
    largest_allocation = 0;
    gal::load_safetensors(path, copy);
    CHECK(largest_allocation.load() >= header.size());  // what is counted where a file is refused
    CHECK(gal::state_difference(copy, before) == "0.weight");
  }
}

TEST_CASE("every damaged byte of a header is refused or harmless") {
  const scratch folder;
  const std::string path = folder.file("damaged");
  nn::mlp<float> model({2, 1}, {.seed = 7});
  gal::save_safetensors(path, model);
  const std::string good = contents(path);
  const std::size_t header_end = good.size() - 12;
  int refused = 0;
  for (std::size_t at = 0; at < header_end; ++at) {
    for (const int flip : {1, 2, 4, 8, 16, 32, 64, 128}) {
      std::string bad = good;
      bad[at] = static_cast<char>(static_cast<unsigned char>(bad[at]) ^ static_cast<unsigned>(flip));
      write(path, bad);
      nn::mlp<float> target({2, 1}, {.seed = 8});
      auto before = target;
      try {
        gal::load_safetensors(path, target);
        // What may change without harm: the metadata and blanks. The numbers are the file's.
        CHECK(gal::state_difference(target, model).empty());
      } catch (const gal::error& e) {
        ++refused;
        CHECK((e.code() == malformed_data || e.code() == shape_mismatch));
        CHECK(gal::state_difference(target, before).empty());
      }
    }
  }
  CHECK(refused > static_cast<int>(header_end) * 6);
}

TEST_CASE("a file is replaced completely or not at all") {
  const scratch folder;
  nn::mlp<float> model({2, 1}, {.seed = 7});
  CHECK(refusal(unreadable_file, [&] {
          gal::load_safetensors(folder.file("none"), model);
          return 0;
        }) == "gal::safetensors_file: cannot read " + folder.file("none") + ": No such file or directory");
  CHECK(refusal(unreadable_file, [&] {
          return gal::safetensors_file(folder.path.string());
        }).starts_with("gal::safetensors_file: cannot read "));
  CHECK(refusal(unreadable_file, [&] {
          gal::save_safetensors(folder.file("none/model"), model);
          return 0;
        }) == "gal::replace_file: cannot write " + folder.file("none/model") + ": No such file or directory");
  std::filesystem::create_directories(folder.path / "taken" / "inside");
  CHECK(refusal(unreadable_file, [&] {
          gal::save_safetensors(folder.file("taken"), model);
          return 0;
        }).starts_with("gal::replace_file: cannot write "));
  gal::save_safetensors(folder.file("model"), model);
  gal::save_safetensors(folder.file("model"), model);
  CHECK(std::distance(std::filesystem::directory_iterator(folder.path), {}) == 2);  // no temporary file stays
}

TEST_CASE("a copy of a state goes back to it") {
  auto model = torch_cnn<float>(1);
  gal::state_copy copy(model);
  auto other = torch_cnn<float>(2);
  other.set_noise({5, 6});
  copy.restore(other);
  CHECK(gal::state_difference(model, other) == "noise.seed");  // weights alone
  gal::state_copy again(copy);
  CHECK(gal::state_difference(copy, again).empty());
  nn::mlp<float> mlp({2, 1});
  CHECK(refusal(shape_mismatch, [&] {
          copy.restore(mlp);
          return 0;
        }) == "gal::state_copy::restore: the object has other tensors; expected those that were copied");
}

TEST_CASE("a state takes time as it has parts") {
  // In squares so many would take minutes, and ctest ends this program after two.
  constexpr int parts = 300000;
  std::int64_t number = 0;
  const auto all = [&](auto& visit) {
    for (int k = 0; k < parts; ++k) {
      visit("number" + std::to_string(k), number);
    }
  };
  CHECK(gal::state_view(all).entries().size() == static_cast<std::size_t>(parts));
}

TEST_CASE("a state is put together by a lambda, and its names are unique") {
  gal::random_stream stream{3, 4};
  bool flag = true;
  const auto both = [&](auto& visit) {
    visit("stream", stream);
    visit("flag", flag);
  };
  const gal::state_view view(both);
  REQUIRE(view.entries().size() == 3);
  CHECK(view.entries()[1].name == "stream.counter");
  CHECK(view.entries()[1].type == gal::number_type::uint64);
  const auto twice = [&](auto& visit) {
    visit("flag", flag);
    visit("flag", flag);
  };
  CHECK(
      refusal(invalid_option, [&] { return gal::state_view(twice); }) ==
      "gal::state_view: \"flag\" is shown twice, or has no name; expected a name of its own for every part");
}
