// Predicts rows with a file that tables/train_predictor.cpp wrote: predict model.safetensors < rows.csv. Prints a prediction a
// line. Where the rows have a header, its names choose the columns; else they stand in the order of training.
#include <gal/gal.hpp>
#include <gal/predict.hpp>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <iostream>
#include <iterator>
#include <string>
#include <vector>

int main(int count, char** arguments) try {
  if (count != 2) {
    std::fputs("Usage: predict model.safetensors < rows.csv\n", stderr);
    return 2;
  }
  const auto predictor = gal::load_predictor<float>(arguments[1]);
  const auto& [inputs, targets, columns, target_names, classes] = predictor.options();

  const std::string text((std::istreambuf_iterator<char>(std::cin)), {});
  const gal::table table = gal::parse_csv(text, {}, "standard input");
  const auto is_there = [&](const std::string& name) {
    return std::find(table.names.begin(), table.names.end(), name) != table.names.end();
  };
  std::vector<gal::index_type> places;  // of the inputs in a row
  if (!columns.empty() && std::all_of(columns.begin(), columns.end(), is_there)) {
    for (const std::string& name : columns) {
      places.push_back(table.column_index(name));
    }
  } else {
    for (gal::index_type column = 0; column < table.columns(); ++column) {
      places.push_back(column);
    }
  }

  std::vector<float> row(places.size());
  std::vector<float> prediction(static_cast<std::size_t>(predictor.outputs()));
  for (gal::index_type number = 0; number < table.rows(); ++number) {
    std::transform(places.begin(), places.end(), row.begin(),
                   [&](gal::index_type place) { return static_cast<float>(table(number, place)); });
    if (!classes.empty()) {
      std::puts(predictor.answer(row).c_str());
      continue;
    }
    predictor.predict(row, prediction);
    for (std::size_t k = 0; k < prediction.size(); ++k) {
      std::printf("%s%.6g", k == 0 ? "" : ",", static_cast<double>(prediction[k]));
    }
    std::puts("");
  }
} catch (const std::exception& error) {
  std::fprintf(stderr, "predict: %s\n", error.what());
  return 1;
}
