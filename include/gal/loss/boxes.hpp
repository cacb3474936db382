// gal/loss/boxes.hpp: boxes as four features, their overlap, and the loss that detectors train them with.
// Provides: box_loss, box_loss_options, intersection_over_union, mean_intersection_over_union.
#pragma once

#include <gal/core/backend.hpp>
#include <gal/core/concepts.hpp>
#include <gal/core/error.hpp>
#include <gal/core/view.hpp>
#include <gal/loss/detail/batch_checks.hpp>

#include <cmath>
#include <concepts>
#include <limits>
#include <string_view>
#include <type_traits>

namespace gal::inline GAL_ABI {

namespace detail {

// One side of a predicted and a true box, along one axis: a centre and a length each. A negative length counts as zero.
// Comparisons are written so that NaN of the predicted box is kept.
struct box_side {
  double length, overlap, hull;
  // Slopes of the overlap and the hull with respect to the predicted box's lower and upper end.
  double overlap_low, overlap_high, hull_low, hull_high;
  bool has_length;

  GAL_HOST_DEVICE box_side(double centre, double size, double true_centre, double true_size)
      : length(size < 0.0 ? 0.0 : size), has_length(size > 0.0) {
    const double low = centre - 0.5 * length;
    const double high = centre + 0.5 * length;
    const double true_low = true_centre - 0.5 * true_size;
    const double true_high = true_centre + 0.5 * true_size;
    const double inner = (high > true_high ? true_high : high) - (low < true_low ? true_low : low);
    overlap = inner < 0.0 ? 0.0 : inner;
    hull = (high < true_high ? true_high : high) - (low > true_low ? true_low : low);
    overlap_low = inner > 0.0 && low > true_low ? -1.0 : 0.0;
    overlap_high = inner > 0.0 && high < true_high ? 1.0 : 0.0;
    hull_low = low < true_low ? -1.0 : 0.0;
    hull_high = high > true_high ? 1.0 : 0.0;
  }

  // Slopes of a function of overlap, hull and length with respect to the centre and the size.
  GAL_HOST_DEVICE double centre_slope(double of_overlap, double of_hull) const {
    return of_overlap * (overlap_low + overlap_high) + of_hull * (hull_low + hull_high);
  }
  GAL_HOST_DEVICE double size_slope(double of_overlap, double of_hull, double of_length) const {
    return has_length ? 0.5 * (of_overlap * (overlap_high - overlap_low) + of_hull * (hull_high - hull_low)) +
                            of_length
                      : 0.0;
  }

  // How fast length, overlap and hull change where centre and size do; they are straight between kinks.
  struct rates {
    double length, overlap, hull;
  };
  GAL_HOST_DEVICE rates along(double centre, double size) const {
    const double grown = has_length ? size : 0.0;
    const double low = centre - 0.5 * grown;
    const double high = centre + 0.5 * grown;
    return {grown, overlap_low * low + overlap_high * high, hull_low * low + hull_high * high};
  }
};

// (a / b)'' from the derivatives of a and b.
GAL_HOST_DEVICE inline double second_of_ratio(double a, double a1, double a2, double b, double b1,
                                              double b2) {
  return (a2 - (2.0 * a1 * b1 + a * b2) / b + 2.0 * a * b1 * b1 / (b * b)) / b;
}

// Predicted box x against the true box y, four numbers each.
struct box_pair {
  box_side across, along;
  double overlap, all, hull;  // areas of the intersection, the union and the smallest box around both

  template <class T, class U>
  GAL_HOST_DEVICE box_pair(const T* x, const U* y)
      : across(static_cast<double>(x[0]), static_cast<double>(x[2]), static_cast<double>(y[0]),
               static_cast<double>(y[2])),
        along(static_cast<double>(x[1]), static_cast<double>(x[3]), static_cast<double>(y[1]),
              static_cast<double>(y[3])) {
    overlap = across.overlap * along.overlap;
    all = across.length * along.length + static_cast<double>(y[2]) * static_cast<double>(y[3]) - overlap;
    hull = across.hull * along.hull;
  }

  [[nodiscard]] GAL_HOST_DEVICE double iou() const { return overlap / all; }
  [[nodiscard]] GAL_HOST_DEVICE double generalised_iou() const { return overlap / all + all / hull - 1.0; }

