#include <fmt/format.h>
#include <turbojpeg.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <new>
#include <optional>
#include <string_view>
#include <utility>

#include "formats/error.h"
#include "formats/image_codecs.h"
#include "formats/image_orientation.h"

namespace millrace {
namespace {

struct Destroy {
  void operator()(void* handle) const noexcept { tjDestroy(handle); }
};

using Decoder = std::unique_ptr<void, Destroy>;

/// One for each thread: making it costs as much as decoding a small image.
Decoder& decoder() {
  thread_local Decoder handle;
  if (!handle) handle.reset(tjInitDecompress());
  if (!handle) throw std::bad_alloc();
  return handle;
}

const unsigned char* chars(std::span<const std::byte> bytes) noexcept {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

/// libjpeg goes on after damage and leaves grey in its place; one kind of it is harmless and not
/// rare in photos of cameras.
bool harmless(tjhandle handle) {
  return tjGetErrorCode(handle) == TJERR_WARNING &&
         std::string_view(tjGetErrorStr2(handle)).find("extraneous bytes before marker") !=
             std::string_view::npos;
}

struct Header {
  int width = 0;
  int height = 0;
  int colorspace = 0;
};

Header read_header(Decoder& handle, std::span<const std::byte> file, const std::string& name) {
  Header header;
  int subsampling = 0;
  if (tjDecompressHeader3(handle.get(), chars(file), file.size(), &header.width, &header.height,
                          &subsampling, &header.colorspace) != 0 &&
      !harmless(handle.get())) {
    const std::string reason = tjGetErrorStr2(handle.get());
    handle.reset();  // it would go on with this header in the next file
    throw DataError(name, fmt::format("not a sound JPEG image: {}", reason));
  }
  return header;
}

bool is_cmyk(const Header& header) noexcept {
  return header.colorspace == TJCS_CMYK || header.colorspace == TJCS_YCCK;
}

/// The smallest of the decoder's scales that leaves at least `wanted`.
ImageSize scaled_size(const Header& header, const std::optional<ImageSize>& wanted) {
  ImageSize best{static_cast<std::uint32_t>(header.width),
                 static_cast<std::uint32_t>(header.height)};
  if (!wanted) return best;
  int count = 0;
  const auto* factors = tjGetScalingFactors(&count);
  for (const auto& factor : std::span(factors, static_cast<std::size_t>(std::max(count, 0)))) {
    if (factor.num > factor.denom) continue;
    const ImageSize size{static_cast<std::uint32_t>(TJSCALED(header.width, factor)),
                         static_cast<std::uint32_t>(TJSCALED(header.height, factor))};
    if (size.width < wanted->width || size.height < wanted->height) continue;
    if (size.width < best.width || size.height < best.height) best = size;
  }
  return best;
}

/// True for a file with Adobe's APP14 segment before its first scan: its CMYK samples are stored
/// inverted (Adobe Technical Note 5116, "Supporting the DCT Filters").
bool is_adobes(std::span<const std::byte> file) noexcept {
  constexpr std::uint8_t kApp14 = 0xee;
  return !jpeg_segment(file, kApp14, "Adobe").empty();
}

/// [count, 4] to [count, 3].
std::vector<std::byte> rgb_of_cmyk(std::span<const std::byte> cmyk, bool inverted) {
  std::vector<std::byte> rgb(cmyk.size() / 4 * 3);
  const std::uint32_t flip = inverted ? 0 : 255;
  for (std::size_t i = 0; i < cmyk.size() / 4; ++i) {
    const auto light = [&](std::size_t c) {
      return std::to_integer<std::uint32_t>(cmyk[4 * i + c]) ^ flip;
    };
    for (std::size_t c = 0; c < 3; ++c) {
      rgb[3 * i + c] = static_cast<std::byte>((light(c) * light(3) + 127) / 255);
    }
  }
  return rgb;
}

}  // namespace

ImageInfo read_jpeg_info(std::span<const std::byte> file, const std::string& name) {
  Header header = read_header(decoder(), file, name);
  if (on_its_side(jpeg_orientation(file))) std::swap(header.width, header.height);
  return {
      .size = {static_cast<std::uint32_t>(header.width), static_cast<std::uint32_t>(header.height)},
      .channels = header.colorspace == TJCS_GRAY ? 1U : 3U};
}

Image decode_jpeg(std::span<const std::byte> file, const std::string& name,
                  const ImageOptions& options) {
  Decoder& owner = decoder();
  const Header header = read_header(owner, file, name);
  const tjhandle handle = owner.get();
  const int orientation = jpeg_orientation(file);
  auto wanted = options.resize;
  if (wanted && on_its_side(orientation)) std::swap(wanted->width, wanted->height);
  const ImageSize size = scaled_size(header, wanted);
  const bool cmyk = is_cmyk(header);
  const bool gray =
      !cmyk && (options.channels == ImageChannels::kGray ||
                (options.channels == ImageChannels::kAsStored && header.colorspace == TJCS_GRAY));
  const TJPF format = cmyk ? TJPF_CMYK : gray ? TJPF_GRAY : TJPF_RGB;
  const std::uint32_t stored = cmyk ? 4 : gray ? 1 : 3;
  Image image{.width = size.width, .height = size.height, .channels = gray ? 1U : 3U, .pixels = {}};
  image.pixels.resize(std::size_t{size.width} * size.height * stored);
  // A limit of scans: a few bytes of progressive JPEG can ask for hours of work.
  if (tjDecompress2(handle, chars(file), file.size(),
                    reinterpret_cast<unsigned char*>(image.pixels.data()),
                    static_cast<int>(size.width), 0, static_cast<int>(size.height), format,
                    TJFLAG_LIMITSCANS) != 0 &&
      !harmless(handle)) {
    throw DataError(name, fmt::format("not a sound JPEG image: {}", tjGetErrorStr2(handle)));
  }
  if (cmyk) image.pixels = rgb_of_cmyk(image.pixels, is_adobes(file));
  return turned(std::move(image), orientation);
}

}  // namespace millrace
