// gal/io/checkpoint.hpp: all that training depends on in one file, to go on from bit for bit. Needs nlohmann-json, as
// gal/io/safetensors.hpp.
// Provides: save_checkpoint, load_checkpoint, checkpointing. Includes gal/io/safetensors.hpp.
#pragma once

#include <gal/core/error.hpp>
#include <gal/io/safetensors.hpp>
#include <gal/io/state.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace gal::inline GAL_ABI {

namespace detail {

// What a checkpoint says of itself, under the name "gal" in the metadata. Version 1 held enumerators as numbers.
inline constexpr std::string_view checkpoint_version = "checkpoint 2";

// The counts in a file, within what its size allows.
inline std::optional<std::int64_t> count_in(safetensors_file& file, const std::string& name) {
  const safetensors_entry* const found = file.find(name);
  if (found == nullptr || found->type != "I64" || !found->shape.empty()) {
    return std::nullopt;
  }
  std::int64_t count = 0;
  file.read(*found, reinterpret_cast<std::byte*>(&count));
  const auto most = static_cast<std::int64_t>(file.entries().back().end);
  require(count >= 0 && count <= most, error_code::malformed_data, "gal::load_checkpoint: ", file.path(),
          ": ", name, " is ", count, "; expected 0 to ", most, ", the bytes of its data");
  return count;
}

inline void compare_settings(const safetensors_file& file, const state_view& state,
                             difference_list& differences) {
  std::map<std::string, std::string> remaining = file.metadata();
  remaining.erase("gal");
  for (const auto& setting : state.settings()) {
    const auto found = remaining.find(setting.name);
    if (found == remaining.end()) {
      differences.add(setting.name, " is missing in the file");
      continue;
    }
    if (const auto& names = setting.choices;
        !names.empty() && std::find(names.begin(), names.end(), found->second) == names.end()) {
      differences.add(setting.name, " is ", in_quotes(found->second), " in the file, which is none of ",
                      list_text(names), "; it is ", setting.value, " here");
    } else if (found->second != setting.value) {
      differences.add(setting.name, " is ", found->second.substr(0, 200), " in the file, ", setting.value,
                      " here");
    }
    remaining.erase(found);
  }
  for (const auto& [name, value] : remaining) {
    differences.add(name, " is in the file, and not here");
  }
}

// Numbers that no checkpoint holds.
inline void require_valid(const state_view::entry& entry, const std::byte* numbers, const std::string& path) {
  require_in_range(entry, numbers, "gal::load_checkpoint", path);
  if (entry.least != std::numeric_limits<std::int64_t>::min() ||
      entry.greatest != std::numeric_limits<std::int64_t>::max()) {
    std::int64_t value = 0;
    std::memcpy(&value, numbers, sizeof value);
    require(value >= entry.least && value <= entry.greatest, error_code::malformed_data,
            "gal::load_checkpoint: ", path, ": ", entry.name, " is ", value, "; expected ", entry.least,
            " to ", entry.greatest);
  }
}

}  // namespace detail

/// Writes the state of an object, such as a trainer, to a file: completely or not at all, so that whatever stops the
/// program, the file is the last checkpoint. Throws `non_finite` where a number is a NaN or an infinity, and
/// `unreadable_file` where writing fails; the file is then as it was.
///
///     const auto run = [&](auto& visit) {
///       visit("trainer", trainer);   // model, optimizer, adjuster
///       visit("batches", batches);
///       visit("epoch", epoch);
///     };
///     gal::save_checkpoint("run.safetensors", run);
///     gal::load_checkpoint("run.safetensors", run);
///
/// The file is a safetensors file: Python reads the weights in it.
template <class Object>
  requires stateful<std::remove_reference_t<Object>>
void save_checkpoint(const std::string& path, Object&& object) {
  const state_view state(object);
  std::map<std::string, std::string> metadata = {{"gal", std::string(detail::checkpoint_version)}};
  for (const auto& setting : state.settings()) {
    detail::require(metadata.emplace(setting.name, setting.value).second, error_code::invalid_option,
                    "gal::save_checkpoint: the setting ", setting.name,
                    " is shown twice; expected another name");
  }
  detail::write_entries(path, state.entries(), "", metadata, true);
}

