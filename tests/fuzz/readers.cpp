// Every reader of files, on whatever bytes: libFuzzer's function. The first byte chooses the reader. What a reader may do is to
// throw gal::error; the sanitizers find all else.
#include <gal/backends/eigen.hpp>
#include <gal/data/csv.hpp>
#include <gal/data/images.hpp>
#include <gal/data/npy.hpp>
#include <gal/io/checkpoint.hpp>
#include <gal/nn/mlp.hpp>
#include <gal/predict.hpp>

#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace {

// The bytes as a file, which is gone afterwards.
class memory_file {
 public:
  explicit memory_file(std::string_view bytes) : descriptor_(::memfd_create("fuzz", 0)) {
    for (std::size_t at = 0; at < bytes.size();) {
      const ::ssize_t count = ::write(descriptor_, bytes.data() + at, bytes.size() - at);
      if (count <= 0) {
        __builtin_trap();
      }
      at += static_cast<std::size_t>(count);
    }
  }
  memory_file(const memory_file&) = delete;
  memory_file& operator=(const memory_file&) = delete;
  ~memory_file() { ::close(descriptor_); }

  [[nodiscard]] std::string path() const { return "/proc/self/fd/" + std::to_string(descriptor_); }

 private:
  int descriptor_;
};

void read(char reader, std::string_view bytes) {
  switch (reader) {
    case 'c':
      static_cast<void>(gal::parse_csv(std::string(bytes)));
      break;
    case 'n':
      static_cast<void>(gal::parse_npy<float>(bytes));
      break;
    case 'i': {  // two files: the byte after the reader's is the length of the second
      const auto labels = bytes.empty() ? std::size_t{0} : static_cast<unsigned char>(bytes[0]);
      if (labels < bytes.size()) {
        const std::string_view both = bytes.substr(1);
        static_cast<void>(gal::parse_idx(both.substr(labels), both.substr(0, labels)));
      }
      break;
    }
    case '1':
      static_cast<void>(gal::parse_cifar10(bytes));
      break;
    case '2':
      static_cast<void>(gal::parse_cifar100(bytes));
      break;
    case 's': {
      gal::nn::mlp<float> model({2, 3, 1}, {.seed = 1});
      gal::load_safetensors(memory_file(bytes).path(), model, {.convert = true});
      break;
    }
    case 'p': {
      gal::nn::mlp<float> model({2, 3, 1}, {.seed = 1});
      gal::load_checkpoint(memory_file(bytes).path(), model);
      break;
    }
    case 'm':
      static_cast<void>(gal::load_predictor<float>(memory_file(bytes).path()));
      break;
    default:
      break;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 0) {
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    try {
      read(bytes[0], bytes.substr(1));
    } catch (const gal::error&) {  // which is a reader's right
    }
  }
  return 0;
}
