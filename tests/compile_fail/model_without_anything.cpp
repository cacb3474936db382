// Every requirement that can be judged has its sentence.
// expected: gal::model, requirement 1: name the type that forward takes in a member `input_type`.
// expected: gal::model, requirement 2: name the type of the features in a member `feature_type`.
#include <gal/backends/eigen.hpp>
#include <gal/loss/entrywise.hpp>
#include <gal/train/adjust.hpp>

#include <array>
#include <vector>

struct proportional {};

int main() {
  proportional model;
  gal::sgd<double> optimizer;
  gal::adjust trainer(model, optimizer, gal::mse());
}
