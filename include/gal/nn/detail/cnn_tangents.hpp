// gal/nn/detail/cnn_tangents.hpp: derivatives of a batch along a direction of the parameters, layer by layer.
// Provides: nothing public; nn::detail::movement, directional_pass and sample_products for gal/nn/cnn.hpp.
#pragma once

#include <gal/core/backend.hpp>
#include <gal/core/detail/kernels.hpp>
#include <gal/nn/activation.hpp>
#include <gal/nn/detail/kernels.hpp>
#include <gal/nn/detail/layer_units.hpp>
#include <gal/nn/detail/pooling.hpp>

#include <cstdint>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace gal::inline GAL_ABI::nn::detail {

template <class T, class Backend>
struct node;
template <class T, class Backend>
class residual_unit;
template <class T, class Backend>
class channel_gate_unit;

/// The first and the second derivative of a batch along a direction. `first` is empty where the batch does not move (the
/// network's input, of an affine layer); `second` where it is zero or not asked for.
template <class T, class Backend>
struct movement {
  view_in<const T, Backend> first{};
  view_in<const T, Backend> second{};
};

/// What a layer sees of its network while derivatives along a direction go through it.
template <class T, class Backend>
struct directional_pass {
  pass<T, Backend> values;             // of the forward pass
  pass<T, Backend> weights;            // the same without biases
  pass<T, Backend> direction;          // the direction in place of the values
  pass<T, Backend> direction_weights;  // the same without biases
  bool wants_second;                   // X''
  double* product;  // <G, X''>, to be added up from what `backward` left; null where it is not wanted
  double* part;     // of it

  /// Whether a layer's own share of its second derivative is wanted.
  [[nodiscard]] bool bends() const { return wants_second || product != nullptr; }

  /// Adds a layer's own share of <G, X''>: `gradient` came back to the layer's output.
  void add(view_in<const T, Backend> gradient, view_in<const T, Backend> bent) const {
    gal::detail::inner_product(values.backend, gradient, bent, part);
    add_to(values.backend, 1, static_cast<const double*>(part), product);
  }
};

// y += factor x.
template <class T, class Backend>
void add_scaled(const Backend& backend, T factor, view_in<const T, Backend> x, view_in<T, Backend> y) {
  backend.for_each(x.size(), [from = x.data(), to = y.data(), factor] GAL_KERNEL(index_type i) {
    to[i] += factor * from[i];
  });
}

// y' = U x + W x' + v, y'' = 2 U x' + W x''. `unit` is a copy of the layer's own, whose scratch the backward pass reads.
template <class Unit, class T, class Backend>
void move_affine(const directional_pass<T, Backend>& p, Unit& unit, view_in<const T, Backend> x,
                 movement<T, Backend> moved, matrix<T, Backend>& extra, view_in<T, Backend> first,
                 view_in<T, Backend> second) {
  unit.forward(p.direction, x, first);
  if (!moved.first.empty()) {
    extra.resize(first.rows(), first.columns());
    unit.forward(p.weights, moved.first, extra.view());
    add_scaled(p.values.backend, T(1), std::as_const(extra).view(), first);
  }
  if (!p.bends()) {
    return;
  }
  if (moved.first.empty()) {
    p.values.backend.fill(second.data(), second.size(), T(0));
    return;
  }
  unit.forward(p.direction_weights, moved.first, second);
  add_scaled(p.values.backend, T(1), second.as_const(), second);
  if (!moved.second.empty()) {
    unit.forward(p.weights, moved.second, extra.view());
    add_scaled(p.values.backend, T(1), std::as_const(extra).view(), second);
  }
}

// y' = phi'(x) x', y'' = phi''(x) x'^2 + phi'(x) x''.
template <activation Which, class T, class Backend>
void move_activation(const Backend& backend, view_in<const T, Backend> x, view_in<const T, Backend> y,
                     movement<T, Backend> moved, view_in<T, Backend> first, view_in<T, Backend> second) {
  const bool bends = !second.empty();
  backend.for_each(x.size(),
                   [z = x.data(), value = y.data(), in = moved.first.data(), in_second = moved.second.data(),
                    out = first.data(), out_second = second.data(), bends] GAL_KERNEL(index_type i) {
                     const T slant = slope<Which>(z[i], value[i]);
                     out[i] = slant * in[i];
                     if (bends) {
                       const T carried = in_second == nullptr ? T(0) : slant * in_second[i];
                       out_second[i] = second_slope<Which>(z[i], value[i]) * in[i] * in[i] + carried;
                     }
                   });
}

