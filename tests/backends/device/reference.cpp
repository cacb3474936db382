#include "reference.hpp"

#include <gal/backends/eigen.hpp>

template <class T>
paths::path reference_regression(const paths::network& net, bool paper, int steps) {
  return paths::train_regression<gal::eigen_backend, T>(net, paper, steps);
}
template <class T>
paths::path reference_plain(int steps) {
  return paths::train_plain<gal::eigen_backend, T>(steps);
}
template <class T>
paths::path reference_images(int steps) {
  return paths::train_images<gal::eigen_backend, T>(steps);
}
template <class T>
paths::path reference_setting(const paths::setting& s, int steps) {
  return paths::train_setting<gal::eigen_backend, T>(s, steps);
}

template paths::path reference_regression<float>(const paths::network&, bool, int);
template paths::path reference_regression<double>(const paths::network&, bool, int);
template paths::path reference_plain<float>(int);
template paths::path reference_plain<double>(int);
template paths::path reference_images<float>(int);
template paths::path reference_images<double>(int);
template paths::path reference_setting<float>(const paths::setting&, int);
template paths::path reference_setting<double>(const paths::setting&, int);
