#pragma once

#include <bit>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

// A strict reader of the protobuf wire format (https://protobuf.dev/programming-guides/encoding/),
// apart from the writer that it tests.

namespace millrace::test {

struct ProtoField {
  std::uint32_t number = 0;
  std::uint32_t wire_type = 0;
  std::uint64_t value = 0;  ///< of varints, fixed32 and fixed64
  std::string_view bytes;   ///< of what has a length
};

/// The fields of one message, in order. Views of the bytes given.
class ProtoReader {
 public:
  explicit ProtoReader(std::string_view bytes) : rest_(bytes) {
    while (!rest_.empty()) {
      ProtoField field;
      const std::uint64_t key = varint();
      field.number = static_cast<std::uint32_t>(key >> 3U);
      field.wire_type = static_cast<std::uint32_t>(key & 7U);
      if (field.number == 0) throw std::runtime_error("field 0");
      if (field.wire_type == 0) {
        field.value = varint();
      } else if (field.wire_type == 1) {
        field.value = fixed(8);
      } else if (field.wire_type == 2) {
        field.bytes = take(varint());
      } else if (field.wire_type == 5) {
        field.value = fixed(4);
      } else {
        throw std::runtime_error("wire type " + std::to_string(field.wire_type));
      }
      fields_.push_back(field);
    }
  }

  const std::vector<ProtoField>& fields() const { return fields_; }
  std::vector<ProtoField> all(std::uint32_t number) const {
    std::vector<ProtoField> found;
    for (const ProtoField& field : fields_) {
      if (field.number == number) found.push_back(field);
    }
    return found;
  }
  ProtoField one(std::uint32_t number) const {
    const auto found = all(number);
    if (found.size() != 1) {
      throw std::runtime_error("field " + std::to_string(number) + ": found " +
                               std::to_string(found.size()));
    }
    return found.front();
  }
  ProtoReader message(std::uint32_t number) const { return ProtoReader(one(number).bytes); }
  std::string text(std::uint32_t number) const { return std::string(one(number).bytes); }
  std::int64_t integer(std::uint32_t number) const {
    return static_cast<std::int64_t>(one(number).value);
  }
  double real64(std::uint32_t number) const { return std::bit_cast<double>(one(number).value); }
  float real32(std::uint32_t number) const {
    return std::bit_cast<float>(static_cast<std::uint32_t>(one(number).value));
  }
  std::vector<double> packed(std::uint32_t number) const {
    ProtoReader inner;
    inner.rest_ = one(number).bytes;
    std::vector<double> values;
    while (!inner.rest_.empty()) values.push_back(std::bit_cast<double>(inner.fixed(8)));
    return values;
  }

 private:
  ProtoReader() = default;

  std::string_view take(std::uint64_t count) {
    if (count > rest_.size()) throw std::runtime_error("message ends early");
    const auto taken = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return taken;
  }
  std::uint64_t fixed(std::size_t bytes) {
    std::uint64_t value = 0;
    unsigned shift = 0;
    for (const char c : take(bytes)) {
      value |= std::uint64_t{static_cast<std::uint8_t>(c)} << shift;
      shift += 8;
    }
    return value;
  }
  std::uint64_t varint() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 70; shift += 7) {
      const auto byte = static_cast<std::uint8_t>(take(1).front());
      value |= std::uint64_t{byte & 0x7fU} << shift;
      if (byte < 0x80) return value;
    }
    throw std::runtime_error("varint of more than ten bytes");
  }

  std::string_view rest_;
  std::vector<ProtoField> fields_;
};

}  // namespace millrace::test
