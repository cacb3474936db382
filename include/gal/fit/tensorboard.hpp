// gal/fit/tensorboard.hpp: scalars for TensorBoard, in the event files that it reads (POSIX).
// Provides: event_writer, tensorboard.
#pragma once

#include <gal/core/error.hpp>
#include <gal/io/files.hpp>
#include <gal/train/step_report.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <bit>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace gal::inline GAL_ABI {

namespace detail {

// CRC-32C (Castagnoli), as TFRecord files have it: reflected polynomial 0x82f63b78.
[[nodiscard]] inline std::uint32_t crc32c(std::string_view bytes) {
  static constexpr std::array<std::uint32_t, 256> table = [] {
    std::array<std::uint32_t, 256> result{};
    for (std::uint32_t byte = 0; byte < 256; ++byte) {
      std::uint32_t value = byte;
      for (int bit = 0; bit < 8; ++bit) {
        value = (value >> 1) ^ ((value & 1U) != 0 ? 0x82f63b78U : 0U);
      }
      result[byte] = value;
    }
    return result;
  }();
  std::uint32_t crc = ~std::uint32_t{0};
  for (const char c : bytes) {
    crc = (crc >> 8) ^ table[(crc ^ static_cast<unsigned char>(c)) & 0xffU];
  }
  return ~crc;
}

// A sum of bytes that hold sums is weak: TFRecord stores it turned and moved.
[[nodiscard]] inline std::uint32_t masked_crc32c(std::string_view bytes) {
  return std::rotr(crc32c(bytes), 15) + 0xa282ead8U;
}

template <class Number>
void append_little_endian(std::string& to, Number number) {
  for (std::size_t byte = 0; byte < sizeof number; ++byte) {
    to += static_cast<char>(static_cast<unsigned char>(number >> (8 * byte)));
  }
}

// A record of a TFRecord file: length, its sum, the bytes, their sum.
[[nodiscard]] inline std::string tf_record(std::string_view bytes) {
  std::string length;
  append_little_endian(length, static_cast<std::uint64_t>(bytes.size()));
  std::string record = length;
  append_little_endian(record, masked_crc32c(length));
  record += bytes;
  append_little_endian(record, masked_crc32c(bytes));
  return record;
}

// Fields of a protocol buffer: number and wire type (0 varint, 1 eight bytes, 2 length and bytes, 5 four bytes).
inline void append_varint(std::string& to, std::uint64_t value) {
  for (; value >= 128; value >>= 7) {
    to += static_cast<char>(static_cast<unsigned char>((value & 127U) | 128U));
  }
  to += static_cast<char>(static_cast<unsigned char>(value));
}
inline void append_field(std::string& to, unsigned number, std::string_view bytes) {
  append_varint(to, number << 3 | 2U);
  append_varint(to, bytes.size());
  to += bytes;
}
inline void append_field(std::string& to, unsigned number, double value) {
  append_varint(to, number << 3 | 1U);
  append_little_endian(to, std::bit_cast<std::uint64_t>(value));
}
inline void append_field(std::string& to, unsigned number, float value) {
  append_varint(to, number << 3 | 5U);
  append_little_endian(to, std::bit_cast<std::uint32_t>(value));
}
inline void append_field(std::string& to, unsigned number, std::int64_t value) {
  append_varint(to, number << 3);
  append_varint(to, static_cast<std::uint64_t>(value));
}

}  // namespace detail

