#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "formats/image_layout.h"
#include "train/trained_model.h"

namespace millrace {

/// Of [h, w], [1, h, w], [h, w, 1], [3, h, w] and [h, w, 3]; a checkpoint that knows only how many
/// values a sample has is taken to be of square grey pictures. Throws DataError for a model of
/// other samples, or not of bytes.
ImageLayout image_layout(const TrainedModel& model);

enum class Invert : std::uint8_t { kAuto, kOn, kOff };

/// What is done for a model where `asked` is asked for: kAuto is kOff where more than hardly any of
/// its own pictures were dark on light, for it knows such ones as they are.
Invert invert_for(const TrainedModel& model, Invert asked);

/// Reads an image of any size, colour and format of formats/image.h as a sample: stretched to the
/// layout's size; turned to light on dark where `invert` says so, by itself only for grey layouts.
/// Thread-safe. Throws DataError naming the file.
void read_image_sample(const std::filesystem::path& path, const ImageLayout& layout, Invert invert,
                       std::span<std::byte> sample);

/// Files as they are, and of folders the images in them and in their sub-folders (images_below()).
/// Throws DataError for a folder without images.
std::vector<std::filesystem::path> images_of(const std::vector<std::string>& paths);

}  // namespace millrace
