#include "formats/digit_strokes.h"

namespace millrace::strokes {
namespace {

// clang-format off
constexpr Waypoint kZeroOval[] = {{50, 2}, {28, 15}, {18, 50}, {28, 85}, {50, 98}, {72, 85}, {82, 50}, {72, 15}, {50, 2}};
constexpr Waypoint kZeroOverlap[] = {{64, 9}, {44, 4}, {25, 28}, {21, 64}, {40, 96}, {64, 88}, {79, 54}, {75, 19}, {56, 4}, {42, 15}};
constexpr Waypoint kZeroGap[] = {{56, 5}, {32, 18}, {20, 54}, {32, 90}, {56, 97}, {77, 76}, {79, 38}, {64, 10}};
constexpr Waypoint kZeroNarrow[] = {{52, 2}, {36, 20}, {31, 54}, {38, 88}, {50, 98}, {63, 84}, {68, 48}, {63, 14}, {52, 2}};

constexpr Waypoint kOnePlain[] = {{50, 2}, {51, 34}, {50, 66}, {50, 98}};
constexpr Waypoint kOneBent[] = {{55, 2}, {50, 36}, {48, 68}, {51, 98}};
constexpr Waypoint kOneFlag[] = {{39, 20}, {47, 13}, {54, 2}, {54, 2}, {53, 50}, {53, 98}};
constexpr Waypoint kOneFoot[] = {{33, 20}, {45, 12}, {53, 2}, {53, 2}, {52, 50}, {52, 97}, kLift, {29, 97}, {52, 96}, {76, 97}};

constexpr Waypoint kTwoPlain[] = {{22, 25}, {34, 7}, {56, 2}, {76, 16}, {74, 38}, {54, 65}, {21, 96}, {21, 96}, {50, 94}, {82, 96}};
constexpr Waypoint kTwoLoop[] = {{23, 20}, {40, 4}, {63, 5}, {75, 23}, {69, 48}, {50, 73}, {29, 93}, {18, 86}, {30, 76}, {52, 87}, {82, 93}};
constexpr Waypoint kTwoSwan[] = {{33, 31}, {24, 19}, {40, 3}, {66, 6}, {74, 28}, {59, 59}, {25, 95}, {25, 95}, {52, 90}, {80, 92}};
constexpr Waypoint kTwoWave[] = {{20, 14}, {44, 3}, {68, 12}, {68, 38}, {46, 68}, {20, 93}, {20, 93}, {38, 84}, {60, 94}, {84, 88}};

constexpr Waypoint kThreeRound[] = {{24, 15}, {47, 2}, {72, 13}, {69, 34}, {43, 46}, {43, 46}, {73, 58}, {77, 82}, {50, 98}, {19, 87}};
constexpr Waypoint kThreeFlat[] = {{23, 5}, {50, 5}, {76, 3}, {76, 3}, {60, 22}, {45, 41}, {45, 41}, {73, 53}, {78, 77}, {55, 97}, {21, 89}};
constexpr Waypoint kThreeLoop[] = {{24, 13}, {50, 2}, {71, 15}, {63, 37}, {44, 48}, {38, 43}, {48, 42}, {75, 60}, {73, 86}, {47, 98}, {20, 87}};
constexpr Waypoint kThreeSoft[] = {{28, 9}, {54, 3}, {70, 18}, {58, 40}, {42, 47}, {62, 52}, {74, 72}, {60, 94}, {24, 93}};

constexpr Waypoint kFourOpen[] = {{30, 4}, {26, 28}, {20, 55}, {20, 55}, {48, 55}, {80, 51}, kLift, {68, 6}, {65, 50}, {62, 98}};
constexpr Waypoint kFourClosed[] = {{64, 2}, {42, 34}, {17, 65}, {17, 65}, {50, 65}, {85, 62}, kLift, {64, 2}, {63, 50}, {61, 98}};
constexpr Waypoint kFourRound[] = {{26, 6}, {21, 34}, {32, 54}, {54, 52}, {72, 38}, kLift, {75, 4}, {71, 44}, {67, 98}};
constexpr Waypoint kFourOneStroke[] = {{62, 98}, {64, 50}, {66, 3}, {66, 3}, {40, 36}, {16, 62}, {16, 62}, {50, 61}, {85, 58}};

constexpr Waypoint kFivePlain[] = {{76, 4}, {54, 5}, {33, 4}, {33, 4}, {30, 24}, {26, 45}, {26, 45}, {54, 36}, {77, 57}, {71, 88}, {44, 98}, {18, 88}};
constexpr Waypoint kFiveCap[] = {{35, 7}, {31, 27}, {28, 46}, {28, 46}, {56, 39}, {77, 61}, {64, 92}, {22, 93}, kLift, {35, 7}, {58, 6}, {82, 3}};
constexpr Waypoint kFiveSoft[] = {{76, 7}, {51, 4}, {33, 14}, {30, 38}, {52, 46}, {74, 64}, {67, 90}, {42, 98}, {20, 90}};
constexpr Waypoint kFiveAngular[] = {{80, 3}, {34, 8}, {34, 8}, {32, 40}, {32, 40}, {58, 46}, {70, 66}, {58, 88}, {20, 97}};

constexpr Waypoint kSixCurved[] = {{67, 2}, {37, 25}, {21, 62}, {34, 93}, {61, 96}, {77, 77}, {65, 57}, {40, 58}, {24, 76}};
constexpr Waypoint kSixStraight[] = {{57, 2}, {40, 26}, {26, 56}, {23, 80}, {44, 98}, {71, 87}, {70, 64}, {47, 57}, {26, 74}};
constexpr Waypoint kSixCurled[] = {{73, 13}, {55, 4}, {33, 25}, {21, 63}, {36, 95}, {65, 94}, {76, 71}, {57, 53}, {33, 62}, {22, 76}};
constexpr Waypoint kSixTall[] = {{50, 2}, {32, 36}, {26, 72}, {38, 96}, {60, 94}, {68, 76}, {54, 64}, {34, 72}};

constexpr Waypoint kSevenPlain[] = {{20, 7}, {50, 6}, {80, 5}, {80, 5}, {62, 50}, {45, 98}};
constexpr Waypoint kSevenCrossed[] = {{20, 8}, {50, 6}, {80, 5}, {80, 5}, {60, 50}, {44, 98}, kLift, {34, 54}, {54, 52}, {77, 51}};
constexpr Waypoint kSevenSerif[] = {{21, 24}, {22, 7}, {22, 7}, {50, 7}, {80, 5}, {80, 5}, {57, 46}, {48, 98}};
constexpr Waypoint kSevenCurved[] = {{18, 12}, {46, 4}, {70, 8}, {76, 24}, {58, 58}, {47, 98}};

constexpr Waypoint kEightOneStroke[] = {{72, 17}, {50, 2}, {29, 16}, {36, 37}, {64, 58}, {75, 80}, {50, 98}, {25, 80}, {38, 58}, {64, 38}, {72, 17}};
constexpr Waypoint kEightTwoRings[] = {{50, 2}, {31, 12}, {31, 34}, {50, 46}, {69, 34}, {69, 12}, {50, 2}, kLift,
                                       {50, 46}, {25, 58}, {25, 86}, {50, 98}, {75, 86}, {75, 58}, {50, 46}};
constexpr Waypoint kEightOpen[] = {{76, 12}, {52, 3}, {28, 17}, {44, 42}, {71, 66}, {64, 93}, {36, 95}, {27, 74}, {48, 49}, {74, 24}, {80, 9}};
constexpr Waypoint kEightSlim[] = {{64, 14}, {50, 3}, {37, 16}, {42, 38}, {58, 60}, {64, 82}, {49, 98}, {35, 82}, {43, 58}, {59, 36}, {64, 14}};

constexpr Waypoint kNineStraight[] = {{73, 23}, {56, 4}, {31, 9}, {23, 32}, {40, 51}, {63, 43}, {74, 22}, {74, 22}, {74, 60}, {71, 98}};
constexpr Waypoint kNineCurved[] = {{75, 22}, {55, 3}, {31, 10}, {24, 33}, {42, 50}, {64, 42}, {76, 22}, {76, 22}, {77, 58}, {63, 91}, {34, 96}};
constexpr Waypoint kNineSlanted[] = {{76, 15}, {52, 3}, {28, 19}, {31, 43}, {54, 48}, {74, 28}, {77, 13}, {77, 13}, {69, 54}, {58, 98}};
constexpr Waypoint kNineLoop[] = {{68, 38}, {42, 50}, {27, 34}, {38, 10}, {62, 4}, {73, 20}, {70, 52}, {60, 98}};
// clang-format on

constexpr Style kZero[] = {{4, kZeroOval}, {3, kZeroOverlap}, {2, kZeroGap}, {2, kZeroNarrow}};
constexpr Style kOne[] = {{6, kOnePlain}, {3, kOneBent}, {2, kOneFlag}, {1, kOneFoot}};
constexpr Style kTwo[] = {{4, kTwoPlain}, {3, kTwoLoop}, {2, kTwoSwan}, {2, kTwoWave}};
constexpr Style kThree[] = {{4, kThreeRound}, {2, kThreeFlat}, {2, kThreeLoop}, {3, kThreeSoft}};
constexpr Style kFour[] = {{4, kFourOpen}, {2, kFourClosed}, {3, kFourRound}, {2, kFourOneStroke}};
constexpr Style kFive[] = {{3, kFivePlain}, {3, kFiveCap}, {2, kFiveSoft}, {2, kFiveAngular}};
constexpr Style kSix[] = {{4, kSixCurved}, {3, kSixStraight}, {2, kSixCurled}, {2, kSixTall}};
constexpr Style kSeven[] = {
    {4, kSevenPlain}, {2, kSevenCrossed}, {2, kSevenSerif}, {3, kSevenCurved}};
constexpr Style kEight[] = {
    {4, kEightOneStroke}, {2, kEightTwoRings}, {2, kEightOpen}, {2, kEightSlim}};
constexpr Style kNine[] = {{3, kNineStraight}, {3, kNineCurved}, {3, kNineSlanted}, {2, kNineLoop}};

constexpr std::array<std::span<const Style>, 10> kStyles{kZero, kOne, kTwo,   kThree, kFour,
                                                         kFive, kSix, kSeven, kEight, kNine};

constexpr bool fits() {
  for (const auto styles : kStyles) {
    for (const Style& style : styles) {
      if (style.path.size() > kMaxWaypoints) return false;
    }
  }
  return true;
}
static_assert(fits(), "raise kMaxWaypoints");

}  // namespace

std::span<const Style> styles_of(std::uint32_t digit) noexcept { return kStyles[digit]; }

}  // namespace millrace::strokes
