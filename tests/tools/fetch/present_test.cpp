#include "tools/fetch/present.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/support/compressed.h"
#include "tests/support/files.h"
#include "tools/fetch/sha256.h"

namespace millrace {
namespace {

using test::data_error_of;
using test::make_bytes;
using test::TempFolder;
using test::write_bytes;
using Paths = std::vector<std::filesystem::path>;

constexpr const char* kName = "train-labels-idx1-ubyte.gz";
const std::string kContent = "the labels";

std::string sum_of(std::span<const std::byte> bytes) {
  const TempFolder folder;
  return sha256_of_file(write_bytes(folder / "f", bytes));
}

class FindPresent : public ::testing::Test {
 protected:
  SourceFile source(bool content_known = true) const {
    return {kName, published_.size(), sum_of(published_),
            content_known ? sum_of(make_bytes(kContent)) : std::string()};
  }
  std::filesystem::path write(const std::string& name, const test::ByteVector& bytes) const {
    return write_bytes(folder_ / name, bytes);
  }
  Present found(bool force = false, bool content_known = true) const {
    return find_present(folder_.path(), source(content_known), force);
  }
  std::string refusal() const {
    return data_error_of([&] { (void)found(); });
  }

  TempFolder folder_;
  test::ByteVector published_ = test::gzip_member(make_bytes(kContent));
};

TEST_F(FindPresent, FindsNothingWhereNothingStandsForIt) {
  write("t10k-labels-idx1-ubyte", make_bytes(kContent));
  write("emnist-train-labels-idx1-ubyte", make_bytes(kContent));
  write(std::string(kName) + ".part", make_bytes(kContent));
  EXPECT_TRUE(found().path.empty());
}

TEST_F(FindPresent, KnowsTheContentInEveryForm) {
  for (const auto& [name, bytes] :
       {std::pair{std::string(kName), published_},
        std::pair{std::string("train-labels-idx1-ubyte"), make_bytes(kContent)},
        std::pair{std::string("train-labels.idx1-ubyte"), make_bytes(kContent)},
        std::pair{std::string("train-labels-idx1-ubyte.zst"),
                  test::zstd_frame(make_bytes(kContent))}}) {
    const auto path = write(name, bytes);
    const Present present = found();
    EXPECT_EQ(present.path, path);
    EXPECT_TRUE(present.unchecked.empty());
    EXPECT_TRUE(present.others.empty());
    std::filesystem::remove(path);
  }
}

TEST_F(FindPresent, RefusesAnotherContentThatReadersMightTake) {
  write(kName, published_);
  const auto other = write("train-labels-idx1-ubyte", make_bytes("mine"));
  const std::string line = refusal();
  EXPECT_TRUE(line.starts_with(other.string() + ": expected SHA-256 ")) << line;
  EXPECT_TRUE(line.ends_with("; tools fetch --force replaces it")) << line;
  const Present forced = found(true);
  EXPECT_EQ(forced.path, folder_ / kName);
  EXPECT_EQ(forced.others, Paths{other});
}

TEST_F(FindPresent, TellsOfABrokenFile) {
  auto torn = published_;
  torn.resize(torn.size() - 4);
  const auto path = write(kName, torn);
  EXPECT_TRUE(refusal().starts_with(path.string() + ": ")) << refusal();
  EXPECT_TRUE(found(true).path.empty());
  EXPECT_EQ(found(true).others, Paths{path});
}

TEST_F(FindPresent, SaysWhereItCannotTell) {
  const auto plain = write("train-labels-idx1-ubyte", make_bytes("any"));
  const Present present = found(false, false);
  EXPECT_EQ(present.path, plain);
  EXPECT_NE(present.unchecked.find("is taken for " + std::string(kName) + " as it is"),
            std::string::npos);
  EXPECT_TRUE(found(true, false).path.empty());
  EXPECT_EQ(found(true, false).others, Paths{plain});
}

}  // namespace
}  // namespace millrace
