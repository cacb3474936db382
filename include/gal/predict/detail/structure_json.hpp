// gal/predict/detail/structure_json.hpp: the structure of a network as JSON, and back. Includes nlohmann-json.
// Provides: nothing public; detail::structure_text, detail::parse_structure, detail::parse_json, detail::json_text for
// gal/predict/predictor_file.hpp.
#pragma once

#include <gal/core/enumeration.hpp>
#include <gal/core/error.hpp>
#include <gal/nn/layers.hpp>
#include <gal/predict/network_structure.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace gal::inline GAL_ABI::detail {

// The fields of everything that has some, once for both directions.
template <class Archive>
void list_fields(Archive& at, nn::image_shape& s) {
  at("channels", s.channels);
  at("height", s.height);
  at("width", s.width);
}
template <class Archive>
void list_fields(Archive& at, nn::convolution& l) {
  at("channels", l.channels);
  at("kernel", l.kernel);
  at("stride", l.stride);
  at("padding", l.padding);
  at("dilation", l.dilation);
  at("groups", l.groups);
  at("bias", l.bias);
}
template <class Archive>
void list_fields(Archive& at, nn::depthwise_convolution& l) {
  at("kernel", l.kernel);
  at("stride", l.stride);
  at("padding", l.padding);
  at("dilation", l.dilation);
  at("bias", l.bias);
}
template <class Archive>
void list_fields(Archive& at, nn::batch_normalization& l) {
  at("momentum", l.momentum);
  at("epsilon", l.epsilon);
}
template <class Archive>
void list_fields(Archive& at, nn::activation& which) {
  at("function", which);
}
template <class Archive, class Pool>
  requires(std::same_as<Pool, nn::max_pool> || std::same_as<Pool, nn::average_pool>)
void list_fields(Archive& at, Pool& l) {
  at("kernel", l.kernel);
  at("stride", l.stride);
  at("padding", l.padding);
}
template <class Archive, class Plain>
  requires(std::same_as<Plain, nn::global_average_pool> || std::same_as<Plain, nn::flatten>)
void list_fields(Archive&, Plain&) {}
template <class Archive>
void list_fields(Archive& at, nn::dropout& l) {
  at("probability", l.probability);
}
template <class Archive>
void list_fields(Archive& at, nn::linear& l) {
  at("outputs", l.outputs);
  at("bias", l.bias);
}
template <class Archive>
void list_fields(Archive& at, nn::residual& l) {
  at("body", l.body);
  at("shortcut", l.shortcut);
}
template <class Archive>
void list_fields(Archive& at, nn::channel_gate& l) {
  at("body", l.body);
}
template <class Archive>
void list_fields(Archive& at, mlp_structure& s) {
  at("widths", s.widths);
  at("activation", s.activation);
  at("bias", s.bias);
}
template <class Archive>
void list_fields(Archive& at, cnn_structure& s) {
  at("input", s.input);
  at("layers", s.layers);
}

inline constexpr std::array<std::string_view, std::variant_size_v<network_structure>> network_names = {"mlp",
                                                                                                       "cnn"};

class field_writer {
 public:
  using json = nlohmann::json;

  // An object of the fields; `kind` is the name under which it says what it is.
  template <class Object>
  static json object(Object value, std::string_view kind = "", std::string_view name = "") {
    field_writer writer;
    if (!kind.empty()) {
      writer.result_[std::string(kind)] = std::string(name);
    }
    list_fields(writer, value);
    return writer.result_;
  }

  template <class Value>
  void operator()(const char* name, const Value& value) {
    result_[name] = to_json(value);
  }

 private:
  static json to_json(const nn::extent& e) { return {e.height, e.width}; }
  static json to_json(const nn::image_shape& s) { return object(s); }
  static json to_json(const std::vector<index_type>& numbers) { return numbers; }
  static json to_json(const std::vector<nn::layer>& layers) {
    json list = json::array();
    for (const nn::layer& l : layers) {
      list.push_back(std::visit(
          [&](const auto& options) { return object(options, "layer", nn::detail::name_of(l)); }, l.get()));
    }
    return list;
  }
  template <class Value>
  static json to_json(const Value& value) {
    if constexpr (std::is_enum_v<Value>) {
      return to_string(value);
    } else {
      return value;
    }
  }

  json result_ = json::object();
};

/// Fills fields from a JSON object, which has to have these and no others. `where` says which object it is.
class field_reader {
 public:
  using json = nlohmann::json;

  field_reader(const json& from, std::string where, std::string_view kind = "")
      : from_(from), where_(std::move(where)) {
    require(from_.is_object(), " is ", shown(from_), "; expected an object");
    if (!kind.empty()) {
      names_.emplace_back(kind);
    }
  }

  // Everything that is a list of fields.
  template <class Object>
  static Object object(Object value, const json& from, const std::string& where, std::string_view kind = "") {
    field_reader reader(from, where, kind);
    list_fields(reader, value);
    reader.finish();
    return value;
  }

  // Which of the names a field holds.
  template <class Names>
  static std::size_t choice(const json& from, const std::string& where, const char* field,
                            const Names& names) {
    const field_reader reader(from, where);
    const json& value = reader.field(field);
    const auto found =
        value.is_string() ? std::find(names.begin(), names.end(), value.get<std::string>()) : names.end();
    reader.require(found != names.end(), ": ", field, " is ", shown(value), "; expected one of ",
                   list_text(names));
    return static_cast<std::size_t>(found - names.begin());
  }

  template <class Value>
  void operator()(const char* name, Value& value) {
    names_.emplace_back(name);
    read(name, field(name), value);
  }

