// gal/io/safetensors.hpp: weights in files that Python reads and writes too (https://github.com/huggingface/safetensors).
// Includes nlohmann-json: link it (CMake: nlohmann_json::nlohmann_json).
// Provides: save_safetensors, load_safetensors, safetensors_options, safetensors_file. Includes gal/io/state.hpp.
#pragma once

#include <gal/core/error.hpp>
#include <gal/core/view.hpp>
#include <gal/io/files.hpp>
#include <gal/io/state.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace gal::inline GAL_ABI {

static_assert(std::endian::native == std::endian::little, "gal: safetensors files are little-endian");

/// A tensor in a file: its type as the file names it, which may be one that nothing here reads, its sizes as a C-order
/// array, and the bytes of the data that it takes.
struct safetensors_entry {
  std::string name;
  std::string type;
  std::vector<index_type> shape;
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

namespace detail {

// Bits of a number of that type; nothing for a type of a later version of the format.
[[nodiscard]] inline std::optional<index_type> bits_of_type(std::string_view type) {
  using known_type = std::pair<std::string_view, index_type>;
  static constexpr std::array<known_type, 22> types = {
      {{"BOOL", 8},    {"U8", 8},      {"I8", 8},          {"F4", 4},          {"F6_E2M3", 6}, {"F6_E3M2", 6},
       {"F8_E5M2", 8}, {"F8_E4M3", 8}, {"F8_E5M2FNUZ", 8}, {"F8_E4M3FNUZ", 8}, {"F8_E8M0", 8}, {"I16", 16},
       {"U16", 16},    {"F16", 16},    {"BF16", 16},       {"I32", 32},        {"U32", 32},    {"F32", 32},
       {"C64", 64},    {"F64", 64},    {"I64", 64},        {"U64", 64}}};
  const auto* const found =
      std::find_if(types.begin(), types.end(), [&](const known_type& t) { return t.first == type; });
  return found == types.end() ? std::nullopt : std::optional(found->second);
}

/// Reads the header as its text goes by, and stops at the first thing that no header has: nothing is built for what is
/// nested too deep, repeated or of another kind. Calls of nlohmann-json's parser; false stops it.
class safetensors_header {
 public:
  using json = nlohmann::json;
  static constexpr std::size_t most_sizes = 64;

  std::vector<safetensors_entry> entries{};
  std::map<std::string, std::string> metadata{};
  std::string failure{};

  bool start_object(std::size_t) {
    if (level_ == 0 || (level_ == 1 && in_array_ == 0)) {
      ++level_;
      fields_ = 0;
      return true;
    }
    return fail("an object inside it; expected numbers, or text");
  }

  bool key(std::string& name) {
    if (level_ == 1) {
      in_metadata_ = name == "__metadata__";
      if (in_metadata_ && std::exchange(has_metadata_, true)) {
        return fail("it appears twice", "__metadata__");
      }
      if (!in_metadata_) {
        entries.push_back({.name = name, .type = {}, .shape = {}});
      }
      return true;
    }
    key_ = name;
    if (in_metadata_) {
      return metadata.emplace(key_, "").second || fail("it appears twice in __metadata__", key_);
    }
    field_ = key_ == "dtype" ? 1U : key_ == "shape" ? 2U : key_ == "data_offsets" ? 4U : 0U;
    if (field_ == 0 || (fields_ & field_) != 0) {
      return fail(
          text("a field ", in_quotes(key_), "; expected dtype, shape and data_offsets, each of them once"));
    }
    fields_ |= field_;
    return true;
  }

  bool end_object() {
    if (level_ == 2 && !in_metadata_) {
      if (fields_ != 7U) {
        return fail("a field is missing; expected dtype, shape and data_offsets");
      }
      if (offsets_ != 2) {
        return fail(text(offsets_, " data_offsets; expected 2"));
      }
    }
    --level_;
    return true;
  }

  bool start_array(std::size_t) {
    if (level_ != 2 || in_metadata_ || in_array_ != 0 || field_ < 2U) {
      return fail("an array; expected text, or an object");
    }
    in_array_ = field_;
    offsets_ = field_ == 4U ? 0 : offsets_;
    return true;
  }
  bool end_array() {
    in_array_ = 0;
    return true;
  }

  bool string(std::string& value) {
    if (level_ != 2 || in_array_ != 0 || (!in_metadata_ && field_ != 1U)) {
      return fail("text; expected an object or numbers");
    }
    (in_metadata_ ? metadata[key_] : entries.back().type) = value;
    return true;
  }