  // Its second derivative where the predicted box moves along t, four numbers.
  template <class T>
  [[nodiscard]] GAL_HOST_DEVICE double generalised_iou_second(const T* t) const {
    const box_side::rates x = across.along(static_cast<double>(t[0]), static_cast<double>(t[2]));
    const box_side::rates y = along.along(static_cast<double>(t[1]), static_cast<double>(t[3]));
    const double overlap1 = x.overlap * along.overlap + across.overlap * y.overlap;
    const double overlap2 = 2.0 * x.overlap * y.overlap;
    const double hull1 = x.hull * along.hull + across.hull * y.hull;
    const double hull2 = 2.0 * x.hull * y.hull;
    const double all1 = x.length * along.length + across.length * y.length - overlap1;
    const double all2 = 2.0 * x.length * y.length - overlap2;
    return second_of_ratio(overlap, overlap1, overlap2, all, all1, all2) +
           second_of_ratio(all, all1, all2, hull, hull1, hull2);
  }
};

template <class Features, class Targets>
void check_boxes(const Features& features, const Targets& targets, std::string_view where) {
  require(features.rows() == 4 && targets.shape() == features.shape(), error_code::shape_mismatch, where,
          ": boxes are ", features.shape(), ", true boxes ", targets.shape(),
          "; expected 4 rows and as many columns for both");
  if constexpr (std::same_as<typename Targets::memory_type, host_memory>) {
    for (index_type j = 0; j < targets.columns(); ++j) {
      require(targets(2, j) > 0 && targets(3, j) > 0, error_code::invalid_target, where,
              ": true box of sample ", j, " is ", targets(2, j), " wide and ", targets(3, j),
              " high; expected positive numbers");
      for (index_type i = 0; i < 4; ++i) {
        require(std::isfinite(static_cast<double>(targets(i, j))), error_code::invalid_target, where,
                ": number ", i, " of the true box of sample ", j, " is ", targets(i, j),
                "; expected a finite number");
      }
    }
  }
}

}  // namespace detail

/// Weights of `box_loss`; those of DETR (arXiv 2005.12872).
struct box_loss_options {
  double distance = 5.0;  ///< of the sum of the four absolute differences, >= 0
  double overlap = 2.0;   ///< of 1 - generalised IoU, >= 0
};

/// Loss of boxes, a sample's four features: centre x, centre y, width, height, in any unit;
///
///     distance * sum |x - y| + overlap * (1 - GIoU),   GIoU = I / U - (C - U) / C
///
/// with the areas of intersection I, union U and smallest enclosing box C (Rezatofighi et al., arXiv 1902.09630). A box
/// of negative width or height has none; true boxes have positive ones. At kinks the slope is one of those beside it,
/// of the absolute difference zero. There is no closed form of the remainder: it is subtracted in double. The second
/// derivative along a direction is that of the generalised IoU between its kinks.
///
/// The loss of a box that is not finite is infinite or NaN. Throws where the shapes do not fit, and on host memory for a
/// true box without area or with a number that is not finite.
class box_loss {
 public:
  explicit box_loss(box_loss_options options = {}) : options_(options) {
    const auto check = [](double weight, std::string_view field) {
      detail::require(weight >= 0.0 && std::isfinite(weight), error_code::invalid_option,
                      "gal::box_loss: ", field, " is ", weight, "; expected a non-negative number");
    };
    check(options.distance, "distance");
    check(options.overlap, "overlap");
  }

