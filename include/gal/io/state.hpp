// gal/io/state.hpp: what an object keeps between two steps, as named numbers and settings: one list, by which it is saved,
// loaded, copied and compared.
// Provides: state_view, state_copy, state_difference, stateful, state_of, number_type.
#pragma once

#include <gal/core/backend.hpp>
#include <gal/core/concepts.hpp>
#include <gal/core/detail/transfer.hpp>
#include <gal/core/enumeration.hpp>
#include <gal/core/error.hpp>

#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_set>
#include <utility>
#include <vector>

namespace gal::inline GAL_ABI {

/// What the numbers of a state are: float, double, and integers of 64 bits.
enum class number_type { float32, float64, int64, uint64 };
constexpr auto enumerator_names(number_type) {
  return std::to_array<std::string_view>({"float32", "float64", "int64", "uint64"});
}

class state_view;

/// How an object of a type that is not ours shows its state: specialised with `static void visit(O& object, state_view&
/// visit)`, as for the modules of libtorch in gal/adapters/torch.hpp. It goes before what the type has itself.
template <class O>
struct state_of {};

namespace detail {

[[nodiscard]] constexpr std::size_t bytes_of(number_type type) {
  return type == number_type::float32 ? 4 : 8;
}

// How a number of type T is kept: every integer in 64 bits.
template <class T>
using kept_number = std::conditional_t<std::is_floating_point_v<T>, T,
                                       std::conditional_t<std::is_signed_v<T>, std::int64_t, std::uint64_t>>;

template <class T>
constexpr number_type type_of_number = std::same_as<T, float>          ? number_type::float32
                                       : std::same_as<T, double>       ? number_type::float64
                                       : std::same_as<T, std::int64_t> ? number_type::int64
                                                                       : number_type::uint64;

// A setting as text that tells any two values apart.
template <class Value>
std::string setting_text(const Value& value) {
  if constexpr (std::is_enum_v<Value>) {
    static_assert(named_enumeration<Value>,
                  "gal::state_view: an enumerator is kept by its name; provide `enumerator_names` beside the "
                  "enumeration (gal/core/enumeration.hpp).");
    return text(value);
  } else if constexpr (std::is_arithmetic_v<Value> || std::convertible_to<const Value&, std::string_view>) {
    return text(value);
  } else {
    std::string list;
    for (const auto& element : value) {
      list += text(list.empty() ? "" : ", ", setting_text(element));
    }
    return list;
  }
}

template <class T>
constexpr bool is_matrix = false;
template <class T, class Backend>
constexpr bool is_matrix<matrix<T, Backend>> = true;

template <class Object>
concept state_is_shown =
    requires(Object& object, state_view& visit) { state_of<Object>::visit(object, visit); };
template <class Object>
concept visits_state = requires(Object& object, state_view& visit) { object.visit_state(visit); };
template <class Object>
concept lists_parameters = requires(Object& object) {
  { (*object.parameters().begin()).value.data() };
} || requires(Object& object) {
  { (*object.parameters().begin()).first };
};

}  // namespace detail

/// Requirements on an object `O` whose state can be saved, any one of them:
///
///  1. `o.visit_state(visit)` shows its parts to a visitor, a `gal::state_view&`, by name and always in the same way:
///
///         template <class Visitor>
///         void visit_state(Visitor& visit) {
///           visit.setting("rate", rate_);   // has to be the same where the state is loaded
///           visit("steps", steps_);         // a number, a gal::matrix, or an object that has a state
///         }
///
///  2. `o(visit)` does so: a lambda that puts objects together.
///  3. `o` is a number or a `gal::matrix`.
///  4. `o.parameters()` are all that it keeps, as for a model; where there are `noise()` and `set_noise()`, that too.
///  5. `state_of<O>` is specialised: for types of another library.
template <class O>
concept stateful =
    std::is_arithmetic_v<O> || detail::is_matrix<O> || detail::visits_state<O> ||
    std::invocable<O&, state_view&> || detail::lists_parameters<O> || detail::state_is_shown<O>;

/// The state of an object as a list. It refers to the object's memory, and is good for as long as that stays in place.
///
///     gal::state_view view(model);
///     for (const auto& entry : view.entries()) { ... }   // "0.weight", float32, {100, 13}
class state_view {
 public:
  /// Named numbers: a tensor as a C-order array, or a single number, which has no sizes.
  struct entry {
    std::string name;
    number_type type;
    std::vector<index_type> shape;
    bool is_tensor;                                                 ///< not a single number
    std::function<void(std::byte*)> read;                           ///< copies the numbers to host memory
    std::function<void(const std::byte*)> write;                    ///< takes them from there
    const void* memory = nullptr;                                   ///< of a tensor
    std::int64_t least = std::numeric_limits<std::int64_t>::min();  ///< of a single integer
    std::int64_t greatest = std::numeric_limits<std::int64_t>::max();
    double above =
        -std::numeric_limits<double>::infinity();  ///< of a tensor: what its numbers are greater than