  bool number_unsigned(std::uint64_t value) {
    if (in_array_ == 2U && entries.back().shape.size() == most_sizes) {
      return fail(text("more than ", most_sizes, " sizes"));
    }
    if (in_array_ == 2U && value <= static_cast<std::uint64_t>(std::numeric_limits<index_type>::max())) {
      entries.back().shape.push_back(static_cast<index_type>(value));
      return true;
    }
    if (in_array_ == 4U && offsets_ < 2) {
      (offsets_++ == 0 ? entries.back().begin : entries.back().end) = value;
      return true;
    }
    return fail(text("the number ", value, "; expected sizes below 2^63, and two offsets"));
  }

  bool number_integer(std::int64_t value) {
    return fail(text("the number ", value, "; expected none below 0"));
  }
  bool number_float(double value, const std::string&) {
    return fail(text("the number ", value, "; expected integers below 2^64"));
  }
  bool null() { return fail("null; expected a value"); }
  bool boolean(bool) { return fail("a truth value; expected text or numbers"); }
  bool binary(json::binary_t&) { return fail("binary data"); }

  bool parse_error(std::size_t position, const std::string&, const json::exception&) {
    failure = text("the header is no JSON from its byte ", position, " on");
    return false;
  }

 private:
  bool fail(const std::string& what) {
    return fail(what, level_ == 0       ? ""
                      : in_metadata_    ? "__metadata__"
                      : entries.empty() ? ""
                                        : entries.back().name);
  }
  bool fail(const std::string& what, const std::string& where) {
    failure = where.empty() ? text("the header holds ", what) : text(in_quotes(where, 80), ": ", what);
    return false;
  }

  int level_ = 0;  // objects that are open
  bool in_metadata_ = false;
  bool has_metadata_ = false;
  std::string key_;
  unsigned field_ = 0;     // the last of an entry: 1 dtype, 2 shape, 4 data_offsets
  unsigned fields_ = 0;    // all of an entry so far
  unsigned in_array_ = 0;  // the field whose array is open
  int offsets_ = 0;        // of an entry so far
};

}  // namespace detail

/// A safetensors file that is open for reading, its header read and checked; no number is in memory yet.
///
///     gal::safetensors_file file("weights.safetensors");
///     for (const gal::safetensors_entry& tensor : file.entries()) { ... }
///
/// The constructor throws where the file cannot be read (`unreadable_file`), and, saying what is wrong, where it is no
/// safetensors file (`malformed_data`): its header longer than the file or 16 MiB, no JSON or of another form, a name
/// twice, sizes whose product is no size, tensors that overlap, leave a hole, lie outside the file or have as many bytes as
/// their type and shape do not make. Any type will do, of which no more is read than the name; of one that the format did
/// not have (version 0.8) the bytes are not compared with the shape.
class safetensors_file {
 public:
  /// The longest header that is read.
  static constexpr std::uint64_t longest_header = std::uint64_t{1} << 24;

  explicit safetensors_file(std::string path) : path_(std::move(path)) {
    errno = 0;
    file_.reset(std::fopen(path_.c_str(), "rb"));
    require_readable(file_ != nullptr);
    require_readable(::fseeko(file_.get(), 0, SEEK_END) == 0);
    const auto size = ::ftello(file_.get());
    require_readable(size >= 0 && ::fseeko(file_.get(), 0, SEEK_SET) == 0);
    const auto bytes = static_cast<std::uint64_t>(size);
    require(bytes >= 8, bytes, " bytes; expected at least 8, the length of the header");
    std::uint64_t length = 0;
    take(reinterpret_cast<std::byte*>(&length), sizeof length);
    require(length <= bytes - 8 && length <= longest_header, "a header of ", length, " bytes in a file of ",
            bytes, "; expected at most ", std::min(bytes - 8, longest_header));
    std::string header(static_cast<std::size_t>(length), '\0');
    take(reinterpret_cast<std::byte*>(header.data()), header.size());
    first_byte_ = 8 + length;
    parse(header);
    check(bytes - first_byte_);
  }

  /// In the order of their bytes.
  [[nodiscard]] const std::vector<safetensors_entry>& entries() const { return entries_; }
  [[nodiscard]] const std::map<std::string, std::string>& metadata() const { return metadata_; }
  [[nodiscard]] const std::string& path() const { return path_; }

  /// The tensor of that name, or null.
  [[nodiscard]] const safetensors_entry* find(const std::string& name) const {
    const auto found = positions_.find(name);
    return found == positions_.end() ? nullptr : &entries_[found->second];
  }

