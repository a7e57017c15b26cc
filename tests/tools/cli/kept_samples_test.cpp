#include "tools/cli/kept_samples.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <vector>

#include "formats/idx.h"
#include "tests/support/idx_files.h"

namespace millrace {
namespace {

TEST(LeaveOut, DropsTheSamplesOfFaultsAndNoOthers) {
  std::vector<bool> kept(6, true);
  kept[0] = false;
  leave_out({{.what = "of none", .samples = {}},
             {.what = "of two", .samples = {1, 2}},
             {.what = "of some beyond", .samples = {5, 3}}},
            kept);
  EXPECT_EQ(kept, std::vector<bool>({false, false, false, true, true, false}));
}

TEST(AppendKept, WritesRunsOfKeptSamplesAndNoneBeyond) {
  const test::TempFolder folder;
  const auto source = folder / "images";
  test::write_bytes(source, test::small_images(5));
  const auto target = folder / "kept.zst";
  {
    const SalvagedIdx salvaged(source);
    auto header = *salvaged.header();
    header.dims[0] = 3;
    SeekableIdxWriter writer(target, header);
    append_kept(salvaged, {true, false, true, true}, writer);
    writer.commit();
  }
  const IdxArray kept = read_idx(target);
  ASSERT_EQ(kept.dims(), (std::vector<std::uint32_t>{3, 2, 3}));
  std::size_t at = 0;
  for (const int image : {0, 2, 3}) {
    for (int pixel = 0; pixel < 6; ++pixel) {
      EXPECT_EQ(static_cast<int>(kept.data()[at++]), 6 * image + pixel);
    }
  }
}

}  // namespace
}  // namespace millrace
