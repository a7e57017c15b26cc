#include "formats/tar.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <cstring>
#include <stdexcept>
#include <string>

#include "tests/support/files.h"

namespace millrace {
namespace {

using test::ByteVector;
using test::data_error_of;
using test::make_bytes;

// A member with its padding.
ByteVector member_of(const TarHeader& header, std::string_view content) {
  auto bytes = test::joined({encode_tar_header(header), make_bytes(content)});
  bytes.resize(bytes.size() + tar_padding(content.size()));
  return bytes;
}

ByteVector member(const std::string& path, std::string_view content) {
  return member_of({.path = path, .size = content.size()}, content);
}

const ByteVector kEnd(kTarEnd);

std::vector<TarMember> members_of(const ByteVector& archive) {
  TarReader reader("a.tar", archive);
  std::vector<TarMember> members;
  while (auto next = reader.next()) members.push_back(*next);
  return members;
}

std::string error_of(const ByteVector& archive) {
  return data_error_of([&] { (void)members_of(archive); });
}

std::string content_of(const ByteVector& archive, const TarMember& member) {
  return {reinterpret_cast<const char*>(archive.data()) + member.content_at, member.header.size};
}

// The block with its checksum put right.
ByteVector summed(ByteVector block) {
  std::memset(&block[148], ' ', 8);
  unsigned sum = 0;
  for (const auto byte : block) sum += std::to_integer<unsigned>(byte);
  (void)std::snprintf(reinterpret_cast<char*>(&block[148]), 7, "%06o", sum);
  return block;
}

// A block as other programs write it.
ByteVector foreign_block(const std::string& name, char type, const std::string& size,
                         const std::string& magic, const std::string& mode = "0000644",
                         const std::string& time = "00000000000") {
  ByteVector block(kTarBlock);
  const auto put = [&](std::size_t at, const std::string& text) {
    std::memcpy(block.data() + at, text.data(), text.size());
  };
  put(0, name);
  put(100, mode);
  put(124, size);
  put(136, time);
  put(156, std::string(1, type));
  put(257, magic);
  return summed(block);
}

TEST(Tar, ComesBack) {
  const auto archive = test::joined(
      {member("a.txt", "hello"), member("empty", ""), member("b", std::string(512, 'x')), kEnd});
  EXPECT_EQ(archive.size() % kTarBlock, 0U);
  EXPECT_TRUE(is_tar(archive));
  const auto members = members_of(archive);
  ASSERT_EQ(members.size(), 3U);
  EXPECT_EQ(members[0].header, (TarHeader{.path = "a.txt", .size = 5}));
  EXPECT_EQ(content_of(archive, members[0]), "hello");
  EXPECT_EQ(members[1].header.size, 0U);
  EXPECT_EQ(content_of(archive, members[2]), std::string(512, 'x'));
}

TEST(Tar, KeepsPathsOfAnyLength) {
  ByteVector archive;
  std::vector<std::string> paths;
  for (const std::size_t length : {1, 99, 100, 101, 200, 255, 256, 257, 300, 5000}) {
    paths.emplace_back(length, 'p');
    paths.push_back(std::string(length / 2, 'q') + '/' + std::string(length - length / 2, 'r'));
  }
  for (const auto& path : paths) archive = test::joined({archive, member(path, path)});
  archive = test::joined({archive, kEnd});
  const auto members = members_of(archive);
  ASSERT_EQ(members.size(), paths.size());
  for (std::size_t i = 0; i < paths.size(); ++i) {
    EXPECT_EQ(members[i].header, (TarHeader{.path = paths[i], .size = paths[i].size()}));
    EXPECT_EQ(content_of(archive, members[i]), paths[i]);
    EXPECT_EQ(TarReader("a.tar", archive, members[i].header_at).next()->header, members[i].header);
  }
}

TEST(Tar, KeepsSizesPastEightGigabytes) {
  const TarHeader header{.path = "big", .size = (std::uint64_t{1} << 40U) + 7};
  // The archive is too short for it, which the message says with the size that came back.
  EXPECT_EQ(error_of(encode_tar_header(header)),
            "a.tar: byte 1536: expected 1099511627783 bytes of a tar member, found the end of the "
            "archive after 0");
}

TEST(Tar, ReadsWhatGnuTarWrites) {
  const std::string name(150, 'n');
  auto long_name =
      test::joined({foreign_block("././@LongLink", 'L', "00000000227", std::string("ustar  \0", 8)),
                    make_bytes(name + '\0')});
  long_name.resize(2 * kTarBlock);
  // A size in binary.
  const std::string size("\x80\0\0\0\0\0\0\0\0\0\0\3", 12);
  auto rest =
      test::joined({foreign_block(name.substr(0, 100), '0', size, std::string("ustar  \0", 8)),
                    make_bytes("abc")});
  rest.resize(2 * kTarBlock);
  const auto folder = foreign_block("dir/", '5', "00000000000", std::string("ustar  \0", 8));
  const auto archive = test::joined({folder, long_name, rest, kEnd});
  EXPECT_TRUE(is_tar(archive));
  const auto members = members_of(archive);
  ASSERT_EQ(members.size(), 2U);
  EXPECT_EQ(members[0].header.type, '5');
  EXPECT_EQ(members[1].header.path, name);
  EXPECT_EQ(content_of(archive, members[1]), "abc");
}

TEST(Tar, ReadsWhatIsOlderThanPosix) {
  auto old = test::joined({foreign_block("old", '\0', "         3 ", ""), make_bytes("abc")});
  old.resize(2 * kTarBlock);
  const auto archive = test::joined({old, kEnd});
  EXPECT_FALSE(is_tar(archive)) << "no magic word";
  const auto members = members_of(archive);
  ASSERT_EQ(members.size(), 1U);
  EXPECT_EQ(members[0].header, (TarHeader{.path = "old", .size = 3}));
}

TEST(Tar, TakesNumbersAsOtherReadersDo) {
  // Blanks, what is behind a NUL, and a time before 1970 as GNU tar writes it.
  const std::string blank("       \0", 8);
  const std::string longer("0\0 7", 4);
  const std::string before_1970(12, '\xff');
  const auto archive =
      test::joined({foreign_block("blank", '0', "           ", "", blank, "           "),
                    foreign_block("longer", '0', longer, "", longer, longer),
                    foreign_block("early", '0', "0", "", "0000644", before_1970), kEnd});
  const auto members = members_of(archive);
  ASSERT_EQ(members.size(), 3U);
  EXPECT_EQ(members[0].header, (TarHeader{.path = "blank"}));
  EXPECT_EQ(members[1].header, (TarHeader{.path = "longer"}));
  EXPECT_EQ(members[2].header, (TarHeader{.path = "early"}));
}

TEST(Tar, HasNoContentForLinks) {
  const auto archive =
      test::joined({foreign_block("link", '2', "00000000777", std::string("ustar\00000", 8)),
                    member("after", "x"), kEnd});
  const auto members = members_of(archive);
  ASSERT_EQ(members.size(), 2U);
  EXPECT_EQ(members[0].header.size, 0U);
  EXPECT_EQ(members[1].header.path, "after");
}

// Two more blocks of the map before the content, the first saying that another follows.
TEST(Tar, FindsItsWayPastTheMapOfASparseFile) {
  auto header = foreign_block("holes", 'S', "0000003", std::string("ustar  \0", 8));
  header[482] = std::byte{1};
  header = summed(header);
  ByteVector map(2 * kTarBlock);
  map[504] = std::byte{1};
  auto content = make_bytes("abc");
  content.resize(kTarBlock);
  const auto archive = test::joined({header, map, content, member("after", "x"), kEnd});
  const auto members = members_of(archive);
  ASSERT_EQ(members.size(), 2U);
  EXPECT_EQ(members[0].header, (TarHeader{.path = "holes", .size = 3, .type = 'S'}));
  EXPECT_EQ(members[0].header_at, 0U);
  EXPECT_EQ(content_of(archive, members[0]), "abc");
  EXPECT_EQ(members[1].header.path, "after");
  // A map that does not end.
  map[kTarBlock + 504] = std::byte{1};
  EXPECT_EQ(error_of(test::joined({header, map})),
            "a.tar: byte 1536: expected 512 bytes of a tar member, found the end of the archive "
            "after 0");
}

TEST(Tar, TellsASparseFileByItsPaxHeader) {
  const std::string records = "22 GNU.sparse.major=1\n25 GNU.sparse.name=0.jpg\n";
  const auto archive =
      test::joined({member_of({.path = "p", .size = records.size(), .type = 'x'}, records),
                    member("GNUSparseFile.7/0.jpg", "1\n"), kEnd});
  const auto members = members_of(archive);
  ASSERT_EQ(members.size(), 1U);
  EXPECT_EQ(members[0].header, (TarHeader{.path = "0.jpg", .size = 2, .type = 'S'}));
}

TEST(Tar, NamesABrokenHeader) {
  auto archive = test::joined({member("a", "hello"), member("b", ""), kEnd});
  archive[1024] = std::byte{'c'};
  EXPECT_EQ(error_of(archive),
            "a.tar: byte 1172: expected a tar header of checksum 6100, found "
            "\"006077\\x00 \"");
  EXPECT_EQ(error_of(test::joined({foreign_block("a", '0', "12x4", ""), kEnd})),
            "a.tar: byte 124: expected an octal number as a tar member's size, found "
            "\"12x4\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\"");
  const std::string huge(12, '\xff');
  EXPECT_NE(error_of(test::joined({foreign_block("a", '0', huge, ""), kEnd}))
                .find("expected an octal number as a tar member's size"),
            std::string::npos);
}

TEST(Tar, RefusesAPaxHeaderThatWouldTakeMuchMemory) {
  for (const char type : {'x', 'g', 'L', 'K'}) {
    const std::string text(TarReader::kMostExtended + 1, 'x');
    const auto message =
        error_of(test::joined({member_of({.path = "p", .size = text.size(), .type = type}, text),
                               member("a", ""), kEnd}));
    EXPECT_EQ(message,
              "a.tar: byte 124: expected a pax header or long name of at most 1048576 bytes, "
              "found 1048577");
  }
}

TEST(Tar, NamesBrokenPaxRecords) {
  for (const auto* records :
       {"path=x\n", "99 path=x\n", "9 path=x", "3 \n", "9 path:x\n", "0 a=b\n", "x", "9 size=x\n",
        "27 size=18446744073709551616\n", "-1 a=b\n"}) {
    auto pax = member_of({.path = "p", .size = std::strlen(records), .type = 'x'}, records);
    const auto message = error_of(test::joined({pax, member("a", ""), kEnd}));
    EXPECT_NE(message.find("a.tar: byte 512: expected a pax record"), std::string::npos) << message;
  }
  const auto pax = member_of({.path = "p", .size = 9, .type = 'x'}, "9 path=x\n");
  EXPECT_EQ(error_of(test::joined({pax, kEnd})),
            "a.tar: byte 1024: expected the tar member that the header before it speaks of, found "
            "the end of the archive");
}

TEST(Tar, FindsEveryCut) {
  const auto archive = test::joined({member("a", "hello"), member("b", ""), kEnd});
  // What is missing of the two blocks of zeros at the end is no loss.
  const auto needed = archive.size() - kTarBlock;
  for (std::size_t size = 0; size < archive.size(); size += 7) {
    const ByteVector cut(archive.begin(), archive.begin() + static_cast<std::ptrdiff_t>(size));
    if (size >= needed) {
      EXPECT_EQ(members_of(cut).size(), 2U);
    } else {
      EXPECT_NE(error_of(cut).find("the end of the"), std::string::npos);
    }
  }
}

TEST(Tar, NamesBytesBehindTheEnd) {
  auto archive = test::joined({member("a", "hello"), kEnd});
  EXPECT_EQ(error_of(test::joined({archive, member("b", "")})),
            "a.tar: byte 2048: expected zeros up to the end of the tar archive, found other bytes");
  archive.resize(10240);
  EXPECT_EQ(members_of(archive).size(), 1U);
}

TEST(Tar, IsToldFromOtherFiles) {
  EXPECT_FALSE(is_tar({}));
  EXPECT_FALSE(is_tar(ByteVector(kTarBlock)));
  EXPECT_FALSE(is_tar(make_bytes("x")));
  auto broken = encode_tar_header({.path = "a"});
  broken[0] = std::byte{'b'};
  EXPECT_FALSE(is_tar(broken));
}

TEST(Tar, RefusesToWriteWhatItCannotHold) {
  EXPECT_THROW((void)encode_tar_header({}), std::invalid_argument);
  EXPECT_THROW((void)encode_tar_header({.path = std::string("a\0b", 3)}), std::invalid_argument);
}

}  // namespace
}  // namespace millrace
