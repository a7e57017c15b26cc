#include "tools/cli/conversion_marker.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <ostream>
#include <string>
#include <vector>

#include "formats/folder.h"
#include "formats/idx.h"
#include "formats/shard_manifest.h"
#include "tests/support/files.h"
#include "tests/support/idx_files.h"
#include "tests/support/seekable.h"
#include "tools/cli/convert.h"

namespace millrace {
namespace {

using test::data_error_of;
using test::TempFolder;
using test::write_bytes;
using Names = std::vector<std::string>;

const auto kGoOn = [](std::uint64_t, std::uint64_t) { return true; };

TEST(ConversionMarker, SaysWhatIsBeingWritten) {
  const TempFolder folder;
  const auto out = folder / "out";
  std::filesystem::create_directory(out);
  EXPECT_EQ(ConversionMarker(folder.path(), out).interrupted(), Names());
  ConversionMarker(folder.path(), out).put({out / "train.csv", out / "test.csv"});
  const ConversionMarker marker(folder.path(), out);
  EXPECT_EQ(marker.interrupted(), (Names{"test.csv", "train.csv"}));
  marker.remove();
  EXPECT_EQ(ConversionMarker(folder.path(), out).interrupted(), Names());
  EXPECT_TRUE(std::filesystem::is_empty(out));
}

TEST(ConversionMarker, IsLeftOutBesideWhatIsConverted) {
  const TempFolder folder;
  for (const auto& in : {folder.path(), folder / "train.csv"}) {
    const ConversionMarker marker(in, folder.path());
    marker.put({folder / "train.tar"});
    EXPECT_EQ(folder.names(), Names());
    marker.remove();
  }
}

struct Form {
  StoredAs to;
  std::uint32_t shards;
  const char* last;  // of the names that are given
};
void PrintTo(const Form& r, std::ostream* out) { *out << r.last; }

class AnInterruptedConversion : public testing::TestWithParam<Form> {};

// Some of the files have their names: without tests, or with half of the shards, they had passed
// for the whole set.
TEST_P(AnInterruptedConversion, OpensForNobodyAndIsDoneAgainUnforced) {
  const TempFolder folder;
  const auto in = folder / "in";
  std::filesystem::create_directory(in);
  constexpr std::uint32_t kCount = 40;
  for (const std::string split : {"train", "t10k"}) {
    write_idx(in / (split + "-images-idx3-ubyte"), {DType::kUInt8, {kCount, 5, 7}},
              test::pixels(kCount * 35));
    write_bytes(in / (split + "-labels-idx1-ubyte"), test::small_labels(kCount, 3));
  }
  ConvertSpec spec;
  spec.in = in;
  spec.out = folder / "out";
  spec.to = GetParam().to;
  spec.shards = GetParam().shards;
  const auto obstacle = spec.out / GetParam().last;
  EXPECT_NE(data_error_of([&] {
              convert(spec, [&](std::uint64_t done, std::uint64_t all) {
                if (done == all) std::filesystem::create_directory(obstacle);
                return true;
              });
            }),
            "");
  std::filesystem::remove(obstacle);
  EXPECT_FALSE(ConversionMarker(in, spec.out).interrupted().empty());
  EXPECT_EQ(data_error_of([&] { open_folder(spec.out); }),
            (spec.out / kConversionName).string() +
                ": a conversion was interrupted before all of its files were here; the same 'tools "
                "convert' again writes them");
  EXPECT_FALSE(convert(spec, kGoOn).empty());
  EXPECT_FALSE(std::filesystem::exists(spec.out / kConversionName));
  const auto opened = open_folder(spec.out);
  EXPECT_EQ(opened.train->size(), kCount);
  ASSERT_TRUE(opened.test);
  EXPECT_EQ(opened.test->size(), kCount);
  EXPECT_NE(data_error_of([&] { convert(spec, kGoOn); }), "") << "what is whole stays";
}

INSTANTIATE_TEST_SUITE_P(
    Forms, AnInterruptedConversion,
    testing::Values(Form{StoredAs::kPlain, 0, "train-labels-idx1-ubyte"},
                    Form{StoredAs::kSeekable, 0, "train-labels-idx1-ubyte.zst"},
                    Form{StoredAs::kNpy, 0, "y_test.npy"}, Form{StoredAs::kCsv, 0, "test.csv"},
                    Form{StoredAs::kTar, 4, "train-000002.tar"}));

TEST(AConversion, ReplacesNothingButWhatTheInterruptedOneLeft) {
  const TempFolder folder;
  const auto in = folder / "in";
  const auto out = folder / "out";
  std::filesystem::create_directory(in);
  std::filesystem::create_directory(out);
  write_idx(in / "train-images-idx3-ubyte", {DType::kUInt8, {40, 5, 7}}, test::pixels(40 * 35));
  write_bytes(in / "train-labels-idx1-ubyte", test::small_labels(40, 3));
  ConversionMarker(in, out).put({out / "x_train.npy"});
  write_bytes(out / "y_train.npy", test::make_bytes("mine"));
  ConvertSpec spec;
  spec.in = in;
  spec.out = out;
  spec.to = StoredAs::kNpy;
  EXPECT_EQ(data_error_of([&] { convert(spec, kGoOn); }),
            (out / "y_train.npy").string() + ": is there already; --force replaces it");
}

}  // namespace
}  // namespace millrace
