#include "formats/parquet_encodings.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <limits>

#include "formats/little_endian.h"

namespace millrace {
namespace {

[[noreturn]] void fail(std::string_view expected) {
  throw ParquetEncodingError(std::string(expected));
}

/// A whole number, seven bits a byte, the lowest first.
std::uint64_t read_varint(std::span<const std::byte> in, std::size_t& at) {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    if (at == in.size()) break;
    const auto byte = std::to_integer<std::uint64_t>(in[at++]);
    value |= (byte & 0x7F) << shift;
    if (byte < 0x80) return value;
  }
  fail("a whole number of up to 64 bits");
}

std::uint64_t from_zigzag(std::uint64_t value) { return (value >> 1U) ^ (~(value & 1U) + 1U); }

/// Numbers of `width` bits, one after the other, the lowest bit first; up to 64.
class BitReader {
 public:
  BitReader(std::span<const std::byte> in, unsigned width)
      : in_(in),
        width_(width),
        mask_(width == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << width) - 1) {}

  /// Precondition: the bytes are there.
  std::uint64_t next() noexcept {
    const auto at = static_cast<std::size_t>(bit_ / 8);
    const auto shift = static_cast<unsigned>(bit_ % 8);
    bit_ += width_;
    if (in_.size() - at >= kWindow) {
      auto value = load_little_endian64(in_.data() + at) >> shift;
      if (shift + width_ > 64) {
        value |= std::to_integer<std::uint64_t>(in_[at + 8]) << (64 - shift);
      }
      return value & mask_;
    }
    // Near the end.
    std::array<std::byte, kWindow> rest{};
    std::ranges::copy(in_.subspan(at), rest.begin());
    auto value = load_little_endian64(rest.data()) >> shift;
    if (shift + width_ > 64) value |= std::to_integer<std::uint64_t>(rest[8]) << (64 - shift);
    return value & mask_;
  }

 private:
  static constexpr std::size_t kWindow = 9;
  std::span<const std::byte> in_;
  unsigned width_;
  std::uint64_t mask_;
  std::uint64_t bit_ = 0;
};

/// Takes `size` bytes off the front.
std::span<const std::byte> take(std::span<const std::byte>& in, std::size_t size,
                                std::string_view what) {
  if (size > in.size()) fail(what);
  const auto front = in.first(size);
  in = in.subspan(size);
  return front;
}

std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

constexpr std::string_view kTexts = "all texts of the page";

std::uint64_t load64(const std::byte* at) noexcept {
  std::uint64_t value = 0;
  if constexpr (std::endian::native == std::endian::little) {
    std::memcpy(&value, at, sizeof(value));
  } else {
    value = load_little_endian64(at);
  }
  return value;
}

/// `out.size()` numbers of `width` bits, up to 32. Precondition: their bytes are there.
template <typename Out>
void unpack(std::span<const std::byte> in, unsigned width, std::span<Out> out) {
  constexpr std::size_t kWord = sizeof(std::uint64_t);
  std::size_t done = 0;
  if (width == 8 && sizeof(Out) == 1) {
    if (!out.empty()) std::memcpy(out.data(), in.data(), out.size());
    return;
  }
  const std::uint64_t mask = (std::uint64_t{1} << width) - 1;
  if (width <= 8) {
    // Eight numbers are in one word.
    while (out.size() - done >= 8 && in.size() >= kWord) {
      const auto word = load64(in.data());
      for (unsigned i = 0; i < 8; ++i) out[done + i] = static_cast<Out>(word >> (i * width) & mask);
      in = in.subspan(width);
      done += 8;
    }
  } else {
    // One of up to 32 bits begins in the first byte of a word.
    while (out.size() - done >= 8 && in.size() >= width + kWord) {
      for (unsigned i = 0; i < 8; ++i) {
        const auto bit = i * width;
        out[done + i] = static_cast<Out>(load64(in.data() + bit / 8) >> (bit % 8) & mask);
      }
      in = in.subspan(width);
      done += 8;
    }
  }
  BitReader bits(in, width);
  for (; done < out.size(); ++done) out[done] = static_cast<Out>(bits.next());
}

template <typename Out>
std::size_t decode_runs(std::span<const std::byte> in, unsigned width, std::span<Out> out) {
  if (width > 32) fail("numbers of up to 32 bits");
  std::size_t at = 0;
  std::size_t done = 0;
  while (done < out.size()) {
    const auto header = read_varint(in, at);
    const auto left = out.size() - done;
    if ((header & 1U) == 0) {
      const auto run = header >> 1U;
      const std::size_t bytes = (width + 7) / 8;
      if (run == 0 || in.size() - at < bytes) fail("a run of equal numbers");
      std::uint32_t value = 0;
      for (std::size_t i = 0; i < bytes; ++i) {
        value |= std::to_integer<std::uint32_t>(in[at + i]) << (8 * i);
      }
      if (width < 32 && value >> width != 0) fail("numbers of the page's width");
      at += bytes;
      const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(run, left));
      std::ranges::fill(out.subspan(done, count), static_cast<Out>(value));
      done += count;
      continue;
    }
    const auto groups = header >> 1U;  // of eight
    const auto count = groups > left / 8 ? left : static_cast<std::size_t>(groups) * 8;
    if (count == 0) fail("a run of numbers");
    // What behind the last number fills up its group may be missing.
    if (in.size() - at < (count * width + 7) / 8) fail("all numbers of a packed run");
    const auto whole = groups > (in.size() - at) / std::max(1U, width)
                           ? in.size() - at
                           : static_cast<std::size_t>(groups) * width;
    unpack(in.subspan(at, whole), width, out.subspan(done, count));
    done += count;
    at += whole;
  }
  return at;
}

}  // namespace