// The numbers that the forward pass chose.
template <class T, class Backend>
void gather_chosen(const Backend& backend, const window& g, const std::int32_t* places,
                   view_in<const T, Backend> x, view_in<T, Backend> y) {
  backend.for_each(g.out_area(), g.channels * x.columns(),
                   [g, places, from = x.data(), to = y.data()] GAL_KERNEL(index_type i, index_type j) {
                     const index_type at = j * g.out_area() + i;
                     to[at] = from[j * g.area() + places[at]];
                   });
}

// y = g x, one factor g for each of `columns` channels of samples: y' = g' x + g x', y'' = g'' x + 2 g' x' + g x''.
template <class T, class Backend>
void move_gate(const Backend& backend, index_type area, view_in<const T, Backend> x,
               view_in<const T, Backend> gate, movement<T, Backend> moved, movement<T, Backend> moved_gate,
               view_in<T, Backend> first, view_in<T, Backend> second) {
  const bool bends = !second.empty();
  backend.for_each(
      area, gate.size(),
      [=, from = x.data(), in = moved.first.data(), in_second = moved.second.data(), factor = gate.data(),
       turned = moved_gate.first.data(), turned_second = moved_gate.second.data(), out = first.data(),
       out_second = second.data()] GAL_KERNEL(index_type i, index_type j) {
        const index_type e = j * area + i;
        out[e] = turned[j] * from[e] + factor[j] * in[e];
        if (bends) {
          const T carried = (turned_second == nullptr ? T(0) : turned_second[j] * from[e]) +
                            (in_second == nullptr ? T(0) : factor[j] * in_second[e]);
          out_second[e] = T(2) * turned[j] * in[e] + carried;
        }
      });
}

// Sums of a channel, of a normalisation's numbers: x' and (x - mean) x', then x'' and (x' - mean x')^2 + (x - mean) x''.
template <class T, class Backend>
void sum_movement(const Backend& backend, image_shape shape, view_in<const T, Backend> x,
                  movement<T, Backend> moved, const double* mean, double share, bool bends,
                  matrix<double, Backend>& partial, double* sums) {
  const index_type area = shape.area();
  const index_type channels = shape.channels;
  const index_type samples = x.columns();
  sum_channels(backend, area, channels, samples, column_entry<T>{moved.first.data(), area}, partial, sums);
  sum_channels(
      backend, area, channels, samples,
      [=, from = x.data(), in = moved.first.data()] GAL_KERNEL(index_type i, index_type j) {
        const index_type e = j * area + i;
        return (static_cast<double>(from[e]) - mean[j % channels]) * static_cast<double>(in[e]);
      },
      partial, sums + channels);
  if (!bends) {
    return;
  }
  const T* const in_second = moved.second.data();
  if (in_second != nullptr) {
    sum_channels(backend, area, channels, samples, column_entry<T>{in_second, area}, partial,
                 sums + 2 * channels);
  } else {
    backend.fill(sums + 2 * channels, channels, 0.0);
  }
  sum_channels(
      backend, area, channels, samples,
      [=, from = x.data(), in = moved.first.data()] GAL_KERNEL(index_type i, index_type j) {
        const index_type e = j * area + i;
        const index_type c = j % channels;
        const double along = static_cast<double>(in[e]) - share * sums[c];
        const double carried = in_second == nullptr ? 0.0
                                                    : (static_cast<double>(from[e]) - mean[c]) *
                                                          static_cast<double>(in_second[e]);
        return along * along + carried;
      },
      partial, sums + 3 * channels);
}

// Of every channel, from these sums: mean' and mean'', and the first and second derivative of r = 1/sqrt(variance + epsilon).
template <class Backend>
void find_channel_movement(const Backend& backend, index_type channels, double share, bool bends,
                           const double* inverse, double* sums) {
  backend.for_each(channels, [=] GAL_KERNEL(index_type c) {
    const double r = inverse[c];
    const double variance1 = 2.0 * share * sums[channels + c];
    sums[c] *= share;
    sums[channels + c] = -0.5 * r * r * r * variance1;
    if (bends) {
      const double variance2 = 2.0 * share * sums[3 * channels + c];
      sums[2 * channels + c] *= share;
      sums[3 * channels + c] = 0.75 * r * r * r * r * r * variance1 * variance1 - 0.5 * r * r * r * variance2;
    }
  });
}

