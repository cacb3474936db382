// gal/backends/detail/product_tiles.hpp: the innermost loops of matrix products, for one set of SIMD instructions. `product.hpp` includes
// this once for each set, with these macros, since a function's instructions are no template argument:
//   GAL_TILES          the name of the class
//   GAL_TILES_BYTES    size of a SIMD register
//   GAL_TILES_TARGET   attribute of the functions
//   GAL_TILES_FUSED    1 where these are told to multiply and add in one instruction, else 0
// They are written on the compilers' vector types, with nothing called: what a compiler inlines from elsewhere may not
// have these instructions.

template <class T>
struct GAL_TILES {
  static constexpr index_type width = GAL_TILES_BYTES / sizeof(T);
  typedef T packet __attribute__((vector_size(GAL_TILES_BYTES)));
  typedef T loose_packet __attribute__((vector_size(GAL_TILES_BYTES), aligned(alignof(T)), may_alias));

  GAL_TILES_TARGET [[gnu::always_inline]] static packet load(const T* from) {
    return *reinterpret_cast<const loose_packet*>(from);
  }
  GAL_TILES_TARGET [[gnu::always_inline]] static void store(T* to, packet value) {
    *reinterpret_cast<loose_packet*>(to) = value;
  }

  // a b + c, rounded once where there is an instruction for it. Said outright: a compiler that may fuse `a * b + c`
  // chooses in every tile anew, and an entry would depend on the tile that it falls into.
  GAL_TILES_TARGET [[gnu::always_inline]] static T fused_scalar(T a, T b, T c) {
#if GAL_TILES_FUSED
    if constexpr (sizeof(T) == sizeof(float)) {
      return __builtin_fmaf(a, b, c);
    } else {
      return __builtin_fma(a, b, c);
    }
#else
    return a * b + c;
#endif
  }
  GAL_TILES_TARGET [[gnu::always_inline]] static packet fused(packet a, packet b, packet c) {
#if !GAL_TILES_FUSED
    return a * b + c;
#elif defined(__x86_64__) && GAL_TILES_BYTES == 64
    if constexpr (sizeof(T) == sizeof(float)) {
      return _mm512_fmadd_ps(a, b, c);
    } else {
      return _mm512_fmadd_pd(a, b, c);
    }
#elif defined(__x86_64__) && GAL_TILES_BYTES == 32
    if constexpr (sizeof(T) == sizeof(float)) {
      return _mm256_fmadd_ps(a, b, c);
    } else {
      return _mm256_fmadd_pd(a, b, c);
    }
#else
    for (index_type i = 0; i < width; ++i) {
      c[i] = fused_scalar(a[i], b[i], c[i]);
    }
    return c;
#endif
  }
  // The number in every lane: minus zero keeps it as it is, and costs nothing.
  GAL_TILES_TARGET [[gnu::always_inline]] static packet spread(T value) { return value - packet{}; }

  // One tile of c, held in registers while the depth goes by: `sizeof...(P)` packets of rows, `sizeof...(J)` columns, and
  // `Q` counts all of them.
  template <std::size_t... P, std::size_t... J, std::size_t... Q>
  GAL_TILES_TARGET static void take_tile(std::index_sequence<P...>, std::index_sequence<J...>,
                                         std::index_sequence<Q...>, index_type rows, index_type depth,
                                         factor_view<T> a, factor_view<T> b, product_target<T> c) {
    constexpr std::size_t packets = sizeof...(P);
    constexpr index_type full = static_cast<index_type>(packets) * width;
    packet sums[] = {(static_cast<void>(Q), packet{})...};
    const T* const factors[] = {b.data + static_cast<index_type>(J) * b.column_step...};
    for (index_type k = 0; k < depth; ++k) {
      const T* const left = a.data + k * a.column_step;
      const packet part[] = {load(left + static_cast<index_type>(P) * width)...};
      const T factor[] = {factors[J][k * b.row_step]...};
      ((sums[Q] = fused(part[Q % packets], spread(factor[Q / packets]), sums[Q])), ...);
    }
    T* const to[] = {c.data + static_cast<index_type>(J) * c.column_step...};
    if (rows < full) {
      const packet values[] = {sums[Q]...};  // in memory, where sums should not be
      for (std::size_t j = 0; j < sizeof...(J); ++j) {
        const T* const column = reinterpret_cast<const T*>(values + j * packets);
        for (index_type i = 0; i < rows; ++i) {
          to[j][i] = c.add ? fused_scalar(column[i], c.scale, to[j][i]) : column[i] * c.scale;
        }
      }
    } else if (c.add) {
      (store(to[Q / packets] + static_cast<index_type>(Q % packets) * width,
             fused(sums[Q], spread(c.scale),
                   load(to[Q / packets] + static_cast<index_type>(Q % packets) * width))),
       ...);
    } else {
      (store(to[Q / packets] + static_cast<index_type>(Q % packets) * width, sums[Q] * c.scale), ...);
    }
  }

