#include "formats/idx_salvage.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "formats/byte_order.h"
#include "formats/compression.h"
#include "formats/error.h"
#include "formats/seek_table.h"

namespace millrace {
namespace {

constexpr std::uint64_t kMostSamples = std::uint64_t{1} << 32;

/// What `error` says without the file's name.
std::string message_of(const DataError& error, const std::filesystem::path& path) {
  std::string message = error.what();
  const auto prefix = path.string() + ": ";
  return message.starts_with(prefix) ? message.substr(prefix.size()) : message;
}

bool has_table(std::span<const std::byte> file) {
  try {
    return read_seek_table({}, file).has_value();
  } catch (const DataError&) {
    return true;  // a broken one
  }
}

}  // namespace

SalvagedIdx::SalvagedIdx(std::filesystem::path path, std::optional<IdxHeader> known)
    : path_(std::move(path)), file_(path_), known_(std::move(known)) {
  const auto compression = compression_of(file_.bytes());
  form_ = compression == Compression::kNone ? "plain" : name_of(compression);
  // A flipped bit in the first bytes hides the compression, but not the table.
  if (known_ || compression == Compression::kZstd || has_table(file_.bytes())) look_at_frames();
  if (scan_.frames.empty() && !known_) look_at_whole();
}

void SalvagedIdx::look_at_frames() {
  scan_ = scan_frames(file_.bytes());
  const bool table = scan_.table_fault.empty() || has_table(file_.bytes());
  // An ordinary .zst has no seek table to lose. Ours has a frame for the header alone.
  const auto is_ours = [&] {
    if (scan_.frames.empty() || !scan_.frames[0].sound) return false;
    try {
      const auto head = decode_found(path_, file_.bytes(), scan_.frames[0]);
      return parse_idx_header(path_, head).header_bytes() == head.size();
    } catch (const DataError&) {
      return false;
    }
  };
  if (!table && !scan_.complete && !known_ && !is_ours()) {
    scan_ = {};
    return;
  }
  form_ = "seekable zstd";
  if (!scan_.table_fault.empty()) fault(scan_.table_fault);
  if (!scan_.frames.empty() && scan_.frames[0].sound) {
    try {
      take_header(parse_idx_header(path_, decode_found(path_, file_.bytes(), scan_.frames[0])));
    } catch (const DataError& error) {
      fault(message_of(error, path_));
    }
  }
  if (known_) take_known();
  if (header_) locate_after_damage();
  std::uint64_t end = 0;
  for (std::size_t i = 0; i < scan_.frames.size(); ++i) {
    const auto& frame = scan_.frames[i];
    const auto lost = frame.sound && frame.content_at ? SampleRange{} : samples_of(frame);
    if (!frame.fault.empty()) {
      fault(fmt::format("frame {} (byte {} of the compressed file): {}", i, frame.stored_at,
                        frame.fault),
            lost);
    } else if (!frame.content_at) {
      fault(
          fmt::format("frame {} (byte {} of the compressed file): sound, but which samples it "
                      "holds cannot be told behind the damage before it",
                      i, frame.stored_at));
    }
    if (!frame.content_at) continue;
    end = std::max(end, *frame.content_at + frame.content);
    if (!frame.sound) continue;
    const auto range = samples_of(frame);
    for (auto s = range.first; s < range.first + range.count; ++s) {
      sound_[static_cast<std::size_t>(s)] = true;
    }
  }
  if (!header_) {
    fault("the IDX header is lost: no sample can be salvaged");
    return;
  }
  const auto expected = header_->header_bytes() + samples() * sample_bytes_;
  if (end != expected) {
    const auto head = header_->header_bytes();
    const auto whole = end < head ? 0 : std::min((end - head) / sample_bytes_, samples());
    fault(fmt::format("byte {} of the content: expected {} bytes (an IDX file of {}), found {}",
                      std::min(end, expected), expected, header_->describe(),
                      end < expected ? "the end" : fmt::format("{} bytes more", end - expected)),
          {whole, samples() - whole});
  }
}

void SalvagedIdx::take_header(IdxHeader header) {
  const std::uint64_t count = header.dims.empty() ? 1 : header.dims[0];
  // The file has to be able to hold them before memory is taken for each.
  const auto most = std::min<std::uint64_t>(kMostSamples, file_.bytes().size() << 15U);
  if (count > most) {
    throw DataError(
        path_, 4,
        fmt::format("at most {} samples in a file of {} bytes", most, file_.bytes().size()),
        fmt::format("{}", count));
  }
  lay_out(std::move(header));
}

void SalvagedIdx::lay_out(IdxHeader header) {
  const auto bytes = idx_data_bytes(header);
  const std::uint64_t count = header.dims.empty() ? 1 : header.dims[0];
  sample_bytes_ = count == 0 ? 1 : std::max<std::uint64_t>(1, bytes / count);
  sound_.assign(static_cast<std::size_t>(bytes == 0 ? 0 : count), false);
  header_ = std::move(header);
}

void SalvagedIdx::take_known() {
  if (header_ == known_) return;
  if (header_) {
    fault(fmt::format("byte 0 of the content: expected the header of {}, found that of {}",
                      known_->describe(), header_->describe()));
  }
  lay_out(*known_);
}

/// Frames behind damage are counted from the end, where that is there.
void SalvagedIdx::locate_after_damage() {
  if (!scan_.complete) return;
  auto end = header_->header_bytes() + samples() * sample_bytes_;
  for (auto i = scan_.frames.size(); i-- > 0;) {
    auto& frame = scan_.frames[i];
    if (frame.content_at || !frame.sound || frame.content > end) break;
    end -= frame.content;
    frame.content_at = end;
  }
  for (auto& frame : scan_.frames) {
    if (frame.sound || frame.content != 0 || !frame.content_at) continue;
    // The damage itself: what is left between its neighbours.
    if (end >= *frame.content_at) frame.content = end - *frame.content_at;
    break;
  }
}

void SalvagedIdx::look_at_whole() {
  try {
    whole_ = read_idx(path_);
    take_header(whole_->header());
    sound_.assign(sound_.size(), true);
    return;
  } catch (const DataError& error) {
    fault(message_of(error, path_));
  }
  sound_.clear();
  header_.reset();
  whole_.reset();
  if (form_ != "plain") return;
  try {  // a plain file that is cut off still holds what is in front
    take_header(parse_idx_header(path_, file_.bytes()));
  } catch (const DataError&) {
    return;  // said already
  }
  const auto there = file_.bytes().size() - header_->header_bytes();
  const auto samples_there = std::min<std::uint64_t>(samples(), there / sample_bytes_);
  std::fill_n(sound_.begin(), samples_there, true);
  faults_.back().samples = {samples_there, samples() - samples_there};
}

void SalvagedIdx::fault(std::string what, SampleRange samples) {
  faults_.push_back({.what = std::move(what), .samples = samples});
}

/// The samples that a frame holds, whole ones and parts of them alike where it is broken, whole
/// ones only where it is sound.
SampleRange SalvagedIdx::samples_of(const FoundFrame& frame) const {
  if (!header_ || !frame.content_at || sound_.empty()) return {};
  const auto head = header_->header_bytes();
  const auto begin = std::max<std::uint64_t>(*frame.content_at, head) - head;
  const auto end = std::max<std::uint64_t>(*frame.content_at + frame.content, head) - head;
  const auto up = [&](std::uint64_t at) { return (at + sample_bytes_ - 1) / sample_bytes_; };
  const auto down = [&](std::uint64_t at) { return at / sample_bytes_; };
  const auto first = std::min(frame.sound ? up(begin) : down(begin), samples());
  const auto last = std::min(frame.sound ? down(end) : up(end), samples());
  return {first, last > first ? last - first : 0};
}

void SalvagedIdx::read(
    const std::function<void(std::uint64_t, std::span<const std::byte>)>& take) const {
  if (!header_ || sound_.empty()) return;
  const auto head = header_->header_bytes();
  const auto width = size_of(header_->dtype);
  if (whole_) {
    take(0, whole_->data());
    return;
  }
  if (scan_.frames.empty()) {
    const auto count = static_cast<std::uint64_t>(std::ranges::count(sound_, true));
    if (count == 0) return;
    std::vector<std::byte> bytes(static_cast<std::size_t>(count * sample_bytes_));
    convert_big_endian(file_.bytes().subspan(head, bytes.size()), bytes, width);
    take(0, bytes);
    return;
  }
  for (const auto& frame : scan_.frames) {
    const auto range = frame.sound ? samples_of(frame) : SampleRange{};
    if (range.count == 0) continue;
    auto content = decode_found(path_, file_.bytes(), frame);
    const auto at = head + range.first * sample_bytes_ - *frame.content_at;
    const auto bytes = std::span(content).subspan(
        static_cast<std::size_t>(at), static_cast<std::size_t>(range.count * sample_bytes_));
    convert_big_endian(bytes, bytes, width);
    take(range.first, bytes);
  }
}

std::string describe(const SampleRange& range) {
  if (range.count == 1) return fmt::format("sample {}", range.first);
  return fmt::format("samples {} to {}", range.first, range.first + range.count - 1);
}

std::vector<SampleRange> lost_ranges(const std::vector<bool>& sound) {
  std::vector<SampleRange> ranges;
  for (std::size_t i = 0; i < sound.size(); ++i) {
    if (sound[i]) continue;
    if (!ranges.empty() && ranges.back().first + ranges.back().count == i) {
      ++ranges.back().count;
    } else {
      ranges.push_back({i, 1});
    }
  }
  return ranges;
}

}  // namespace millrace