std::size_t decode_rle(std::span<const std::byte> in, unsigned width,
                       std::span<std::uint32_t> out) {
  return decode_runs(in, width, out);
}

std::size_t decode_levels(std::span<const std::byte> in, unsigned width,
                          std::span<std::uint8_t> out) {
  if (width > 8) fail("numbers of up to 8 bits");
  return decode_runs(in, width, out);
}

std::size_t decode_deltas(std::span<const std::byte> in, std::size_t most,
                          std::vector<std::uint64_t>& out) {
  constexpr std::uint64_t kLargestBlock = std::uint64_t{1} << 24;
  std::size_t at = 0;
  if (most == 0 && in.empty()) return at;  // a page of missing values
  const auto block = read_varint(in, at);
  const auto minis = read_varint(in, at);
  const auto count = read_varint(in, at);
  auto value = from_zigzag(read_varint(in, at));
  if (block == 0 || block > kLargestBlock || minis == 0 || block % minis != 0 ||
      block / minis % 32 != 0) {
    fail("blocks of numbers in parts of 32 times a whole number");
  }
  if (count > most) fail("as many numbers as the page has");
  if (count == 0) return at;
  const auto in_mini = static_cast<std::size_t>(block / minis);
  out.push_back(value);
  auto left = static_cast<std::size_t>(count) - 1;
  while (left > 0) {
    const auto least = from_zigzag(read_varint(in, at));
    if (in.size() - at < minis) fail("the widths of a block of numbers");
    const auto widths = in.subspan(at, static_cast<std::size_t>(minis));
    at += widths.size();
    for (std::size_t mini = 0; mini < widths.size() && left > 0; ++mini) {
      const auto width = std::to_integer<unsigned>(widths[mini]);
      if (width > 64) fail("numbers of up to 64 bits");
      const auto here = std::min(in_mini, left);
      if (in.size() - at < (here * width + 7) / 8) fail("all numbers of a block");
      BitReader bits(in.subspan(at), width);
      for (std::size_t i = 0; i < here; ++i) {
        value += least + bits.next();
        out.push_back(value);
      }
      left -= here;
      at += std::min(in_mini * width / 8, in.size() - at);
    }
  }
  return at;
}

void decode_split(std::span<const std::byte> in, std::size_t width, std::span<std::byte> out) {
  if (in.size() < out.size()) fail("all values of the page");
  const auto count = out.size() / width;
  for (std::size_t byte = 0; byte < width; ++byte) {
    const auto* from = in.data() + byte * count;
    for (std::size_t i = 0; i < count; ++i) out[i * width + byte] = from[i];
  }
}

void decode_bits(std::span<const std::byte> in, std::span<std::uint8_t> out) {
  if (in.size() < (out.size() + 7) / 8) fail("a bit for each value of the page");
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i] = static_cast<std::uint8_t>(std::to_integer<unsigned>(in[i / 8]) >> (i % 8) & 1U);
  }
}

void decode_texts(std::span<const std::byte> in, std::span<std::string_view> out) {
  for (auto& text : out) {
    const auto size = load_little_endian32(take(in, 4, kTexts).data());
    text = text_of(take(in, size, kTexts));
  }
}

void decode_texts(std::span<const std::byte> in, std::size_t width,
                  std::span<std::string_view> out) {
  for (auto& text : out) text = text_of(take(in, width, kTexts));
}

void decode_lengths(std::span<const std::byte> in, std::span<std::string_view> out) {
  std::vector<std::uint64_t> lengths;
  auto texts = in.subspan(decode_deltas(in, out.size(), lengths));
  if (lengths.size() < out.size()) fail("a length for each text of the page");
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (lengths[i] > texts.size()) fail(kTexts);
    out[i] = text_of(take(texts, static_cast<std::size_t>(lengths[i]), kTexts));
  }
}

Bytes decode_prefixes(std::span<const std::byte> in, std::span<std::string_view> out) {
  std::vector<std::uint64_t> prefixes;
  const auto rest = in.subspan(decode_deltas(in, out.size(), prefixes));
  if (prefixes.size() < out.size()) fail("a beginning for each text of the page");
  decode_lengths(rest, out);
  // Sorted texts share most of themselves; but a page of many GB is none that somebody wrote.
  constexpr std::uint64_t kMost = std::uint64_t{1} << 31;
  std::uint64_t total = 0;
  std::uint64_t before = 0;
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (prefixes[i] > before) fail("a beginning that the text before has");
    before = prefixes[i] + out[i].size();
    total += before;
    if (total > kMost) fail("a page of at most 2 GiB of text");
  }
  auto bytes = Bytes::allocate(static_cast<std::size_t>(total));
  auto to = bytes.writable();
  const char* last = nullptr;
  for (std::size_t i = 0; i < out.size(); ++i) {
    const auto prefix = static_cast<std::size_t>(prefixes[i]);
    if (prefix > 0) std::memcpy(to.data(), last, prefix);
    if (!out[i].empty()) std::memcpy(to.data() + prefix, out[i].data(), out[i].size());
    last = reinterpret_cast<const char*>(to.data());
    out[i] = {last, prefix + out[i].size()};
    to = to.subspan(out[i].size());
  }
  return bytes;
}

}  // namespace millrace
