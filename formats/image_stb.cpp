// The one place that compiles stb; its functions stay inside.
#define STB_IMAGE_IMPLEMENTATION
#define STB_IMAGE_STATIC
#define STBI_ONLY_BMP
#define STBI_ONLY_GIF
#define STBI_ONLY_PNG
#define STBI_ONLY_TGA
#define STBI_NO_HDR
#define STBI_NO_LINEAR
#define STBI_NO_STDIO
#define STB_IMAGE_RESIZE_IMPLEMENTATION
#define STB_IMAGE_RESIZE_STATIC
#include <fmt/format.h>
#include <stb/stb_image.h>
#include <stb/stb_image_resize.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <memory>
#include <new>
#include <optional>
#include <utility>

#include "formats/byte_order.h"
#include "formats/error.h"
#include "formats/image_codecs.h"
#include "formats/image_orientation.h"

namespace millrace {
namespace {

// Signature, length and type of the first chunk, width and height.
constexpr std::size_t kPngSizeEnd = 24;

struct Free {
  void operator()(void* pixels) const noexcept { stbi_image_free(pixels); }
};

/// A file in memory that notices when it is read behind its end, where stb goes on with zeros.
class Source {
 public:
  explicit Source(std::span<const std::byte> file) : file_(file) {}

  bool overrun() const noexcept { return overrun_; }

  static stbi_io_callbacks callbacks() noexcept {
    return {.read = [](void* self, char* to,
                       int size) { return static_cast<Source*>(self)->read(to, size); },
            .skip = [](void* self, int count) { static_cast<Source*>(self)->skip(count); },
            .eof = [](void* self) { return static_cast<Source*>(self)->at_end() ? 1 : 0; }};
  }

 private:
  bool at_end() const noexcept { return at_ == file_.size(); }
  int read(char* to, int size) noexcept {
    // The first read fills stb's own buffer, and so do all others to that place: it takes what
    // there is. Any other must be given in full.
    if (buffer_ == nullptr) buffer_ = to;
    const auto wanted = static_cast<std::size_t>(std::max(size, 0));
    const auto count = std::min(wanted, file_.size() - at_);
    if (count == 0 ? wanted != 0 : (to != buffer_ && count < wanted)) overrun_ = true;
    if (count != 0) std::memcpy(to, &file_[at_], count);
    at_ += count;
    return static_cast<int>(count);
  }
  void skip(int count) noexcept {
    if (count < 0) {
      at_ -= std::min(at_, static_cast<std::size_t>(-std::int64_t{count}));
    } else {
      const auto left = file_.size() - at_;
      if (static_cast<std::size_t>(count) > left) overrun_ = true;
      at_ += std::min(left, static_cast<std::size_t>(count));
    }
  }

