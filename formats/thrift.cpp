#include "formats/thrift.h"

#include <fmt/format.h>

#include <string>

#include "formats/error.h"

namespace millrace {
namespace {

constexpr int kDeepest = 32;  // structs and lists within each other
constexpr unsigned kLastType = 12;

}  // namespace

void ThriftReader::fail(std::string_view expected, std::string_view found) const {
  throw DataError(file_, begins_ + at_, expected, found);
}

void ThriftReader::enter() {
  if (++depth_ > kDeepest) fail(fmt::format("at most {} levels of Thrift", kDeepest), "more");
}

std::byte ThriftReader::next() {
  if (at_ == bytes_.size()) fail("more of a Thrift value", "its end");
  return bytes_[at_++];
}

std::uint64_t ThriftReader::read_varint() {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    const auto byte = std::to_integer<std::uint64_t>(next());
    value |= (byte & 0x7F) << shift;
    if (byte < 0x80) return value;
  }
  fail("a whole number of up to 64 bits", "more bytes");
}

std::int64_t ThriftReader::read_zigzag() {
  const auto value = read_varint();
  return static_cast<std::int64_t>((value >> 1U) ^ (~(value & 1U) + 1U));
}

ThriftReader::Type ThriftReader::next_field(std::int16_t& id) {
  const auto header = std::to_integer<unsigned>(next());
  const auto type = header & 0x0F;
  if (type > kLastType) fail("a type of Thrift's compact protocol", std::to_string(type));
  if (type == 0) return Type::kStop;
  const auto delta = header >> 4U;
  // Ids wrap as the sum of two 16-bit numbers does: no field that matters is called so.
  id = static_cast<std::int16_t>(delta == 0 ? read_zigzag() : id + static_cast<int>(delta));
  return static_cast<Type>(type);
}

ThriftReader::List ThriftReader::read_list_header() {
  const auto header = std::to_integer<unsigned>(next());
  const auto type = header & 0x0F;
  const std::uint64_t count = header >> 4U == 15 ? read_varint() : header >> 4U;
  // Of what an empty list is made, some writers do not say.
  if (type > kLastType || (type == 0 && count > 0)) {
    fail("a type of Thrift's compact protocol", std::to_string(type));
  }
  // Each element takes a byte at least.
  if (count > bytes_.size() - at_) {
    fail(fmt::format("a list of at most {} elements", bytes_.size() - at_), std::to_string(count));
  }
  return {.type = static_cast<Type>(type), .count = static_cast<std::uint32_t>(count)};
}

void ThriftReader::skip_bytes(std::uint64_t count) {
  if (count > bytes_.size() - at_) {
    fail(fmt::format("{} bytes", count), std::to_string(bytes_.size() - at_));
  }
  at_ += static_cast<std::size_t>(count);
}

void ThriftReader::skip(Type type) {
  const auto skip_element = [this](Type element) {
    // Of an element a bool is a byte; of a field it is the field's type.
    if (element == Type::kTrue || element == Type::kFalse) {
      skip_bytes(1);
    } else {
      skip(element);
    }
  };
  switch (type) {
    case Type::kStop:
    case Type::kTrue:
    case Type::kFalse:
      return;
    case Type::kByte:
      return skip_bytes(1);
    case Type::kInt16:
    case Type::kInt32:
    case Type::kInt64:
      (void)read_varint();
      return;
    case Type::kDouble:
      return skip_bytes(8);
    case Type::kBinary:
      return skip_bytes(read_varint());
    case Type::kSet:
    case Type::kList:
      return read_list(Type::kList, skip_element);
    case Type::kMap: {
      enter();
      const auto count = read_varint();
      const auto types = count == 0 ? 0U : std::to_integer<unsigned>(next());
      const auto key = types >> 4U;
      const auto value = types & 0x0F;
      if (count > bytes_.size() - at_ || key > kLastType || value > kLastType) {
        fail("a Thrift map", "something else");
      }
      for (std::uint64_t i = 0; i < count; ++i) {
        skip_element(static_cast<Type>(key));
        skip_element(static_cast<Type>(value));
      }
      --depth_;
      return;
    }
    case Type::kStruct:
      return read_struct([this](std::int16_t /*id*/, Type of_field) { skip(of_field); });
  }
}

void ThriftReader::expect(Type found, Type wanted) const {
  if (found == wanted) return;
  fail(fmt::format("a Thrift field of type {}", static_cast<int>(wanted)),
       fmt::format("type {}", static_cast<int>(found)));
}

bool ThriftReader::read_bool(Type found) const {
  if (found != Type::kFalse) expect(found, Type::kTrue);
  return found == Type::kTrue;
}

std::int64_t ThriftReader::read_integer(Type found) {
  if (found == Type::kByte) {
    return static_cast<std::int8_t>(std::to_integer<std::uint8_t>(next()));
  }
  if (found != Type::kInt16 && found != Type::kInt32) expect(found, Type::kInt64);
  return read_zigzag();
}

std::uint64_t ThriftReader::read_count(Type found, std::uint64_t most) {
  const auto value = read_integer(found);
  if (value < 0 || static_cast<std::uint64_t>(value) > most) {
    fail(fmt::format("a number from 0 to {}", most), std::to_string(value));
  }
  return static_cast<std::uint64_t>(value);
}

std::string_view ThriftReader::read_binary(Type found) {
  expect(found, Type::kBinary);
  const auto size = read_varint();
  const auto begin = at_;
  skip_bytes(size);
  return {reinterpret_cast<const char*>(bytes_.data()) + begin, static_cast<std::size_t>(size)};
}

}  // namespace millrace
