#pragma once

#include <filesystem>
#include <string>

#include "formats/seekable_writer.h"
#include "tools/cli/convert.h"
#include "tools/cli/convert_source.h"

// What the sinks of all forms have in common (part_sink.h).

namespace millrace {

/// "train", "test", "val".
std::string split_name(const ConvertPart& part);

/// Whether what is there under that name may go: spec.force, or an interrupted conversion left it.
bool may_replace(const ConvertSpec& spec, const std::string& name);

/// spec.out / name. Throws DataError if that is there already and not to be replaced.
std::filesystem::path free_target(const ConvertSpec& spec, const std::string& name);

/// What spec.level and spec.jobs say of seekable zstd.
SeekableOptions seekable_options(const ConvertSpec& spec);

/// Throws the DataError that `form` has no such element type.
[[noreturn]] void refuse_type(const ConvertPart& part, const std::string& form);

/// True for samples that are images: [h, w] or [h, w, 3] uint8.
bool holds_images(const Dataset& data);

/// `number` in decimal with zeros in front, as many digits as `count` - 1 has, at least `least`.
std::string padded(std::uint64_t number, std::uint64_t count, std::size_t least);

/// A sample of holds_images() as a PNG file.
std::string png_of_sample(const Dataset& data, std::span<const std::byte> sample);

}  // namespace millrace
