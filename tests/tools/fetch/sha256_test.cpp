#include "tools/fetch/sha256.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace millrace {
namespace {

std::string sum_of(std::string_view text) {
  Sha256 sum;
  const auto bytes = std::as_bytes(std::span(text));
  sum.update(bytes.first(bytes.size() / 2));
  sum.update(bytes.subspan(bytes.size() / 2));
  return sum.finish();
}

// FIPS 180-2, appendix B.
TEST(Sha256, KnowsTheStandardsExamples) {
  EXPECT_EQ(sum_of("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sum_of("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(sum_of(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

}  // namespace
}  // namespace millrace
