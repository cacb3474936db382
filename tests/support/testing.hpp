// What several tests need: matrices to begin with, and the message of a call that is refused.
#pragma once

#include <gal/backends/eigen.hpp>
#include <gal/core/random.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <string>
#include <type_traits>
#include <vector>

// The message of the gal::error that `call` throws; its code must be the expected one.
template <class Call>
std::string refusal(gal::error_code code, Call call) {
  try {
    static_cast<void>(call());
  } catch (const gal::error& e) {
    CHECK(e.code() == code);
    return e.what();
  }
  return "not refused";
}

// Row i of the result is rows[i].
template <class T = double>
gal::matrix<T> matrix(const std::vector<std::vector<T>>& rows) {
  gal::matrix<T> result(static_cast<gal::index_type>(rows.size()),
                        static_cast<gal::index_type>(rows.front().size()));
  for (gal::index_type i = 0; i < result.rows(); ++i) {
    for (gal::index_type j = 0; j < result.columns(); ++j) {
      result(i, j) = rows[static_cast<std::size_t>(i)][static_cast<std::size_t>(j)];
    }
  }
  return result;
}

// Normally distributed numbers.
template <class T = double>
gal::matrix<T> random_matrix(gal::index_type rows, gal::index_type columns, std::uint64_t seed,
                             double scale = 1.0) {
  gal::matrix<T> result(rows, columns);
  gal::random_stream random{seed};
  for (gal::index_type i = 0; i < result.size(); ++i) {
    result.data()[i] = static_cast<T>(scale * random.normal());
  }
  return result;
}

// The numbers that a model or an adjuster trains, block after block.
template <class Owner>
auto values_of(Owner& owner) {
  std::vector<std::remove_cvref_t<decltype(*owner.parameters().begin()->value.begin())>> result;
  for (const auto& block : owner.parameters()) {
    result.insert(result.end(), block.value.begin(), block.value.end());
  }
  return result;
}

// A model of which nothing is known but what every model has.
template <class Model>
struct opaque_model {
  using input_type = typename Model::input_type;
  using feature_type = typename Model::feature_type;
  Model model;
  const feature_type& forward(const input_type& input) { return model.forward(input); }
  void backward(const feature_type& gradient) { model.backward(gradient); }
  auto parameters() { return model.parameters(); }
};
