#include "loader/sample_reader.h"

#include <algorithm>
#include <stdexcept>
#include <string>
#include <utility>

#include "compute/stage.h"
#include "formats/convert.h"
#include "loader/gather.h"
#include "loader/readable.h"

namespace millrace {
namespace {

bool same_type(DType stored, InputType type) noexcept {
  return stored == (type == InputType::kUInt8 ? DType::kUInt8 : DType::kFloat32);
}

std::span<float> as_floats(std::span<std::byte> bytes) noexcept {
  return {reinterpret_cast<float*>(bytes.data()), bytes.size() / sizeof(float)};
}

}  // namespace

// A buffer borrowed for one call.
class SampleReader::Scratch {
 public:
  Scratch(SampleReader& reader, std::size_t bytes) : reader_(reader) {
    {
      const std::lock_guard lock(reader_.mutex_);
      if (!reader_.scratch_.empty()) {
        buffer_ = std::move(reader_.scratch_.back());
        reader_.scratch_.pop_back();
      }
      // So that giving it back cannot fail.
      reader_.scratch_.reserve(reader_.scratch_.size() + ++reader_.borrowed_);
    }
    if (buffer_.size() < bytes) buffer_.resize(bytes);
    bytes_ = {buffer_.data(), bytes};
  }
  ~Scratch() {
    const std::lock_guard lock(reader_.mutex_);
    --reader_.borrowed_;
    reader_.scratch_.push_back(std::move(buffer_));
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  std::span<std::byte> bytes() const noexcept { return bytes_; }

 private:
  SampleReader& reader_;
  std::vector<std::byte> buffer_;
  std::span<std::byte> bytes_;
};

SampleReader::SampleReader(std::shared_ptr<const Dataset> data, InputType type)
    : data_(std::move(data)),
      type_(type),
      stored_(data_->dtype()),
      elements_(data_->shape().elements()),
      stored_bytes_(data_->sample_bytes()),
      words_(data_->label_words()),
      view_(data_->contiguous()) {
  if (type_ == InputType::kUInt8 && stored_ != DType::kUInt8) {
    throw std::invalid_argument(data_->name() + ": samples of type " +
                                std::string(name_of(stored_)) + " cannot be delivered as uint8");
  }
}

void SampleReader::read(std::span<const std::uint64_t> ids, std::span<std::byte> samples,
                        std::span<std::int32_t> labels) {
  if (!view_.samples.empty()) {
    read(view_, ids, samples, labels);
  } else if (same_type(stored_, type_)) {
    const StageSpan span(Stage::kDecode);
    data_->read(ids, samples, labels);
  } else {
    read_and_convert(ids, as_floats(samples), labels);
  }
}

std::vector<BadPlace> SampleReader::read_readable(std::span<const std::uint64_t> ids,
                                                  std::span<std::byte> samples,
                                                  std::span<std::int32_t> labels) {
  if (!view_.samples.empty()) {
    read(view_, ids, samples, labels);
    return {};
  }
  if (same_type(stored_, type_)) return millrace::read_readable(*data_, ids, samples, labels);
  const Scratch scratch(*this, ids.size() * stored_bytes_);
  auto bad = millrace::read_readable(*data_, ids, scratch.bytes(), labels);
  to_float32(stored_, scratch.bytes(), as_floats(samples));
  return bad;
}

void SampleReader::read(const ContiguousView& view, std::span<const std::uint64_t> rows,
                        std::span<std::byte> samples, std::span<std::int32_t> labels) const {
  gather_labels(view.labels, words_, rows, labels);
  if (same_type(stored_, type_)) return gather_rows(view.samples, stored_bytes_, rows, samples);
  const std::span<float> out = as_floats(samples);
  const RowPrefetcher prefetcher(view.samples.data(), stored_bytes_, rows);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    prefetcher.before(i);
    to_float32(stored_, view.samples.subspan(rows[i] * stored_bytes_, stored_bytes_),
               out.subspan(i * elements_, elements_));
  }
}

void SampleReader::read_padded(const ContiguousView& view, std::span<std::byte> samples,
                               std::span<std::int32_t> labels) const {
  std::ranges::copy(view.labels, labels.begin());
  if (same_type(stored_, type_)) return unpad_rows(view.samples, stored_bytes_, samples);
  const std::span<float> out = as_floats(samples);
  const std::size_t stride = padded_row(stored_bytes_);
  for (std::size_t i = 0; i < labels.size() / words_; ++i) {
    to_float32(stored_, view.samples.subspan(i * stride, stored_bytes_),
               out.subspan(i * elements_, elements_));
  }
}

void SampleReader::read_and_convert(std::span<const std::uint64_t> ids, std::span<float> samples,
                                    std::span<std::int32_t> labels) {
  const Scratch scratch(*this, ids.size() * stored_bytes_);
  {
    const StageSpan span(Stage::kDecode);
    data_->read(ids, scratch.bytes(), labels);
  }
  to_float32(stored_, scratch.bytes(), samples);
}

}  // namespace millrace
