// gal/train/detail/adjuster_at_work.hpp: the adjuster of a trainer, and what it sees of a batch.
// Provides: nothing public; detail::adjuster_at_work for trainers.
#pragma once

#include <gal/core/backend.hpp>
#include <gal/core/concepts.hpp>
#include <gal/core/detail/math.hpp>
#include <gal/core/error.hpp>
#include <gal/core/view.hpp>
#include <gal/train/adjust_options.hpp>
#include <gal/train/adjuster.hpp>
#include <gal/train/adjustment_map.hpp>

#include <concepts>
#include <memory>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace gal::inline GAL_ABI::detail {

// A loss that says of itself that n G_j is softmax(x_j) less the target.
template <class Loss>
concept softmax_loss = requires { requires Loss::is_softmax_cross_entropy; };

// X, or X above the samples' own gradients. With `hides_infinite` an infinite feature, such as the logit of a class that is
// masked out, is shown as zero: a network would make NaN of it.
template <class T, class Memory, class Backend>
void show_features(const Backend& backend, matrix_view<const T, Memory> x, matrix_view<const T, Memory> g,
                   bool hides_infinite, matrix_view<T, Memory> input) {
  const index_type rows = x.rows();
  const bool with_gradients = input.rows() > rows;
  backend.for_each(rows, x.columns(),
                   [=, samples = static_cast<T>(x.columns())] GAL_KERNEL(index_type i, index_type j) {
                     input(i, j) = hides_infinite && is_infinite(x(i, j)) ? T(0) : x(i, j);
                     if (with_gradients) {
                       input(rows + i, j) = samples * g(i, j);
                     }
                   });
}

template <class T, class Memory, class Backend>
void show_losses(const Backend& backend, matrix_view<const double, Memory> losses,
                 matrix_view<T, Memory> input) {
  backend.for_each(losses.columns(), [=] GAL_KERNEL(index_type j) {
    input(0, j) = is_infinite(losses(0, j)) ? T(0) : static_cast<T>(losses(0, j));
  });
}

/// The adjuster of a trainer: built at the first step where none is given, shown the batch, asked for h.
template <class Adjuster, class T, class Backend>
class adjuster_at_work {
 public:
  using memory_type = typename Backend::memory_type;
  using view = matrix_view<const T, memory_type>;
  static constexpr bool is_built_here = std::is_void_v<Adjuster>;
  using adjuster_type = std::conditional_t<is_built_here, gal::adjuster<T, Backend>, Adjuster>;
  static_assert(explain_adjuster<adjuster_type, T, memory_type>());

  /// Throws where the adjuster has a closed form that does not fit the options or the loss.
  template <class Loss>
  adjuster_at_work(std::string_view trainer, const adjust_options& options,
                   std::optional<adjuster_type> adjuster, const Loss&, Backend backend)
      : trainer_(trainer),
        hidden_(options.hidden),
        input_kind_(options.input),
        normalisation_(options.normalisation),
        options_(options.adjuster),
        backend_(backend),
        adjuster_(std::move(adjuster)),
        input_(backend) {
    require(!is_closed_form(kind()) || (normalisation_ == gal::normalisation::additive &&
                                        input_kind_ == adjuster_input::features_and_gradients),
            error_code::invalid_option, trainer_, ": adjuster ", kind(), " with normalisation ",
            normalisation_, " and input ", input_kind_, "; expected additive and features_and_gradients");
    require(!needs_softmax(kind()) || softmax_loss<Loss>, error_code::invalid_option, trainer_, ": adjuster ",
            kind(), " with a loss that has no is_softmax_cross_entropy; expected gal::softmax_cross_entropy");
  }

  [[nodiscard]] adjuster_type& operator*() { return *adjuster_; }

  /// Throws before the first step, unless an adjuster was given.
  [[nodiscard]] adjuster_type& get() {
    require(adjuster_.has_value(), error_code::invalid_option, trainer_,
            "::adjuster: none yet; it is built at the first step");
    return *adjuster_;
  }

  /// Builds the adjuster for so many features where there is none.
  void prepare(index_type features) {
    if constexpr (is_built_here) {
      if (!adjuster_) {
        adjuster_.emplace(built_for(features));
        features_ = features;
      }
    }
  }

  /// h of what the adjuster sees of features X, their gradient G and the samples' losses.
  view propose(view x, view g, matrix_view<const double, memory_type> losses) {
    input_.resize(input_rows(x.rows()), x.columns());
    if (input_kind_ == adjuster_input::losses) {
      show_losses(backend_, losses, input_.view());
    } else {
      show_features(backend_, x, g, !is_closed_form(kind()), input_.view());
    }
    const view h(adjuster_->forward(std::as_const(input_).view()));
    const shape expected{direction_rows(normalisation_, x.rows()), x.columns()};
    require(h.shape() == expected, error_code::shape_mismatch, trainer_, ": the adjuster returned ",
            h.shape(), "; expected ", expected, " for ", x.rows(), " features");
    return h;
  }

  /// The adjuster and what `learner` steps it by. One that is still to be built is built from the state.
  template <class Visitor, class Learner>
  void visit_state(Visitor& visit, Learner& learner) {
    if constexpr (is_built_here) {
      const index_type features = visit.count("features", features_);
      if (!adjuster_ && features > 0) {
        // It is the trainer's once everything is loaded.
        const auto loaded = std::make_shared<adjuster_type>(built_for(features));
        visit.after_loading([this, loaded, features] {
          adjuster_.emplace(std::move(*loaded));
          features_ = features;
        });
        learner.visit_state(visit, *loaded);
      }
    }
    if (adjuster_) {
      learner.visit_state(visit, *adjuster_);
    }
  }

 private:
  // Of the library's adjuster, given or still to be built.
  [[nodiscard]] adjuster_kind kind() const {
    if constexpr (std::same_as<adjuster_type, gal::adjuster<T, Backend>>) {
      return adjuster_ ? adjuster_->options().kind : options_.kind;
    }
    return adjuster_kind::learned;
  }

  [[nodiscard]] index_type input_rows(index_type features) const {
    switch (input_kind_) {
      case adjuster_input::features_and_gradients:
        return 2 * features;
      case adjuster_input::losses:
        return 1;
      case adjuster_input::features:
        break;
    }
    return features;
  }

  [[nodiscard]] adjuster_type built_for(index_type features) const {
    std::vector<index_type> widths(hidden_);
    widths.insert(widths.begin(), input_rows(features));
    widths.push_back(direction_rows(normalisation_, features));
    return adjuster_type(std::move(widths), options_, backend_);
  }

  std::string_view trainer_;
  std::vector<index_type> hidden_;
  adjuster_input input_kind_;
  gal::normalisation normalisation_;
  adjuster_options options_;
  Backend backend_;
  std::optional<adjuster_type> adjuster_;
  index_type features_ = 0;  // that the adjuster was built for
  matrix<T, Backend> input_;
};

}  // namespace gal::detail
