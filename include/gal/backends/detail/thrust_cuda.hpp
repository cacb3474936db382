// gal/backends/detail/thrust_cuda.hpp: what the device backend needs of CUDA: a stream, a memory pool, cuBLAS, CUB's reductions, graphs.
// Included by gal/backends/thrust.hpp.
// Provides: device_options, product_precision, and nothing else public.
#pragma once

#include <gal/core/view.hpp>

#include <cublas_v2.h>
#include <cuda_runtime.h>

#include <thrust/for_each.h>
#include <thrust/iterator/counting_iterator.h>
#include <thrust/iterator/transform_iterator.h>
#include <thrust/system/cuda/execution_policy.h>
#include <thrust/system_error.h>
#include <cub/device/device_reduce.cuh>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace gal::inline GAL_ABI {

/// Factors of a float product; sums are float. Products of doubles are always double.
enum class product_precision {
  full,      ///< float
  tf32,      ///< 10 bits of mantissa, from Ampere on
  bfloat16,  ///< 7 bits of mantissa
};
constexpr auto enumerator_names(product_precision) {
  return std::to_array<std::string_view>({"full", "tf32", "bfloat16"});
}

/// Settings of a `thrust_backend` on CUDA.
struct device_options {
  cudaStream_t stream = nullptr;  ///< the user's, which must outlive the backend; none: a stream of its own
  product_precision precision = product_precision::full;
};

namespace detail::inline GAL_THRUST_SYSTEM {

// The device's name for messages; asking must not raise an error of its own.
inline std::string current_device_name() {
  int number = 0;
  cudaDeviceProp properties{};
  if (cudaGetDevice(&number) != cudaSuccess || cudaGetDeviceProperties(&properties, number) != cudaSuccess) {
    static_cast<void>(cudaGetLastError());
    return "no CUDA device";
  }
  return text("device ", number, ", ", std::string_view(properties.name));
}

inline void check_cuda(cudaError_t status, std::string_view call) {
  if (status != cudaSuccess) [[unlikely]] {
    static_cast<void>(cudaGetLastError());  // so that the next call does not report it again
    throw error(status == cudaErrorMemoryAllocation ? error_code::out_of_memory : error_code::device_failure,
                text("gal::thrust_backend: ", call, " failed on ", current_device_name(), ": ",
                     std::string_view(cudaGetErrorString(status))));
  }
}

inline void check_cublas(cublasStatus_t status, std::string_view call) {
  if (status != CUBLAS_STATUS_SUCCESS) [[unlikely]] {
    throw error(status == CUBLAS_STATUS_ALLOC_FAILED ? error_code::out_of_memory : error_code::device_failure,
                text("gal::thrust_backend: ", call, " failed on ", current_device_name(), ": ",
                     std::string_view(cublasGetStatusString(status))));
  }
}

// A device function of an element under its own name: the host cannot ask a kernel's lambda for its result.
template <class F>
struct element_value {
  F f;
  __device__ double operator()(index_type i) const { return f(i); }
};

// A warp per column, whose lanes take every 32nd row, and then are added in the order of a tree.
template <class F>
__global__ void sum_tall_columns(index_type rows, index_type columns, F f, double* results) {
  constexpr unsigned int warp = 32;
  const index_type column = (static_cast<index_type>(blockIdx.x) * blockDim.x + threadIdx.x) / warp;
  if (column >= columns) {
    return;
  }
  double sum = 0.0;
  for (index_type i = threadIdx.x % warp; i < rows; i += warp) {
    sum += f(i, column);
  }
  for (unsigned int distance = warp / 2; distance > 0; distance /= 2) {
    sum += __shfl_down_sync(0xffffffffU, sum, distance);
  }
  if (threadIdx.x % warp == 0) {
    results[column] = sum;
  }
}

template <class F>
__global__ void sum_short_columns(index_type rows, index_type columns, F f, double* results) {
  const index_type column = static_cast<index_type>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (column < columns) {
    double sum = 0.0;
    for (index_type i = 0; i < rows; ++i) {
      sum += f(i, column);
    }
    results[column] = sum;
  }
}

// A graph of the work that was handed out while it was recorded.
class recording {
 public:
  static constexpr bool calls_again = false;