    [[nodiscard]] index_type count() const {
      index_type product = 1;
      for (const index_type size : shape) {
        product *= size;
      }
      return product;
    }
    [[nodiscard]] std::size_t bytes() const {
      return static_cast<std::size_t>(count()) * detail::bytes_of(type);
    }
  };

  /// What has to be the same where the state is loaded, as text.
  struct setting_entry {
    std::string name;
    std::string value;
    std::span<const std::string_view> choices = {};  ///< the names of its enumeration, where it has one
  };

  /// Finds the counts that decide what a state holds, in the one that is to be loaded.
  using count_lookup = std::function<std::optional<std::int64_t>(const std::string&)>;

  template <stateful Object>
  explicit state_view(Object& object, count_lookup lookup = {}) : lookup_(std::move(lookup)) {
    show(object);
  }

  [[nodiscard]] const std::vector<entry>& entries() const { return entries_; }
  [[nodiscard]] const std::vector<setting_entry>& settings() const { return settings_; }

  /// Runs what waits for the end of loading.
  void finish_loading() const {
    for (const auto& action : after_loading_) {
      action();
    }
  }

  // ---- For `visit_state` ----

  /// A part of the state: a number, a matrix, or an object that has a state of its own, whose names begin with `name`.
  template <class Value>
  void operator()(std::string_view name, Value& value) {
    static_assert(stateful<Value>,
                  "gal::stateful: provide `template <class Visitor> void visit_state(Visitor& visit)`, which "
                  "shows the parts of the state by name.");
    if constexpr (stateful<Value>) {
      const std::size_t before = enter(name);
      show(value);
      prefix_.resize(before);
    }
  }

  /// An integer that is refused outside [least, greatest] when it is loaded.
  template <std::integral Number>
  void operator()(std::string_view name, Number& value, std::int64_t least, std::int64_t greatest) {
    (*this)(name, value);
    entries_.back().least = least;
    entries_.back().greatest = greatest;
  }

  /// Numbers in a backend's memory, a C-order array of that shape. A checkpoint in which one of them is not greater than
  /// `above` is refused.
  template <class T, class Backend>
  void tensor(std::string_view name, const Backend& backend, T* data, std::vector<index_type> shape,
              double above = -std::numeric_limits<double>::infinity()) {
    const std::size_t before = enter(name);
    add_tensor(backend, data, std::move(shape));
    entries_.back().above = above;
    prefix_.resize(before);
  }

  /// What has to be the same where the state is loaded: a number, an enumerator, a text, or a range of them.
  template <class Value>
  void setting(std::string_view name, const Value& value) {
    const std::size_t before = enter(name);
    settings_.push_back({prefix_, detail::setting_text(value)});
    if constexpr (named_enumeration<Value>) {
      settings_.back().choices = enumerators_of<Value>;
    }
    prefix_.resize(before);
  }

  /// A count on which depends what else there is: `here` when the state is read; where it is loaded, the count of the
  /// state that is to be loaded.
  [[nodiscard]] index_type count(std::string_view name, index_type here) {
    const std::size_t before = enter(name);
    const index_type result = lookup_ ? static_cast<index_type>(lookup_(prefix_).value_or(here)) : here;
    const auto kept = std::make_shared<index_type>(result);
    add_number(*kept);
    entries_.back().read = [kept, read = entries_.back().read](std::byte* to) { read(to); };
    entries_.back().write = [](const std::byte*) {};
    prefix_.resize(before);
    return result;
  }

  /// Runs once everything is loaded, and never where that fails.
  void after_loading(std::function<void()> action) { after_loading_.push_back(std::move(action)); }

 private:
  // Appends a name to the prefix, whose size before is returned.
  std::size_t enter(std::string_view name) {
    const std::size_t before = prefix_.size();
    prefix_ += prefix_.empty() ? "" : ".";
    prefix_ += name;
    return before;
  }

  template <class Object>
  void show(Object& object) {
    if constexpr (std::is_arithmetic_v<Object>) {
      add_number(object);
    } else if constexpr (detail::is_matrix<Object>) {
      add_tensor(object.backend(), object.data(), {object.columns(), object.rows()});
    } else if constexpr (detail::state_is_shown<Object>) {
      state_of<Object>::visit(object, *this);
    } else if constexpr (detail::visits_state<Object>) {
      object.visit_state(*this);
    } else if constexpr (std::invocable<Object&, state_view&>) {
      object(*this);
    } else {
      show_parameters(object);
    }
  }

