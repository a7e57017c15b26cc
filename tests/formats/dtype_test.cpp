#include "formats/dtype.h"

#include <gtest/gtest.h>

#include <array>
#include <set>
#include <string_view>

namespace millrace {
namespace {

struct Row {
  DType dtype;
  std::size_t size;
  std::string_view name;
};
constexpr std::array<Row, 13> kRows{{{DType::kUInt8, 1, "uint8"},
                                     {DType::kInt8, 1, "int8"},
                                     {DType::kInt16, 2, "int16"},
                                     {DType::kInt32, 4, "int32"},
                                     {DType::kInt64, 8, "int64"},
                                     {DType::kFloat16, 2, "float16"},
                                     {DType::kBFloat16, 2, "bfloat16"},
                                     {DType::kFloat32, 4, "float32"},
                                     {DType::kFloat64, 8, "float64"},
                                     {DType::kBool, 1, "bool"},
                                     {DType::kUInt16, 2, "uint16"},
                                     {DType::kUInt32, 4, "uint32"},
                                     {DType::kUInt64, 8, "uint64"}}};

TEST(DType, EveryTypeHasItsSizeAndName) {
  for (const auto& row : kRows) {
    EXPECT_EQ(size_of(row.dtype), row.size) << row.name;
    EXPECT_EQ(name_of(row.dtype), row.name);
  }
}

TEST(DType, TheTableAboveHasEveryTypeOnce) {
  std::set<DType> types;
  for (const auto& row : kRows) types.insert(row.dtype);
  EXPECT_EQ(types.size(), kRows.size());
  // Types are numbered without gaps, the last one is the last of the table.
  EXPECT_EQ(static_cast<std::size_t>(kRows.back().dtype), kRows.size() - 1);
}

}  // namespace
}  // namespace millrace
