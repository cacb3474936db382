// gal/backends/detail/product.hpp: matrix products on the processor, for the sizes of small networks.
// Provides: nothing public.
#pragma once

#include <gal/core/backend.hpp>
#include <gal/core/view.hpp>

#include <Eigen/Core>

#include <algorithm>
#include <cstddef>
#include <new>
#include <utility>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace gal::inline GAL_ABI::detail {

// Memory that outlives its use: it grows to the largest need of its thread.
template <class T>
class workspace {
 public:
  workspace() = default;
  workspace(const workspace&) = delete;
  workspace& operator=(const workspace&) = delete;
  ~workspace() { release(); }

  T* reserve(index_type count) {
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
  index_type capacity_ = 0;
};

// A factor of a product as it is used: entry (i, j) lies at data[i * row_step + j * column_step].
template <class T>
struct factor_view {
  const T* data;
  index_type row_step;
  index_type column_step;

  [[nodiscard]] const T* at(index_type i, index_type j) const {
    return data + i * row_step + j * column_step;
  }
  [[nodiscard]] factor_view from(index_type i, index_type j) const {
    return {at(i, j), row_step, column_step};
  }
  [[nodiscard]] factor_view transposed() const { return {data, column_step, row_step}; }
};

// Where a product goes: entry (i, j) at data[i * row_step + j * column_step], times `scale`, and added to what is there
// or not.
template <class T>
struct product_target {
  T* data;
  index_type row_step;
  index_type column_step;
  T scale;
  bool add;

  [[nodiscard]] product_target from(index_type i, index_type j) const {
    return {data + i * row_step + j * column_step, row_step, column_step, scale, add};
  }
  [[nodiscard]] product_target transposed() const { return {data, column_step, row_step, scale, add}; }
  void store(index_type i, index_type j, T value) const {
    T& to = data[i * row_step + j * column_step];
    to = add ? to + scale * value : scale * value;
  }
};

// Some neighbouring rows of a gathered product, as many as a register holds: where their factors and results begin, and
// how many there are.
template <class T>
struct gathered_packet {
  const T* from;
  T* to;
  index_type count;
};

// Where the program is compiled for any x86-64 processor, loops and products are compiled for AVX2 and fused
// multiplication beside, which most of these processors have, and taken where they are found. With GAL_NO_DISPATCH they
// are not, and results are the same on all of these processors.
#if defined(__x86_64__) && !(defined(__AVX2__) && defined(__FMA__)) && !defined(GAL_NO_DISPATCH)
#define GAL_WIDE [[gnu::target("avx2,fma")]]
inline bool has_wide_instructions() {
  return __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0;
}

#define GAL_TILES wide_tiles
#define GAL_TILES_BYTES 32
#define GAL_TILES_TARGET GAL_WIDE
#define GAL_TILES_FUSED 1
#include <gal/backends/detail/product_tiles.hpp>
#undef GAL_TILES
#undef GAL_TILES_BYTES
#undef GAL_TILES_TARGET
#undef GAL_TILES_FUSED
#else
#define GAL_WIDE
constexpr bool has_wide_instructions() { return false; }

template <class T>
struct plain_tiles;
template <class T>
using wide_tiles = plain_tiles<T>;
#endif

#if defined(__AVX512F__)
#define GAL_TILES_BYTES 64
#elif defined(__AVX__)
#define GAL_TILES_BYTES 32
#else
#define GAL_TILES_BYTES 16
#endif
#if defined(__FMA__) || (!defined(__x86_64__) && (defined(__FP_FAST_FMA) || defined(__ARM_FEATURE_FMA)))
#define GAL_TILES_FUSED 1
#else
#define GAL_TILES_FUSED 0
#endif
#define GAL_TILES plain_tiles
#define GAL_TILES_TARGET
#include <gal/backends/detail/product_tiles.hpp>
#undef GAL_TILES
#undef GAL_TILES_BYTES

// For runs that fill half a register of AVX-512.
#if defined(__AVX512F__)
#define GAL_TILES short_tiles
#define GAL_TILES_BYTES 32
#include <gal/backends/detail/product_tiles.hpp>
#undef GAL_TILES
#undef GAL_TILES_BYTES
#else
template <class T>
using short_tiles = plain_tiles<T>;
#endif
#undef GAL_TILES_TARGET
#undef GAL_TILES_FUSED

// GCC warns of a SIMD type as a template argument, and of undefined registers inside its own AVX-512 intrinsics.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wignored-attributes"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

// to[k * to_step + i] = from[i * from_step + k] for i < rows, first <= k < last.
template <class T>
void transpose_scalars(index_type rows, index_type first, index_type last, const T* from,
                       index_type from_step, T* to, index_type to_step) {
  for (index_type i = 0; i < rows; ++i) {
    for (index_type k = first; k < last; ++k) {
      to[k * to_step + i] = from[i * from_step + k];
    }
  }
}

// The same for all k < columns, in blocks of Eigen's packets.
template <class T>
void transpose_into(index_type rows, index_type columns, const T* from, index_type from_step, T* to,
                    index_type to_step) {
  namespace simd = Eigen::internal;
  using packet = typename simd::packet_traits<T>::type;
  constexpr index_type width = simd::unpacket_traits<packet>::size;
  index_type i = 0;
  if constexpr (width > 1) {
    for (; i + width <= rows; i += width) {
      const T* const block_from = from + i * from_step;
      index_type k = 0;
      for (; k + width <= columns; k += width) {
        simd::PacketBlock<packet, width> block;
        for (index_type q = 0; q < width; ++q) {
          block.packet[q] = simd::ploadu<packet>(block_from + q * from_step + k);
        }
        simd::ptranspose(block);
        for (index_type q = 0; q < width; ++q) {
          simd::pstoreu(to + (k + q) * to_step + i, block.packet[q]);
        }
      }
      transpose_scalars(width, k, columns, block_from, from_step, to + i, to_step);
    }
  }
  transpose_scalars(rows - i, 0, columns, from + i * from_step, from_step, to + i, to_step);
}

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif

// alpha a b, stored or added, by tiles that the registers hold. Eigen's own product is made for large matrices; the
// networks here are small and of awkward sizes. It allocates nothing after the first product of a size. Every entry of c
// is summed in one fixed order, whatever else is computed beside it.
template <class T, class Tiles>
class packet_product {
 public:
  /// Computes c = alpha a b, or adds it: `rows x columns`, with `depth` products an entry; the rows of c are contiguous.
  using kernel = void (*)(index_type rows, index_type columns, index_type depth, factor_view<T> a,
                          factor_view<T> b, product_target<T> c);

