#include "tools/protobuf/message.h"

#include <bit>

namespace millrace {

void ProtoMessage::varint(std::uint64_t value) {
  while (value >= 0x80) {
    bytes_ += static_cast<char>((value & 0x7fU) | 0x80U);
    value >>= 7U;
  }
  bytes_ += static_cast<char>(value);
}

void ProtoMessage::key(std::uint32_t field, WireType type) {
  varint(std::uint64_t{field} << 3U | static_cast<std::uint64_t>(type));
}

// Little-endian on any machine.
void ProtoMessage::fixed(std::uint64_t bits, int bytes) {
  for (int i = 0; i < bytes; ++i) bytes_ += static_cast<char>(bits >> (8 * i) & 0xffU);
}

void ProtoMessage::integer(std::uint32_t field, std::int64_t value) {
  key(field, WireType::kVarint);
  varint(static_cast<std::uint64_t>(value));
}

void ProtoMessage::real(std::uint32_t field, float value) {
  key(field, WireType::kFixed32);
  fixed(std::bit_cast<std::uint32_t>(value), 4);
}

void ProtoMessage::real(std::uint32_t field, double value) {
  key(field, WireType::kFixed64);
  fixed(std::bit_cast<std::uint64_t>(value), 8);
}

void ProtoMessage::text(std::uint32_t field, std::string_view bytes) {
  key(field, WireType::kLength);
  varint(bytes.size());
  bytes_ += bytes;
}

void ProtoMessage::packed(std::uint32_t field, std::span<const double> values) {
  key(field, WireType::kLength);
  varint(values.size() * sizeof(double));
  for (const double value : values) fixed(std::bit_cast<std::uint64_t>(value), 8);
}

}  // namespace millrace
