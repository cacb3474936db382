// gal/eigen.hpp: the CPU backend. Matrix products are made of Eigen's SIMD packets; everything else is plain loops that
// the compiler vectorises. The only core header that includes Eigen.
// Provides: eigen_backend.
#pragma once

#include <gal/backend.hpp>

#include <Eigen/Core>

#include <algorithm>
#include <array>
#include <cstddef>
#include <new>
#include <numeric>
#include <utility>

namespace gal {

namespace detail {

// Memory that outlives its use: it grows to the largest need of its thread.
template <class T>
class workspace {
 public:
  workspace() = default;
  workspace(const workspace&) = delete;
  workspace& operator=(const workspace&) = delete;
  ~workspace() { release(); }

  T* reserve(index count) {
    if (count > capacity_) {
      release();
      data_ = static_cast<T*>(::operator new(static_cast<std::size_t>(count) * sizeof(T), alignment));
      capacity_ = count;
    }
    return data_;
  }

 private:
  static constexpr std::align_val_t alignment{64};

  void release() {
    if (data_ != nullptr) {
      ::operator delete(data_, alignment);
    }
    data_ = nullptr;
    capacity_ = 0;
  }

  T* data_ = nullptr;
  index capacity_ = 0;
};

// A factor of a product as it is used: entry (i, j) lies at data[i * row_step + j * column_step].
template <class T>
struct factor_view {
  const T* data;
  index row_step;
  index column_step;

  [[nodiscard]] const T* at(index i, index j) const { return data + i * row_step + j * column_step; }
  [[nodiscard]] factor_view from(index i, index j) const { return {at(i, j), row_step, column_step}; }
  [[nodiscard]] factor_view transposed() const { return {data, column_step, row_step}; }
};

// Where a product goes: entry (i, j) at data[i * row_step + j * column_step], times `scale`, and added to what is there
// or not.
template <class T>
struct product_target {
  T* data;
  index row_step;
  index column_step;
  T scale;
  bool add;

  [[nodiscard]] product_target from(index i, index j) const {
    return {data + i * row_step + j * column_step, row_step, column_step, scale, add};
  }
  [[nodiscard]] product_target transposed() const { return {data, column_step, row_step, scale, add}; }
  void store(index i, index j, T value) const {
    T& to = data[i * row_step + j * column_step];
    to = add ? to + scale * value : scale * value;
  }
};

// GCC warns of a SIMD type as a template argument, and of undefined registers inside its own AVX-512 intrinsics.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wignored-attributes"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

// alpha a b, stored or added, on Eigen's packets (SIMD registers). Eigen's own product is made for large matrices; the networks here
// are small and of awkward sizes. It allocates nothing after the first product of a size. Every entry of c is summed in one fixed order, whatever else is computed beside it.
template <class T>
class packet_product {
 public:
  /// Computes c = alpha a b, or adds it: `rows x columns`, with `depth` products an entry; the rows of c are contiguous.
  using kernel = void (*)(index rows, index columns, index depth, factor_view<T> a, factor_view<T> b,
                          product_target<T> c);

  /// The kernel for a product. It may be run on parts of the columns: which threads share them changes no sum.
  static kernel choose(index rows, index columns, index depth, factor_view<T> a, factor_view<T> b) {
    const bool along_depth = a.column_step == 1 && b.row_step == 1 && depth >= width;
    if (rows * columns * depth <= few_products) {
      return take_entries;
    }
    if (along_depth && columns <= std::min(rows, tile_dots)) {
      return take_dots_of_columns;
    }
    return along_depth && rows <= tile_dots ? take_dots : take_panels;
  }

 private:
  using packet = typename Eigen::internal::packet_traits<T>::type;
  static constexpr index width = Eigen::internal::unpacket_traits<packet>::size;
  using packet_block = Eigen::internal::PacketBlock<packet, width>;
  static constexpr index tile_columns = 6;   // of two packets: 12 sums, which 16 registers hold
  static constexpr index tile_dots = 4;      // columns of sums along the depth
  static constexpr index tall_tile = 8;      // packets of a tile of one column
  static constexpr index depth_block = 256;  // a panel of that depth stays in the first cache

  static constexpr index few_products = 64;  // so few that the tiles cost more than they save

  // One entry after the other.
  static void take_entries(index rows, index columns, index depth, factor_view<T> a, factor_view<T> b,
                           product_target<T> c) {
    for (index j = 0; j < columns; ++j) {
      for (index i = 0; i < rows; ++i) {
        T sum = T(0);
        for (index k = 0; k < depth; ++k) {
          sum += *a.at(i, k) * *b.at(k, j);
        }
        c.store(i, j, sum);
      }
    }
  }