/// y = s h + t with h = (x - mean) r: y' = s h' + s' h + t', y'' = s h'' + 2 s' h'.
template <class T, class Backend>
void move_normalised(const Backend& backend, image_shape shape, view_in<const T, Backend> x,
                     movement<T, Backend> moved, const T* scale, const T* scale_along, const double* mean,
                     const double* inverse, const double* moments, view_in<T, Backend> first,
                     view_in<T, Backend> second) {
  const bool bends = !second.empty();
  backend.for_each(shape.area(), shape.channels * x.columns(),
                   [=, area = shape.area(), channels = shape.channels, from = x.data(),
                    in = moved.first.data(), in_second = moved.second.data(), out = first.data(),
                    out_second = second.data()] GAL_KERNEL(index_type i, index_type j) {
                     const index_type e = j * area + i;
                     const index_type c = j % channels;
                     const double r = inverse[c];
                     const double r1 = moments[channels + c];
                     const double centred = static_cast<double>(from[e]) - mean[c];
                     const double along = static_cast<double>(in[e]) - moments[c];
                     const double s = static_cast<double>(scale[c]);
                     const double turned = static_cast<double>(scale_along[c]);
                     const double h1 = along * r + centred * r1;
                     out[e] = static_cast<T>(s * h1 + turned * centred * r +
                                             static_cast<double>(scale_along[channels + c]));
                     if (bends) {
                       const double bent = (in_second == nullptr ? 0.0 : static_cast<double>(in_second[e])) -
                                           moments[2 * channels + c];
                       const double h2 = bent * r + 2.0 * along * r1 + centred * moments[3 * channels + c];
                       out_second[e] = static_cast<T>(s * h2 + 2.0 * turned * h1);
                     }
                   });
}

// A unit like a layer's own, whose scratch the backward pass reads, in a node with memory of its own.
template <class Unit, class T, class Backend>
node<T, Backend>& scratch_of(const Backend& backend, node<T, Backend>& own, const Unit& unit) {
  if (own.scratch.empty()) {
    own.scratch.push_back({unit, own.rows, matrix<T, Backend>(backend), matrix<T, Backend>(backend)});
  }
  return own.scratch.front();
}

// What a layer of the kind makes of the movement of its input. `gradient` came back to its output, where `product` is wanted.
template <class T, class Backend>
struct layer_mover {
  const directional_pass<T, Backend>& p;
  node<T, Backend>& own;
  view_in<const T, Backend> x;
  view_in<const T, Backend> y;
  movement<T, Backend> moved;
  view_in<const T, Backend> gradient;
  view_in<T, Backend> first;
  view_in<T, Backend> second;  // empty where nobody asks

  // Affine: convolutions and linear layers.
  template <class Unit>
  void operator()(Unit& unit) const {
    node<T, Backend>& other = scratch_of(p.values.backend, own, unit);
    move_affine(p, std::get<Unit>(other.unit), x, moved, other.output, first, second);
  }
  void operator()(activation_unit<T, Backend>& unit) const {
    dispatch(unit.which(),
             [&](auto which) { move_activation<which.value>(p.values.backend, x, y, moved, first, second); });
  }
  void operator()(batch_normalization_unit<T, Backend>& unit) const {
    const Backend& backend = p.values.backend;
    const index_type channels = unit.shape().channels;
    const index_type count = unit.shape().area() * x.columns();
    const bool bends = !second.empty();
    use_backend(backend, own.moments, own.partial);
    own.moments.resize(channels, 4);
    if (p.values.training) {
      const double share = 1.0 / static_cast<double>(count);
      sum_movement(backend, unit.shape(), x, moved, unit.mean(), share, bends, own.partial,
                   own.moments.data());
      find_channel_movement(backend, channels, share, bends, unit.inverse(), own.moments.data());
    } else {
      own.moments.fill(0.0);
    }
    move_normalised(backend, unit.shape(), x, moved, p.values.values + unit.first_value(),
                    p.direction.values + unit.first_value(), unit.mean(), unit.inverse(), own.moments.data(),
                    first, second);
  }
  void operator()(max_pool_unit<T, Backend>& unit) const {
    gather_chosen(p.values.backend, unit.geometry(), unit.places(), moved.first, first);
    if (!moved.second.empty()) {
      gather_chosen(p.values.backend, unit.geometry(), unit.places(), moved.second, second);
    }
  }
  void operator()(average_pool_unit<T, Backend>& unit) const { repeat(unit); }
  void operator()(global_average_pool_unit<T, Backend>& unit) const { repeat(unit); }
  void operator()(dropout_unit<T, Backend>& unit) const { repeat(unit); }
  void operator()(residual_unit<T, Backend>& unit) const { unit.move(p, x, moved, gradient, first, second); }
  void operator()(channel_gate_unit<T, Backend>& unit) const { unit.move(p, x, moved, first, second); }