  /// Copies the bytes of a tensor of this file.
  void read(const safetensors_entry& entry, std::byte* to) {
    errno = 0;
    require_readable(::fseeko(file_.get(), static_cast<::off_t>(first_byte_ + entry.begin), SEEK_SET) == 0);
    take(to, static_cast<std::size_t>(entry.end - entry.begin));
  }

 private:
  template <class... Parts>
  void require(bool condition, const Parts&... parts) const {
    detail::require(condition, error_code::malformed_data, "gal::safetensors_file: ", path_, ": ", parts...);
  }

  void require_readable(bool condition) const {
    detail::require(condition, error_code::unreadable_file, "gal::safetensors_file: cannot read ", path_,
                    ": ", std::generic_category().message(errno));
  }

  void take(std::byte* to, std::size_t count) {
    errno = 0;
    const bool complete = count == 0 || std::fread(to, 1, count, file_.get()) == count;
    require_readable(complete || std::ferror(file_.get()) == 0);
    require(complete, "it ends before its data do");
  }

  void parse(const std::string& header) {
    require(!header.empty() && header.front() == '{', "the header does not begin with {; expected JSON");
    detail::safetensors_header reader;
    const bool parsed = nlohmann::json::sax_parse(header, &reader);
    require(parsed, reader.failure);
    entries_ = std::move(reader.entries);
    metadata_ = std::move(reader.metadata);
  }

  // The tensors' bytes, one after the other, have to be the data.
  void check(std::uint64_t size) {
    std::stable_sort(entries_.begin(), entries_.end(), [](const auto& a, const auto& b) {
      return a.begin != b.begin ? a.begin < b.begin : a.end < b.end;
    });
    std::uint64_t next = 0;
    for (const safetensors_entry& entry : entries_) {
      const std::string place = detail::in_quotes(entry.name, 80) + ": ";
      require(positions_.emplace(entry.name, positions_.size()).second, place, "two tensors of this name");
      require(entry.begin <= entry.end && entry.end <= size, place, "bytes ", entry.begin, " to ", entry.end,
              " of ", size, "; expected a range inside");
      require(entry.begin == next, place, "begins at byte ", entry.begin, "; expected ", next,
              ", where the tensor before it ends");
      // Of a type that is not known, where it lies has to do.
      if (const std::optional<index_type> bits = detail::bits_of_type(entry.type)) {
        constexpr index_type most = std::numeric_limits<index_type>::max() / 8;
        const index_type all = 8 * static_cast<index_type>(std::min(size, static_cast<std::uint64_t>(most)));
        const std::optional<index_type> count = detail::product_of(entry.shape, all / *bits);
        require(count.has_value(), place, "more numbers than the ", size, " bytes of data hold");
        require(*count * *bits % 8 == 0, place, *count, " numbers of ", *bits,
                " bits; expected a whole number of bytes");
        const auto bytes = static_cast<std::uint64_t>(*count * *bits / 8);
        require(entry.end - entry.begin == bytes, place, entry.end - entry.begin, " bytes; expected ", bytes,
                " for its shape");
      }
      next = entry.end;
    }
    require(next == size, "tensors of ", next, " bytes and ", size, " bytes of data; expected as many");
  }

  struct closer {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };

  std::string path_;
  std::unique_ptr<std::FILE, closer> file_;
  std::uint64_t first_byte_ = 0;  // of the data
  std::vector<safetensors_entry> entries_;
  std::map<std::string, std::size_t> positions_;
  std::map<std::string, std::string> metadata_;
};

/// Settings of `save_safetensors` and `load_safetensors`.
struct safetensors_options {
  std::string prefix = {};  ///< before every name in the file; others are left out when loading
  bool convert = false;  ///< float into double and double, rounded, into float; else the types have to agree
};

namespace detail {

[[nodiscard]] inline std::string type_and_shape(std::string_view type, const std::vector<index_type>& shape) {
  return text(type.substr(0, 40), " [", list_text(shape), "]");
}

// The tensors of a model's state. Throws where two of them share memory, of which a file would have two versions.
inline std::vector<state_view::entry> distinct_tensors_of(const state_view& state, std::string_view where) {
  std::vector<state_view::entry> entries = tensors_of(state);
  std::vector<owned_memory> memory;
  for (const state_view::entry& entry : entries) {
    memory.push_back({static_cast<const std::byte*>(entry.memory), entry.bytes(), entry.name});
  }
  require_distinct(memory, where);
  return entries;
}

// Differences for a message: the first few.
class difference_list {
 public:
  template <class... Parts>
  void add(const Parts&... parts) {
    constexpr int shown = 4;
    if (count_ < shown) {
      list_ += (count_ == 0 ? "" : "; ") + text(parts...);
    }
    ++count_;
  }
  [[nodiscard]] bool empty() const { return count_ == 0; }
  [[nodiscard]] std::string message() const {
    return count_ > 4 ? text(list_, "; ", count_ - 4, " more") : list_;
  }