  // Sums along rows of c: panels of one or two packets of rows, the depth in blocks.
  static void take_panels(index rows, index columns, index depth, factor_view<T> a, factor_view<T> b,
                          product_target<T> c) {
    for (index k = 0; k < depth; k += depth_block) {
      const index part = std::min(depth_block, depth - k);
      const factor_view<T> block = pack_columns(part, columns, rows, b.from(k, 0));
      index i = 0;
      if (columns == 1 && a.row_step == 1) {  // a vector: tall tiles keep as many sums in flight
        for (; i + tall_tile * width <= rows; i += tall_tile * width) {
          take_tile<tall_tile>(std::index_sequence<0>(), tall_tile * width, part, a.from(i, k), block,
                               c.from(i, 0));
        }
      }
      for (; rows - i > width; i += 2 * width) {
        take_panel<2>(std::min(rows - i, 2 * width), columns, part, a.from(i, k), block, c.from(i, 0));
      }
      if (i < rows) {
        take_panel<1>(rows - i, columns, part, a.from(i, k), block, c.from(i, 0));
      }
      c.add = true;
    }
  }

  // A block of the right factor that does not fit into the first cache, and is used often enough to pay for it, gets
  // contiguous columns.
  static factor_view<T> pack_columns(index depth, index columns, index rows, factor_view<T> b) {
    if (b.row_step == 1 || depth * columns < 4096 || rows < 4 * width) {
      return b;
    }
    thread_local detail::workspace<T> memory;
    T* const packed = memory.reserve(depth * columns);
    transpose_into(depth, columns, b.data, b.row_step, packed, depth);
    return {packed, 1, depth};
  }

  template <int Packets>
  static void take_panel(index rows, index columns, index depth, factor_view<T> a, factor_view<T> b,
                         product_target<T> c) {
    constexpr index full = Packets * width;
    if (rows < full || a.row_step != 1 || a.column_step * depth > 8192) {
      thread_local detail::workspace<T> memory;
      T* const packed = memory.reserve(depth * full);
      pack_rows<full>(rows, depth, a, packed);
      a = {packed, 1, full};
    }
    index j = 0;
    if constexpr (Packets == 1) {
      for (; j + 2 * tile_columns <= columns; j += 2 * tile_columns) {
        take_tile<1>(std::make_index_sequence<2 * tile_columns>(), rows, depth, a, b.from(0, j),
                     c.from(0, j));
      }
    }
    for (; j + tile_columns <= columns; j += tile_columns) {
      take_tile<Packets>(std::make_index_sequence<tile_columns>(), rows, depth, a, b.from(0, j),
                         c.from(0, j));
    }
    take_last_tile<Packets>(std::make_index_sequence<tile_columns - 1>(), columns - j, rows, depth, a,
                            b.from(0, j), c.from(0, j));
  }

  // Copies rows x depth of the left factor to full x depth, with zeros below.
  template <index Full>
  static void pack_rows(index rows, index depth, factor_view<T> a, T* packed) {
    if (rows < Full) {
      std::fill_n(packed, Full * depth, T(0));
    }
    if (a.column_step == 1) {
      transpose_into(rows, depth, a.data, a.row_step, packed, Full);
    } else {
      for (index k = 0; k < depth; ++k) {
        const T* const from = a.at(0, k);
        for (index i = 0; i < rows; ++i) {
          packed[k * Full + i] = from[i * a.row_step];
        }
      }
    }
  }

  // to[k * to_step + i] = from[i * from_step + k] for i < rows, k < columns, in blocks of packets.
  static void transpose_into(index rows, index columns, const T* from, index from_step, T* to,
                             index to_step) {
    index i = 0;
    if constexpr (width > 1) {
      for (; i + width <= rows; i += width) {
        index k = 0;
        for (; k + width <= columns; k += width) {
          packet_block block;
          for (index q = 0; q < width; ++q) {
            block.packet[q] = Eigen::internal::ploadu<packet>(from + (i + q) * from_step + k);
          }
          Eigen::internal::ptranspose(block);
          for (index q = 0; q < width; ++q) {
            Eigen::internal::pstoreu(to + (k + q) * to_step + i, block.packet[q]);
          }
        }
        transpose_scalars(i, i + width, k, columns, from, from_step, to, to_step);
      }
    }
    transpose_scalars(i, rows, 0, columns, from, from_step, to, to_step);
  }

  static void transpose_scalars(index first, index last, index k_first, index k_last, const T* from,
                                index from_step, T* to, index to_step) {
    for (index i = first; i < last; ++i) {
      for (index k = k_first; k < k_last; ++k) {
        to[k * to_step + i] = from[i * from_step + k];
      }
    }
  }

