// gal/backends/thrust.hpp: the device backend. The same source runs on CUDA and, for machines without a GPU, on Thrust's OpenMP
// and C++ systems: THRUST_DEVICE_SYSTEM says which. Never includes Eigen.
// Provides: thrust_backend, device_memory, device_options, to_device, to_host.
#pragma once

#include <gal/core/backend.hpp>

#include <thrust/iterator/counting_iterator.h>  // defines THRUST_DEVICE_SYSTEM

// Units of one program may be compiled for different systems: each has a backend of its own name.
#if THRUST_DEVICE_SYSTEM == THRUST_DEVICE_SYSTEM_CUDA
#define GAL_THRUST_SYSTEM thrust_cuda
#include <gal/backends/detail/thrust_cuda.hpp>
#else
#if THRUST_DEVICE_SYSTEM == THRUST_DEVICE_SYSTEM_OMP
#define GAL_THRUST_SYSTEM thrust_openmp
#elif THRUST_DEVICE_SYSTEM == THRUST_DEVICE_SYSTEM_CPP
#define GAL_THRUST_SYSTEM thrust_cpp
#else
#define GAL_THRUST_SYSTEM thrust_tbb
#endif
#include <gal/backends/detail/thrust_host.hpp>
#endif

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace gal::inline GAL_ABI {

/// Memory of the device. Host pointers do not convert to it, nor its pointers to the host's, also where Thrust runs on
/// the processor and both are the same.
struct device_memory {};

namespace detail {

template <class T>
struct fill_action {
  T* to;
  T value;
  GAL_HOST_DEVICE void operator()(index_type i) const { to[i] = value; }
};

// c = beta c; with beta 0 c is not read.
template <class T>
struct scale_action {
  T* c;
  T beta;
  GAL_HOST_DEVICE void operator()(index_type i) const { c[i] = beta == T(0) ? T(0) : beta * c[i]; }
};

// An entry's number in column-major order as its row and column. GPUs divide by 32 bits, and make 64 of several steps.
template <class F, class Number>
struct entry_action {
  F f;
  Number rows;

  GAL_HOST_DEVICE void operator()(index_type entry) const {
    const auto number = static_cast<Number>(entry);
    f(static_cast<index_type>(number % rows), static_cast<index_type>(number / rows));
  }
};

template <class F>
struct element_action {
  F f;
  GAL_HOST_DEVICE void operator()(index_type i) const { f(i); }
};

}  // namespace detail

inline namespace GAL_THRUST_SYSTEM {

/// Runs on Thrust's device system. A value of it is a handle: copies share the stream, the memory pool and the library
/// handles. Every primitive but `read`, `upload` and `download` returns before its work is done; work is done in
/// the order of the calls, so one backend must be given to everything that works together.
///
///     gal::thrust_backend backend;
///     gal::nn::mlp<float, gal::thrust_backend> model({13, 100, 50, 1}, {.seed = 1}, backend);
///
/// What the device refuses throws `gal::error` with the call and the device's name; where memory ran out (code
/// `out_of_memory`), what asked for it is as before.
class thrust_backend {
 public:
  using memory_type = device_memory;
  static constexpr bool asynchronous = true;

  /// On the current device, with a stream of its own that all default-constructed backends of the program share.
  thrust_backend() : device_(detail::default_device()) {}

  /// With these options, such as a stream of the user's.
  explicit thrust_backend(device_options options) : device_(std::make_shared<detail::device>(options)) {}

  template <class T>
  [[nodiscard]] T* allocate(index_type count) const {
    return static_cast<T*>(device_->allocate(static_cast<std::size_t>(count) * sizeof(T)));
  }

  template <class T>
  void deallocate(T* memory, index_type) const noexcept {
    device_->deallocate(memory);
  }

  template <class T>
  void copy(const T* from, T* to, index_type count) const {
    device_->copy(from, to, static_cast<std::size_t>(count) * sizeof(T));
  }

  template <class T>
  void fill(T* to, index_type count, T value) const {
    for_each(count, detail::fill_action<T>{to, value});
  }

  template <class F>
  void for_each(index_type count, F f) const {
    device_->for_each(count, detail::element_action<F>{std::move(f)});
  }

  template <class F>
  void for_each(index_type rows, index_type columns, F f) const {
    const index_type count = rows * columns;
    if (count <= std::numeric_limits<std::int32_t>::max()) {
      device_->for_each(count, detail::entry_action<F, std::uint32_t>{f, static_cast<std::uint32_t>(rows)});
    } else {
      device_->for_each(count, detail::entry_action<F, index_type>{f, rows});
    }
  }

  /// The same order of additions on every run on one kind of device.
  template <class F>
  void sum(index_type count, F f, double* result) const {
    device_->sum(count, f, result);
  }

  template <class F>
  void sum_rows(index_type rows, index_type columns, F f, double* results) const {
    device_->sum_rows(rows, columns, f, results);
  }

  template <class T>
  void product(transpose ta, transpose tb, T alpha, matrix_view<const T, device_memory> a,
               matrix_view<const T, device_memory> b, T beta, matrix_view<T, device_memory> c) const {
    const index_type depth = ta == transpose::no ? a.columns() : a.rows();
    if (c.size() == 0) {
      return;
    }
    if (depth == 0) {
      for_each(c.size(), detail::scale_action<T>{c.data(), beta});
      return;
    }
    device_->product(ta == transpose::yes, tb == transpose::yes, c.rows(), c.columns(), depth, alpha,
                     a.data(), a.rows(), b.data(), b.rows(), beta, c.data());
  }

  /// Waits for the work before it.
  template <class T>
  [[nodiscard]] T read(const T* value) const {
    T result;
    download(value, &result, 1);
    return result;
  }

  /// Copies `count` values from the host; `from` may change afterwards.
  template <class T>
  void upload(const T* from, T* to, index_type count) const {
    device_->upload(from, to, static_cast<std::size_t>(count) * sizeof(T));
  }

  /// Copies `count` values to the host, and waits for them.
  template <class T>
  void download(const T* from, T* to, index_type count) const {
    device_->download(from, to, static_cast<std::size_t>(count) * sizeof(T));
  }

  /// Waits until all work is done; throws what went wrong in it.
  void synchronize() const { device_->synchronize(); }

  /// What runs the work: "OpenMP", "C++", or the GPU's name.
  [[nodiscard]] std::string name() const { return device_->name(); }

  /// The work that `f` hands out, recorded to be done again. `f` may neither allocate nor read.
  template <class F>
  [[nodiscard]] detail::recording record(F f) const {
    return device_->record(std::move(f));
  }

 private:
  std::shared_ptr<detail::device> device_;
};

}  // namespace GAL_THRUST_SYSTEM

static_assert(backend<thrust_backend>);

/// A copy of a host matrix on the device.
///
///     const auto x = gal::to_device(backend, batch);
template <viewable Host>
[[nodiscard]] auto to_device(const thrust_backend& backend, const Host& host) {
  const auto from = gal::view(host);
  static_assert(std::same_as<typename decltype(from)::memory_type, host_memory>,
                "gal::to_device: the matrix is not in the host's memory.");
  using T = typename decltype(from)::value_type;
  matrix<T, thrust_backend> result(backend);
  result.resize(from.rows(), from.columns());
  backend.upload(static_cast<const T*>(from.data()), result.data(), from.size());
  return result;
}

/// The values of a device matrix, column by column, on the host; waits for them.
template <class T>
[[nodiscard]] std::vector<std::remove_const_t<T>> to_host(const thrust_backend& backend,
                                                          matrix_view<T, device_memory> device) {
  std::vector<std::remove_const_t<T>> result(static_cast<std::size_t>(device.size()));
  backend.download(static_cast<const std::remove_const_t<T>*>(device.data()), result.data(), device.size());
  return result;
}

}  // namespace gal
