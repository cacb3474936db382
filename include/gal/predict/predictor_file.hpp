// gal/predict/predictor_file.hpp: a predictor as one file, which Python reads too (POSIX). Needs nlohmann-json, as
// gal/io/safetensors.hpp.
// Provides: save_predictor, load_predictor, load_predictor_options. Includes gal/predict/predictor.hpp,
// gal/io/safetensors.hpp.
#pragma once

#include <gal/core/error.hpp>
#include <gal/core/version.hpp>
#include <gal/io/safetensors.hpp>
#include <gal/io/state.hpp>
#include <gal/predict/detail/network_size.hpp>
#include <gal/predict/detail/structure_json.hpp>
#include <gal/predict/predictor.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace gal::inline GAL_ABI {

namespace detail {

// What the file of a predictor says of itself, under the name "gal" in the metadata.
inline constexpr std::string_view predictor_version = "predictor 1";

// The numbers of a predictor, by name.
template <class T>
struct predictor_numbers {
  built_network<T>& network;
  standardizer<T>& inputs;
  standardizer<T>& targets;

  void operator()(state_view& visit) {
    std::visit([&](auto& n) { visit("network", n); }, network);
    if (!inputs.mean().empty()) {
      visit("inputs", inputs);
    }
    if (!targets.mean().empty()) {
      visit("targets", targets);
    }
  }
};

// The names in a file's metadata; none where it has none.
inline std::vector<std::string> names_in(const safetensors_file& file, const std::string& field) {
  const auto found = file.metadata().find(field);
  if (found == file.metadata().end()) {
    return {};
  }
  const std::string where = text("gal::load_predictor: ", file.path(), ": ", field);
  std::vector<std::string> names;
  const nlohmann::json list = parse_json(found->second, where);
  require(list.is_array(), error_code::malformed_data, where, " is ", in_quotes(found->second),
          "; expected a JSON array of names");
  for (const nlohmann::json& name : list) {
    require(name.is_string(), error_code::malformed_data, where, " holds ", in_quotes(name.dump()),
            "; expected names as text");
    names.push_back(name.get<std::string>());
  }
  return names;
}

// A standardizer to be filled from the file; none where it has none.
template <class T>
standardizer<T> blank_scale(const safetensors_file& file, const std::string& name, std::size_t count) {
  const bool is_there = file.find(name + ".mean") != nullptr || file.find(name + ".deviation") != nullptr;
  return is_there ? standardizer<T>(std::vector<double>(count, 0.0), std::vector<double>(count, 1.0))
                  : standardizer<T>();
}

// What a file is that is no predictor, or one of another version.
inline void require_predictor(const safetensors_file& file) {
  const auto version = file.metadata().find("gal");
  require(version != file.metadata().end(), error_code::malformed_data, "gal::load_predictor: ", file.path(),
          " is no predictor; expected a file that gal::save_predictor wrote, or the network's structure as "
          "well, for a "
          "file of weights alone");
  const std::string& found = version->second;
  const bool is_newer = found.starts_with("predictor ");
  require(found == predictor_version, error_code::malformed_data, "gal::load_predictor: ", file.path(),
          " is ", in_quotes(found), is_newer ? ", another version of the format" : "", "; expected \"",
          predictor_version, "\", the version of this library");
}

// Runs `f`, whose errors are about a file.
template <class F>
auto in_file(const std::string& path, F f) {
  try {
    return f();
  } catch (const error& failure) {
    throw error(error_code::malformed_data, text("gal::load_predictor: ", path, ": ", failure.what()));
  }
}

}  // namespace detail

/// Writes a predictor to a file, completely or not at all: the weights under PyTorch's names behind `network.`, means and
/// deviations as `inputs.mean`, ..., and in the metadata the structure of the network and the names, as JSON. Throws
/// `non_finite` where a number is a NaN or an infinity, `unreadable_file` where writing fails, and `invalid_option` for
/// names that are not UTF-8.
///
///     gal::save_predictor("model.safetensors", gal::predictor(model, {.inputs = scale, .columns = names}));
template <std::floating_point T>
void save_predictor(const std::string& path, const predictor<T>& what) {
  constexpr std::string_view where = "gal::save_predictor";
  auto network = what.network();
  auto options = what.options();
  detail::predictor_numbers<T> numbers{network, options.inputs, options.targets};
  const std::string structure = detail::structure_text(what.structure());
  // One that could not be read again is refused now.
  static_cast<void>(detail::parse_structure(structure, detail::text(where, ": structure")));
  std::map<std::string, std::string> metadata = {
      {"format", "pt"},
      {"gal", std::string(detail::predictor_version)},
      {"library", detail::text(GAL_VERSION_MAJOR, ".", GAL_VERSION_MINOR, ".", GAL_VERSION_PATCH)},
      {"structure", structure}};
  for (const auto& [field, names] :
       {std::pair<const char*, const std::vector<std::string>&>("columns", options.columns),
        {"targets", options.target_names},
        {"classes", options.classes}}) {
    if (!names.empty()) {
      metadata[field] = detail::json_text(names, where);
    }
  }
  detail::write_entries(path, detail::tensors_of(state_view(numbers)), "", metadata, true);
}

