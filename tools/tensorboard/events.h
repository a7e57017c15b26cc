#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tools/image/picture.h"
#include "tools/protobuf/message.h"

// What TensorBoard reads: events, protobuf messages with summaries, in TFRecord frames.

namespace millrace {

/// One event's bytes in the frame of a TFRecord file: length, its checksum, the bytes, theirs
/// (https://www.tensorflow.org/tutorials/load_data/tfrecord#tfrecords_format_details).
std::string tf_record(std::string_view bytes);

/// How often values lay in which range, 64 ranges of equal width from the least to the largest.
struct Histogram {
  double least = 0.0;
  double largest = 0.0;
  double count = 0.0;
  double sum = 0.0;
  double sum_of_squares = 0.0;
  std::vector<double> limits;  ///< the upper ends of the ranges
  std::vector<double> counts;
};
/// Values that are not finite are left out.
Histogram histogram_of(std::span<const float> values);

/// The summaries of one event.
class Summary {
 public:
  void scalar(std::string_view tag, double value);
  void histogram(std::string_view tag, const Histogram& histogram);
  void image(std::string_view tag, const Picture& picture);

  const ProtoMessage& message() const noexcept { return message_; }

 private:
  void add(const ProtoMessage& value);
  ProtoMessage message_;
};

/// What a file begins with. `wall_time`: seconds since 1970.
std::string version_event(double wall_time);
/// That a run goes on from `step`: what other files of the folder tell of it and of later steps is
/// over, and not shown.
std::string restart_event(double wall_time, std::int64_t step);
std::string summary_event(double wall_time, std::int64_t step, const Summary& summary);

}  // namespace millrace
