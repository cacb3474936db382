// gal/backends/eigen.hpp: the CPU backend. Matrix products have kernels of their own (product.hpp); everything else is plain loops
// that the compiler vectorises.
// Provides: eigen_backend.
#pragma once

#include <gal/backends/detail/gathered_product.hpp>
#include <gal/backends/detail/product.hpp>
#include <gal/core/backend.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <new>
#include <numeric>
#include <utility>

// Of a function that is compiled once and called by all, neither inlined nor copied for the arguments of one caller.
#if defined(__clang__)
#define GAL_ONE_COPY [[gnu::noinline]]
#else
#define GAL_ONE_COPY [[gnu::noipa]]
#endif

// Of a lambda, which [[gnu::always_inline]] would not reach.
#define GAL_INLINE __attribute__((always_inline))

namespace gal::inline GAL_ABI {

/// Runs on the processor. With more than one thread, products and elementwise work that are large enough are shared out
/// among them, in programs that are compiled with OpenMP; the results are the same, bit for bit.
///
///     gal::eigen_backend backend(/*threads=*/2);
///     gal::nn::mlp<float> model({1024, 1024, 10}, {.seed = 1}, backend);
class eigen_backend {
 public:
  using memory_type = host_memory;

  eigen_backend() = default;

  /// Throws for fewer than one thread.
  explicit eigen_backend(int threads) : threads_(threads) {
    detail::require(threads >= 1, error_code::invalid_option, "gal::eigen_backend: threads is ", threads,
                    "; expected at least 1");
  }

  [[nodiscard]] int threads() const { return threads_; }

  template <class T>
  [[nodiscard]] T* allocate(index_type count) const {
    return static_cast<T*>(::operator new(static_cast<std::size_t>(count) * sizeof(T), alignment));
  }

  template <class T>
  void deallocate(T* memory, index_type) const noexcept {
    ::operator delete(memory, alignment);
  }

  template <class T>
  void copy(const T* from, T* to, index_type count) const {
    std::copy_n(from, count, to);
  }

  template <class T>
  void fill(T* to, index_type count, T value) const {
    share(count, count, [=](index_type first, index_type last) GAL_INLINE {
      std::fill_n(to + first, last - first, value);
    });
  }

  template <class F>
  void for_each(index_type count, F f) const {
    const index_type parts = std::max(count / least_part, index_type{1});
    share(parts, count, [=](index_type first, index_type last) GAL_INLINE {
      const F body = f;  // of this thread: nothing that the loop writes can be part of it
      const index_type end = last == parts ? count : last * least_part;
      for (index_type i = first * least_part; i < end; ++i) {
        body(i);
      }
    });
  }

  template <class F>
  void for_each(index_type rows, index_type columns, F f) const {
    share(columns, rows * columns, [f, rows](index_type first, index_type last) GAL_INLINE {
      const F body = f;
      for (index_type j = first; j < last; ++j) {
        for (index_type i = 0; i < rows; ++i) {
          body(i, j);
        }
        keep_order();
      }
    });
  }

  /// Adds in `lanes` interleaved partial sums of a block, then the blocks: a fixed order that still vectorises.
  template <class F>
  void sum(index_type count, F f, double* result) const {
    if (count <= sum_block) {
      run([=](index_type first, index_type last) GAL_INLINE { *result = lane_sum(first, last, f); }, 0,
          count);
      return;
    }
    const index_type blocks = (count + sum_block - 1) / sum_block;
    thread_local detail::workspace<double> memory;
    double* const partial = memory.reserve(blocks);
    share(blocks, count, [=](index_type first, index_type last) GAL_INLINE {
      for (index_type block = first; block < last; ++block) {
        partial[block] = lane_sum(block * sum_block, std::min((block + 1) * sum_block, count), f);
        keep_order();
      }
    });
    *result = std::accumulate(partial, partial + blocks, 0.0);
  }

  template <class F>
  void sum_rows(index_type rows, index_type columns, F f, double* results) const {
    if (rows == 1) {  // nothing to sum, and a loop that vectorises
      for_each(columns, [=](index_type j) { results[j] = f(index_type{0}, j); });
      return;
    }
    share(columns, rows * columns, [=](index_type first, index_type last) GAL_INLINE {
      for (index_type j = first; j < last; ++j) {
        results[j] = lane_sum(0, rows, [=](index_type i) { return f(i, j); });
        keep_order();
      }
    });
  }

  template <class T>
  void product(transpose ta, transpose tb, T alpha, matrix_view<const T> a, matrix_view<const T> b, T beta,
               matrix_view<T> c) const {
    const index_type depth = ta == transpose::no ? a.columns() : a.rows();
    if (depth == 0 && beta == T(0)) {
      fill(c.data(), c.size(), T(0));
    } else if (beta != T(0) && beta != T(1)) {
      for_each(c.size(), [to = c.data(), beta](index_type i) { to[i] *= beta; });
    }
    if (c.size() == 0 || depth == 0) {
      return;
    }
    detail::factor_view<T> left{a.data(), 1, a.rows()};
    detail::factor_view<T> right{b.data(), 1, b.rows()};
    left = ta == transpose::no ? left : left.transposed();
    right = tb == transpose::no ? right : right.transposed();
    index_type rows = c.rows();
    index_type columns = c.columns();
    if (rows == 1) {  // computed as the column that a row is in memory
      left = std::exchange(right, {left.data, 1, depth}).transposed();
      std::swap(rows, columns);
    }
    const detail::product_target<T> target{c.data(), 1, rows, alpha, beta != T(0)};
    const auto kernel = detail::choose_product(rows, columns, depth, left, right);
    share(columns, c.size() * depth / 8, [=](index_type first, index_type last) {
      kernel(rows, last - first, depth, left, right.from(0, first), target.from(0, first));
    });
  }

