#include "formats/zip.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/support/npy_files.h"

namespace millrace {
namespace {

using test::ByteVector;
using test::data_error_of;
using test::make_bytes;
using test::ZipEntry;

class ZipTest : public testing::Test {
 protected:
  std::filesystem::path write(const ByteVector& bytes) const {
    return test::write_bytes(folder_ / "a.zip", bytes);
  }
  std::string error_of(const ByteVector& bytes) const {
    const auto path = write(bytes);
    const auto message = data_error_of([&] {
      const ZipFile file(path);
      for (const auto& member : file.members()) (void)file.read(member);
    });
    EXPECT_TRUE(message.starts_with(path.string())) << message;
    return message.substr(std::min(message.size(), path.string().size()));
  }

  test::TempFolder folder_;
};

ByteVector content_of(const ZipFile& file, std::string_view name) {
  const auto* const member = file.find(name);
  if (member == nullptr) return make_bytes("missing");
  const auto bytes = file.read(*member);
  return {bytes.view().begin(), bytes.view().end()};
}

TEST_F(ZipTest, ReadsStoredAndDeflatedMembers) {
  const ByteVector zeros(300'000);
  const ZipFile file(write(test::zip_of({{"a", make_bytes("hello"), false, false},
                                         {"b/c", zeros, true, false},
                                         {"empty", {}, true, false},
                                         {"d", make_bytes("large"), false, true},
                                         {"e", zeros, true, true}})));
  ASSERT_EQ(file.members().size(), 5U);
  EXPECT_EQ(content_of(file, "a"), make_bytes("hello"));
  EXPECT_EQ(content_of(file, "b/c"), zeros);
  EXPECT_EQ(content_of(file, "empty"), ByteVector{});
  EXPECT_EQ(content_of(file, "d"), make_bytes("large"));
  EXPECT_EQ(content_of(file, "e"), zeros);
  EXPECT_EQ(file.find("x"), nullptr);
  EXPECT_EQ(file.name_of(file.members()[1]), file.path().string() + "/b/c");
}

TEST_F(ZipTest, PeeksAtTheFront) {
  ByteVector content(500'000);
  for (std::size_t i = 0; i < content.size(); ++i) content[i] = static_cast<std::byte>(i / 1000);
  for (const bool deflated : {false, true}) {
    const ZipFile file(write(test::zip_of({{"a", content, deflated, false}})));
    const auto front = file.peek(file.members()[0], 100'000);
    EXPECT_TRUE(std::ranges::equal(front, std::span(content).first(100'000)));
    EXPECT_EQ(file.peek(file.members()[0], 600'000), content);
    EXPECT_TRUE(file.peek(file.members()[0], 0).empty());
  }
}

TEST_F(ZipTest, IsFoundBehindAComment) {
  auto archive = test::zip_of({{"a", make_bytes("hello"), false, false}});
  archive[archive.size() - 2] = std::byte{3};
  EXPECT_EQ(content_of(ZipFile(write(test::joined({archive, make_bytes("PK!")}))), "a"),
            make_bytes("hello"));
  EXPECT_NE(error_of(test::joined({archive, make_bytes("PK")})).find("found none"),
            std::string::npos);
}

TEST_F(ZipTest, ReadsNothingFromAnEmptyArchive) {
  EXPECT_TRUE(ZipFile(write(test::zip_of({}))).members().empty());
}

TEST_F(ZipTest, FindsEveryCut) {
  const auto archive =
      test::zip_of({{"a", ByteVector(100), true, false}, {"b", make_bytes("hello"), false, true}});
  for (std::size_t size = 0; size < archive.size(); ++size) {
    const auto message =
        error_of({archive.begin(), archive.begin() + static_cast<std::ptrdiff_t>(size)});
    EXPECT_NE(message.find("expected the end record of a zip archive"), std::string::npos);
  }
}

// Each flipped byte is found, or changes nothing that was read: dates, versions.
TEST_F(ZipTest, NeverGivesOtherContent) {
  const std::vector<ZipEntry> entries{{"a", ByteVector(100), true, false},
                                      {"b", make_bytes("hello"), false, true}};
  const auto archive = test::zip_of(entries);
  std::size_t found = 0;
  for (std::size_t at = 0; at < archive.size(); ++at) {
    auto broken = archive;
    broken[at] ^= std::byte{0x41};
    const auto path = write(broken);
    try {
      const ZipFile file(path);
      for (const auto& entry : entries) {
        const auto* const member = file.find(entry.name);
        if (member == nullptr) continue;
        const auto bytes = file.read(*member);
        EXPECT_TRUE(std::ranges::equal(bytes.view(), entry.content)) << at;
      }
    } catch (const DataError& error) {
      ++found;
    }
  }
  EXPECT_GT(found, archive.size() / 3);
}

TEST_F(ZipTest, RefusesABomb) {
  // A member that says more than its bytes can hold, before memory is taken.
  auto archive = test::zip_of({{"a", ByteVector(100), true, false}});
  const auto directory = archive.size() - 22 - 47;
  archive[directory + 24 + 3] = std::byte{0x7f};
  EXPECT_NE(error_of(archive).find("expected at most "), std::string::npos);
  // One that gives more than it says.
  archive = test::zip_of({{"a", ByteVector(100), true, false}});
  archive[directory + 24] = std::byte{99};
  EXPECT_EQ(error_of(archive), "/a: expected 99 bytes, as the zip directory says, found more");
  archive[directory + 24] = std::byte{101};
  EXPECT_EQ(error_of(archive), "/a: expected 101 bytes, as the zip directory says, found 100");
}

TEST_F(ZipTest, NamesWhatItCannotRead) {
  const auto archive = test::zip_of({{"a\n", make_bytes("hello"), false, false}});
  const auto directory = archive.size() - 22 - 48;
  auto broken = archive;
  broken[directory + 8] = std::byte{1};
  EXPECT_EQ(error_of(broken), ": byte " + std::to_string(directory + 8) +
                                  ": expected zip member \"a\\n\" without encryption, found an "
                                  "encrypted one");
  broken = archive;
  broken[directory + 10] = std::byte{93};
  EXPECT_NE(error_of(broken).find("stored or deflated, found method 93"), std::string::npos);
  const auto twice = test::zip_of({{"a", {}, false, false}, {"a", {}, false, false}});
  EXPECT_NE(error_of(twice).find("expected each zip member once, found \"a\" twice"),
            std::string::npos);
  broken = archive;
  broken[30] = std::byte{'b'};
  EXPECT_NE(error_of(broken).find("expected the header of zip member \"a\\n\", found that of "
                                  "another one"),
            std::string::npos);
  broken = archive;
  broken[33] = std::byte{'H'};
  EXPECT_TRUE(error_of(broken).starts_with("/\"a\\n\": expected content of CRC-32"))
      << error_of(broken);
}

}  // namespace
}  // namespace millrace
