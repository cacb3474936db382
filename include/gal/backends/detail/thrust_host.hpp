// gal/backends/detail/thrust_host.hpp: what the device backend needs of Thrust's OpenMP and C++ systems. Included by gal/backends/thrust.hpp.
// Provides: device_options, and nothing else public.
#pragma once

#include <gal/core/view.hpp>

#include <thrust/execution_policy.h>
#include <thrust/for_each.h>
#include <thrust/iterator/counting_iterator.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <functional>
#include <memory>
#include <new>
#include <string>
#include <utility>
#include <vector>

namespace gal::inline GAL_ABI {

/// Nothing can be chosen where Thrust runs on the processor.
struct device_options {};

namespace detail::inline GAL_THRUST_SYSTEM {

// One column of c = alpha op(a) op(b) + beta c. Sums run along the depth in order, whatever the number of threads.
template <class T>
struct product_column {
  bool ta, tb;
  index_type rows, depth;
  T alpha;
  const T* a;
  index_type a_rows;
  const T* b;
  index_type b_rows;
  T beta;
  T* c;

  void operator()(index_type j) const {
    T* const to = c + j * rows;
    for (index_type i = 0; i < rows; ++i) {
      to[i] = beta == T(0) ? T(0) : beta * to[i];
    }
    const auto right = [&](index_type k) { return tb ? b[k * b_rows + j] : b[j * b_rows + k]; };
    if (ta) {
      for (index_type i = 0; i < rows; ++i) {
        T sum = 0;
        for (index_type k = 0; k < depth; ++k) {
          sum += a[i * a_rows + k] * right(k);
        }
        to[i] += alpha * sum;
      }
    } else {
      for (index_type k = 0; k < depth; ++k) {
        const T factor = alpha * right(k);
        for (index_type i = 0; i < rows; ++i) {
          to[i] += factor * a[k * a_rows + i];
        }
      }
    }
  }
};

// Work to be done again, by calling it again.
class recording {
 public:
  static constexpr bool calls_again = true;
  recording() = default;
  explicit recording(std::function<void()> work) : work_(std::move(work)) {}
  [[nodiscard]] bool empty() const { return !work_; }
  void replay() { work_(); }

 private:
  std::function<void()> work_;
};

// The processor in the part of a device.
class device {
 public:
  explicit device(device_options = {}) {}

  [[nodiscard]] std::string name() const {
#if THRUST_DEVICE_SYSTEM == THRUST_DEVICE_SYSTEM_OMP
    return "OpenMP";
#elif THRUST_DEVICE_SYSTEM == THRUST_DEVICE_SYSTEM_CPP
    return "C++";
#else
    return "TBB";
#endif
  }

  // A few elements are not worth waking threads for. The others go in parts that are whole rounds of any SIMD loop, the
  // last one with what is over: whatever the number of threads, each is in the same piece of the compiler's code, which
  // may fuse multiplications in one piece and not in the other.
  template <class F>
  static void for_each(index_type count, F f) {
    constexpr index_type few = 2048;
    constexpr index_type least_part = 256;
    if (count < few) {
      for (index_type i = 0; i < count; ++i) {
        f(i);
      }
    } else {
      const index_type parts = count / least_part;
      run(parts, [=](index_type part) {
        const index_type end = part + 1 == parts ? count : (part + 1) * least_part;
        for (index_type i = part * least_part; i < end; ++i) {
          f(i);
        }
      });
    }
  }

  [[nodiscard]] static void* allocate(std::size_t bytes) {
    void* const memory = ::operator new(bytes, alignment, std::nothrow);
    require(memory != nullptr, error_code::out_of_memory, "gal::thrust_backend: ", bytes,
            " bytes on the processor; expected fewer, or more memory");
    return memory;
  }
  static void deallocate(void* memory) noexcept { ::operator delete(memory, alignment); }

  static void copy(const void* from, void* to, std::size_t bytes) {
    if (bytes > 0) {
      std::memmove(to, from, bytes);
    }
  }
  static void upload(const void* from, void* to, std::size_t bytes) { copy(from, to, bytes); }
  static void download(const void* from, void* to, std::size_t bytes) { copy(from, to, bytes); }
  static void synchronize() {}

  // Blocks of a fixed size, then the blocks in order: the same for any number of threads.
  template <class F>
  void sum(index_type count, F f, double* result) {
    constexpr index_type block = 4096;
    const index_type blocks = (count + block - 1) / block;
    if (static_cast<index_type>(partial_.size()) < blocks) {
      partial_.resize(static_cast<std::size_t>(blocks));
    }
    double* const partial = partial_.data();
    const auto sum_block = [=](index_type number) {
      double sum = 0.0;
      for (index_type i = number * block; i < std::min((number + 1) * block, count); ++i) {
        sum += f(i);
      }
      partial[number] = sum;
    };
    if (blocks > 1) {
      run(blocks, sum_block);
    } else if (blocks == 1) {
      sum_block(0);
    }
    double sum = 0.0;
    for (index_type number = 0; number < blocks; ++number) {
      sum += partial[number];
    }
    *result = sum;
  }

  template <class F>
  static void sum_rows(index_type rows, index_type columns, F f, double* results) {
    for_each(columns, [=](index_type j) {
      double sum = 0.0;
      for (index_type i = 0; i < rows; ++i) {
        sum += f(i, j);
      }
      results[j] = sum;
    });
  }

  template <class T>
  static void product(bool ta, bool tb, index_type rows, index_type columns, index_type depth, T alpha,
                      const T* a, index_type a_rows, const T* b, index_type b_rows, T beta, T* c) {
    const product_column<T> column{ta, tb, rows, depth, alpha, a, a_rows, b, b_rows, beta, c};
    constexpr index_type few = 1 << 14;
    if (rows * columns * depth < few) {
      for (index_type j = 0; j < columns; ++j) {
        column(j);
      }
    } else {
      run(columns, column);
    }
  }

  // There is no graph to be made: the work is the call.
  template <class F>
  [[nodiscard]] static recording record(F f) {
    return recording(std::move(f));
  }

 private:
  static constexpr std::align_val_t alignment{64};

  template <class F>
  static void run(index_type count, F f) {
    thrust::for_each_n(thrust::device, thrust::counting_iterator<index_type>(0), count, [f](index_type i) {
      f(i);
      asm volatile("");  // one after the other: no loop of the compiler's takes several together
    });
  }

  std::vector<double> partial_;
};

inline std::shared_ptr<device> default_device() {
  static const auto instance = std::make_shared<device>();
  return instance;
}

}  // namespace detail::inline GAL_THRUST_SYSTEM
}  // namespace gal
