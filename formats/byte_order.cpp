#include "formats/byte_order.h"

#include <bit>
#include <cstring>

namespace millrace {
namespace {

// Written so that compilers make one instruction of each.
std::uint16_t reversed(std::uint16_t x) noexcept {
  return static_cast<std::uint16_t>((x << 8) | (x >> 8));
}
std::uint32_t reversed(std::uint32_t x) noexcept {
  return (x << 24) | ((x << 8) & 0xff0000U) | ((x >> 8) & 0xff00U) | (x >> 24);
}
std::uint64_t reversed(std::uint64_t x) noexcept {
  return (std::uint64_t{reversed(static_cast<std::uint32_t>(x))} << 32) |
         reversed(static_cast<std::uint32_t>(x >> 32));
}

template <typename Word>
void convert_words(std::span<const std::byte> from, std::span<std::byte> to) noexcept {
  for (std::size_t at = 0; at + sizeof(Word) <= from.size(); at += sizeof(Word)) {
    Word word;
    std::memcpy(&word, from.data() + at, sizeof(Word));
    word = reversed(word);
    std::memcpy(to.data() + at, &word, sizeof(Word));
  }
}

}  // namespace

std::uint16_t load_big_endian16(const std::byte* at) noexcept {
  return static_cast<std::uint16_t>(std::to_integer<unsigned>(at[0]) << 8U |
                                    std::to_integer<unsigned>(at[1]));
}

std::uint32_t load_big_endian32(const std::byte* at) noexcept {
  std::uint32_t value = 0;
  for (int i = 0; i < 4; ++i) value = (value << 8) | std::to_integer<std::uint32_t>(at[i]);
  return value;
}

void store_big_endian32(std::uint32_t value, std::byte* at) noexcept {
  for (int i = 0; i < 4; ++i) at[i] = static_cast<std::byte>(value >> (24 - 8 * i));
}

void convert_big_endian(std::span<const std::byte> from, std::span<std::byte> to,
                        std::size_t element_bytes) noexcept {
  if (element_bytes == 1 || std::endian::native == std::endian::big) {
    if (!from.empty()) std::memmove(to.data(), from.data(), from.size());
  } else if (element_bytes == 2) {
    convert_words<std::uint16_t>(from, to);
  } else if (element_bytes == 4) {
    convert_words<std::uint32_t>(from, to);
  } else {
    convert_words<std::uint64_t>(from, to);
  }
}

}  // namespace millrace