/// Writes scalars to an event file of its own in a directory, which it makes. Every record goes to the file at once, for
/// TensorBoard to see: `tensorboard --logdir DIRECTORY`. Values are float there. Throws `unreadable_file` where that
/// fails.
///
///     gal::event_writer events("runs/first");
///     events.scalar("loss/training", step, loss);
class event_writer {
 public:
  explicit event_writer(const std::string& directory) {
    std::error_code status;
    std::filesystem::create_directories(directory, status);
    std::array<char, 256> host{};
    ::gethostname(host.data(), host.size() - 1);
    // The names sort by time; a second writer within the second takes the next number.
    const auto seconds = static_cast<std::int64_t>(now());
    for (int number = 0;; ++number) {
      path_ = detail::text(directory, "/events.out.tfevents.", seconds, ".", host.data(), ".", ::getpid(),
                           ".", number);
      errno = 0;
      const int file = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0666);
      if (file < 0 && errno == EEXIST) {
        continue;
      }
      file_ = std::make_unique<detail::descriptor>(file);
      break;
    }
    require_written(file_->valid());
    std::string event = begin_event(0);
    detail::append_field(event, 3, std::string_view("brain.Event:2"));
    write(event);
  }

  [[nodiscard]] const std::string& path() const { return path_; }

  /// A number that belongs to a step, under a name; a slash groups names.
  void scalar(std::string_view name, std::int64_t step, double value) {
    std::string scalar;
    detail::append_field(scalar, 1, name);
    detail::append_field(scalar, 2, static_cast<float>(value));
    std::string summary;
    detail::append_field(summary, 1, scalar);
    std::string event = begin_event(step);
    detail::append_field(event, 5, summary);
    write(event);
  }

 private:
  static double now() {
    return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
  }

  // An event's time and step.
  static std::string begin_event(std::int64_t step) {
    std::string event;
    detail::append_field(event, 1, now());
    detail::append_field(event, 2, step);
    return event;
  }

  void write(std::string_view event) {
    errno = 0;
    require_written(detail::write_all(file_->get(), detail::tf_record(event)));
  }

  void require_written(bool written) const {
    detail::require(written, error_code::unreadable_file, "gal::event_writer: cannot write ", path_, ": ",
                    std::generic_category().message(errno));
  }

  std::string path_;
  std::unique_ptr<detail::descriptor> file_;
};

/// A callback of `fit`: the numbers of every epoch as scalars for TensorBoard, at the trainer's step: loss/training,
/// loss/validation, learning_rate, and epoch/NAME for every number of the method; with `every_steps` also loss/step and
/// step/NAME of every so many-th of the trainer's steps, whatever `report_every` is: on a device each of them waits. What is not finite is left out. The file is made at the first of them. A training that resumes writes to a file of
/// its own, in which the steps since the checkpoint are once more.
///
///     gal::fit(trainer, batches, {.epochs = 20}, gal::tensorboard("runs/first"));
class tensorboard {
 public:
  static constexpr bool keeps_record = true;

  explicit tensorboard(std::string directory, std::int64_t every_steps = 0)
      : directory_(std::move(directory)), every_steps_(every_steps) {
    detail::require(every_steps >= 0, error_code::invalid_option, "gal::tensorboard: every ", every_steps,
                    " steps; expected a non-negative number");
  }

  template <class Run>
  void step_end(Run& run) {
    const std::int64_t step = run.trainer().steps();
    if (every_steps_ > 0 && step % every_steps_ == 0) {
      const auto report = run.read_step();
      add("loss/step", step, report.loss);
      detail::visit_numbers(report, [&](const reported_number& number) {
        add(detail::text("step/", number.name), step, number.value);
      });
    }
  }

  template <class Run>
  void epoch_end(Run& run) {
    const auto& epoch = run.last_epoch();
    add("loss/training", epoch.steps, epoch.training_loss);
    add("loss/validation", epoch.steps, epoch.validation_loss);
    add("learning_rate", epoch.steps, epoch.learning_rate);
    for (const reported_number& number : epoch.numbers) {
      add(detail::text("epoch/", number.name), epoch.steps, number.value);
    }
  }

 private:
  void add(std::string_view name, std::int64_t step, double value) {
    if (!std::isfinite(value)) {
      return;
    }
    if (!events_) {
      events_ = std::make_unique<event_writer>(directory_);
    }
    events_->scalar(name, step, value);
  }

  std::string directory_;
  std::int64_t every_steps_;
  std::unique_ptr<event_writer> events_;
};

}  // namespace gal