 private:
  std::string list_;
  int count_ = 0;
};

[[nodiscard]] inline bool is_float_type(std::string_view type) { return type == "F32" || type == "F64"; }

// How a file names a type.
[[nodiscard]] inline std::string file_type(number_type type) {
  return std::array{"F32", "F64", "I64", "U64"}[static_cast<std::size_t>(type)];
}

// What the tensors of a file and the entries of a state differ in.
inline void compare(const safetensors_file& file, const std::vector<state_view::entry>& entries,
                    const safetensors_options& options, difference_list& differences) {
  std::map<std::string, bool> wanted;
  for (const state_view::entry& entry : entries) {
    const std::string name = options.prefix + entry.name;
    wanted[name] = true;
    const safetensors_entry* const found = file.find(name);
    if (found == nullptr) {
      differences.add(name, " is missing in the file");
      continue;
    }
    const std::string type = file_type(entry.type);
    const bool converts = options.convert && is_float_type(type) && is_float_type(found->type);
    if (!is_float_type(found->type) && found->type != "I64" && found->type != "U64") {
      differences.add(name, " is ", type_and_shape(found->type, found->shape),
                      " in the file, a type that is not read; expected ", type_and_shape(type, entry.shape));
    } else if (found->shape != entry.shape || (found->type != type && !converts)) {
      differences.add(name, " is ", type_and_shape(found->type, found->shape), " in the file, ",
                      type_and_shape(type, entry.shape), " here");
    }
  }
  for (const safetensors_entry& entry : file.entries()) {
    // PyTorch counts the batches of a batch normalisation, and uses that only where there is no momentum.
    const bool counter = entry.name.ends_with(".num_batches_tracked") || entry.name == "num_batches_tracked";
    if (entry.name.starts_with(options.prefix) && !counter && !wanted.contains(entry.name)) {
      differences.add(entry.name.substr(0, 80), " is in the file, and not here");
    }
  }
}

template <class From, class To>
bool convert_numbers(const std::vector<std::byte>& from, std::byte* to, index_type count) {
  for (index_type i = 0; i < count; ++i) {
    From x;
    std::memcpy(&x, from.data() + i * static_cast<index_type>(sizeof x), sizeof x);
    if (std::isfinite(x) && std::abs(x) > static_cast<From>(std::numeric_limits<To>::max())) {
      return false;
    }
    const To y = static_cast<To>(x);
    std::memcpy(to + i * static_cast<index_type>(sizeof y), &y, sizeof y);
  }
  return true;
}

// The numbers of entries that the file was found to have.
inline staged_numbers read_entries(safetensors_file& file, const std::vector<state_view::entry>& entries,
                                   const std::string& prefix) {
  staged_numbers numbers(entries);
  for (std::size_t k = 0; k < entries.size(); ++k) {
    const safetensors_entry& found = *file.find(prefix + entries[k].name);
    if (found.type == file_type(entries[k].type)) {
      file.read(found, numbers.at(k));
      continue;
    }
    std::vector<std::byte> raw(static_cast<std::size_t>(found.end - found.begin));
    file.read(found, raw.data());
    const bool fits = entries[k].type == number_type::float32
                          ? convert_numbers<double, float>(raw, numbers.at(k), entries[k].count())
                          : convert_numbers<float, double>(raw, numbers.at(k), entries[k].count());
    require(fits, error_code::malformed_data, "gal::safetensors_file: ", file.path(), ": \"", found.name,
            "\": a number beyond the range of float");
  }
  return numbers;
}

// That the numbers of a file are finite, and above what they have to be.
inline void require_in_range(const state_view::entry& entry, const std::byte* numbers, std::string_view where,
                             const std::string& path) {
  require(is_finite(entry, numbers), error_code::malformed_data, where, ": ", path, ": ", entry.name,
          " holds a NaN or an infinity; expected finite numbers");
  require(is_above(entry, numbers), error_code::malformed_data, where, ": ", path, ": ", entry.name,
          " holds a number that is not above ", entry.above, "; expected such numbers alone");
}

// The header of a file of these entries, which are in the order of their bytes.
inline std::string safetensors_header_text(const std::vector<state_view::entry>& entries,
                                           const std::string& prefix,
                                           const std::map<std::string, std::string>& metadata) {
  std::string header;
  try {
    header = "{\"__metadata__\":" + nlohmann::json(metadata).dump();
    std::size_t offset = 0;
    for (const state_view::entry& entry : entries) {
      header += text(",", nlohmann::json(prefix + entry.name).dump(), ":{\"dtype\":\"", file_type(entry.type),
                     "\",\"shape\":", nlohmann::json(entry.shape).dump(), ",\"data_offsets\":[", offset, ",",
                     offset + entry.bytes(), "]}");
      offset += entry.bytes();
    }
  } catch (const nlohmann::json::exception&) {
    throw error(error_code::invalid_option,
                "gal::save_safetensors: a name that is not UTF-8; expected one that JSON can hold");
  }
  header += "}";
  header.resize((header.size() + 7) / 8 * 8, ' ');  // so that the numbers lie where their types may
  return header;
}

// Writes entries as a file, largest types first and then by name. `only_finite`: throws for a NaN or infinity before.
inline void write_entries(const std::string& path, std::vector<state_view::entry> entries,
                          const std::string& prefix, const std::map<std::string, std::string>& metadata,
                          bool only_finite) {
  std::sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) {
    return a.type != b.type ? a.type > b.type : a.name < b.name;
  });
  staged_numbers numbers(entries);
  for (std::size_t k = 0; k < entries.size(); ++k) {
    entries[k].read(numbers.at(k));
    require(!only_finite || is_finite(entries[k], numbers.at(k)), error_code::non_finite, "gal: ", path,
            " was not written: ", entries[k].name, " holds a NaN or an infinity; expected finite numbers");
  }
  const std::string header = safetensors_header_text(entries, prefix, metadata);
  const std::uint64_t length = header.size();
  std::vector<std::string_view> parts = {{reinterpret_cast<const char*>(&length), sizeof length}, header};
  for (std::size_t k = 0; k < entries.size(); ++k) {
    parts.emplace_back(reinterpret_cast<const char*>(numbers.at(k)), entries[k].bytes());
  }
  replace_file(path, parts);
}

}  // namespace detail

