// gal/predict/predictor.hpp: a trained network with all that lies between raw numbers and an answer.
// Provides: predictor, predictor_options. Includes gal/predict/network_structure.hpp.
#pragma once

#include <gal/core/backend.hpp>
#include <gal/core/detail/softmax.hpp>
#include <gal/core/error.hpp>
#include <gal/core/view.hpp>
#include <gal/data/standardizer.hpp>
#include <gal/io/state.hpp>
#include <gal/predict/detail/lending_pool.hpp>
#include <gal/predict/network_structure.hpp>

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace gal::inline GAL_ABI {

/// What belongs to a predictor beside its network. Everything may be left out.
template <std::floating_point T>
struct predictor_options {
  standardizer<T> inputs{};   ///< that the network's inputs were scaled by; not fitted: they are raw
  standardizer<T> targets{};  ///< that its targets were scaled by; not fitted: outputs are predictions
  std::vector<std::string> columns{};       ///< names of the inputs, all or none
  std::vector<std::string> target_names{};  ///< names of the outputs, all or none
  std::vector<std::string> classes{};       ///< names of the classes, of a network with an output for each
};

/// A network that predicts: raw numbers in, predictions in the units of the targets out. Built from a trained `nn::mlp` or
/// `nn::cnn`, of which it keeps a copy in evaluation; or loaded from a file (gal/predict/predictor_file.hpp).
///
///     const gal::predictor<float> predict(model, {.inputs = scale, .columns = names});
///     std::vector<float> row = ..., answer(1);
///     predict.predict(row, answer);
///
/// All members are const, and may be called from several threads at once: every call works in a copy of the network of
/// its own, which is kept for later ones, so that there are as many as calls that ever ran at once. Nothing is allocated
/// once each of these, and each thread, has seen its largest batch. Copies of a predictor share all of that.
///
/// Inputs are `d x n`, a sample per column; any contiguous range of d numbers is one row of a table. Throws
/// `shape_mismatch`, with counts and names, for others. A NaN in a row makes NaNs of its predictions.
template <std::floating_point T>
class predictor {
 public:
  using value_type = T;

  /// Throws where the counts of names, classes, means or deviations are not those of the network's inputs and outputs
  /// (`shape_mismatch`), where a name is empty or twice, and for classes with scaled targets (`invalid_option`).
  explicit predictor(const nn::mlp<T>& network, predictor_options<T> options = {})
      : parts_(make(network, std::move(options))) {}
  explicit predictor(const nn::cnn<T>& network, predictor_options<T> options = {})
      : parts_(make(network, std::move(options))) {}

  [[nodiscard]] index_type inputs() const { return parts_->inputs; }    ///< numbers of a row
  [[nodiscard]] index_type outputs() const { return parts_->outputs; }  ///< numbers of a prediction
  [[nodiscard]] const predictor_options<T>& options() const { return parts_->options; }
  [[nodiscard]] const network_structure& structure() const { return parts_->structure; }

  /// The network, an `nn::mlp<T>` or an `nn::cnn<T>`, in evaluation.
  [[nodiscard]] const std::variant<nn::mlp<T>, nn::cnn<T>>& network() const { return parts_->network; }

  /// Predictions of a batch (`d x n`), in `predictions` (`k x n`); of one row, any k numbers. Those of a classifier are its
  /// network's outputs, the logits.
  void predict(matrix_view<const T> inputs, matrix_view<T> predictions) const {
    constexpr std::string_view where = "gal::predictor::predict";
    const matrix_view<const T> x = samples(inputs, where);
    const matrix_view<T> to = fitted(predictions, x.columns(), where);
    run(x, [&](matrix_view<const T> outputs) {
      std::copy_n(outputs.data(), outputs.size(), to.data());
      if (!options().targets.mean().empty()) {
        options().targets.apply_inverse(to);
      }
    });
  }
  /// The same in a new matrix.
  [[nodiscard]] matrix<T> predict(matrix_view<const T> inputs) const {
    matrix<T> result(outputs(), samples(inputs, "gal::predictor::predict").columns());
    predict(inputs, result);
    return result;
  }

  /// Probabilities of the classes, the softmax of the outputs, likewise. Throws without class names (`invalid_option`).
  void probabilities(matrix_view<const T> inputs, matrix_view<T> probabilities) const {
    constexpr std::string_view where = "gal::predictor::probabilities";
    require_classes(where);
    const matrix_view<const T> x = samples(inputs, where);
    const matrix_view<T> to = fitted(probabilities, x.columns(), where);
    run(x, [&](matrix_view<const T> outputs) {
      for (index_type j = 0; j < outputs.columns(); ++j) {
        const detail::softmax<T> softmax(outputs.column(j).data(), outputs.rows());
        for (index_type k = 0; k < outputs.rows(); ++k) {
          to(k, j) = static_cast<T>(softmax(k));
        }
      }
    });
  }
  /// The same in a new matrix.
  [[nodiscard]] matrix<T> probabilities(matrix_view<const T> inputs) const {
    matrix<T> result(outputs(), samples(inputs, "gal::predictor::probabilities").columns());
    probabilities(inputs, result);
    return result;
  }

  /// The name of the likeliest class of one row, of equal ones the first. Throws without class names (`invalid_option`) and
  /// where an output is NaN (`non_finite`).
  [[nodiscard]] const std::string& answer(matrix_view<const T> row) const {
    constexpr std::string_view where = "gal::predictor::answer";
    require_classes(where);
    const matrix_view<const T> x = samples(row, where);
    detail::require(x.columns() == 1, error_code::shape_mismatch, where, ": ", x.columns(),
                    " samples; expected one");
    std::size_t best = 0;
    run(x, [&](matrix_view<const T> outputs) {
      const auto logits = outputs.column(0);
      detail::require(std::none_of(logits.begin(), logits.end(), [](T logit) { return std::isnan(logit); }),
                      error_code::non_finite, where,
                      ": the network's outputs hold a NaN; expected a row of finite numbers");
      best = static_cast<std::size_t>(std::max_element(logits.begin(), logits.end()) - logits.begin());
    });
    return options().classes[best];
  }

 private:
  // What a call works in.
  struct workspace {
    detail::built_network<T> network;
    matrix<T> scaled{};
  };
  struct parts {
    network_structure structure;
    predictor_options<T> options;
    detail::built_network<T> network;
    index_type inputs;
    index_type outputs;
    detail::lending_pool<workspace> workspaces{};
  };

  template <class Network>
  static std::shared_ptr<parts> make(const Network& network, predictor_options<T> options) {
    // Built anew: what training left in the network's buffers stays there.
    auto structure = structure_of(network);
    detail::built_network<T> fresh = detail::build_network<T>(structure);
    Network trained = network;
    state_copy(trained).restore(std::get<Network>(fresh));
    const auto [inputs, outputs] = [&]() -> std::pair<index_type, index_type> {
      if constexpr (std::same_as<Network, nn::mlp<T>>) {
        return {network.widths().front(), network.widths().back()};
      } else {
        return {network.input_shape().size(), network.output_shape().size()};
      }
    }();
    check(options, inputs, outputs);
    return std::shared_ptr<parts>(
        new parts{std::move(structure), std::move(options), std::move(fresh), inputs, outputs});
  }

  static void check(const predictor_options<T>& options, index_type inputs, index_type outputs) {
    const auto counted = [](std::size_t count, index_type expected, std::string_view what,
                            std::string_view whose) {
      detail::require(count == 0 || count == static_cast<std::size_t>(expected), error_code::shape_mismatch,
                      "gal::predictor: ", count, " ", what, "; expected ", expected, ", the network's ",
                      whose);
    };
    counted(options.inputs.mean().size(), inputs, "means of inputs", "inputs");
    counted(options.targets.mean().size(), outputs, "means of targets", "outputs");
    counted(options.columns.size(), inputs, "column names", "inputs");
    counted(options.target_names.size(), outputs, "target names", "outputs");
    counted(options.classes.size(), outputs, "class names", "outputs");
    detail::require(options.classes.empty() || options.targets.mean().empty(), error_code::invalid_option,
                    "gal::predictor: class names and scaled targets; expected one of them");
    require_distinct_names(options.columns, "column");
    require_distinct_names(options.target_names, "target");
    require_distinct_names(options.classes, "class");
  }

  static void require_distinct_names(std::vector<std::string> names, std::string_view what) {
    std::sort(names.begin(), names.end());
    detail::require(names.empty() || !names.front().empty(), error_code::invalid_option, "gal::predictor: a ",
                    what, " without a name; expected one for each");
    const auto twice = std::adjacent_find(names.begin(), names.end());
    if (twice != names.end()) {
      throw error(error_code::invalid_option,
                  detail::text("gal::predictor: two of the ", what, " names are ", detail::in_quotes(*twice),
                               "; expected different ones"));
    }
  }

  void require_classes(std::string_view where) const {
    detail::require(
        !options().classes.empty(), error_code::invalid_option, where,
        ": the predictor has no class names; expected a classifier, with predictor_options::classes");
  }

  // The first names in parentheses, for a message.
  [[nodiscard]] static std::string some_of(const std::vector<std::string>& names) {
    constexpr std::size_t most = 20;
    std::string result;
    for (std::size_t k = 0; k < std::min(names.size(), most); ++k) {
      result += (k == 0 ? " (" : ", ") + detail::printable(std::string_view(names[k]).substr(0, 40));
    }
    return names.empty() ? "" : result + (names.size() > most ? ", ...)" : ")");
  }

  // The inputs as d x n. A row may be a column to its owner.
  [[nodiscard]] matrix_view<const T> samples(matrix_view<const T> x, std::string_view where) const {
    const index_type d = inputs();
    if (x.rows() == 1 && x.columns() == d) {
      return {x.data(), d, 1};
    }
    if (x.rows() != d || x.columns() < 1) [[unlikely]] {
      const std::string names = some_of(options().columns);
      detail::require(x.rows() != 1 || d == 1, error_code::shape_mismatch, where, ": a row of ", x.columns(),
                      " numbers; expected ", d, names);
      detail::require(false, error_code::shape_mismatch, where, ": inputs are ", x.shape(), "; expected ", d,
                      " rows", names, " and at least one column");
    }
    return x;
  }

  // What the results go to, as k x n.
  [[nodiscard]] matrix_view<T> fitted(matrix_view<T> to, index_type n, std::string_view where) const {
    const index_type k = outputs();
    const bool is_list = n == 1 && to.size() == k && (to.rows() == 1 || to.columns() == 1);
    if (!is_list && to.shape() != shape{k, n}) [[unlikely]] {
      throw error(
          error_code::shape_mismatch,
          detail::text(where, ": results of size ", to.shape(), "; expected ", shape{k, n},
                       some_of(options().classes.empty() ? options().target_names : options().classes)));
    }
    return {to.data(), k, n};
  }

  // Calls `use` with what the network makes of raw samples, k x n.
  template <class Use>
  void run(matrix_view<const T> x, Use use) const {
    const auto at_work = parts_->workspaces.borrow([this] { return workspace{parts_->network}; });
    if (!options().inputs.mean().empty()) {
      at_work->scaled.assign(x);
      options().inputs.apply(at_work->scaled);
      x = std::as_const(at_work->scaled).view();
    }
    std::visit([&](auto& network) { use(network.forward(x).view()); }, at_work->network);
  }

  std::shared_ptr<const parts> parts_;
};

}  // namespace gal
