// gal/core/backend.hpp: the primitives that an execution backend offers, and the matrix that lives in its memory.
// Provides: backend, asynchronous_backend, gathering_backend (concepts), transpose, gathered_factor, gathered_target, matrix, column_products, eigen_backend (declared only).
#pragma once

#include <gal/core/view.hpp>

#include <algorithm>
#include <array>
#include <concepts>
#include <limits>
#include <optional>
#include <string_view>
#include <utility>

namespace gal::inline GAL_ABI {

/// The CPU backend, defined in gal/backends/eigen.hpp. It is the default backend of every class template.
class eigen_backend;

/// Whether `product` uses a factor as it is or transposed.
enum class transpose { no, yes };
constexpr auto enumerator_names(transpose) { return std::to_array<std::string_view>({"no", "yes"}); }

namespace detail {
struct archetype_element {
  GAL_HOST_DEVICE double operator()(index_type) const { return 0.0; }
};
struct archetype_entry {
  GAL_HOST_DEVICE double operator()(index_type, index_type) const { return 0.0; }
};
struct archetype_action {
  GAL_HOST_DEVICE void operator()(index_type) const {}
  GAL_HOST_DEVICE void operator()(index_type, index_type) const {}
};
}  // namespace detail

/// Requirements on a backend `B`, which runs every algorithm of the library. A value of it is a cheap handle (it may
/// hold a stream or a memory pool); copies work on the same memory.
///
///  1. `B::memory_type` names the memory that its pointers lie in.
///  2. `b.template allocate<T>(count)` returns memory for `count` values and `b.deallocate(pointer, count)` returns it.
///  3. `b.copy(from, to, count)` copies within that memory; `b.fill(to, count, value)` fills it.
///  4. `b.for_each(count, f)` runs `f(i)` for all i in [0, count) and `b.for_each(rows, columns, f)` runs `f(i, j)` for
///     every entry of a matrix, in any order, possibly in parallel.
///  5. `b.sum(count, f, result)` stores the sum of `f(i)` (doubles) in `*result`. Its order is fixed, so that the same
///     input gives the same bits; `result` lies in the backend's memory.
///  6. `b.sum_rows(rows, columns, f, results)` stores for each column j the sum over i of `f(i, j)` in `results[j]`.
///  7. `b.product(ta, tb, alpha, a, b, beta, c)` computes c = alpha op(a) op(b) + beta c; with beta 0 c is not read.
///  8. `b.read(pointer)` returns one value to the host, waiting for the work before it.
///
/// A minimal backend, of plain loops on the host:
///
///     struct loops {
///       using memory_type = gal::host_memory;
///       template <class T> T* allocate(gal::index_type n) const { return new T[static_cast<std::size_t>(n)]; }
///       template <class T> void deallocate(T* p, gal::index_type) const { delete[] p; }
///       template <class T> void copy(const T* from, T* to, gal::index_type n) const { std::copy_n(from, n, to); }
///       template <class T> void fill(T* to, gal::index_type n, T value) const { std::fill_n(to, n, value); }
///       template <class F> void for_each(gal::index_type n, F f) const { for (gal::index_type i = 0; i < n; ++i) f(i); }
///       template <class F> void for_each(gal::index_type rows, gal::index_type columns, F f) const {
///         for (gal::index_type j = 0; j < columns; ++j) for_each(rows, [&](gal::index_type i) { f(i, j); });
///       }
///       template <class F> void sum(gal::index_type n, F f, double* result) const {
///         *result = 0;
///         for_each(n, [&](gal::index_type i) { *result += f(i); });
///       }
///       template <class F> void sum_rows(gal::index_type rows, gal::index_type columns, F f, double* results) const {
///         for (gal::index_type j = 0; j < columns; ++j) sum(rows, [&](gal::index_type i) { return f(i, j); }, results + j);
///       }
///       template <class T>
///       void product(gal::transpose ta, gal::transpose tb, T alpha, gal::matrix_view<const T> a,
///                    gal::matrix_view<const T> b, T beta, gal::matrix_view<T> c) const {
///         const bool flip_a = ta == gal::transpose::yes, flip_b = tb == gal::transpose::yes;
///         for_each(c.rows(), c.columns(), [&](gal::index_type i, gal::index_type j) {
///           T total(0);
///           for_each(flip_a ? a.rows() : a.columns(), [&](gal::index_type k) {
///             total += (flip_a ? a(k, i) : a(i, k)) * (flip_b ? b(j, k) : b(k, j));
///           });
///           c(i, j) = alpha * total + (beta == T(0) ? T(0) : beta * c(i, j));
///         });
///       }
///       template <class T> T read(const T* value) const { return *value; }
///     };
template <class B>
concept backend =
    std::copyable<B> && requires(B b, float* memory, const float* input, double* result, index_type count,
                                 matrix_view<const float, typename B::memory_type> factor,
                                 matrix_view<float, typename B::memory_type> product) {
      typename B::memory_type;
      { b.template allocate<float>(count) } -> std::same_as<float*>;
      b.deallocate(memory, count);
      b.copy(input, memory, count);
      b.fill(memory, count, 0.0f);
      b.for_each(count, detail::archetype_action{});
      b.for_each(count, count, detail::archetype_action{});
      b.sum(count, detail::archetype_element{}, result);
      b.sum_rows(count, count, detail::archetype_entry{}, result);
      b.product(transpose::no, transpose::yes, 1.0f, factor, factor, 0.0f, product);
      { b.read(input) } -> std::same_as<float>;
    };

/// A backend whose primitives may return before their work is done, named by `static constexpr bool asynchronous = true`.
/// The algorithms then leave decisions to the kernels instead of waiting for numbers. Optional.
template <class B>
concept asynchronous_backend = backend<B> && requires { requires B::asynchronous; };

/// A factor of `gathered_product`: number k of its row i lies at data[places[i] + steps[k]].
template <class T>
struct gathered_factor {
  const T* data;
  const index_type* places;
  const index_type* steps;
};

/// Where a gathered product goes: number q of run r in column j to data[places[r] + q step + j column_step].
template <class T>
struct gathered_target {
  T* data;
  const index_type* places;
  index_type step;
  index_type column_step;
  const T* start;  ///< of every column, what its sums begin with; null: zero
  bool add;        ///< to what is there
};

/// Numbers behind the end of a run that a gathered product may read.
inline constexpr index_type gathered_slack = 15;

/// A backend on the host that can multiply matrices which do not lie in memory as such: convolutions then need no patches
/// (gal/nn/convolution_unit.hpp). Optional.
///
///  - `b.gathered_product(runs, length, columns, depth, x, w, c)`: c(r, q, j) = sum over k of
///    x.data[x.places[r] + q + x.steps[k]] w.data[w.places[j] + w.steps[k]], for q < length. Behind the last number of a
///    run `gathered_slack` more may be read; they change nothing.
///  - `b.transposed_copy(rows, columns, from, from_step, to, to_step)`: to[j to_step + i] = from[i from_step + j].
template <class B>
concept gathering_backend = backend<B> && std::same_as<typename B::memory_type, host_memory> &&
                            requires(B b, gathered_factor<float> factor, gathered_target<float> target,
                                     const float* from, float* to, index_type count) {
                              b.gathered_product(count, count, count, count, factor, factor, target);
                              b.transposed_copy(count, count, from, count, to, count);
                            };

namespace detail {

// Something in a backend's memory as a kernel captures it: its value, or where it will be when the kernel runs.
template <class T>
struct known {
  T value;
  GAL_HOST_DEVICE const T& operator()() const { return value; }
};
template <class T>
struct pending {
  const T* address;
  GAL_HOST_DEVICE const T& operator()() const { return *address; }
};

template <class Backend, class T>
auto deferred(const Backend& backend, const T* address) {
  if constexpr (asynchronous_backend<Backend>) {
    return pending<T>{address};
  } else {
    return known<T>{backend.read(address)};
  }
}

}  // namespace detail

/// Owning `rows x columns` matrix in the memory of a backend, column-major and contiguous. Resizing keeps the memory,
/// so that a loop over batches of at most one size allocates once.
///
///     gal::matrix<float> x(13, 32);   // 13 features, 32 samples, zero
///     x(0, 5) = 1.0f;
template <class T, class Backend = eigen_backend>
class matrix {
 public:
  using value_type = T;
  using memory_type = typename Backend::memory_type;