  // One tile of a gathered product: `sizeof...(P)` packets of rows, `sizeof...(J)` columns from the first of `b` and `c` on.
  template <std::size_t... P, std::size_t... J, std::size_t... Q>
  GAL_TILES_TARGET static void take_gathered_tile(std::index_sequence<P...>, std::index_sequence<J...>,
                                                  std::index_sequence<Q...>, index_type depth,
                                                  const gathered_packet<T>* rows, const index_type* row_steps,
                                                  gathered_factor<T> b, gathered_target<T> c) {
    constexpr std::size_t packets = sizeof...(P);
    const T* const left[] = {rows[P].from...};
    const T* const right[] = {b.data + b.places[J]...};
    const T start[] = {(c.start == nullptr ? T(0) : c.start[J])...};
    packet sums[] = {(packet{} + start[Q / packets])...};
    for (index_type k = 0; k < depth; ++k) {
      const index_type row_step = row_steps[k];
      const index_type column_step = b.steps[k];
      const packet part[] = {load(left[P] + row_step)...};
      const T factor[] = {right[J][column_step]...};
      ((sums[Q] = fused(part[Q % packets], spread(factor[Q / packets]), sums[Q])), ...);
    }
    if (c.step != 1 || ((rows[P].count < width) || ...)) {
      const packet values[] = {sums[Q]...};  // in memory, where sums should not be
      for (std::size_t q = 0; q < sizeof...(Q); ++q) {
        const T* const value = reinterpret_cast<const T*>(values + q);
        T* const to = rows[q % packets].to + static_cast<index_type>(q / packets) * c.column_step;
        for (index_type i = 0; i < rows[q % packets].count; ++i) {
          to[i * c.step] = c.add ? to[i * c.step] + value[i] : value[i];
        }
      }
    } else {
      T* const to[] = {rows[Q % packets].to + static_cast<index_type>(Q / packets) * c.column_step...};
      if (c.add) {
        (store(to[Q], load(to[Q]) + sums[Q]), ...);
      } else {
        (store(to[Q], sums[Q]), ...);
      }
    }
  }

  // Entries of one row of c, where both factors are contiguous along the depth: sums along it.
  template <std::size_t... J>
  GAL_TILES_TARGET static void take_dots(std::index_sequence<J...>, index_type depth, const T* a,
                                         factor_view<T> b, product_target<T> c) {
    const T* const factors[] = {b.data + static_cast<index_type>(J) * b.column_step...};
    packet sums[] = {(static_cast<void>(J), packet{})...};
    index_type k = 0;
    for (; k + width <= depth; k += width) {
      const packet part = load(a + k);
      ((sums[J] = fused(part, load(factors[J] + k), sums[J])), ...);
    }
    T rest[] = {(static_cast<void>(J), T(0))...};
    for (; k < depth; ++k) {
      ((rest[J] = fused_scalar(a[k], factors[J][k], rest[J])), ...);
    }
    for (std::size_t j = 0; j < sizeof...(J); ++j) {
      packet sum = sums[j];
      for (index_type half = width / 2; half > 0; half /= 2) {
        for (index_type i = 0; i < half; ++i) {
          sum[i] += sum[i + half];
        }
      }
      T& to = c.data[static_cast<index_type>(j) * c.column_step];
      const T value = sum[0] + rest[j];
      to = c.add ? fused_scalar(value, c.scale, to) : value * c.scale;
    }
  }
};