  std::span<const std::byte> file_;
  std::size_t at_ = 0;
  char* buffer_ = nullptr;
  bool overrun_ = false;
};

[[noreturn]] void fail(const std::string& name) {
  const char* reason = stbi_failure_reason();
  throw DataError(name, fmt::format("not a sound image: {}", reason == nullptr ? "?" : reason));
}

[[noreturn]] void fail_truncated(const std::string& name, std::size_t size) {
  throw DataError(name, size, "the rest of the image", "the end of the file");
}

int checked_size(std::span<const std::byte> file, const std::string& name) {
  if (file.size() > static_cast<std::size_t>(std::numeric_limits<int>::max())) {
    throw DataError(name, std::nullopt, "an image file below 2 GiB",
                    fmt::format("{} bytes", file.size()));
  }
  return static_cast<int>(file.size());
}

/// What transparent pixels are laid over: white, or black under a light image, so that it can be
/// seen; nothing where alpha, the last value of a pixel, is not to be used.
template <typename Stored>
std::optional<std::uint32_t> background_of(const Stored* pixels, std::size_t count,
                                           std::size_t channels, bool may_be_unused) {
  constexpr std::uint64_t kMost = std::numeric_limits<Stored>::max();
  // At most 2^16 * 2^16 for each of kMostPixels: 2^60.
  std::uint64_t light = 0;
  std::uint64_t opacity = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const Stored* pixel = &pixels[i * (channels + 1)];
    const std::uint64_t value = channels == 1 ? pixel[0] : luma(pixel[0], pixel[1], pixel[2]);
    light += value * pixel[channels];
    opacity += pixel[channels];
  }
  if (opacity == kMost * count || (opacity == 0 && may_be_unused)) return std::nullopt;
  return 2 * light > kMost * opacity ? 0U : static_cast<std::uint32_t>(kMost);
}

/// `stored` values a pixel to 1 or 3: alpha comes last.
template <typename Stored>
std::vector<std::byte> to_bytes(const Stored* pixels, std::size_t count, std::size_t stored,
                                std::size_t channels, bool alpha_may_be_unused) {
  constexpr std::uint64_t kMost = std::numeric_limits<Stored>::max();
  std::optional<std::uint32_t> background;
  if (stored > channels) background = background_of(pixels, count, channels, alpha_may_be_unused);
  std::vector<std::byte> bytes(count * channels);
  for (std::size_t i = 0; i < count; ++i) {
    const Stored* pixel = &pixels[i * stored];
    for (std::size_t c = 0; c < channels; ++c) {
      std::uint64_t value = pixel[c];
      if (background) {
        const std::uint64_t alpha = pixel[channels];
        value = (value * alpha + *background * (kMost - alpha) + kMost / 2) / kMost;
      }
      bytes[i * channels + c] =
          static_cast<std::byte>(sizeof(Stored) == 1 ? value : (value * 255 + 32'767) / 65'535);
    }
  }
  return bytes;
}

bool is_gif(std::span<const std::byte> file) noexcept {
  constexpr std::array kStart{std::byte{'G'}, std::byte{'I'}, std::byte{'F'}};
  return file.size() >= kStart.size() && std::ranges::equal(file.first(kStart.size()), kStart);
}

}  // namespace

ImageInfo read_stb_info(std::span<const std::byte> file, const std::string& name) {
  if (is_png(file) && file.size() >= kPngSizeEnd) {
    // stb calls a header of this kind damaged.
    const ImageSize size{load_big_endian32(&file[kPngSizeEnd - 8]),
                         load_big_endian32(&file[kPngSizeEnd - 4])};
    if (std::uint64_t{size.width} * size.height > kMostPixels) return {.size = size, .channels = 3};
  }
  int width = 0;
  int height = 0;
  int channels = 0;
  if (stbi_info_from_memory(reinterpret_cast<const stbi_uc*>(file.data()), checked_size(file, name),
                            &width, &height, &channels) == 0) {
    throw DataError(name, std::nullopt, "a PNG, JPEG, BMP, GIF, TGA or binary PNM image",
                    "none of them, or a damaged header");
  }
  if (is_png(file) && on_its_side(png_orientation(file))) std::swap(width, height);
  return {.size = {static_cast<std::uint32_t>(std::max(width, 0)),
                   static_cast<std::uint32_t>(std::max(height, 0))},
          .channels = channels <= 2 ? 1U : 3U};
}

Image decode_stb(std::span<const std::byte> file, const std::string& name) {
  const bool deep = stbi_is_16_bit_from_memory(reinterpret_cast<const stbi_uc*>(file.data()),
                                               checked_size(file, name)) != 0;
  Source source(file);
  const auto callbacks = Source::callbacks();
  int width = 0;
  int height = 0;
  int stored = 0;
  using Pixels8 = std::unique_ptr<stbi_uc, Free>;
  using Pixels16 = std::unique_ptr<stbi_us, Free>;
  Pixels8 pixels8;
  Pixels16 pixels16;
  if (deep) {
    pixels16.reset(stbi_load_16_from_callbacks(&callbacks, &source, &width, &height, &stored, 0));
  } else {
    pixels8.reset(stbi_load_from_callbacks(&callbacks, &source, &width, &height, &stored, 0));
  }
  if (source.overrun()) fail_truncated(name, file.size());
  if ((!pixels8 && !pixels16) || width <= 0 || height <= 0 || stored < 1 || stored > 4) fail(name);
  Image image{.width = static_cast<std::uint32_t>(width),
              .height = static_cast<std::uint32_t>(height),
              .channels = stored <= 2 ? 1U : 3U,
              .pixels = {}};
  const auto count = std::size_t{image.width} * image.height;
  const auto values = static_cast<std::size_t>(stored);
  // Of BMP stb has seen to it.
  const bool unused = !is_png(file) && !is_gif(file);
  image.pixels = deep ? to_bytes(pixels16.get(), count, values, image.channels, unused)
                      : to_bytes(pixels8.get(), count, values, image.channels, unused);
  return is_png(file) ? turned(std::move(image), png_orientation(file)) : image;
}

Image resize_image(const Image& image, ImageSize size) {
  Image resized{
      .width = size.width, .height = size.height, .channels = image.channels, .pixels = {}};
  resized.pixels.resize(std::size_t{size.width} * size.height * image.channels);
  if (stbir_resize_uint8(reinterpret_cast<const unsigned char*>(image.pixels.data()),
                         static_cast<int>(image.width), static_cast<int>(image.height), 0,
                         reinterpret_cast<unsigned char*>(resized.pixels.data()),
                         static_cast<int>(size.width), static_cast<int>(size.height), 0,
                         static_cast<int>(image.channels)) == 0) {
    throw std::bad_alloc();
  }
  return resized;
}

}  // namespace millrace