  // All that is known of a model of the user's: blocks of numbers, called 0, 1, ...
  template <class Object>
  void show_parameters(Object& object) {
    const auto backend = detail::backend_from<backend_of<Object>>(object);
    index_type number = 0;
    for (auto&& block : object.parameters()) {
      const auto values = [&] {
        if constexpr (requires { block.value; }) {
          return block.value;
        } else {
          return std::span(block.first);
        }
      }();
      tensor(std::to_string(number++), backend, values.data(), {static_cast<index_type>(values.size())});
    }
    if constexpr (requires { object.set_noise(object.noise()); }) {
      const auto noise = std::make_shared<std::remove_cvref_t<decltype(object.noise())>>(object.noise());
      (*this)("noise", *noise);
      after_loading([&object, noise] { object.set_noise(*noise); });
    }
  }

  template <class Number>
  void add_number(Number& number) {
    using kept = detail::kept_number<Number>;
    add({.name = prefix_,
         .type = detail::type_of_number<kept>,
         .shape = {},
         .is_tensor = false,
         .read =
             [&number](std::byte* to) {
               const auto value = static_cast<kept>(number);
               std::memcpy(to, &value, sizeof value);
             },
         .write =
             [&number](const std::byte* from) {
               kept value;
               std::memcpy(&value, from, sizeof value);
               number = static_cast<Number>(value);
             }});
    if constexpr (std::integral<Number>) {
      if constexpr (sizeof(Number) < 8) {
        entries_.back().least = static_cast<std::int64_t>(std::numeric_limits<Number>::min());
        entries_.back().greatest = static_cast<std::int64_t>(std::numeric_limits<Number>::max());
      }
    }
  }

  template <class Backend, class T>
  void add_tensor(const Backend& backend, T* data, std::vector<index_type> shape) {
    static_assert(std::same_as<T, detail::kept_number<T>>,
                  "gal::state_view: tensors are of float, double, std::int64_t or std::uint64_t.");
    add({.name = prefix_,
         .type = detail::type_of_number<T>,
         .shape = std::move(shape),
         .is_tensor = true,
         .read = {},
         .write = {}});
    const index_type count = entries_.back().count();
    entries_.back().memory = data;
    entries_.back().read = [=](std::byte* to) {
      detail::to_host(backend, static_cast<const T*>(data), reinterpret_cast<T*>(to), count);
    };
    entries_.back().write = [=](const std::byte* from) {
      detail::from_host(backend, reinterpret_cast<const T*>(from), data, count);
    };
  }

  void add(entry next) {
    const bool is_new = names_.insert(next.name).second;
    detail::require(is_new && !next.name.empty(), error_code::invalid_option, "gal::state_view: \"",
                    next.name,
                    "\" is shown twice, or has no name; expected a name of its own for every part");
    entries_.push_back(std::move(next));
  }

  count_lookup lookup_;
  std::string prefix_;
  std::vector<entry> entries_;
  std::unordered_set<std::string> names_;  // of them
  std::vector<setting_entry> settings_;
  std::vector<std::function<void()>> after_loading_;
};

namespace detail {

/// Host memory for the numbers of entries, each where its type may lie.
class staged_numbers {
 public:
  staged_numbers() = default;
  explicit staged_numbers(std::span<const state_view::entry> entries) {
    std::size_t size = 0;
    for (const auto& entry : entries) {
      offsets_.push_back(size);
      size += (entry.bytes() + 7) / 8 * 8;
    }
    memory_.resize(size);
  }

  [[nodiscard]] std::byte* at(std::size_t number) { return memory_.data() + offsets_[number]; }
  [[nodiscard]] const std::byte* at(std::size_t number) const { return memory_.data() + offsets_[number]; }