/// Takes the state of an object from a file that `save_checkpoint` wrote for one that is built in the same way.
/// Everything is checked before the first number changes. Throws, besides what `safetensors_file` does, where the file
/// is no checkpoint, or of another version (`malformed_data`), and where names, shapes or settings differ
/// (`shape_mismatch`, with what differs).
template <class Object>
  requires stateful<std::remove_reference_t<Object>>
void load_checkpoint(const std::string& path, Object&& object) {
  safetensors_file file(path);
  const auto version = file.metadata().find("gal");
  detail::require(version != file.metadata().end(), error_code::malformed_data,
                  "gal::load_checkpoint: ", path,
                  " is no checkpoint; expected a file that gal::save_checkpoint wrote");
  detail::require(version->second == detail::checkpoint_version, error_code::malformed_data,
                  "gal::load_checkpoint: ", path, " is ", detail::in_quotes(version->second),
                  version->second == "checkpoint 1" ? ", an older layout with numbers in place of names" : "",
                  "; expected \"", detail::checkpoint_version, "\", the version of this library");
  const state_view state(object, [&](const std::string& name) { return detail::count_in(file, name); });
  detail::difference_list differences;
  detail::compare_settings(file, state, differences);
  detail::compare(file, state.entries(), {}, differences);
  detail::require(differences.empty(), error_code::shape_mismatch, "gal::load_checkpoint: ", path,
                  " does not fit: ", differences.message());
  const detail::staged_numbers numbers = detail::read_entries(file, state.entries(), "");
  for (std::size_t k = 0; k < state.entries().size(); ++k) {
    detail::require_valid(state.entries()[k], numbers.at(k), path);
  }
  for (std::size_t k = 0; k < state.entries().size(); ++k) {
    state.entries()[k].write(numbers.at(k));
  }
  state.finish_loading();
}

/// Settings of `checkpointing`.
struct checkpointing_options {
  std::int64_t every_epochs = 1;  ///< after every so many-th epoch of the whole training; 0: not after epochs
  std::int64_t every_steps = 0;   ///< after every so many-th of the trainer's steps; 0: not within epochs
  bool resume = true;             ///< begin with the file, where it is there
};

/// A callback of `fit`: writes a checkpoint after epochs or steps and at the end, as after Ctrl-C, and begins with the one
/// that is there. Training that is interrupted and called again ends with the bits of one that was not. Where the state is
/// not finite it ends training, and the file stays the last checkpoint that is. It stands behind callbacks that keep a
/// record, so that nothing is lost or doubled where the program ends between the two; the other order does not compile.
///
///     gal::fit(trainer, batches, {.epochs = 100}, gal::checkpointing("run.safetensors"));
class checkpointing {
 public:
  static constexpr bool saves_run = true;

  explicit checkpointing(std::string path, checkpointing_options options = {})
      : path_(std::move(path)), options_(options) {
    detail::require(options_.every_epochs >= 0 && options_.every_steps >= 0, error_code::invalid_option,
                    "gal::checkpointing_options: every ", options_.every_epochs, " epochs and ",
                    options_.every_steps, " steps; expected non-negative numbers");
  }

  template <class Run>
  void fit_begin(Run& run) {
    if (options_.resume && std::filesystem::exists(path_)) {
      load_checkpoint(path_, run);
      run.resumed_from(path_);
    }
  }
  template <class Run>
  void step_end(Run& run) {
    if (options_.every_steps > 0 && run.trainer().steps() % options_.every_steps == 0) {
      save(run);
    }
  }
  template <class Run>
  void epoch_end(Run& run) {
    if (options_.every_epochs > 0 && run.epochs() % options_.every_epochs == 0) {
      save(run);
    }
  }
  template <class Run>
  void fit_end(Run& run) {
    save(run);
  }

 private:
  template <class Run>
  void save(Run& run) {
    try {
      save_checkpoint(path_, run);
    } catch (const error& failure) {
      if (failure.code() != error_code::non_finite) {
        throw;
      }
      run.stop(failure.what());
    }
  }

  std::string path_;
  checkpointing_options options_;
};

}  // namespace gal
