#include "compute/cpu/layered_net.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <vector>

namespace millrace::cpu {
namespace {

struct Piece {
  std::uint32_t layer;
  int number;  // of its layer
  bool operator==(const Piece&) const = default;
};

TEST(SpreadLayers, EachHalfGetsItsShareOfEachLayerInOrder) {
  std::vector<Piece> tiles;
  for (int i = 0; i < 8; ++i) tiles.push_back({0, i});
  for (int i = 0; i < 4; ++i) tiles.push_back({1, i});
  for (int i = 0; i < 2; ++i) tiles.push_back({2, i});
  spread_layers(tiles);
  ASSERT_EQ(tiles.size(), 14U);
  const auto middle = tiles.begin() + 7;
  const auto of = [](std::uint32_t layer) {
    return [layer](const Piece& piece) { return piece.layer == layer; };
  };
  EXPECT_EQ(std::count_if(tiles.begin(), middle, of(0)), 4);
  EXPECT_EQ(std::count_if(tiles.begin(), middle, of(1)), 2);
  EXPECT_EQ(std::count_if(tiles.begin(), middle, of(2)), 1);
  for (std::uint32_t layer = 0; layer < 3; ++layer) {
    int next = 0;
    for (const Piece& piece : tiles) {
      if (piece.layer != layer) continue;
      EXPECT_EQ(piece.number, next++) << "layer " << layer;
    }
  }
}

TEST(SpreadLayers, LeavesOneLayerAsItIs) {
  std::vector<Piece> tiles{{0, 0}, {0, 1}, {0, 2}};
  const auto before = tiles;
  spread_layers(tiles);
  EXPECT_EQ(tiles, before);
  std::vector<Piece> none;
  spread_layers(none);
  EXPECT_TRUE(none.empty());
}

}  // namespace
}  // namespace millrace::cpu