  // The columns that are left: fewer than a tile has.
  template <int Packets, std::size_t... Fewer, class... Arguments>
  static void take_last_tile(std::index_sequence<Fewer...>, index columns, Arguments... arguments) {
    static_cast<void>(((columns == static_cast<index>(Fewer + 1) &&
                        (take_tile<Packets>(std::make_index_sequence<Fewer + 1>(), arguments...), true)) ||
                       ...));
  }

  // One tile of c, held in registers while the depth goes by.
  template <int Packets, std::size_t... J>
  static void take_tile(std::index_sequence<J...>, index rows, index depth, factor_view<T> a,
                        factor_view<T> b, product_target<T> c) {
    namespace simd = Eigen::internal;
    packet sums[Packets][sizeof...(J)];
    for (auto& row : sums) {
      ((row[J] = simd::pset1<packet>(T(0))), ...);
    }
    const T* const factors[] = {b.at(0, static_cast<index>(J))...};
    for (index k = 0; k < depth; ++k) {
      const T* const left = a.at(0, k);
      packet part[Packets];
      for (index p = 0; p < Packets; ++p) {
        part[p] = simd::ploadu<packet>(left + p * width);
      }
      const auto add = [&](std::size_t j) {
        const packet factor = simd::pset1<packet>(factors[j][k * b.row_step]);
        for (index p = 0; p < Packets; ++p) {
          sums[p][j] = simd::pmadd(part[p], factor, sums[p][j]);
        }
      };
      (add(J), ...);
    }
    const packet scale = simd::pset1<packet>(c.scale);
    const auto store = [&](std::size_t j) {
      T* const to = c.data + static_cast<index>(j) * c.column_step;
      if (rows == Packets * width) {
        for (index p = 0; p < Packets; ++p) {
          const packet old = c.add ? simd::ploadu<packet>(to + p * width) : simd::pset1<packet>(T(0));
          simd::pstoreu(to + p * width, simd::pmadd(sums[p][j], scale, old));
        }
      } else {
        std::array<T, static_cast<std::size_t>(Packets * width)> values{};
        for (index p = 0; p < Packets; ++p) {
          simd::pstoreu(values.data() + p * width, sums[p][j]);
        }
        for (index i = 0; i < rows; ++i) {
          c.store(i, static_cast<index>(j), values[static_cast<std::size_t>(i)]);
        }
      }
    };
    (store(J), ...);
  }

  // Few rows, both factors contiguous along the depth: sums along it.
  static void take_dots(index rows, index columns, index depth, factor_view<T> a, factor_view<T> b,
                        product_target<T> c) {
    for (index i = 0; i < rows; ++i) {
      index j = 0;
      for (; j + tile_dots <= columns; j += tile_dots) {
        take_dot_tile(std::make_index_sequence<tile_dots>(), depth, a.at(i, 0), b.from(0, j), c.from(i, j));
      }
      for (; j < columns; ++j) {
        take_dot_tile(std::index_sequence<0>(), depth, a.at(i, 0), b.from(0, j), c.from(i, j));
      }
    }
  }

  static void take_dots_of_columns(index rows, index columns, index depth, factor_view<T> a, factor_view<T> b,
                                   product_target<T> c) {
    take_dots(columns, rows, depth, b.transposed(), a.transposed(), c.transposed());
  }

  template <std::size_t... J>
  static void take_dot_tile(std::index_sequence<J...>, index depth, const T* a, factor_view<T> b,
                            product_target<T> c) {
    namespace simd = Eigen::internal;
    const T* const factors[] = {b.at(0, static_cast<index>(J))...};
    packet sums[] = {(static_cast<void>(J), simd::pset1<packet>(T(0)))...};
    index k = 0;
    for (; k + width <= depth; k += width) {
      const packet part = simd::ploadu<packet>(a + k);
      ((sums[J] = simd::pmadd(part, simd::ploadu<packet>(factors[J] + k), sums[J])), ...);
    }
    T rest[] = {(static_cast<void>(J), T(0))...};
    for (; k < depth; ++k) {
      ((rest[J] += a[k] * factors[J][k]), ...);
    }
    (c.store(0, static_cast<index>(J), simd::predux(sums[J]) + rest[J]), ...);
  }
};

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif

}  // namespace detail

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
  [[nodiscard]] T* allocate(index count) const {
    return static_cast<T*>(::operator new(static_cast<std::size_t>(count) * sizeof(T), alignment));
  }

  template <class T>
  void deallocate(T* memory, index) const noexcept {
    ::operator delete(memory, alignment);
  }

  template <class T>
  void copy(const T* from, T* to, index count) const {
    std::copy_n(from, count, to);
  }

  template <class T>
  void fill(T* to, index count, T value) const {
    share(count, count, [=](index first, index last) { std::fill_n(to + first, last - first, value); });
  }

