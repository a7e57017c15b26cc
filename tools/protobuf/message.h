#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace millrace {

/// A protobuf message being written: fields one after the other in the wire format
/// (https://protobuf.dev/programming-guides/encoding/). Which number and type a field has is the
/// caller's business, by the schema of what is written; a repeated field is written once for each
/// element, or packed.
class ProtoMessage {
 public:
  /// int32, int64 (negative ones in ten bytes), uint32, uint64, bool and enum fields.
  void integer(std::uint32_t field, std::int64_t value);
  void real(std::uint32_t field, float value);
  void real(std::uint32_t field, double value);
  /// string and bytes fields.
  void text(std::uint32_t field, std::string_view bytes);
  void message(std::uint32_t field, const ProtoMessage& inner) { text(field, inner.bytes_); }
  /// repeated double, packed.
  void packed(std::uint32_t field, std::span<const double> values);

  const std::string& bytes() const noexcept { return bytes_; }

 private:
  enum class WireType : std::uint8_t { kVarint = 0, kFixed64 = 1, kLength = 2, kFixed32 = 5 };

  void key(std::uint32_t field, WireType type);
  void varint(std::uint64_t value);
  void fixed(std::uint64_t bits, int bytes);

  std::string bytes_;
};

}  // namespace millrace
