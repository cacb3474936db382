// gal/nn/detail/affine_shortcut.hpp: a network without activation as what it is: one affine map.
// Provides: nothing public; nn::detail::affine_shortcut for gal/nn/mlp.hpp.
#pragma once

#include <gal/core/backend.hpp>
#include <gal/nn/activation.hpp>

#include <cstddef>
#include <utility>
#include <vector>

namespace gal::inline GAL_ABI::nn::detail {

/// Layers without activation are one affine map, x -> A x + b with d columns in A: known from what they make of the d unit
/// vectors without bias, and of the origin with it. For more samples than these d + 1 probes, the layers run on the probes,
/// and only A and b on the samples; the gradient with respect to A and b goes back the same way.
template <class T, class Backend>
class affine_shortcut {
 public:
  using storage = matrix<T, Backend>;
  using view = matrix_view<const T, typename Backend::memory_type>;

  affine_shortcut(const std::vector<index_type>& widths, activation between, const Backend& backend)
      : backend_(backend),
        inputs_(widths.front()),
        saves_products_(between == activation::identity && saves_products(widths)),
        probes_(backend),
        map_gradient_(backend),
        features_(backend) {}

  /// Whether so many samples are to take it.
  [[nodiscard]] bool pays_for(index_type samples) const { return saves_products_ && samples > inputs_ + 1; }

  /// What the layers run on: the unit vectors, then the origin, `d x (d + 1)`. Only the origin gets a bias.
  [[nodiscard]] view probes() {
    if (probes_.rows() != inputs_) {
      probes_.resize(inputs_, inputs_ + 1);
      backend_.for_each(inputs_, inputs_ + 1, [to = probes_.view()] GAL_KERNEL(index_type i, index_type j) {
        to(i, j) = i == j ? T(1) : T(0);
      });
    }
    return std::as_const(probes_).view();
  }

  /// The features of the samples, from what the layers made of the probes: A, and b as the last column.
  const storage& forward(view map, view input) {
    apply(map, input, features_);
    return features_;
  }
  [[nodiscard]] const storage& features() const { return features_; }

  /// What a map, or a derivative of it, makes of the samples.
  void apply(view map, view input, storage& result) const {
    result.resize(map.rows(), input.columns());
    backend_.for_each(map.rows(), input.columns(),
                      [to = result.view(), shift = map.columns(inputs_, 1)] GAL_KERNEL(
                          index_type i, index_type j) { to(i, j) = shift(i, 0); });
    backend_.product(transpose::no, transpose::no, T(1), map.columns(0, inputs_), input, T(1), result.view());
  }

  /// The gradient with respect to A and b, side by side, of that with respect to the features. `ones`: one a sample.
  view backward(view gradient, view input, view ones) {
    map_gradient_.resize(gradient.rows(), inputs_ + 1);
    backend_.product(transpose::no, transpose::yes, T(1), gradient, input, T(0),
                     map_gradient_.view().columns(0, inputs_));
    backend_.product(transpose::no, transpose::no, T(1), gradient, ones, T(0),
                     map_gradient_.view().columns(inputs_, 1));
    return std::as_const(map_gradient_).view();
  }

 private:
  // A against all the layers.
  static bool saves_products(const std::vector<index_type>& widths) {
    const auto product = [](index_type a, index_type b) {
      return static_cast<double>(a) * static_cast<double>(b);
    };
    double layers = 0.0;
    for (std::size_t l = 0; l + 1 < widths.size(); ++l) {
      layers += product(widths[l], widths[l + 1]);
    }
    return layers >= 2.0 * product(widths.front(), widths.back());
  }

  Backend backend_;
  index_type inputs_;
  bool saves_products_;
  storage probes_;
  storage map_gradient_;
  storage features_;
};

}  // namespace gal::nn::detail
