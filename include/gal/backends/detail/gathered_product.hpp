// gal/backends/detail/gathered_product.hpp: products whose factors are gathered from images, on the processor.
// Provides: nothing public.
#pragma once

#include <gal/backends/detail/product.hpp>
#include <gal/core/backend.hpp>
#include <gal/core/view.hpp>

#include <algorithm>
#include <cstddef>
#include <utility>

namespace gal::inline GAL_ABI::detail {

// The product of `gathering_backend` by tiles that the registers hold. Every entry is summed in the order of the depth.
template <class T, class Tiles>
class gathered_product {
 public:
  static void take(index_type runs, index_type length, index_type columns, index_type depth,
                   gathered_factor<T> a, gathered_factor<T> b, gathered_target<T> c) {
    const index_type packets = runs * ((length + width - 1) / width);
    index_type i = 0;
    for (; i + 2 <= packets; i += 2) {
      take_panel<2>(i, length, columns, depth, a, b, c);
    }
    if (i < packets) {
      take_panel<1>(i, length, columns, depth, a, b, c);
    }
  }

 private:
  static constexpr index_type width = Tiles::width;

  template <int Packets>
  static void take_panel(index_type first, index_type length, index_type columns, index_type depth,
                         gathered_factor<T> a, gathered_factor<T> b, gathered_target<T> c) {
    constexpr int tile_columns = 12 / Packets;  // 12 sums, which 16 registers hold
    const index_type packets_of_run = (length + width - 1) / width;
    gathered_packet<T> rows[Packets];
    for (gathered_packet<T>& packet : rows) {
      const index_type run = first / packets_of_run;
      const index_type q = (first - run * packets_of_run) * width;
      packet = {a.data + a.places[run] + q, c.data + c.places[run] + q * c.step, std::min(width, length - q)};
      ++first;
    }
    index_type j = 0;
    for (; j + tile_columns <= columns; j += tile_columns) {
      take_tile<Packets, tile_columns>(depth, rows, a.steps, b, c, j);
    }
    take_last_tile<Packets>(std::make_index_sequence<tile_columns - 1>(), columns - j, depth, rows, a.steps,
                            b, c, j);
  }

  // The columns that are left: fewer than a tile has.
  template <int Packets, std::size_t... Fewer, class... Arguments>
  static void take_last_tile(std::index_sequence<Fewer...>, index_type columns, Arguments... arguments) {
    static_cast<void>(((columns == static_cast<index_type>(Fewer + 1) &&
                        (take_tile<Packets, static_cast<int>(Fewer + 1)>(arguments...), true)) ||
                       ...));
  }

  template <int Packets, int Columns>
  static void take_tile(index_type depth, const gathered_packet<T>* rows, const index_type* row_steps,
                        gathered_factor<T> b, gathered_target<T> c, index_type column) {
    gathered_packet<T> moved[Packets];
    for (int p = 0; p < Packets; ++p) {
      moved[p] = {rows[p].from, rows[p].to + column * c.column_step, rows[p].count};
    }
    b.places += column;
    c.start = c.start == nullptr ? nullptr : c.start + column;
    Tiles::take_gathered_tile(std::make_index_sequence<Packets>(), std::make_index_sequence<Columns>(),
                              std::make_index_sequence<Packets * Columns>(), depth, moved, row_steps, b, c);
  }
};

// By the widest tiles that the processor has and a run fills.
template <class T>
void take_gathered_product(index_type runs, index_type length, index_type columns, index_type depth,
                           gathered_factor<T> a, gathered_factor<T> b, gathered_target<T> c) {
  if (has_wide_instructions()) {
    gathered_product<T, wide_tiles<T>>::take(runs, length, columns, depth, a, b, c);
  } else if (length <= short_tiles<T>::width) {
    gathered_product<T, short_tiles<T>>::take(runs, length, columns, depth, a, b, c);
  } else {
    gathered_product<T, plain_tiles<T>>::take(runs, length, columns, depth, a, b, c);
  }
}

}  // namespace gal::detail
