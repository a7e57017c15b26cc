#include "tools/tensorboard/events.h"

#include <algorithm>
#include <cmath>

#include "tools/tensorboard/crc32c.h"

namespace millrace {
namespace {

// Field numbers of tensorboard/compat/proto/{event,summary,histogram}.proto
// (https://github.com/tensorflow/tensorboard).
namespace event {
constexpr std::uint32_t kWallTime = 1;
constexpr std::uint32_t kStep = 2;
constexpr std::uint32_t kFileVersion = 3;
constexpr std::uint32_t kSummary = 5;
constexpr std::uint32_t kSessionLog = 7;
}  // namespace event
namespace session_log {
constexpr std::uint32_t kStatus = 1;
constexpr std::int64_t kStart = 1;
}  // namespace session_log
namespace summary {
constexpr std::uint32_t kValue = 1;
}  // namespace summary
namespace value {  // Summary.Value
constexpr std::uint32_t kTag = 1;
constexpr std::uint32_t kSimpleValue = 2;
constexpr std::uint32_t kImage = 4;
constexpr std::uint32_t kHistogram = 5;
}  // namespace value
namespace image {  // Summary.Image
constexpr std::uint32_t kHeight = 1;
constexpr std::uint32_t kWidth = 2;
constexpr std::uint32_t kColourspace = 3;  ///< the number of channels
constexpr std::uint32_t kEncoded = 4;
}  // namespace image
namespace histo {  // HistogramProto
constexpr std::uint32_t kMin = 1;
constexpr std::uint32_t kMax = 2;
constexpr std::uint32_t kNum = 3;
constexpr std::uint32_t kSum = 4;
constexpr std::uint32_t kSumSquares = 5;
constexpr std::uint32_t kBucketLimit = 6;
constexpr std::uint32_t kBucket = 7;
}  // namespace histo

// Checksums of data that holds checksums are stored masked.
std::uint32_t masked(std::uint32_t crc) { return ((crc >> 15U) | (crc << 17U)) + 0xa282ead8U; }

std::string little_endian(std::uint64_t value, int bytes) {
  std::string out;
  for (int i = 0; i < bytes; ++i) out += static_cast<char>(value >> (8 * i) & 0xffU);
  return out;
}

ProtoMessage value_of(std::string_view tag) {
  ProtoMessage message;
  message.text(value::kTag, tag);
  return message;
}

}  // namespace

std::string tf_record(std::string_view bytes) {
  const std::string length = little_endian(bytes.size(), 8);
  std::string record = length + little_endian(masked(crc32c(length)), 4);
  record += bytes;
  return record + little_endian(masked(crc32c(bytes)), 4);
}

Histogram histogram_of(std::span<const float> values) {
  constexpr std::size_t kRanges = 64;
  Histogram histogram;
  bool first = true;
  for (const float v : values) {
    if (!std::isfinite(v)) continue;
    const double x{v};
    histogram.least = first ? x : std::min(histogram.least, x);
    histogram.largest = first ? x : std::max(histogram.largest, x);
    histogram.count += 1.0;
    histogram.sum += x;
    histogram.sum_of_squares += x * x;
    first = false;
  }
  const double range = histogram.largest - histogram.least;
  const std::size_t ranges = range > 0.0 ? kRanges : 1;
  histogram.counts.resize(ranges);
  for (std::size_t i = 1; i < ranges; ++i) {
    histogram.limits.push_back(histogram.least +
                               range * static_cast<double>(i) / static_cast<double>(ranges));
  }
  histogram.limits.push_back(histogram.largest);
  const double scale = range > 0.0 ? static_cast<double>(ranges) / range : 0.0;
  for (const float v : values) {
    if (!std::isfinite(v)) continue;
    const auto at = static_cast<std::size_t>((double{v} - histogram.least) * scale);
    histogram.counts[std::min(at, ranges - 1)] += 1.0;
  }
  return histogram;
}

void Summary::add(const ProtoMessage& value) { message_.message(summary::kValue, value); }

void Summary::scalar(std::string_view tag, double value) {
  ProtoMessage message = value_of(tag);
  message.real(value::kSimpleValue, static_cast<float>(value));
  add(message);
}

void Summary::histogram(std::string_view tag, const Histogram& histogram) {
  ProtoMessage inner;
  inner.real(histo::kMin, histogram.least);
  inner.real(histo::kMax, histogram.largest);
  inner.real(histo::kNum, histogram.count);
  inner.real(histo::kSum, histogram.sum);
  inner.real(histo::kSumSquares, histogram.sum_of_squares);
  inner.packed(histo::kBucketLimit, histogram.limits);
  inner.packed(histo::kBucket, histogram.counts);
  ProtoMessage message = value_of(tag);
  message.message(value::kHistogram, inner);
  add(message);
}

void Summary::image(std::string_view tag, const Picture& picture) {
  ProtoMessage inner;
  inner.integer(image::kHeight, picture.height);
  inner.integer(image::kWidth, picture.width);
  inner.integer(image::kColourspace, picture.channels);
  inner.text(image::kEncoded, encode_png(picture));
  ProtoMessage message = value_of(tag);
  message.message(value::kImage, inner);
  add(message);
}

std::string version_event(double wall_time) {
  ProtoMessage message;
  message.real(event::kWallTime, wall_time);
  message.text(event::kFileVersion, "brain.Event:2");
  return message.bytes();
}

std::string restart_event(double wall_time, std::int64_t step) {
  ProtoMessage session;
  session.integer(session_log::kStatus, session_log::kStart);
  ProtoMessage message;
  message.real(event::kWallTime, wall_time);
  message.integer(event::kStep, step);
  message.message(event::kSessionLog, session);
  return message.bytes();
}

std::string summary_event(double wall_time, std::int64_t step, const Summary& summary) {
  ProtoMessage message;
  message.real(event::kWallTime, wall_time);
  message.integer(event::kStep, step);
  message.message(event::kSummary, summary.message());
  return message.bytes();
}

}  // namespace millrace
