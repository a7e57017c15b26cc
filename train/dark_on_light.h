#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "formats/dataset.h"

namespace millrace {

/// Whether a grey picture is dark on light: both its border, for the most part, and its mean are
/// light. MNIST and its kin are light on dark; their pictures reach the border nearly nowhere.
bool is_dark_on_light(std::span<const std::byte> pixels, std::uint32_t width, std::uint32_t height);

/// The share of the samples that are dark on light, of a hundred of them at most, spread evenly;
/// those that cannot be read are passed over. nullopt where samples are no grey pictures of bytes,
/// or none of them can be read.
std::optional<double> dark_on_light_share(const Dataset& data);

}  // namespace millrace
