#include "formats/seekable_idx.h"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "formats/byte_order.h"

namespace millrace {
namespace {

/// Bytes of a frame: whole samples.
std::size_t frame_bytes(const IdxHeader& header) {
  std::uint64_t sample = size_of(header.dtype);
  for (std::size_t i = 1; i < header.dims.size(); ++i) {
    // What is too large has been refused already, but beside a dimension of 0.
    sample *= std::max<std::uint64_t>(1, header.dims[i]);
    if (sample > SeekTable::kMostContent) {
      throw std::invalid_argument(fmt::format("samples of {} are larger than a frame can be: {}",
                                              header.describe(), SeekTable::kMostContent));
    }
  }
  const auto fit = std::max<std::uint64_t>(1, SeekableIdxWriter::kFrameBytes / sample);
  return static_cast<std::size_t>(fit * sample);
}

}  // namespace

SeekableIdxWriter::SeekableIdxWriter(const std::filesystem::path& path, IdxHeader header,
                                     SeekableOptions options)
    : path_(path.string()),
      header_(std::move(header)),
      file_(path, options),
      frame_bytes_(frame_bytes(header_)),
      remaining_(idx_data_bytes(header_)) {
  file_.append(encode_idx_header(header_));
}

void SeekableIdxWriter::append(std::span<const std::byte> elements) {
  const auto width = size_of(header_.dtype);
  if (elements.size() % width != 0 || elements.size() > remaining_) {
    throw std::invalid_argument(fmt::format("{}: {} bytes appended where {} of {} are to come",
                                            path_, elements.size(), remaining_,
                                            header_.describe()));
  }
  remaining_ -= elements.size();
  while (!elements.empty()) {
    const auto piece = elements.first(std::min(elements.size(), frame_bytes_ - frame_.size()));
    const auto at = frame_.size();
    frame_.insert(frame_.end(), piece.begin(), piece.end());
    const auto added = std::span(frame_).subspan(at);
    if (width > 1) convert_big_endian(added, added, width);
    elements = elements.subspan(piece.size());
    if (frame_.size() == frame_bytes_) file_.append(std::exchange(frame_, {}));
  }
}

void SeekableIdxWriter::finish() {
  if (remaining_ != 0) {
    throw std::logic_error(fmt::format("{}: {} bytes were never written", path_, remaining_));
  }
  if (!frame_.empty()) file_.append(std::exchange(frame_, {}));
  file_.finish();
  finished_ = true;
}

void SeekableIdxWriter::commit() {
  if (!finished_) finish();
  file_.commit();
}

}  // namespace millrace