  recording() = default;
  recording(cudaGraph_t graph, cudaStream_t stream) : stream_(stream) {
    const cudaError_t status = cudaGraphInstantiate(&graph_, graph, 0);
    cudaGraphDestroy(graph);
    check_cuda(status, "cudaGraphInstantiate");
  }
  recording(recording&& other) noexcept
      : graph_(std::exchange(other.graph_, nullptr)), stream_(other.stream_) {}
  recording& operator=(recording&& other) noexcept {
    std::swap(graph_, other.graph_);
    std::swap(stream_, other.stream_);
    return *this;
  }
  ~recording() {
    if (graph_ != nullptr) {
      cudaGraphExecDestroy(graph_);
    }
  }

  [[nodiscard]] bool empty() const { return graph_ == nullptr; }
  void replay() { check_cuda(cudaGraphLaunch(graph_, stream_), "cudaGraphLaunch"); }

 private:
  cudaGraphExec_t graph_ = nullptr;
  cudaStream_t stream_ = nullptr;
};

// One stream of one GPU, with the memory pool and the library handle that work on it.
class device {
 public:
  explicit device(device_options options = {}) : options_(options), stream_(options.stream) {
    require_enumerator(options.precision, "gal::device_options: precision");
    int number = 0;
    check_cuda(cudaGetDevice(&number), "cudaGetDevice");
    if (stream_ == nullptr) {
      check_cuda(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "cudaStreamCreate");
    }
    try {
      cudaMemPoolProps properties{};
      properties.allocType = cudaMemAllocationTypePinned;
      properties.location.type = cudaMemLocationTypeDevice;
      properties.location.id = number;
      check_cuda(cudaMemPoolCreate(&pool_, &properties), "cudaMemPoolCreate");
      std::uint64_t everything = std::numeric_limits<std::uint64_t>::max();
      check_cuda(cudaMemPoolSetAttribute(pool_, cudaMemPoolAttrReleaseThreshold, &everything),
                 "cudaMemPoolSetAttribute");
      check_cublas(cublasCreate(&blas_), "cublasCreate");
      check_cublas(cublasSetStream(blas_, stream_), "cublasSetStream");
      // cuBLAS's own workspace would be allocated while a graph is recorded.
      blas_memory_ = allocate(blas_memory_size);
      check_cublas(cublasSetWorkspace(blas_, blas_memory_, blas_memory_size), "cublasSetWorkspace");
    } catch (...) {
      release();
      throw;
    }
  }
  device(const device&) = delete;
  device& operator=(const device&) = delete;
  ~device() { release(); }

  [[nodiscard]] static std::string name() { return current_device_name(); }

  template <class F>
  void for_each(index_type count, F f) const {
    try {
      thrust::for_each_n(thrust::cuda::par_nosync.on(stream_), thrust::counting_iterator<index_type>(0),
                         count, f);
    } catch (const thrust::system_error& failure) {
      static_cast<void>(cudaGetLastError());
      throw error(error_code::device_failure,
                  text("gal::thrust_backend: a kernel failed on ", current_device_name(), ": ",
                       std::string_view(failure.what())));
    }
  }

  [[nodiscard]] void* allocate(std::size_t bytes) {
    void* memory = nullptr;
    check_cuda(cudaMallocFromPoolAsync(&memory, std::max<std::size_t>(bytes, 1), pool_, stream_),
               text("cudaMallocFromPoolAsync of ", bytes, " bytes"));
    return memory;
  }
  void deallocate(void* memory) noexcept { cudaFreeAsync(memory, stream_); }