 private:
  template <class... Parts>
  void require(bool condition, const Parts&... parts) const {
    detail::require(condition, error_code::malformed_data, where_, parts...);
  }

  [[nodiscard]] const json& field(const char* name) const {
    const auto found = from_.find(name);
    require(found != from_.end(), " has no field ", name, "; expected one");
    return *found;
  }

  // A value as messages show it.
  static std::string shown(const json& value) {
    return value.is_object()   ? "an object"
           : value.is_array()  ? text("an array of ", value.size())
           : value.is_string() ? in_quotes(value.get_ref<const std::string&>())
                               : value.dump();
  }

  void finish() const {
    for (const auto& item : from_.items()) {
      require(std::find(names_.begin(), names_.end(), item.key()) != names_.end(), " has a field ",
              in_quotes(item.key()), "; expected ", list_text(names_));
    }
  }

  [[nodiscard]] index_type whole_number(const char* name, const json& value) const {
    constexpr std::uint64_t most = nn::detail::largest_side;
    require(value.is_number_unsigned() && value.get<std::uint64_t>() <= most, ": ", name, " is ",
            shown(value), "; expected a whole number from 0 to ", most);
    return value.get<index_type>();
  }

  void read(const char* name, const json& from, index_type& value) const { value = whole_number(name, from); }
  void read(const char* name, const json& from, bool& value) const {
    require(from.is_boolean(), ": ", name, " is ", shown(from), "; expected true or false");
    value = from.get<bool>();
  }
  void read(const char* name, const json& from, double& value) const {
    require(from.is_number(), ": ", name, " is ", shown(from), "; expected a number");
    value = from.get<double>();
  }
  void read(const char* name, const json& from, nn::extent& value) const {
    require(from.is_array() && from.size() == 2, ": ", name, " is ", shown(from),
            "; expected an array of 2, height and width");
    value = {whole_number(name, from[0]), whole_number(name, from[1])};
  }
  void read(const char* name, const json& from, std::vector<index_type>& value) const {
    require(from.is_array(), ": ", name, " is ", shown(from), "; expected an array of numbers");
    for (const json& number : from) {
      value.push_back(whole_number(name, number));
    }
  }
  void read(const char* name, const json& from, nn::image_shape& value) const {
    value = object(value, from, text(where_, ", ", name));
  }
  template <named_enumeration E>
  void read(const char* name, const json&, E& value) const {
    value = static_cast<E>(choice(from_, where_, name, enumerators_of<E>));
  }
  void read(const char* name, const json& from, std::vector<nn::layer>& value) const {
    require(from.is_array(), ": ", name, " is ", shown(from), "; expected an array of layers");
    for (std::size_t l = 0; l < from.size(); ++l) {
      const std::string where = text(where_, ", ", name, "[", l, "]");
      const std::size_t kind = choice(from[l], where, "layer", nn::detail::layer_names);
      value.push_back(layer_of_kind(kind, from[l], where));
    }
  }

  // The layer whose kind is that alternative.
  template <std::size_t Kind = 0>
  static nn::layer layer_of_kind(std::size_t kind, const json& from, const std::string& where) {
    using layer_type = std::variant_alternative_t<Kind, nn::layer::kind>;
    if constexpr (Kind + 1 < std::variant_size_v<nn::layer::kind>) {
      if (kind != Kind) {
        return layer_of_kind<Kind + 1>(kind, from, where);
      }
    }
    if constexpr (std::same_as<layer_type, nn::residual>) {
      return object(nn::residual(std::vector<nn::layer>()), from, where, "layer");
    } else {
      return object(layer_type{}, from, where, "layer");
    }
  }

  const json& from_;
  std::string where_;
  std::vector<std::string> names_;
};

/// Bytes of JSON in one field of the metadata.
inline constexpr std::size_t longest_json = std::size_t{1} << 20;

/// Text that is read as JSON: not too long, and nested no deeper than 64 times.
inline nlohmann::json parse_json(const std::string& source, const std::string& where) {
  constexpr int deepest = 64;
  require(source.size() <= longest_json, error_code::malformed_data, where, " is a text of ", source.size(),
          " bytes; expected at most ", longest_json);
  nlohmann::json result = nlohmann::json::parse(
      source,
      [&](int depth, nlohmann::json::parse_event_t, nlohmann::json&) {
        require(depth <= deepest, error_code::malformed_data, where, " is nested more than ", deepest,
                " times; expected less");
        return true;
      },
      false);
  require(!result.is_discarded(), error_code::malformed_data, where, " is ", in_quotes(source),
          "; expected JSON");
  return result;
}

/// JSON as text. Throws for text that is not UTF-8, and where it would be too long to be read.
inline std::string json_text(const nlohmann::json& value, std::string_view where) {
  try {
    std::string result = value.dump();
    require(result.size() <= longest_json, error_code::invalid_option, where, ": names of ", result.size(),
            " bytes; expected at most ", longest_json);
    return result;
  } catch (const nlohmann::json::exception&) {
    throw error(error_code::invalid_option,
                text(where, ": a name that is not UTF-8; expected one that JSON can hold"));
  }
}

inline std::string structure_text(const network_structure& structure) {
  return std::visit(
      [&](const auto& s) {
        return field_writer::object(s, "network", network_names[structure.index()]).dump();
      },
      structure);
}

inline network_structure parse_structure(const std::string& source, const std::string& where) {
  const nlohmann::json from = parse_json(source, where);
  if (field_reader::choice(from, where, "network", network_names) == 0) {
    return field_reader::object(mlp_structure{}, from, where, "network");
  }
  return field_reader::object(cnn_structure{}, from, where, "network");
}

}  // namespace gal::detail