/// Writes the weights of a model to a safetensors file, which is there completely or not at all; those of `nn::mlp` and
/// `nn::cnn` under PyTorch's names and in its shapes, with the running statistics. Of a model with parameters only the
/// blocks are called 0, 1, ... NaNs are written as they are. Throws `unreadable_file` where writing fails, and
/// `invalid_option` where two tensors share memory.
///
///     gal::save_safetensors("weights.safetensors", model);
///     # Python: model.load_state_dict(safetensors.torch.load_file("weights.safetensors"))
template <stateful Model>
void save_safetensors(const std::string& path, Model& model, const safetensors_options& options = {}) {
  detail::write_entries(path, detail::distinct_tensors_of(state_view(model), "gal::save_safetensors"),
                        options.prefix, {{"format", "pt"}}, false);
}

/// Reads the weights of a model from a safetensors file. Everything is checked before the first number of the model
/// changes: the names, shapes and types have to be the model's (`shape_mismatch`, with what differs), but for PyTorch's
/// `num_batches_tracked`. Tensors of other prefixes are left alone, of whatever type. Memory is taken for the model's numbers only, whatever the file says. Throws as
/// `safetensors_file` does, and `malformed_data` where a double that is to be converted is beyond float.
///
///     gal::load_safetensors("weights.safetensors", model, {.prefix = "net."});   // self.net = nn.Sequential(...)
template <stateful Model>
void load_safetensors(const std::string& path, Model& model, const safetensors_options& options = {}) {
  safetensors_file file(path);
  const auto entries = detail::distinct_tensors_of(state_view(model), "gal::load_safetensors");
  detail::difference_list differences;
  detail::compare(file, entries, options, differences);
  detail::require(differences.empty(), error_code::shape_mismatch, "gal::load_safetensors: ", path,
                  " does not fit the model: ", differences.message());
  const detail::staged_numbers numbers = detail::read_entries(file, entries, options.prefix);
  for (std::size_t k = 0; k < entries.size(); ++k) {
    entries[k].write(numbers.at(k));
  }
}

}  // namespace gal