  void copy(const void* from, void* to, std::size_t bytes) const {
    if (bytes > 0) {
      check_cuda(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToDevice, stream_), "cudaMemcpyAsync");
    }
  }
  // Pageable memory is read before the call returns.
  void upload(const void* from, void* to, std::size_t bytes) const {
    if (bytes > 0) {
      check_cuda(cudaMemcpyAsync(to, from, bytes, cudaMemcpyHostToDevice, stream_), "cudaMemcpyAsync");
      synchronize();
    }
  }
  void download(const void* from, void* to, std::size_t bytes) const {
    if (bytes > 0) {
      check_cuda(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToHost, stream_), "cudaMemcpyAsync");
      synchronize();
    }
  }
  void synchronize() const { check_cuda(cudaStreamSynchronize(stream_), "cudaStreamSynchronize"); }

  template <class F>
  void sum(index_type count, F f, double* result) {
    const auto values =
        thrust::make_transform_iterator(thrust::counting_iterator<index_type>(0), element_value<F>{f});
    std::size_t bytes = 0;
    check_cuda(cub::DeviceReduce::Sum(nullptr, bytes, values, result, count, stream_),
               "cub::DeviceReduce::Sum");
    check_cuda(cub::DeviceReduce::Sum(reserve(bytes), bytes, values, result, count, stream_),
               "cub::DeviceReduce::Sum");
  }

  template <class F>
  void sum_rows(index_type rows, index_type columns, F f, double* results) const {
    if (columns == 0) {
      return;
    }
    constexpr index_type threads = 128;
    const bool tall = rows >= 32;
    const index_type blocks = (columns * (tall ? 32 : 1) + threads - 1) / threads;
    const auto kernel = tall ? sum_tall_columns<F> : sum_short_columns<F>;
    kernel<<<static_cast<unsigned int>(blocks), static_cast<unsigned int>(threads), 0, stream_>>>(
        rows, columns, f, results);
    check_cuda(cudaGetLastError(), "a kernel that sums columns");
  }

  template <class T>
  void product(bool ta, bool tb, index_type rows, index_type columns, index_type depth, T alpha, const T* a,
               index_type a_rows, const T* b, index_type b_rows, T beta, T* c) const {
    constexpr bool is_float = sizeof(T) == sizeof(float);
    constexpr cudaDataType type = is_float ? CUDA_R_32F : CUDA_R_64F;
    cublasComputeType_t compute = is_float ? CUBLAS_COMPUTE_32F : CUBLAS_COMPUTE_64F;
    if (is_float && options_.precision == product_precision::tf32) {
      compute = CUBLAS_COMPUTE_32F_FAST_TF32;
    } else if (is_float && options_.precision == product_precision::bfloat16) {
      compute = CUBLAS_COMPUTE_32F_FAST_16BF;
    }
    check_cublas(cublasGemmEx_64(blas_, ta ? CUBLAS_OP_T : CUBLAS_OP_N, tb ? CUBLAS_OP_T : CUBLAS_OP_N, rows,
                                 columns, depth, &alpha, a, type, a_rows, b, type, b_rows, &beta, c, type,
                                 rows, compute, CUBLAS_GEMM_DEFAULT),
                 "cublasGemmEx");
  }

  template <class F>
  [[nodiscard]] recording record(F f) {
    check_cuda(cudaStreamBeginCapture(stream_, cudaStreamCaptureModeThreadLocal), "cudaStreamBeginCapture");
    cudaGraph_t graph = nullptr;
    try {
      f();
    } catch (...) {
      cudaStreamEndCapture(stream_, &graph);
      if (graph != nullptr) {
        cudaGraphDestroy(graph);
      }
      throw;
    }
    check_cuda(cudaStreamEndCapture(stream_, &graph), "cudaStreamEndCapture");
    return recording(graph, stream_);
  }

 private:
  static constexpr std::size_t blas_memory_size = std::size_t{32} << 20;  // what NVIDIA advises for Hopper

  // Memory for a reduction; calls on one stream follow one another, so one block serves them all.
  void* reserve(std::size_t bytes) {
    if (bytes > reduction_size_) {
      void* const fresh = allocate(bytes);
      if (reduction_memory_ != nullptr) {
        deallocate(reduction_memory_);
      }
      reduction_memory_ = fresh;
      reduction_size_ = bytes;
    }
    return reduction_memory_;
  }

  void release() noexcept {
    for (void* const memory : {blas_memory_, reduction_memory_}) {
      if (memory != nullptr) {
        deallocate(memory);
      }
    }
    cudaStreamSynchronize(stream_);
    if (blas_ != nullptr) {
      cublasDestroy(blas_);
    }
    if (pool_ != nullptr) {
      cudaMemPoolDestroy(pool_);
    }
    if (options_.stream == nullptr && stream_ != nullptr) {
      cudaStreamDestroy(stream_);
    }
  }

  device_options options_;
  cudaStream_t stream_ = nullptr;
  cudaMemPool_t pool_ = nullptr;
  cublasHandle_t blas_ = nullptr;
  void* blas_memory_ = nullptr;
  void* reduction_memory_ = nullptr;
  std::size_t reduction_size_ = 0;
};

// Never destroyed: at the end of the program CUDA may be gone before it.
inline std::shared_ptr<device> default_device() {
  static const auto* const instance = new std::shared_ptr<device>(std::make_shared<device>());
  return *instance;
}

}  // namespace detail::inline GAL_THRUST_SYSTEM
}  // namespace gal