 private:
  // Linear layers without parameters, which keep nothing for the backward pass.
  template <class Unit>
  void repeat(Unit& unit) const {
    unit.forward(p.values, moved.first, first);
    if (!moved.second.empty()) {
      unit.forward(p.values, moved.second, second);
    }
  }
};

// Whether a layer has a second derivative of its own, beside that of its input.
template <class T, class Backend, class Unit>
constexpr bool bends_by_itself =
    !std::is_same_v<Unit, max_pool_unit<T, Backend>> &&
    !std::is_same_v<Unit, average_pool_unit<T, Backend>> &&
    !std::is_same_v<Unit, global_average_pool_unit<T, Backend>> &&
    !std::is_same_v<Unit, dropout_unit<T, Backend>> && !std::is_same_v<Unit, residual_unit<T, Backend>>;

/// The samples' products <grad l_j, direction>, on their way through the layers that the backward pass has gone back.
template <class T, class Backend>
struct sample_products {
  pass<T, Backend> direction;  // in place of the values
  double* products;            // one a sample, to be added to
  double* part;                // of a layer
};

// Adds the part of a layer's own parameters. Where a batch is normalised by its own statistics the samples have no gradients
// of their own; scale and shift are left out there, and the others' statistics count as given.
template <class T, class Backend>
struct sample_multiplier {
  const sample_products<T, Backend>& p;
  node<T, Backend>& own;
  view_in<const T, Backend> x;
  view_in<const T, Backend> gradient;  // came back to the output

  // Affine: convolutions and linear layers.
  template <class Unit>
  void operator()(Unit& unit) const {
    if constexpr (requires { unit.weights(); }) {
      const Backend& backend = p.direction.backend;
      use_backend(backend, own.first);
      own.first.resize(gradient.rows(), gradient.columns());
      std::get<Unit>(scratch_of(backend, own, unit).unit).forward(p.direction, x, own.first.view());
      gal::detail::scaled_column_products(backend, 1.0, gradient, std::as_const(own.first).view(), p.part);
      add_to(backend, x.columns(), static_cast<const double*>(p.part), p.products);
    }
  }
  void operator()(batch_normalization_unit<T, Backend>& unit) const {
    if (!p.direction.training) {
      const Backend& backend = p.direction.backend;
      backend.sum_rows(
          x.rows(), x.columns(),
          [area = unit.shape().area(), channels = unit.shape().channels, mean = unit.mean(),
           inverse = unit.inverse(), along = p.direction.values + unit.first_value(), x = x,
           gradient = gradient] GAL_KERNEL(index_type i, index_type j) {
            const index_type c = i / area;
            const double normalised = (static_cast<double>(x(i, j)) - mean[c]) * inverse[c];
            return static_cast<double>(gradient(i, j)) *
                   (static_cast<double>(along[c]) * normalised + static_cast<double>(along[channels + c]));
          },
          p.part);
      add_to(backend, x.columns(), static_cast<const double*>(p.part), p.products);
    }
  }
  void operator()(residual_unit<T, Backend>& unit) const { unit.multiply(p, x, gradient); }
  void operator()(channel_gate_unit<T, Backend>& unit) const { unit.multiply(p, x); }
};

}  // namespace gal::nn::detail