/// Settings of `load_predictor`.
struct load_predictor_options {
  bool convert =
      false;  ///< float into double and double, rounded, into float; else the type has to be the file's
};

/// The predictor of a file that `save_predictor` wrote: it predicts the same, bit for bit. Throws, besides what
/// `safetensors_file` does, where the file is no predictor, of another version, or holds what no predictor has
/// (`malformed_data`), and where tensors are not those of its structure, or of another type (`shape_mismatch`, with what
/// differs). Memory is taken for what the file holds, whatever it says.
///
///     const auto predict = gal::load_predictor<float>("model.safetensors");
template <std::floating_point T>
[[nodiscard]] predictor<T> load_predictor(const std::string& path,
                                          const load_predictor_options& options = {}) {
  safetensors_file file(path);
  detail::require_predictor(file);
  const auto source = file.metadata().find("structure");
  detail::require(source != file.metadata().end(), error_code::malformed_data, "gal::load_predictor: ", path,
                  ": structure is missing; expected that of the network");
  const network_structure structure =
      detail::parse_structure(source->second, detail::text("gal::load_predictor: ", path, ": structure"));
  const std::uint64_t bytes = file.entries().empty() ? 0 : file.entries().back().end;
  auto network = detail::in_file(path, [&] {
    detail::require_size(structure, static_cast<index_type>(bytes / sizeof(float)));
    return std::visit([](const auto& s) { return detail::build_network<T>(s); }, structure);
  });
  // Checks the names against the network, before means and deviations take their counts from it.
  predictor_options<T> parts{.columns = detail::names_in(file, "columns"),
                             .target_names = detail::names_in(file, "targets"),
                             .classes = detail::names_in(file, "classes")};
  const auto complete = [&] {
    return detail::in_file(
        path, [&] { return std::visit([&](const auto& n) { return predictor<T>(n, parts); }, network); });
  };
  const predictor<T> blank = complete();
  parts.inputs = detail::blank_scale<T>(file, "inputs", static_cast<std::size_t>(blank.inputs()));
  parts.targets = detail::blank_scale<T>(file, "targets", static_cast<std::size_t>(blank.outputs()));

  detail::predictor_numbers<T> shown{network, parts.inputs, parts.targets};
  const auto entries = detail::tensors_of(state_view(shown));
  detail::difference_list differences;
  detail::compare(file, entries, {.convert = options.convert}, differences);
  detail::require(differences.empty(), error_code::shape_mismatch, "gal::load_predictor: ", path,
                  " does not fit its structure: ", differences.message());
  const detail::staged_numbers numbers = detail::read_entries(file, entries, "");
  for (std::size_t k = 0; k < entries.size(); ++k) {
    detail::require_in_range(entries[k], numbers.at(k), "gal::load_predictor", path);
    entries[k].write(numbers.at(k));
  }
  return complete();
}

/// The predictor of a network whose weights alone are in a file, as PyTorch saves them, given its structure and what else
/// belongs to it; `weights` as for `load_safetensors`. Throws as that, as the network and as `predictor` do.
///
///     const auto predict = gal::load_predictor<float>("weights.safetensors", gal::mlp_structure{.widths = {13, 100, 1}},
///                                                     {.inputs = scale}, {.prefix = "net."});
template <std::floating_point T>
[[nodiscard]] predictor<T> load_predictor(const std::string& path, const network_structure& structure,
                                          predictor_options<T> options = {},
                                          const safetensors_options& weights = {}) {
  auto network = std::visit([](const auto& s) { return detail::build_network<T>(s); }, structure);
  return std::visit(
      [&](auto& n) {
        load_safetensors(path, n, weights);
        return predictor<T>(n, std::move(options));
      },
      network);
}

}  // namespace gal