 private:
  std::vector<std::byte> memory_;
  std::vector<std::size_t> offsets_;
};

template <class T>
bool all_finite(const std::byte* numbers, index_type count) {
  const T* const values = reinterpret_cast<const T*>(numbers);
  return std::all_of(values, values + count, [](T x) { return x - x == T(0); });
}

// Whether the numbers of an entry are finite; integers are.
inline bool is_finite(const state_view::entry& entry, const std::byte* numbers) {
  return entry.type == number_type::float32   ? all_finite<float>(numbers, entry.count())
         : entry.type == number_type::float64 ? all_finite<double>(numbers, entry.count())
                                              : true;
}

// Whether the numbers of an entry are as large as they have to be.
inline bool is_above(const state_view::entry& entry, const std::byte* numbers) {
  const auto holds = [&]<class T>(const T* values) {
    return std::all_of(values, values + entry.count(),
                       [&](T x) { return static_cast<double>(x) > entry.above; });
  };
  return entry.above == -std::numeric_limits<double>::infinity() ? true
         : entry.type == number_type::float32 ? holds(reinterpret_cast<const float*>(numbers))
         : entry.type == number_type::float64 ? holds(reinterpret_cast<const double*>(numbers))
                                              : true;
}

// The entries that are tensors: of a model its weights, and what batch normalisation has gathered.
inline std::vector<state_view::entry> tensors_of(const state_view& state) {
  std::vector<state_view::entry> result;
  std::copy_if(state.entries().begin(), state.entries().end(), std::back_inserter(result),
               [](const auto& entry) { return entry.is_tensor; });
  return result;
}

}  // namespace detail

/// The tensors of an object's state, copied to the host: the weights to go back to.
///
///     gal::state_copy best(model);
///     ...
///     best.restore(model);
class state_copy {
 public:
  template <stateful Object>
  explicit state_copy(Object& object) : entries_(detail::tensors_of(state_view(object))), numbers_(entries_) {
    for (std::size_t k = 0; k < entries_.size(); ++k) {
      entries_[k].read(numbers_.at(k));
      entries_[k].read = {};
      entries_[k].write = {};
    }
  }

  /// Throws unless the object has the same names and shapes (`shape_mismatch`).
  template <stateful Object>
  void restore(Object& object) const {
    const auto targets = detail::tensors_of(state_view(object));
    bool same = targets.size() == entries_.size();
    for (std::size_t k = 0; same && k < entries_.size(); ++k) {
      same = targets[k].name == entries_[k].name && targets[k].type == entries_[k].type &&
             targets[k].shape == entries_[k].shape;
    }
    detail::require(
        same, error_code::shape_mismatch,
        "gal::state_copy::restore: the object has other tensors; expected those that were copied");
    for (std::size_t k = 0; k < entries_.size(); ++k) {
      targets[k].write(numbers_.at(k));
    }
  }

  /// The copy is a state as well.
  template <class Visitor>
  void visit_state(Visitor& visit) {
    for (std::size_t k = 0; k < entries_.size(); ++k) {
      show(visit, entries_[k], numbers_.at(k));
    }
  }

 private:
  // The copy lies in host memory, whatever the backend it was made from.
  struct host {
    using memory_type = host_memory;
  };
  template <class Visitor>
  static void show(Visitor& visit, const state_view::entry& entry, std::byte* numbers) {
    switch (entry.type) {
      case number_type::float32:
        return visit.tensor(entry.name, host{}, reinterpret_cast<float*>(numbers), entry.shape);
      case number_type::float64:
        return visit.tensor(entry.name, host{}, reinterpret_cast<double*>(numbers), entry.shape);
      case number_type::int64:
        return visit.tensor(entry.name, host{}, reinterpret_cast<std::int64_t*>(numbers), entry.shape);
      case number_type::uint64:
        return visit.tensor(entry.name, host{}, reinterpret_cast<std::uint64_t*>(numbers), entry.shape);
    }
  }

  std::vector<state_view::entry> entries_;
  detail::staged_numbers numbers_;
};

/// What the states of two objects differ in first, bit for bit: a name or a setting; empty where they are the same.
template <stateful A, stateful B>
[[nodiscard]] std::string state_difference(A& a, B& b) {
  const state_view left(a);
  const state_view right(b);
  for (std::size_t k = 0; k < std::max(left.settings().size(), right.settings().size()); ++k) {
    const bool both = k < left.settings().size() && k < right.settings().size();
    if (!both || left.settings()[k].name != right.settings()[k].name ||
        left.settings()[k].value != right.settings()[k].value) {
      return k < left.settings().size() ? left.settings()[k].name : right.settings()[k].name;
    }
  }
  for (std::size_t k = 0; k < std::max(left.entries().size(), right.entries().size()); ++k) {
    const auto& one = k < left.entries().size() ? left.entries()[k] : right.entries()[k];
    const auto& other = k < right.entries().size() ? right.entries()[k] : one;
    std::vector<std::uint64_t> numbers((one.bytes() + 7) / 8);
    std::vector<std::uint64_t> others(numbers.size());
    const bool comparable = left.entries().size() > k && right.entries().size() > k &&
                            one.name == other.name && one.type == other.type && one.shape == other.shape;
    if (comparable) {
      one.read(reinterpret_cast<std::byte*>(numbers.data()));
      other.read(reinterpret_cast<std::byte*>(others.data()));
    }
    if (!comparable || numbers != others) {
      return one.name;
    }
  }
  return "";
}

}  // namespace gal
