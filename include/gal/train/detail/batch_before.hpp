// gal/train/detail/batch_before.hpp: what a trainer keeps of a batch until the next one.
// Provides: nothing public; detail::kept_input, batch_before, for gal/train/alignment_reward.hpp.
#pragma once

#include <gal/core/backend.hpp>
#include <gal/core/concepts.hpp>
#include <gal/core/detail/transfer.hpp>
#include <gal/core/direction.hpp>
#include <gal/core/tangents.hpp>
#include <gal/core/view.hpp>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <ranges>
#include <span>
#include <utility>
#include <vector>

namespace gal::inline GAL_ABI::detail {

// A copy of a model's input: of an object, itself.
template <class Input, class Backend>
class kept_input {
  static_assert(
      !std::ranges::enable_view<Input> && !std::ranges::enable_borrowed_range<Input>,
      "gal::alignment_reward keeps a batch until the next one: expected an `input_type` that owns its "
      "numbers, or a gal::matrix_view.");

 public:
  static constexpr bool has_state = false;
  explicit kept_input(const Backend&) {}

  void keep(const Input& input) { copy_ = input; }
  [[nodiscard]] const Input& get() const { return *copy_; }

 private:
  std::optional<Input> copy_;
};

// Of a view, the numbers that it shows.
template <class T, class Memory, class Backend>
class kept_input<matrix_view<const T, Memory>, Backend> {
 public:
  static constexpr bool has_state = true;
  explicit kept_input(const Backend& backend) : copy_(backend) {}

  void keep(matrix_view<const T, Memory> input) { copy_.assign(input); }
  [[nodiscard]] matrix_view<const T, Memory> get() const { return copy_.view(); }
  [[nodiscard]] matrix<T, Backend>& numbers() { return copy_; }

 private:
  matrix<T, Backend> copy_;
};

// Input and choices of a batch, the gradient G of its loss with respect to its features, theta, the parameters that it met,
// and its pass where the model can put that aside.
template <class Model>
struct batch_before {
  using value_type = model_scalar<Model>;
  using backend_type = backend_of<Model>;
  using memory_type = typename backend_type::memory_type;
  using parameters_type = std::span<const parameter<value_type, memory_type>>;
  using kept_type = kept_input<typename Model::input_type, backend_type>;

  explicit batch_before(const backend_type& backend)
      : input(std::make_unique<kept_type>(backend)), gradient(backend), theta(backend) {}

  std::unique_ptr<kept_type> input;  // stays in place, since a pass may refer to it
  matrix<value_type, backend_type> gradient;
  parameter_vector<value_type, backend_type> theta;
  std::vector<index_type> choices;
  std::optional<pass_of<Model>> pass;
  bool is_there = false;
  bool pass_is_there = false;  // not after loading

  // The batch's input has been kept in `batch`, since its pass refers to it.
  void keep(std::unique_ptr<kept_type>& batch, matrix_view<const value_type, memory_type> its_gradient,
            parameters_type parameters, std::span<const index_type> its_choices) {
    std::swap(input, batch);
    gradient.assign(its_gradient);
    theta.assign_values(parameters);
    choices.assign(its_choices.begin(), its_choices.end());
    is_there = true;
  }

  // The model's last pass becomes the batch's, or the other way round.
  void exchange_passes(Model& model) {
    if (!pass) {
      pass = model.pass();
    }
    std::swap(model.pass(), *pass);
  }

  // An input that is no view of numbers is not part of the state, and with it the batch.
  template <class Visitor>
  void visit_state(Visitor& visit, parameters_type parameters) {
    if constexpr (kept_type::has_state) {
      const index_type samples = visit.count("samples", is_there ? gradient.columns() : 0);
      const index_type inputs = visit.count("inputs", is_there ? input->numbers().rows() : 0);
      const index_type features = visit.count("features", is_there ? gradient.rows() : 0);
      if (samples > 0) {
        // Another batch than that which is here is the trainer's once everything is loaded.
        const bool fits = is_there && gradient.shape() == shape{features, samples} &&
                          input->numbers().shape() == shape{inputs, samples};
        const auto other = std::make_shared<batch_before>(gradient.backend());
        batch_before& shown = fits ? *this : *other;
        if (!fits) {
          shown.input->numbers().resize(inputs, samples);
          shown.gradient.resize(features, samples);
          shown.theta.resize(parameters);
        }
        const auto numbers = std::make_shared<std::vector<std::int64_t>>(static_cast<std::size_t>(samples));
        if (fits) {
          std::ranges::copy(choices, numbers->begin());
        }
        visit("input", shown.input->numbers());
        visit("gradient", shown.gradient);
        visit.tensor("parameters", gradient.backend(), shown.theta.data(), {shown.theta.size()});
        visit.tensor("choices", on_host(), numbers->data(), {samples});
        visit.after_loading([this, other, numbers, fits] {
          if (!fits) {
            *this = std::move(*other);
          }
          choices.assign(numbers->begin(), numbers->end());
          is_there = true;
          pass_is_there = false;
        });
        return;
      }
    }
    visit.after_loading([this] { is_there = false; });
  }
};

}  // namespace gal::detail