  matrix() = default;
  explicit matrix(Backend backend) : backend_(std::move(backend)) {}

  matrix(index_type rows, index_type columns, T fill = T{}, Backend backend = {})
      : backend_(std::move(backend)) {
    resize(rows, columns);
    this->fill(fill);
  }

  /// A copy of what `other` shows, in this backend's memory.
  explicit matrix(matrix_view<const T, memory_type> other, Backend backend = {})
      : backend_(std::move(backend)) {
    assign(other);
  }

  matrix(const matrix& other) : backend_(other.backend_) { assign(other); }
  matrix(matrix&& other) noexcept : backend_(other.backend_) { swap(other); }
  matrix& operator=(const matrix& other) {
    if (this != &other) {
      assign(other);
    }
    return *this;
  }
  matrix& operator=(matrix&& other) noexcept {
    swap(other);
    return *this;
  }
  ~matrix() {
    if (data_ != nullptr) {
      backend_.deallocate(data_, capacity_);
    }
  }

  [[nodiscard]] const Backend& backend() const { return backend_; }
  [[nodiscard]] index_type rows() const { return rows_; }
  [[nodiscard]] index_type columns() const { return columns_; }
  [[nodiscard]] index_type size() const { return rows_ * columns_; }
  [[nodiscard]] gal::shape shape() const { return {rows_, columns_}; }
  [[nodiscard]] T* data() { return data_; }
  [[nodiscard]] const T* data() const { return data_; }