  template <class Backend, class T, class Memory, detail::matrix_target Target>
  void evaluate(const Backend& backend, matrix_view<const T, Memory> features, const Target& targets,
                matrix_view<double, Memory> values, matrix_view<T, Memory> gradient) const {
    detail::check_batch(features, values, gradient, "gal::box_loss");
    const auto truth = gal::view(targets);
    detail::check_boxes(features, truth, "gal::box_loss");
    const double share = 1.0 / static_cast<double>(features.columns());
    const bool wanted = !gradient.empty();
    backend.for_each(features.columns(), [=, options = options_] GAL_KERNEL(index_type j) {
      const T* const x = features.data() + 4 * j;
      const auto* const y = truth.data() + 4 * j;
      const detail::box_pair boxes(x, y);
      double distance = 0.0;
      double signs[4];
      for (index_type k = 0; k < 4; ++k) {
        const double difference = static_cast<double>(x[k]) - static_cast<double>(y[k]);
        distance += std::abs(difference);
        signs[k] = difference > 0.0 ? 1.0 : (difference < 0.0 ? -1.0 : difference);  // keeps NaN
      }
      values.data()[j] = options.distance * distance + options.overlap * (1.0 - boxes.generalised_iou());
      if (wanted) {
        // Slopes of 1 - GIoU with respect to the intersection, the predicted area and the enclosing area.
        const double of_area = boxes.overlap / (boxes.all * boxes.all) - 1.0 / boxes.hull;
        const double of_overlap = -1.0 / boxes.all - of_area;
        const double of_hull = boxes.all / (boxes.hull * boxes.hull);
        const detail::box_side& across = boxes.across;
        const detail::box_side& along = boxes.along;
        const double slopes[4] = {
            across.centre_slope(of_overlap * along.overlap, of_hull * along.hull),
            along.centre_slope(of_overlap * across.overlap, of_hull * across.hull),
            across.size_slope(of_overlap * along.overlap, of_hull * along.hull, of_area * along.length),
            along.size_slope(of_overlap * across.overlap, of_hull * across.hull, of_area * across.length)};
        for (index_type k = 0; k < 4; ++k) {
          gradient(k, j) =
              static_cast<T>(share * (options.distance * signs[k] + options.overlap * slopes[k]));
        }
      }
    });
  }

  template <class Backend, class T, class Memory, detail::matrix_target Target>
  void second_derivative(const Backend& backend, matrix_view<const T, Memory> features, const Target& targets,
                         std::type_identity_t<matrix_view<const T, Memory>> tangent,
                         matrix_view<double, Memory> values) const {
    detail::check_tangent(features, tangent, values, "gal::box_loss");
    const auto truth = gal::view(targets);
    detail::check_boxes(features, truth, "gal::box_loss");
    backend.for_each(features.columns(), [=, weight = options_.overlap] GAL_KERNEL(index_type j) {
      const detail::box_pair boxes(features.data() + 4 * j, truth.data() + 4 * j);
      values.data()[j] = -weight * boxes.generalised_iou_second(tangent.data() + 4 * j);
    });
  }

 private:
  box_loss_options options_;
};

namespace detail {

template <class Features, class Targets>
double measured_iou(const Features& x, const Targets& y, index_type sample) {
  for (index_type i = 0; i < 4; ++i) {
    if (!std::isfinite(static_cast<double>(x(i, sample)))) {
      return std::numeric_limits<double>::quiet_NaN();
    }
  }
  return box_pair(x.data() + 4 * sample, y.data() + 4 * sample).iou();
}

}  // namespace detail

/// Intersection over union of a sample's box with the true one; both as `box_loss` takes them. NaN where a number of the
/// predicted box is not finite. Host memory.
template <viewable Boxes, viewable Truth>
[[nodiscard]] double intersection_over_union(const Boxes& boxes, const Truth& truth, index_type sample) {
  const auto x = gal::view(boxes);
  const auto y = gal::view(truth);
  detail::check_boxes(x, y, "gal::intersection_over_union");
  detail::require(sample >= 0 && sample < x.columns(), error_code::shape_mismatch,
                  "gal::intersection_over_union: sample ", sample, " of ", x.columns());
  return detail::measured_iou(x, y, sample);
}

/// Its mean over all samples: NaN where one of them is.
template <viewable Boxes, viewable Truth>
[[nodiscard]] double mean_intersection_over_union(const Boxes& boxes, const Truth& truth) {
  const auto x = gal::view(boxes);
  const auto y = gal::view(truth);
  detail::check_boxes(x, y, "gal::mean_intersection_over_union");
  detail::require(x.columns() > 0, error_code::shape_mismatch,
                  "gal::mean_intersection_over_union: 0 samples; expected at least one");
  double sum = 0.0;
  for (index_type j = 0; j < x.columns(); ++j) {
    sum += detail::measured_iou(x, y, j);
  }
  return sum / static_cast<double>(x.columns());
}

}  // namespace gal
