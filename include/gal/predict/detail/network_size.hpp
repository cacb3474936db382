// gal/predict/detail/network_size.hpp: how large a network would be, before memory is taken for it.
// Provides: nothing public; detail::require_size for gal/predict/predictor_file.hpp.
#pragma once

#include <gal/core/error.hpp>
#include <gal/core/view.hpp>
#include <gal/nn/layers.hpp>
#include <gal/predict/network_structure.hpp>

#include <concepts>
#include <cstddef>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace gal::inline GAL_ABI::detail {

/// Follows the shapes through a network, and throws where it has more parameters than so many, or a layer more than 2^28
/// numbers of one sample, its border included. Of shapes that do not fit it throws as the network does, or leaves it that.
class network_measure {
 public:
  explicit network_measure(index_type most_parameters) : most_(most_parameters) {}

  void add(const mlp_structure& s) {
    for (std::size_t l = 0; l + 1 < s.widths.size(); ++l) {
      where_ = text("layer ", l);
      add_parameters({s.widths[l], s.widths[l + 1]});
      add_parameters({s.bias ? s.widths[l + 1] : 0});
    }
  }

  void add(const cnn_structure& s) {
    where_ = "input";
    become(s.input);
    add(s.layers, "");
  }

 private:
  void add(const std::vector<nn::layer>& layers, const std::string& prefix) {
    for (std::size_t l = 0; l < layers.size(); ++l) {
      const std::string place = text(prefix, l);
      where_ = text("layer ", place, ", ", nn::detail::name_of(layers[l]));
      std::visit([&](const auto& options) { add(options, place); }, layers[l].get());
    }
  }

  void add_parameters(std::initializer_list<index_type> sizes) {
    const std::optional<index_type> count = product_of(sizes, most_ - parameters_);
    require(count.has_value(), error_code::malformed_data, where_, ": more parameters than the ", most_,
            " numbers in the file");
    parameters_ += *count;
  }
  void require_numbers(index_type channels, index_type height, index_type width) const {
    constexpr index_type most = index_type{1} << 28;
    require(product_of({channels, height, width}, most).has_value(), error_code::malformed_data, where_,
            ": a sample of ", nn::image_shape{channels, height, width}, "; expected at most ", most,
            " numbers");
  }
  void become(nn::image_shape next) {
    require_numbers(next.channels, next.height, next.width);
    shape_ = next;
  }
  void move(const nn::detail::window& w, index_type channels) {
    require_numbers(w.channels, w.padded_height(), w.padded_width());
    become({channels, w.out_height, w.out_width});
  }

  void add(const nn::convolution& l, const std::string&) {
    const nn::detail::window w = nn::detail::convolution_window(l, shape_, where_);
    add_parameters({l.channels, w.channels / l.groups, w.kernel_height, w.kernel_width});
    add_parameters({l.bias ? l.channels : 0});
    move(w, l.channels);
  }
  void add(const nn::depthwise_convolution& l, const std::string& place) {
    add(nn::detail::as_convolution(l, shape_.channels), place);
  }
  void add(const nn::batch_normalization&, const std::string&) { add_parameters({4, shape_.channels}); }
  template <class Pool>
    requires(std::same_as<Pool, nn::max_pool> || std::same_as<Pool, nn::average_pool>)
  void add(const Pool& l, const std::string&) {
    move(nn::detail::pool_window(shape_, l.kernel, l.stride, l.padding, where_), shape_.channels);
  }
  void add(const nn::global_average_pool&, const std::string&) { become({shape_.channels, 1, 1}); }
  void add(const nn::flatten&, const std::string&) { become({shape_.size(), 1, 1}); }
  void add(const nn::linear& l, const std::string&) {
    add_parameters({shape_.channels, l.outputs});
    add_parameters({l.bias ? l.outputs : 0});
    become({l.outputs, 1, 1});
  }
  void add(const nn::residual& l, const std::string& place) {
    const nn::image_shape before = shape_;
    add(l.shortcut, place + ".shortcut.");
    shape_ = before;
    add(l.body, place + ".body.");
  }
  void add(const nn::channel_gate& l, const std::string& place) {
    const nn::image_shape before = shape_;
    add(l.body, place + ".body.");
    shape_ = before;
  }
  void add(const nn::activation&, const std::string&) {}
  void add(const nn::dropout&, const std::string&) {}

  index_type most_;
  index_type parameters_ = 0;
  std::string where_;
  nn::image_shape shape_{};
};

inline void require_size(const network_structure& structure, index_type most_parameters) {
  std::visit([&](const auto& s) { network_measure(most_parameters).add(s); }, structure);
}

}  // namespace gal::detail
