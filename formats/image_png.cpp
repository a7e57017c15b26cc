#include <fmt/format.h>
#include <libdeflate.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "formats/byte_order.h"
#include "formats/error.h"
#include "formats/image_codecs.h"

namespace millrace {
namespace {

constexpr std::array kSignature{std::byte{0x89}, std::byte{'P'},  std::byte{'N'},  std::byte{'G'},
                                std::byte{0x0d}, std::byte{0x0a}, std::byte{0x1a}, std::byte{0x0a}};
constexpr std::size_t kAroundChunk = 12;  // length and type before the data, CRC behind

}  // namespace

bool is_png(std::span<const std::byte> file) noexcept {
  return file.size() >= kSignature.size() &&
         std::ranges::equal(file.first(kSignature.size()), kSignature);
}

void check_png(std::span<const std::byte> file, const std::string& name) {
  std::size_t at = kSignature.size();
  while (true) {
    const auto left = file.size() - at;
    if (left < kAroundChunk) {
      throw DataError(name, at, "a PNG chunk, up to IEND", fmt::format("{} bytes", left));
    }
    const std::uint64_t length = load_big_endian32(&file[at]);
    if (length > left - kAroundChunk) {
      throw DataError(name, at, fmt::format("a PNG chunk of {} bytes", length),
                      fmt::format("{} bytes up to the end of the file", left - kAroundChunk));
    }
    const auto checked = file.subspan(at + 4, 4 + static_cast<std::size_t>(length));
    const auto stored = load_big_endian32(&file[at + 8 + static_cast<std::size_t>(length)]);
    const auto crc = libdeflate_crc32(0, checked.data(), checked.size());
    if (crc != stored) {
      throw DataError(name, at, fmt::format("a PNG chunk of CRC {:08x}", stored),
                      fmt::format("{:08x}", crc));
    }
    constexpr std::string_view kLast = "IEND";
    if (std::ranges::equal(checked.first(4), std::as_bytes(std::span(kLast)))) return;
    at += kAroundChunk + static_cast<std::size_t>(length);
  }
}

}  // namespace millrace