  [[nodiscard]] matrix_view<T, memory_type> view() { return {data_, rows_, columns_}; }
  [[nodiscard]] matrix_view<const T, memory_type> view() const { return {data_, rows_, columns_}; }

  /// Element access, for memory that the host can read.
  [[nodiscard]] T& operator()(index_type row, index_type column)
    requires std::same_as<memory_type, host_memory>
  {
    return data_[column * rows_ + row];
  }
  [[nodiscard]] const T& operator()(index_type row, index_type column) const
    requires std::same_as<memory_type, host_memory>
  {
    return data_[column * rows_ + row];
  }

  /// Sets the size; values are unspecified afterwards. Memory is kept when it suffices. Throws for a negative size
  /// (`shape_mismatch`), and where no address reaches over as many numbers (`out_of_memory`).
  void resize(index_type rows, index_type columns) {
    if (rows == rows_ && columns == columns_) {
      return;
    }
    detail::require(rows >= 0 && columns >= 0, error_code::shape_mismatch, "gal::matrix: size ", rows, " x ",
                    columns, "; expected non-negative numbers");
    constexpr index_type most = std::numeric_limits<index_type>::max() / static_cast<index_type>(sizeof(T));
    const std::optional<index_type> wanted = detail::product_of({rows, columns}, most);
    detail::require(wanted.has_value(), error_code::out_of_memory, "gal::matrix: size ", rows, " x ", columns,
                    "; expected at most ", most, " numbers");
    if (*wanted > capacity_) {
      T* const fresh = backend_.template allocate<T>(*wanted);
      if (data_ != nullptr) {
        backend_.deallocate(data_, capacity_);
      }
      data_ = fresh;
      capacity_ = *wanted;
    }
    rows_ = rows;
    columns_ = columns;
  }

  void fill(T value) { backend_.fill(data_, size(), value); }

  /// Takes the size and values of `other`.
  void assign(matrix_view<const T, memory_type> other) {
    resize(other.rows(), other.columns());
    backend_.copy(other.data(), data_, other.size());
  }

  void swap(matrix& other) noexcept {
    std::swap(backend_, other.backend_);
    std::swap(data_, other.data_);
    std::swap(rows_, other.rows_);
    std::swap(columns_, other.columns_);
    std::swap(capacity_, other.capacity_);
  }

  friend bool operator==(const matrix& a, const matrix& b)
    requires std::same_as<memory_type, host_memory>
  {
    return a.shape() == b.shape() && std::equal(a.data_, a.data_ + a.size(), b.data_);
  }

 private:
  Backend backend_{};
  T* data_ = nullptr;
  index_type rows_ = 0;
  index_type columns_ = 0;
  index_type capacity_ = 0;
};

template <class T, class Backend>
struct view_of<matrix<T, Backend>> {
  template <class M>
  static auto get(M&& m) {
    return m.view();
  }
};

/// <a_j, b_j> for every column j, into `products` (`1 x columns`), accumulated in double.
template <class T, class Memory, class Backend>
void column_products(const Backend& backend, matrix_view<const T, Memory> a, matrix_view<const T, Memory> b,
                     matrix<double, Backend>& products) {
  products.resize(1, a.columns());
  backend.sum_rows(
      a.rows(), a.columns(),
      [=] GAL_KERNEL(index_type i, index_type j) {
        return static_cast<double>(a(i, j)) * static_cast<double>(b(i, j));
      },
      products.data());
}

}  // namespace gal
