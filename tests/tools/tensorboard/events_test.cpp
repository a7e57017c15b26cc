#include "tools/tensorboard/events.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include "tests/support/protobuf_reader.h"
#include "tests/support/tf_records.h"

namespace millrace {
namespace {

using test::ProtoReader;

TEST(TfRecord, FramesAndChecksItsBytes) {
  EXPECT_EQ(
      test::tf_records(tf_record("one") + tf_record("") + tf_record(std::string(70'000, 'x'))),
      (std::vector<std::string>{"one", "", std::string(70'000, 'x')}));
  std::string damaged = tf_record("one");
  damaged[12] ^= 1;
  EXPECT_THROW(test::tf_records(damaged), std::runtime_error);
}

TEST(Histogram, CountsInRangesOfEqualWidth) {
  const std::vector<float> values{0.0F, 0.5F, 1.0F, 64.0F, 63.5F};
  const Histogram h = histogram_of(values);
  EXPECT_EQ(h.least, 0.0);
  EXPECT_EQ(h.largest, 64.0);
  EXPECT_EQ(h.count, 5.0);
  EXPECT_EQ(h.sum, 129.0);
  EXPECT_EQ(h.sum_of_squares, 0.25 + 1 + 4096 + 63.5 * 63.5);
  ASSERT_EQ(h.counts.size(), 64U);
  EXPECT_EQ(h.limits.size(), 64U);
  EXPECT_EQ(h.limits.front(), 1.0);
  EXPECT_EQ(h.limits.back(), 64.0);
  EXPECT_EQ(h.counts.front(), 2.0);
  EXPECT_EQ(h.counts[1], 1.0);
  EXPECT_EQ(h.counts.back(), 2.0);
}

TEST(Histogram, TakesEqualValuesNoneAndSomeThatAreNotFinite) {
  const Histogram equal = histogram_of(std::vector<float>(7, 3.0F));
  EXPECT_EQ(equal.counts, std::vector<double>{7.0});
  EXPECT_EQ(equal.limits, std::vector<double>{3.0});
  EXPECT_EQ(histogram_of({}).count, 0.0);
  const Histogram some =
      histogram_of(std::vector<float>{std::nanf(""), 1.0F, std::numeric_limits<float>::infinity()});
  EXPECT_EQ(some.count, 1.0);
  EXPECT_EQ(some.counts, std::vector<double>{1.0});
}

TEST(Events, BeginWithTheirVersion) {
  const std::string event = version_event(12.5);
  const ProtoReader reader(event);
  EXPECT_EQ(reader.real64(1), 12.5);
  EXPECT_EQ(reader.text(3), "brain.Event:2");
}

TEST(Events, SayWhereARunGoesOn) {
  const std::string event = restart_event(2.5, 6);
  const ProtoReader reader(event);
  EXPECT_EQ(reader.real64(1), 2.5);
  EXPECT_EQ(reader.integer(2), 6);
  EXPECT_EQ(reader.message(7).integer(1), 1);
}

TEST(Events, HoldWhatASummaryWasTold) {
  Summary summary;
  summary.scalar("loss", 0.1);
  summary.histogram("w", histogram_of(std::vector<float>{1.0F, 2.0F}));
  summary.image("i", Picture(3, 2, 1));
  const std::string event = summary_event(1.0, 7, summary);
  const ProtoReader reader(event);
  EXPECT_EQ(reader.integer(2), 7);
  const auto values = reader.message(5).all(1);
  ASSERT_EQ(values.size(), 3U);
  const ProtoReader scalar(values[0].bytes);
  EXPECT_EQ(scalar.text(1), "loss");
  EXPECT_EQ(scalar.real32(2), 0.1F);
  const ProtoReader histogram = ProtoReader(values[1].bytes).message(5);
  EXPECT_EQ(histogram.real64(3), 2.0);
  const auto counts = histogram.packed(7);
  EXPECT_EQ(std::accumulate(counts.begin(), counts.end(), 0.0), 2.0);
  const ProtoReader image = ProtoReader(values[2].bytes).message(4);
  EXPECT_EQ(image.integer(1), 2);
  EXPECT_EQ(image.integer(2), 3);
  EXPECT_EQ(image.text(4), encode_png(Picture(3, 2, 1)));
}

}  // namespace
}  // namespace millrace