  /// See `gathering_backend`.
  template <class T>
  void gathered_product(index_type runs, index_type length, index_type columns, index_type depth,
                        gathered_factor<T> a, gathered_factor<T> b, gathered_target<T> c) const {
    share(columns, runs * length * columns * depth / 8, [=](index_type first, index_type last) {
      gathered_factor<T> right = b;
      gathered_target<T> target = c;
      right.places += first;
      target.data += first * c.column_step;
      target.start = c.start == nullptr ? nullptr : c.start + first;
      detail::take_gathered_product(runs, length, last - first, depth, a, right, target);
    });
  }

  template <class T>
  void transposed_copy(index_type rows, index_type columns, const T* from, index_type from_step, T* to,
                       index_type to_step) const {
    detail::transpose_into(rows, columns, from, from_step, to, to_step);
  }

  /// Runs `f(backend, i)` for all i in [0, count), shared out among the threads; each gets a backend of one thread. No two
  /// calls may write to the same memory, and none may throw.
  template <class F>
  void for_each_task(index_type count, const F& f) const {
    share(count, worth_sharing, [&f](index_type first, index_type last) {
      const eigen_backend own;
      for (index_type i = first; i < last; ++i) {
        f(own, i);
      }
    });
  }

  template <class T>
  [[nodiscard]] T read(const T* value) const {
    return *value;
  }

  friend bool operator==(const eigen_backend&, const eigen_backend&) = default;

 private:
  static constexpr std::align_val_t alignment{64};
  static constexpr index_type lanes = 16;
  static constexpr index_type sum_block = 1 << 14;

  static constexpr index_type worth_sharing = 1 << 16;  // elementary operations

  // The number of threads must not change a bit. A compiler makes of one line of arithmetic several pieces of code (the
  // SIMD loop and the rest behind it, the function and its copy inlined elsewhere) and may fuse multiplications in one
  // and not in the other. So every thread runs the same compiled function (`run`), and parts begin where that many
  // numbers are whole rounds of any SIMD loop, the last one taking what is over: each number is in the same piece of
  // code as on one thread.
  static constexpr index_type least_part = 1024;

  // In a loop over columns or blocks: one after the other, where a compiler might take several together and the rest of
  // a part in other code.
  [[gnu::always_inline]] static void keep_order() { asm volatile(""); }

  // Runs `part(first, last)` over [0, count): at once, or in equal parts by the threads where the work, in elementary
  // operations, is worth waking them.
  template <class Part>
  void share(index_type count, index_type work, Part part) const {
#ifdef _OPENMP
    if (threads_ > 1 && count > 1 && work >= worth_sharing) {
      share_out(threads_, count, part);
      return;
    }
#endif
    static_cast<void>(work);
    run(part, 0, count);
  }

  // A part's loop, by the widest instructions that the processor has: compiled twice, since the part is inlined.
  template <class Part>
  static void run(const Part& part, index_type first, index_type last) {
    if (detail::has_wide_instructions()) {
      run_wide(part, first, last);
    } else {
      run_plain(part, first, last);
    }
  }
  template <class Part>
  GAL_ONE_COPY static void run_plain(const Part& part, index_type first, index_type last) {
    part(first, last);
  }
  template <class Part>
  GAL_ONE_COPY GAL_WIDE static void run_wide(const Part& part, index_type first, index_type last) {
    part(first, last);
  }

#ifdef _OPENMP
  // A function of its own: Clang enters the OpenMP runtime at the start of the function that has the directive, which a
  // loop on one thread should neither wait for nor start.
  template <class Part>
  [[gnu::noinline]] static void share_out(int threads, index_type count, Part part) {
    const index_type size = (count + threads - 1) / threads;
#pragma omp parallel for num_threads(threads) schedule(static, 1)
    for (index_type first = 0; first < count; first += size) {
      run(part, first, std::min(first + size, count));
    }
  }
#endif

  template <class F>
  [[nodiscard, gnu::always_inline]] static double lane_sum(index_type first, index_type last, F f) {
    std::array<double, lanes> partial{};
    index_type i = first;
    for (; i + lanes <= last; i += lanes) {
      for (index_type lane = 0; lane < lanes; ++lane) {
        partial[static_cast<std::size_t>(lane)] += f(i + lane);
      }
    }
    double total = 0.0;
    for (; i < last; ++i) {
      total += f(i);
    }
    for (const double part : partial) {
      total += part;
    }
    return total;
  }

  int threads_ = 1;
};

static_assert(gathering_backend<eigen_backend>);

}  // namespace gal

#undef GAL_INLINE
#undef GAL_ONE_COPY
#undef GAL_WIDE
