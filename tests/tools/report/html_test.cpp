#include "tools/report/html.h"

#include <gtest/gtest.h>

#include <string>

namespace millrace {
namespace {

TEST(EscapeHtml, LeavesNothingThatABrowserReads) {
  EXPECT_EQ(escape_html("<a href=\"x\" id='y'>&amp;"),
            "&lt;a href=&quot;x&quot; id=&#39;y&#39;&gt;&amp;amp;");
  EXPECT_EQ(escape_html("data/mnist é"), "data/mnist é");
}

TEST(BeginChart, HasATitleThatIsText) {
  EXPECT_EQ(begin_chart("a<b", "<i>c</i>", 440.0, 250.0),
            "<figure><figcaption>a&lt;b<i>c</i></figcaption>"
            "<svg viewBox=\"0 0 440 250\" role=\"img\" aria-label=\"a&lt;b\">");
}

// RFC 4648, 10.
TEST(Base64, GivesTheStandardsExamples) {
  EXPECT_EQ(base64(""), "");
  EXPECT_EQ(base64("f"), "Zg==");
  EXPECT_EQ(base64("fo"), "Zm8=");
  EXPECT_EQ(base64("foo"), "Zm9v");
  EXPECT_EQ(base64("foob"), "Zm9vYg==");
  EXPECT_EQ(base64("fooba"), "Zm9vYmE=");
  EXPECT_EQ(base64("foobar"), "Zm9vYmFy");
  EXPECT_EQ(base64(std::string("\0\xff\xfe", 3)), "AP/+");
}

TEST(PngUri, IsReadableByAnImage) { EXPECT_EQ(png_uri("foo"), "data:image/png;base64,Zm9v"); }

}  // namespace
}  // namespace millrace
