// gal/train/detail/guarded_step.hpp: steps of parameters that gradients which are not finite do not take.
// Provides: nothing public; functions on the parameters of models and adjusters, for trainers.
#pragma once

#include <gal/core/backend.hpp>
#include <gal/core/concepts.hpp>
#include <gal/core/detail/kernels.hpp>
#include <gal/core/detail/math.hpp>
#include <gal/core/error.hpp>
#include <gal/optim/gradients.hpp>
#include <gal/train/step_report.hpp>

#include <cmath>
#include <concepts>
#include <cstddef>
#include <limits>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace gal::inline GAL_ABI::detail {

template <class T, class Memory>
using parameter_list = std::vector<parameter<T, Memory>>;

// The owner's parameters as a list that keeps its memory. Throws where blocks overlap, which is looked at when they are new
// or have moved.
template <class Owner, class T, class Memory>
const parameter_list<T, Memory>& collect(Owner& owner, parameter_list<T, Memory>& list,
                                         std::string_view whose) {
  std::size_t count = 0;
  bool same = true;
  for (auto&& block : owner.parameters()) {
    const parameter<T, Memory> next(block);
    if (count == list.size()) {
      list.push_back(next);
      same = false;
    }
    same = same && same_block(list[count], next);
    list[count++] = next;
  }
  same = same && count == list.size();
  list.erase(list.begin() + static_cast<std::ptrdiff_t>(count), list.end());
  if (!same) {
    parameter_list<T, Memory> fresh = std::exchange(list, {});  // none are known where they are refused
    require_distinct(std::span<const parameter<T, Memory>>(fresh), whose);
    list = std::move(fresh);
  }
  return list;
}

template <class Backend, class T, class Memory>
void clear_gradients(const Backend& backend, const parameter_list<T, Memory>& parameters) {
  for (std::size_t first = 0; first < parameters.size();) {
    const auto [next, size] = run_from(std::span<const parameter<T, Memory>>(parameters), first);
    backend.fill(parameters[first].gradient.data(), size, T(0));
    first = next;
  }
}

// The sum of the gradients' squares, as exactly as a verdict needs it: eight are added in the scalar before one goes to
// double, so that the sum takes a third of the time.
template <class Backend, class T, class Memory>
void sum_squares_roughly(const Backend& backend, const parameter_list<T, Memory>& parameters,
                         matrix<double, Backend>& result) {
  result.resize(1, 2 * static_cast<index_type>(parameters.size()) + 1);
  index_type parts = 0;
  for (std::size_t first = 0; first < parameters.size();) {
    const auto [next, size] = run_from(std::span<const parameter<T, Memory>>(parameters), first);
    const index_type n = size / 8;
    const auto square = [from = parameters[first].gradient.data(),
                         least = std::sqrt(std::numeric_limits<T>::min())](index_type i) {
      const T g = zero_below(from[i], least);  // no denormal squares, which take a hundred times as long
      return g * g;
    };
    backend.sum(
        n,
        [square, n](index_type i) {
          const T low = (square(i) + square(n + i)) + (square(2 * n + i) + square(3 * n + i));
          const T high = (square(4 * n + i) + square(5 * n + i)) + (square(6 * n + i) + square(7 * n + i));
          return static_cast<double>(low + high);
        },
        result.data() + ++parts);
    backend.sum(
        size - 8 * n, [square, n](index_type i) { return static_cast<double>(square(8 * n + i)); },
        result.data() + ++parts);
    first = next;
  }
  sum_of(backend, result.data() + 1, parts, result.data());
}

// Gives an optimizer that has not stepped yet the state for these parameters.
template <class Stepping, class T, class Memory>
void reserve_for(Stepping& optimizer, const parameter_list<T, Memory>& parameters) {
  const std::span<const parameter<T, Memory>> blocks(parameters);
  if constexpr (requires { optimizer.reserve(blocks); }) {
    optimizer.reserve(blocks);
  }
}

