#include "tools/cli/target.h"

#include <fmt/format.h>

#include <algorithm>
#include <system_error>

#include "formats/error.h"
#include "tools/image/picture.h"

namespace millrace {

namespace fs = std::filesystem;

std::string split_name(const ConvertPart& part) {
  return part.split == DataSplit::kValidation ? "val" : std::string(name_of(part.split));
}

bool may_replace(const ConvertSpec& spec, const std::string& name) {
  return spec.force || std::ranges::binary_search(spec.interrupted, name);
}

fs::path free_target(const ConvertSpec& spec, const std::string& name) {
  auto target = spec.out / name;
  std::error_code error;
  if (!may_replace(spec, name) && fs::exists(fs::symlink_status(target, error))) {
    throw DataError(target, "is there already; --force replaces it");
  }
  return target;
}

SeekableOptions seekable_options(const ConvertSpec& spec) {
  SeekableOptions options{.threads = spec.jobs};
  options.level = spec.level.value_or(options.level);
  return options;
}

void refuse_type(const ConvertPart& part, const std::string& form) {
  throw DataError(part.data->name(), std::nullopt, "an element type that " + form + " has",
                  std::string(name_of(part.data->dtype())));
}

bool holds_images(const Dataset& data) {
  const auto& dims = data.shape().dims;
  return data.dtype() == DType::kUInt8 && (dims.size() == 2 || (dims.size() == 3 && dims[2] == 3));
}

std::string padded(std::uint64_t number, std::uint64_t count, std::size_t least) {
  const auto digits = std::max(least, std::to_string(count == 0 ? 0 : count - 1).size());
  return fmt::format("{:0{}}", number, digits);
}

std::string png_of_sample(const Dataset& data, std::span<const std::byte> sample) {
  const auto& dims = data.shape().dims;
  Picture picture(static_cast<std::uint32_t>(dims[1]), static_cast<std::uint32_t>(dims[0]),
                  dims.size() == 3 ? 3 : 1);
  std::ranges::transform(sample, picture.pixels.begin(),
                         [](std::byte value) { return std::to_integer<std::uint8_t>(value); });
  return encode_png(picture);
}

}  // namespace millrace