  /// The kernel for a product. It may be run on parts of the columns: which threads share them changes no sum.
  static kernel choose(index_type rows, index_type columns, index_type depth, factor_view<T> a,
                       factor_view<T> b) {
    const bool along_depth = a.column_step == 1 && b.row_step == 1 && depth >= width;
    if (rows * columns * depth <= few_products) {
      return take_entries;
    }
    if (along_depth && columns <= std::min(rows, index_type{tile_dots})) {
      return take_dots_of_columns;
    }
    return along_depth && rows <= tile_dots ? take_dots : take_panels;
  }

 private:
  static constexpr index_type width = Tiles::width;
  static constexpr int tile_columns = 6;          // of two packets: 12 sums, which 16 registers hold
  static constexpr int tile_dots = 4;             // columns of sums along the depth
  static constexpr int tall_tile = 8;             // packets of a tile of one column
  static constexpr index_type depth_block = 256;  // a panel of that depth stays in the first cache

  static constexpr index_type few_products = 64;  // so few that the tiles cost more than they save

  // One entry after the other.
  static void take_entries(index_type rows, index_type columns, index_type depth, factor_view<T> a,
                           factor_view<T> b, product_target<T> c) {
    for (index_type j = 0; j < columns; ++j) {
      for (index_type i = 0; i < rows; ++i) {
        T sum = T(0);
        for (index_type k = 0; k < depth; ++k) {
          sum += *a.at(i, k) * *b.at(k, j);
        }
        c.store(i, j, sum);
      }
    }
  }

