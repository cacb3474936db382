// gal/eigen.hpp: the CPU backend. Matrix products are Eigen's; everything else is plain loops that the compiler
// vectorises. The only core header that includes Eigen.
// Provides: eigen_backend.
#pragma once

#include <gal/backend.hpp>

#include <Eigen/Core>

#include <algorithm>
#include <array>
#include <cstddef>
#include <new>

namespace gal {

namespace detail {

// Blocking buffers for Eigen's matrix product that outlive the product. Eigen's own are taken from the heap anew for
// every larger product; these grow to the largest one seen by their thread.
template <class T>
class product_workspace {
 public:
  product_workspace() = default;
  product_workspace(const product_workspace&) = delete;
  product_workspace& operator=(const product_workspace&) = delete;
  ~product_workspace() { release(); }

  T* reserve(std::size_t count) {
    if (count > capacity_) {
      release();
      data_ = static_cast<T*>(::operator new(count * sizeof(T), alignment));
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
  std::size_t capacity_ = 0;
};

// Eigen's blocking sizes for one product, with the buffers of a workspace.
template <class T>
class product_blocking : public Eigen::internal::level3_blocking<T, T> {
 public:
  product_blocking(index rows, index columns, index depth, product_workspace<T>& left,
                   product_workspace<T>& right) {
    this->m_mc = rows;
    this->m_nc = columns;
    this->m_kc = depth;
    Eigen::internal::computeProductBlockingSizes<T, T>(this->m_kc, this->m_mc, this->m_nc, Eigen::Index{1});
    this->m_blockA = left.reserve(static_cast<std::size_t>(this->m_mc * this->m_kc));
    this->m_blockB = right.reserve(static_cast<std::size_t>(this->m_kc * this->m_nc));
  }
};

}  // namespace detail

class eigen_backend {
 public:
  using memory_type = host_memory;

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
    std::fill_n(to, count, value);
  }

  template <class F>
  void for_each(index count, F f) const {
    for (index i = 0; i < count; ++i) {
      f(i);
    }
  }

  template <class F>
  void for_each(index rows, index columns, F f) const {
    for (index j = 0; j < columns; ++j) {
      for (index i = 0; i < rows; ++i) {
        f(i, j);
      }
    }
  }

  /// Adds in `lanes` interleaved partial sums: a fixed order that still vectorises.
  template <class F>
  void sum(index count, F f, double* result) const {
    *result = lane_sum(count, f);
  }

  template <class F>
  void sum_rows(index rows, index columns, F f, double* results) const {
    for (index j = 0; j < columns; ++j) {
      results[j] = lane_sum(rows, [&](index i) { return f(i, j); });
    }
  }

  template <class T>
  void product(transpose ta, transpose tb, T alpha, matrix_view<const T> a, matrix_view<const T> b, T beta,
               matrix_view<T> c) const {
    const index depth = ta == transpose::no ? a.columns() : a.rows();
    if (beta == T(0)) {
      fill(c.data(), c.size(), T(0));
    } else if (beta != T(1)) {
      for_each(c.size(), [to = c.data(), beta](index i) { to[i] *= beta; });
    }
    if (c.size() == 0 || depth == 0) {
      return;
    }
    using map = Eigen::Map<const Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic>>;
    const map left(a.data(), a.rows(), a.columns());
    const map right(b.data(), b.rows(), b.columns());
    if (c.rows() == 1 || c.columns() == 1) {
      vector_product(ta, tb, alpha, left, right, c);
    } else if (ta == transpose::no && tb == transpose::no) {
      blocked_product<Eigen::ColMajor, Eigen::ColMajor>(alpha, a, b, c, depth);
    } else if (ta == transpose::no) {
      blocked_product<Eigen::ColMajor, Eigen::RowMajor>(alpha, a, b, c, depth);
    } else if (tb == transpose::no) {
      blocked_product<Eigen::RowMajor, Eigen::ColMajor>(alpha, a, b, c, depth);
    } else {
      blocked_product<Eigen::RowMajor, Eigen::RowMajor>(alpha, a, b, c, depth);
    }
  }

  template <class T>
  [[nodiscard]] T read(const T* value) const {
    return *value;
  }

  friend bool operator==(const eigen_backend&, const eigen_backend&) = default;

 private:
  static constexpr std::align_val_t alignment{64};
  static constexpr index lanes = 8;

  template <class F>
  [[nodiscard]] static double lane_sum(index count, F f) {
    std::array<double, lanes> partial{};
    index i = 0;
    for (; i + lanes <= count; i += lanes) {
      for (index lane = 0; lane < lanes; ++lane) {
        partial[static_cast<std::size_t>(lane)] += f(i + lane);
      }
    }
    double total = 0.0;
    for (; i < count; ++i) {
      total += f(i);
    }
    for (const double part : partial) {
      total += part;
    }
    return total;
  }

  // One row or column of results: a matrix-vector product.
  template <class T, class Factor>
  static void vector_product(transpose ta, transpose tb, T alpha, const Factor& left, const Factor& right,
                             matrix_view<T> c) {
    Eigen::Map<Eigen::Matrix<T, Eigen::Dynamic, 1>> result(c.data(), c.size());
    if (c.columns() == 1) {
      const auto vector = Eigen::Map<const Eigen::Matrix<T, Eigen::Dynamic, 1>>(right.data(), right.size());
      if (ta == transpose::no) {
        result.noalias() += alpha * left * vector;
      } else {
        result.noalias() += alpha * left.transpose() * vector;
      }
    } else {
      const auto vector = Eigen::Map<const Eigen::Matrix<T, Eigen::Dynamic, 1>>(left.data(), left.size());
      if (tb == transpose::no) {
        result.noalias() += alpha * right.transpose() * vector;
      } else {
        result.noalias() += alpha * right * vector;
      }
    }
  }

  // The product that `c += alpha * op(a) * op(b)` ends in, called with buffers that stay: nothing is allocated after
  // the first product of a size, and no thread is started behind the caller's back.
  template <int LeftOrder, int RightOrder, class T>
  static void blocked_product(T alpha, matrix_view<const T> a, matrix_view<const T> b, matrix_view<T> c,
                              index depth) {
    thread_local detail::product_workspace<T> left;
    thread_local detail::product_workspace<T> right;
    detail::product_blocking<T> blocking(c.rows(), c.columns(), depth, left, right);
    Eigen::internal::general_matrix_matrix_product<Eigen::Index, T, LeftOrder, false, T, RightOrder, false,
                                                   Eigen::ColMajor, 1>::run(c.rows(), c.columns(), depth,
                                                                            a.data(), a.rows(), b.data(),
                                                                            b.rows(), c.data(), 1, c.rows(),
                                                                            alpha, blocking, nullptr);
  }
};

static_assert(backend<eigen_backend>);

}  // namespace gal
