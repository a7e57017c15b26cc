#include "formats/error.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <stdexcept>

namespace millrace {
namespace {

TEST(DataError, NamesFileOffsetExpectedAndFound) {
  const DataError error("data/labels", 4, "60000 labels", "59999");
  EXPECT_STREQ(error.what(), "data/labels: byte 4: expected 60000 labels, found 59999");
}

TEST(DataError, OffsetZeroIsAnOffset) {
  EXPECT_STREQ(DataError("a", 0, "x", "y").what(), "a: byte 0: expected x, found y");
}

TEST(DataError, LeavesOutAnOffsetThatIsNotThere) {
  EXPECT_STREQ(DataError("a", std::nullopt, "x", "y").what(), "a: expected x, found y");
}

TEST(DataError, TakesAnyMessage) { EXPECT_STREQ(DataError("a", "is odd").what(), "a: is odd"); }

TEST(DataError, KnowsItsPlace) {
  const DataError at("a/b", 4, "x", "y");
  EXPECT_EQ(at.file(), "a/b");
  EXPECT_EQ(at.offset(), 4U);
  EXPECT_FALSE(DataError("a/b", "is odd").offset());
  const DataError told("a/b", 7, "frame 2 (byte 7) is odd");
  EXPECT_STREQ(told.what(), "a/b: frame 2 (byte 7) is odd");
  const DataError copy = told;  // NOLINT(performance-unnecessary-copy-initialization)
  EXPECT_EQ(copy.offset(), 7U);
}

TEST(DataError, IsARuntimeError) { EXPECT_THROW(throw DataError("a", "b"), std::runtime_error); }

TEST(IoError, SaysWhatTheSystemSaid) {
  EXPECT_STREQ(io_error("a/b", "open", ENOENT).what(),
               "a/b: cannot open: No such file or directory");
  EXPECT_STREQ(io_error("a/b", "write 7 bytes", ENOSPC).what(),
               "a/b: cannot write 7 bytes: No space left on device");
}

}  // namespace
}  // namespace millrace