  // Sums along rows of c: panels of one or two packets of rows, the depth in blocks.
  static void take_panels(index_type rows, index_type columns, index_type depth, factor_view<T> a,
                          factor_view<T> b, product_target<T> c) {
    for (index_type k = 0; k < depth; k += depth_block) {
      const index_type part = std::min(depth_block, depth - k);
      const factor_view<T> block = pack_columns(part, columns, rows, b.from(k, 0));
      index_type i = 0;
      if (columns == 1 && a.row_step == 1) {  // a vector: tall tiles keep as many sums in flight
        for (; i + tall_tile * width <= rows; i += tall_tile * width) {
          take_tile<tall_tile, 1>(tall_tile * width, part, a.from(i, k), block, c.from(i, 0));
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
  static factor_view<T> pack_columns(index_type depth, index_type columns, index_type rows,
                                     factor_view<T> b) {
    if (b.row_step == 1 || depth * columns < 4096 || rows < 4 * width) {
      return b;
    }
    thread_local detail::workspace<T> memory;
    T* const packed = memory.reserve(depth * columns);
    transpose_into(depth, columns, b.data, b.row_step, packed, depth);
    return {packed, 1, depth};
  }

  template <int Packets>
  static void take_panel(index_type rows, index_type columns, index_type depth, factor_view<T> a,
                         factor_view<T> b, product_target<T> c) {
    constexpr index_type full = Packets * width;
    if (rows < full || a.row_step != 1 || a.column_step * depth > 8192) {
      thread_local detail::workspace<T> memory;
      T* const packed = memory.reserve(depth * full);
      pack_rows<full>(rows, depth, a, packed);
      a = {packed, 1, full};
    }
    index_type j = 0;
    if constexpr (Packets == 1) {
      for (; j + 2 * tile_columns <= columns; j += 2 * tile_columns) {
        take_tile<1, 2 * tile_columns>(rows, depth, a, b.from(0, j), c.from(0, j));
      }
    }
    for (; j + tile_columns <= columns; j += tile_columns) {
      take_tile<Packets, tile_columns>(rows, depth, a, b.from(0, j), c.from(0, j));
    }
    take_last_tile<Packets>(std::make_index_sequence<tile_columns - 1>(), columns - j, rows, depth, a,
                            b.from(0, j), c.from(0, j));
  }

  // Copies rows x depth of the left factor to full x depth, with zeros below.
  template <index_type Full>
  static void pack_rows(index_type rows, index_type depth, factor_view<T> a, T* packed) {
    if (rows < Full) {
      std::fill_n(packed, Full * depth, T(0));
    }
    if (a.column_step == 1) {
      transpose_into(rows, depth, a.data, a.row_step, packed, Full);
    } else {
      for (index_type k = 0; k < depth; ++k) {
        const T* const from = a.at(0, k);
        for (index_type i = 0; i < rows; ++i) {
          packed[k * Full + i] = from[i * a.row_step];
        }
      }
    }
  }

  // The columns that are left: fewer than a tile has.
  template <int Packets, std::size_t... Fewer, class... Arguments>
  static void take_last_tile(std::index_sequence<Fewer...>, index_type columns, Arguments... arguments) {
    static_cast<void>(((columns == static_cast<index_type>(Fewer + 1) &&
                        (take_tile<Packets, static_cast<int>(Fewer + 1)>(arguments...), true)) ||
                       ...));
  }

  template <int Packets, int Columns>
  static void take_tile(index_type rows, index_type depth, factor_view<T> a, factor_view<T> b,
                        product_target<T> c) {
    Tiles::take_tile(std::make_index_sequence<Packets>(), std::make_index_sequence<Columns>(),
                     std::make_index_sequence<Packets * Columns>(), rows, depth, a, b, c);
  }

  // Few rows, both factors contiguous along the depth: sums along it.
  static void take_dots(index_type rows, index_type columns, index_type depth, factor_view<T> a,
                        factor_view<T> b, product_target<T> c) {
    for (index_type i = 0; i < rows; ++i) {
      index_type j = 0;
      for (; j + tile_dots <= columns; j += tile_dots) {
        Tiles::take_dots(std::make_index_sequence<tile_dots>(), depth, a.at(i, 0), b.from(0, j),
                         c.from(i, j));
      }
      for (; j < columns; ++j) {
        Tiles::take_dots(std::index_sequence<0>(), depth, a.at(i, 0), b.from(0, j), c.from(i, j));
      }
    }
  }

  static void take_dots_of_columns(index_type rows, index_type columns, index_type depth, factor_view<T> a,
                                   factor_view<T> b, product_target<T> c) {
    take_dots(columns, rows, depth, b.transposed(), a.transposed(), c.transposed());
  }
};

// The kernel for a product, of the widest tiles that the processor has.
template <class T>
auto choose_product(index_type rows, index_type columns, index_type depth, factor_view<T> a,
                    factor_view<T> b) {
  return has_wide_instructions() ? packet_product<T, wide_tiles<T>>::choose(rows, columns, depth, a, b)
                                 : packet_product<T, plain_tiles<T>>::choose(rows, columns, depth, a, b);
}

}  // namespace gal::detail
