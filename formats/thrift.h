#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string_view>

namespace millrace {

/// Reads values of Thrift's compact protocol
/// (https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md), in which
/// Parquet files describe themselves, one after the other. Every member throws DataError naming
/// the byte where the bytes end too early or say something else; nothing is allocated.
class ThriftReader {
 public:
  /// What a field or an element is, as the protocol numbers them. Of a field kTrue and kFalse are
  /// the value as well; of an element either is a bool.
  enum class Type : std::uint8_t {
    kStop,
    kTrue,
    kFalse,
    kByte,
    kInt16,
    kInt32,
    kInt64,
    kDouble,
    kBinary,
    kList,
    kSet,
    kMap,
    kStruct
  };
  struct List {
    Type type = Type::kStop;  ///< of its elements
    std::uint32_t count = 0;  ///< not more than there are bytes left
  };

  /// `at`: where in the file the bytes begin, for messages.
  ThriftReader(const std::filesystem::path& file, std::span<const std::byte> bytes,
               std::uint64_t at)
      : file_(file), bytes_(bytes), begins_(at) {}

  /// A struct: calls field(id, type) for each field, which must read its value or skip(type) it.
  template <typename Field>
  void read_struct(Field field) {
    enter();
    std::int16_t id = 0;
    for (auto type = next_field(id); type != Type::kStop; type = next_field(id)) field(id, type);
    --depth_;
  }
  /// A list: calls element(type) for each, which must read it or skip it.
  template <typename Element>
  void read_list(Type found, Element element) {
    expect(found, Type::kList);
    enter();
    const auto list = read_list_header();
    for (std::uint32_t i = 0; i < list.count; ++i) element(list.type);
    --depth_;
  }
  void skip(Type type);

  /// Values of a field that was found to be of that type. Integers of any width are taken.
  bool read_bool(Type found) const;
  std::int64_t read_integer(Type found);
  /// Throws as well for one that is negative or larger.
  std::uint64_t read_count(Type found, std::uint64_t most);
  /// Views the bytes.
  std::string_view read_binary(Type found);
  /// Throws where a field is of another type than is wanted.
  void expect(Type found, Type wanted) const;

  /// Bytes that were read so far.
  std::size_t consumed() const noexcept { return at_; }

 private:
  void enter();
  Type next_field(std::int16_t& id);
  List read_list_header();
  std::byte next();
  std::uint64_t read_varint();
  std::int64_t read_zigzag();
  void skip_bytes(std::uint64_t count);
  [[noreturn]] void fail(std::string_view expected, std::string_view found) const;

  const std::filesystem::path& file_;
  std::span<const std::byte> bytes_;
  std::uint64_t begins_;
  std::size_t at_ = 0;
  int depth_ = 0;
};

}  // namespace millrace
