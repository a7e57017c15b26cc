#include "tools/cli/verify_samples.h"

#include <gtest/gtest.h>

#include "tests/support/idx_files.h"
#include "tests/support/images.h"
#include "tests/support/npy_files.h"

namespace millrace {
namespace {

using test::data_error_of;
using test::make_bytes;
using test::write_bytes;

const auto kGoOn = [](std::size_t, std::size_t) { return true; };

TEST(VerifySamples, NamesEachImageThatIsBroken) {
  const test::TempFolder folder;
  for (const auto* name : {"cat", "dog"}) {
    std::filesystem::create_directory(folder / name);
    for (int i = 10; i < 50; ++i) {
      write_bytes(folder / name / (std::to_string(i) + ".png"),
                  test::png_of(4, 4, 1, test::ByteVector(16, static_cast<std::byte>(i))));
    }
  }
  EXPECT_EQ(verify(folder.path(), kGoOn).faults(), 0U);
  auto torn = test::read_bytes(folder / "dog" / "13.png");
  torn.resize(torn.size() - 20);
  write_bytes(folder / "dog" / "13.png", torn);
  write_bytes(folder / "cat" / "11.png", make_bytes("no image"));
  const auto found = verify(folder.path(), kGoOn);
  ASSERT_EQ(found.files.size(), 1U);
  const auto& file = found.files[0];
  EXPECT_EQ(file.form, "images");
  EXPECT_EQ(file.samples, 80U);
  ASSERT_EQ(file.faults.size(), 2U);
  EXPECT_EQ(file.faults[0].samples.first, 1U);
  EXPECT_NE(file.faults[0].what.find("11.png"), std::string::npos);
  EXPECT_EQ(file.faults[1].samples.first, 43U);
  EXPECT_EQ(file.faults[1].samples.count, 1U);
}

TEST(VerifySamples, ReadsTablesAndArrays) {
  const test::TempFolder folder;
  const auto table = write_bytes(folder / "t.csv", make_bytes("a,kind,b\n1,cat,3\n4,dog,6\n"));
  const auto found = verify(table, kGoOn);
  ASSERT_EQ(found.files.size(), 1U);
  EXPECT_EQ(found.files[0].form, "csv");
  EXPECT_EQ(found.files[0].samples, 2U);
  EXPECT_EQ(found.faults(), 0U);
  EXPECT_EQ(data_error_of([&] { verify(table, kGoOn, {.label_column = "a"}); }),
            table.string() +
                ": line 2: expected a finite number in column 2 (\"kind\"), found \"cat\" "
                "(--one-hot kind makes values of categories, --drop-columns kind leaves it out)");
  const auto arrays = write_bytes(folder / "set.npz",
                                  test::zip_of({{"x.npy", test::npy_images(4), true, false},
                                                {"y.npy", test::npy_labels(4, 3), true, false}}));
  EXPECT_EQ(verify(arrays, kGoOn).files.at(0).form, "npz");
}

TEST(VerifySamples, LeavesIdxToItsOwn) {
  const test::TempFolder folder;
  write_bytes(folder / "train-images-idx3-ubyte", test::small_images(4));
  const auto labels = write_bytes(folder / "train-labels-idx1-ubyte", test::small_labels(4, 3));
  EXPECT_EQ(verify(folder.path(), kGoOn).files.size(), 2U);
  EXPECT_EQ(verify(labels, kGoOn).files.at(0).form, "plain");
  EXPECT_NE(data_error_of([&] {
              verify(folder.path(), kGoOn, {.label_column = "a"});
            }).find("expected a table"),
            std::string::npos);
  EXPECT_NE(data_error_of([&] {
              verify(write_bytes(folder / "notes.txt", make_bytes("x")), kGoOn);
            }).find("notes.txt: expected "),
            std::string::npos);
}

TEST(VerifySamples, StopsWhereItIsTold) {
  const test::TempFolder folder;
  std::string text;
  for (int i = 0; i < 500; ++i) text += "1,2\n";
  write_bytes(folder / "train.csv", make_bytes(text));
  write_bytes(folder / "test.csv", make_bytes(text));
  std::size_t told = 0;
  const auto stop = [&](std::size_t done, std::size_t all) {
    EXPECT_EQ(all, 1000U);
    told = done;
    return done < 100;
  };
  EXPECT_EQ(verify(folder.path(), stop).files.size(), 1U);
  EXPECT_GE(told, 100U);
  EXPECT_LT(told, 500U);
}

}  // namespace
}  // namespace millrace
