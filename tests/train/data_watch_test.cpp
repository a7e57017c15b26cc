#include "train/data_watch.h"

#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "formats/folder.h"
#include "loader/readable.h"
#include "tests/support/faulty_dataset.h"
#include "tests/support/files.h"
#include "tests/support/idx_files.h"
#include "tests/support/seekable.h"

namespace millrace {
namespace {

namespace fs = std::filesystem;
using test::data_error_of;

constexpr std::uint32_t kCount = 40;

class Watched : public testing::Test {
 protected:
  Watched() {
    write_idx(images_, {DType::kUInt8, {kCount, 5, 7}}, test::pixels(kCount * 35));
    test::write_bytes(folder_ / "train-labels-idx1-ubyte", test::small_labels(kCount, 3));
    data_ = open_folder(folder_.path()).train;
    hash_ = data_->hash();
  }

  // In the same file. Its time may be that of the file before, where both are written at once.
  void write(char byte) const {
    std::fstream file(images_, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(-3, std::ios::end).put(byte);
    file.close();
    fs::last_write_time(images_, fs::last_write_time(images_) + std::chrono::seconds(1));
  }

  char last_but_two() const { return static_cast<char>(*(test::read_bytes(images_).end() - 3)); }

  DataWatch watch() {
    return {*data_, hash_, [this](const std::string& line) { notices_.push_back(line); }};
  }

  const test::TempFolder folder_;
  const fs::path images_ = folder_ / "train-images-idx3-ubyte";
  std::shared_ptr<const Dataset> data_;
  std::string hash_;
  std::vector<std::string> notices_;
};

TEST_F(Watched, FilesThatNobodyTouchesAreSilent) {
  watch().check();
  EXPECT_TRUE(notices_.empty());
}

TEST_F(Watched, AnotherContentIsAnErrorThatNamesTheFile) {
  write(static_cast<char>(last_but_two() + 1));
  const auto error = data_error_of([&] { watch().check(); });
  EXPECT_EQ(error.find(images_.string() +
                       ": was written to while the run read it: expected training "
                       "samples of hash " +
                       hash_ + ", found "),
            0U)
      << error;
}

TEST_F(Watched, TheSameContentWrittenAgainIsTold) {
  write(last_but_two());
  watch().check();
  EXPECT_EQ(notices_,
            std::vector{images_.string() + ": was written to; the training samples are the same"});
  watch().check();
  EXPECT_EQ(notices_.size(), 1U) << "once";
}

TEST_F(Watched, BadSamplesThatWereThereBeforeAreNoOtherContent) {
  data_ = std::make_shared<test::FaultyDataset>(data_, std::set<std::uint64_t>{2, 7});
  hash_ = hash_readable(*data_);
  write(last_but_two());
  watch().check();
  EXPECT_EQ(notices_.size(), 1U);
  write(static_cast<char>(last_but_two() + 1));
  EXPECT_NE(data_error_of([&] { watch().check(); }).find("was written to"), std::string::npos);
}

TEST_F(Watched, AFileThatGrowsIsTold) {
  std::ofstream(images_, std::ios::app | std::ios::binary) << "more";
  watch().check();
  EXPECT_EQ(notices_.size(), 1U);
}

TEST_F(Watched, AFileInItsPlaceAndNoneAreSilent) {
  fs::copy_file(images_, folder_ / "new");
  fs::rename(folder_ / "new", images_);
  write(static_cast<char>(last_but_two() + 1));
  watch().check();
  fs::remove(images_);
  watch().check();
  EXPECT_TRUE(notices_.empty());
}

}  // namespace
}  // namespace millrace