  template <class F>
  void for_each(index count, F f) const {
    share(count, count, [f](index first, index last) {
      const F body = f;  // of this thread: nothing that the loop writes can be part of it
      for (index i = first; i < last; ++i) {
        body(i);
      }
    });
  }

  template <class F>
  void for_each(index rows, index columns, F f) const {
    share(columns, rows * columns, [f, rows](index first, index last) {
      const F body = f;
      for (index j = first; j < last; ++j) {
        for (index i = 0; i < rows; ++i) {
          body(i, j);
        }
      }
    });
  }

  /// Adds in `lanes` interleaved partial sums of a block, then the blocks: a fixed order that still vectorises.
  template <class F>
  void sum(index count, F f, double* result) const {
    if (count <= sum_block) {
      *result = lane_sum(0, count, f);
      return;
    }
    const index blocks = (count + sum_block - 1) / sum_block;
    thread_local detail::workspace<double> memory;
    double* const partial = memory.reserve(blocks);
    share(blocks, count, [=](index first, index last) {
      for (index block = first; block < last; ++block) {
        partial[block] = lane_sum(block * sum_block, std::min((block + 1) * sum_block, count), f);
      }
    });
    *result = std::accumulate(partial, partial + blocks, 0.0);
  }

  template <class F>
  void sum_rows(index rows, index columns, F f, double* results) const {
    if (rows == 1) {  // nothing to sum, and a loop that vectorises
      for_each(columns, [=](index j) { results[j] = f(index{0}, j); });
      return;
    }
    share(columns, rows * columns, [=](index first, index last) {
      for (index j = first; j < last; ++j) {
        results[j] = lane_sum(0, rows, [=](index i) { return f(i, j); });
      }
    });
  }

  template <class T>
  void product(transpose ta, transpose tb, T alpha, matrix_view<const T> a, matrix_view<const T> b, T beta,
               matrix_view<T> c) const {
    const index depth = ta == transpose::no ? a.columns() : a.rows();
    if (depth == 0 && beta == T(0)) {
      fill(c.data(), c.size(), T(0));
    } else if (beta != T(0) && beta != T(1)) {
      for_each(c.size(), [to = c.data(), beta](index i) { to[i] *= beta; });
    }
    if (c.size() == 0 || depth == 0) {
      return;
    }
    detail::factor_view<T> left{a.data(), 1, a.rows()};
    detail::factor_view<T> right{b.data(), 1, b.rows()};
    left = ta == transpose::no ? left : left.transposed();
    right = tb == transpose::no ? right : right.transposed();
    index rows = c.rows();
    index columns = c.columns();
    if (rows == 1) {  // computed as the column that a row is in memory
      left = std::exchange(right, {left.data, 1, depth}).transposed();
      std::swap(rows, columns);
    }
    const detail::product_target<T> target{c.data(), 1, rows, alpha, beta != T(0)};
    const auto kernel = detail::packet_product<T>::choose(rows, columns, depth, left, right);
    share(columns, c.size() * depth / 8, [=](index first, index last) {
      kernel(rows, last - first, depth, left, right.from(0, first), target.from(0, first));
    });
  }

  template <class T>
  [[nodiscard]] T read(const T* value) const {
    return *value;
  }

  friend bool operator==(const eigen_backend&, const eigen_backend&) = default;

 private:
  static constexpr std::align_val_t alignment{64};
  static constexpr index lanes = 16;
  static constexpr index sum_block = 1 << 14;

  // Runs `part(first, last)` over [0, count): at once, or in equal parts by the threads where the work, in elementary
  // operations, is worth waking them.
  template <class Part>
  void share(index count, index work, Part part) const {
#ifdef _OPENMP
    constexpr index worth_sharing = 1 << 16;
    if (threads_ > 1 && count > 1 && work >= worth_sharing) {
      share_out(threads_, count, part);
      return;
    }
#endif
    static_cast<void>(work);
    part(index{0}, count);
  }

#ifdef _OPENMP
  // A function of its own: Clang enters the OpenMP runtime at the start of the function that has the directive, which a
  // loop on one thread should neither wait for nor start.
  template <class Part>
  [[gnu::noinline]] static void share_out(int threads, index count, Part part) {
    const index size = (count + threads - 1) / threads;
#pragma omp parallel for num_threads(threads) schedule(static, 1)
    for (index first = 0; first < count; first += size) {
      part(first, std::min(first + size, count));
    }
  }
#endif

  template <class F>
  [[nodiscard]] static double lane_sum(index first, index last, F f) {
    std::array<double, lanes> partial{};
    index i = first;
    for (; i + lanes <= last; i += lanes) {
      for (index lane = 0; lane < lanes; ++lane) {
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

static_assert(backend<eigen_backend>);

}  // namespace gal