// Whether gradients let a step be taken, as 1 or 0: unless `before` forbids it, where they are finite. Squares beyond the
// scalar's range would make the optimizer's moments infinite, and keep them so.
template <class Backend, class T, class Memory>
void judge_gradients(const Backend& backend, const parameter_list<T, Memory>& parameters,
                     non_finite_policy policy, const double* before, matrix<double, Backend>& squares,
                     double* verdict) {
  if (policy == non_finite_policy::ignore) {
    backend.for_each(1, [verdict] GAL_KERNEL(index_type) { *verdict = 1.0; });
    return;
  }
  if constexpr (asynchronous_backend<Backend>) {  // where a kernel more takes longer than the conversions
    sum_squares(backend, std::span<const parameter<T, Memory>>(parameters),
                std::numeric_limits<double>::infinity(), squares);
  } else {
    sum_squares_roughly(backend, parameters, squares);
  }
  backend.for_each(1, [=, square = squares.data(),
                       limit = static_cast<double>(std::numeric_limits<T>::max())] GAL_KERNEL(index_type) {
    *verdict = (before == nullptr || *before != 0.0) && *square <= limit ? 1.0 : 0.0;
  });
}

// A step that is taken unless `*proceeds` is zero: as the device finds it where the optimizer can be told so.
template <class Backend, class Stepping, class T, class Memory>
void step_if(const Backend& backend, Stepping& optimizer, const parameter_list<T, Memory>& parameters,
             const double* proceeds) {
  const std::span<const parameter<T, Memory>> blocks(parameters);
  if constexpr (asynchronous_backend<Backend> && requires { optimizer.step(blocks, proceeds); }) {
    optimizer.step(blocks, proceeds);
  } else if (backend.read(proceeds) != 0.0) {
    optimizer.step(blocks);
  }
}

// What a step would take from the parameters, in `changes`, block after block; the optimizer's state steps, the values stay. By the
// optimizer's own `propose`, or from the values before and after. Unspecified where `*proceeds` is zero.
template <class Backend, class Stepping, class T, class Memory>
void propose_if(const Backend& backend, Stepping& optimizer, const parameter_list<T, Memory>& parameters,
                const double* proceeds, T* changes) {
  const std::span<const parameter<T, Memory>> blocks(parameters);
  if constexpr (asynchronous_backend<Backend> && requires { optimizer.propose(blocks, changes, proceeds); }) {
    optimizer.propose(blocks, changes, proceeds);
  } else if constexpr (requires { optimizer.propose(blocks, changes); }) {
    if (backend.read(proceeds) != 0.0) {
      optimizer.propose(blocks, changes);
    }
  } else {
    T* before = changes;
    for (const auto& block : parameters) {
      backend.copy(block.value.data(), before, static_cast<index_type>(block.value.size()));
      before += block.value.size();
    }
    step_if(backend, optimizer, parameters, proceeds);
    before = changes;
    for (const auto& block : parameters) {
      const auto size = static_cast<index_type>(block.value.size());
      backend.for_each(size, [before, now = block.value.data()] GAL_KERNEL(index_type i) {
        const T after = now[i];
        now[i] = before[i];
        before[i] -= after;
      });
      before += size;
    }
  }
}

// Numbers that an owner's `backward` changes besides gradients, such as the running means of batch normalisation: its
// `statistics()`, where it has them. A copy, to go back to.
template <class Owner, class T, class Backend>
class kept_statistics {
 public:
  explicit kept_statistics(Backend backend) : backend_(backend), before_(backend) {}

  void remember(Owner& owner) {
    if constexpr (has_any) {
      const view now = owner.statistics();
      before_.assign(now.as_const());
    } else {
      static_cast<void>(owner);
    }
  }

  void restore_unless(Owner& owner, const double* proceeds) {
    if constexpr (has_any) {
      const view now = owner.statistics();
      require(now.shape() == before_.shape(), error_code::shape_mismatch, "gal: the statistics are ",
              now.shape(), " after the backward pass; expected the size before, ", before_.shape());
      gal::detail::restore_unless(backend_, proceeds, std::as_const(before_).view(), now);
    } else {
      static_cast<void>(owner);
      static_cast<void>(proceeds);
    }
  }

 private:
  using view = matrix_view<T, typename Backend::memory_type>;
  static constexpr bool has_any = requires(Owner& owner) {
    { owner.statistics() } -> std::convertible_to<view>;
  };

  Backend backend_;
  matrix<T, Backend> before_;
};

}  // namespace gal::detail
