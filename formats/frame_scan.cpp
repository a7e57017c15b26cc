#include "formats/frame_scan.h"

#include <fmt/format.h>
#include <zstd.h>

#include <algorithm>
#include <bit>
#include <memory>
#include <new>
#include <string_view>

#include "formats/codec.h"
#include "formats/error.h"
#include "formats/little_endian.h"
#include "formats/on_all_cores.h"
#include "formats/seek_table.h"
#include "formats/seekable_zstd.h"

namespace millrace {
namespace {

constexpr std::uint32_t kFrameMagic = 0xFD2FB528;
constexpr std::size_t kTableEnds =
    SeekTable::kHeadBytes + SeekTable::kFootBytes;  // all but its entries
constexpr std::size_t kSmallestFrame = 9;
constexpr std::size_t kDescriptor = 4;  // byte of the frame header
constexpr std::byte kChecksumFlag{0x04};
constexpr std::byte kUnusedFlag{0x10};
constexpr std::size_t kMostByTrial = std::size_t{2} << 10;
// Fewer bytes are decoded before a second thread has started.
constexpr std::uint64_t kWorthThread = std::uint64_t{512} << 10;

using Stored = std::span<const std::byte>;

struct FreeContext {
  void operator()(ZSTD_DCtx* context) const noexcept { ZSTD_freeDCtx(context); }
};

bool has_checksum(Stored frame) {
  return frame.size() >= kSmallestFrame + 4 && load_little_endian32(frame.data()) == kFrameMagic &&
         (frame[kDescriptor] & kChecksumFlag) != std::byte{};
}

/// Size of content that a frame claims, where it says one that its bytes can hold.
std::optional<std::uint64_t> claimed_content(Stored frame) {
  const auto size = ZSTD_getFrameContentSize(frame.data(), frame.size());
  if (size == ZSTD_CONTENTSIZE_ERROR || size == ZSTD_CONTENTSIZE_UNKNOWN) return std::nullopt;
  if (size > std::min<std::uint64_t>(frame.size() * kHighestZstdRatio, SeekTable::kMostContent)) {
    return std::nullopt;
  }
  return size;
}

class Scanner {
 public:
  explicit Scanner(Stored file) : file_(file), context_(ZSTD_createDCtx()) {
    if (!context_) throw std::bad_alloc();
  }

  FrameScan by_table(const SeekTable& table) {
    scan_.complete = true;
    const auto& entries = table.frames();
    scan_.frames.resize(entries.size());
    const auto worth = static_cast<std::size_t>(table.content_size() / kWorthThread);
    on_all_cores(entries.size(), worth, [&] {
      return [&, scanner = std::make_unique<Scanner>(file_)](std::size_t i) {
        scan_.frames[i] = scanner->judge(entries[i], table);
      };
    });
    std::uint64_t content_at = 0;
    for (auto& frame : scan_.frames) {
      frame.content_at = content_at;
      content_at += frame.content;
    }
    find_odd_headers();
    return std::move(scan_);
  }

  FrameScan without_table(std::string fault) {
    scan_.table_fault = std::move(fault);
    std::optional<std::uint64_t> content_at = 0;
    for (std::size_t at = 0; at < file_.size();) {
      if (is_table(at)) {
        scan_.complete = true;
        break;
      }
      FoundFrame found{.stored_at = at, .content_at = content_at, .fault = {}, .mended = {}};
      if (const auto stored = sound_frame(at)) {
        found.stored = *stored;
        found.content = content_.size();
        found.sound = true;
        if (content_at) *content_at += found.content;
      } else {
        auto next = at + 1;
        while (next < file_.size() && !is_table(next) && !sound_frame(next)) ++next;
        found.stored = next - at;
        found.fault = fmt::format("{} bytes that are no whole frame", found.stored);
        content_at.reset();
      }
      at += static_cast<std::size_t>(found.stored);
      scan_.frames.push_back(std::move(found));
    }
    return std::move(scan_);
  }

 private:
  /// Decodes to content_. False unless that gives `size` bytes.
  bool decodes(Stored frame, std::uint64_t size) {
    content_.resize(static_cast<std::size_t>(size));
    const auto written = ZSTD_decompressDCtx(context_.get(), content_.data(), content_.size(),
                                             frame.data(), frame.size());
    error_ = ZSTD_isError(written) != 0 ? ZSTD_getErrorName(written) : "another size";
    return written == size;
  }

  /// By its first bytes, or counted from its last ones.
  bool is_table(std::size_t at) const {
    const auto left = file_.size() - at;
    if (left >= 8 && load_little_endian32(&file_[at]) == SeekTable::kSkippableMagic) return true;
    if (left < kTableEnds ||
        load_little_endian32(file_.last(4).data()) != SeekTable::kSeekableMagic) {
      return false;
    }
    const std::uint64_t frames = load_little_endian32(file_.last(SeekTable::kFootBytes).data());
    return left == kTableEnds + 12 * frames || left == kTableEnds + 8 * frames;
  }

  /// Size in the file of the frame at `at`, if it stands for itself; its content is in content_.
  std::optional<std::uint64_t> sound_frame(std::size_t at) {
    const auto rest = file_.subspan(at);
    if (rest.size() < kSmallestFrame || load_little_endian32(rest.data()) != kFrameMagic) {
      return std::nullopt;
    }
    const auto size = ZSTD_findFrameCompressedSize(rest.data(), rest.size());
    if (ZSTD_isError(size) != 0 || !has_checksum(rest.first(size))) return std::nullopt;
    const auto content = claimed_content(rest.first(size));
    if (!content || !decodes(rest.first(size), *content)) return std::nullopt;
    return size;
  }

  FoundFrame judge(const SeekFrame& entry, const SeekTable& table) {
    const auto stored = file_.subspan(static_cast<std::size_t>(entry.stored_at), entry.stored);
    FoundFrame found{.stored_at = entry.stored_at,
                     .stored = entry.stored,
                     .content_at = {},
                     .content = entry.content,
                     .fault = {},
                     .mended = {}};
    const auto holds = [&] {
      return !table.has_checksums() || entry.content == 0 ||
             frame_checksum(content_) == entry.checksum;
    };
    // Memory is taken for a size that both agree on, or the only one there is.
    const auto claimed = claimed_content(stored);
    const bool agree = !claimed || *claimed == entry.content;
    if (!agree) error_ = "its header and the seek table differ in its size";
    if (agree && decodes(stored, entry.content) && holds()) {
      found.sound = true;
      if (load_little_endian32(stored.data()) == kFrameMagic &&
          (stored[kDescriptor] & kUnusedFlag) != std::byte{}) {
        found.fault = "a bit of its header that means nothing is set";
      }
      return found;
    }
    const std::string_view error = error_;
    if (sound_frame(static_cast<std::size_t>(entry.stored_at)) == entry.stored) {
      found.sound = true;
      found.content = content_.size();
      found.fault = content_.size() == entry.content
                        ? "the seek table has another checksum for it"
                        : fmt::format("the seek table has {} bytes of content for it, not {}",
                                      entry.content, content_.size());
      return found;
    }
    found.fault = fmt::format("broken: {}", error);
    if (table.has_checksums() && entry.content != 0) {
      if (agree && has_checksum(stored)) {
        // Only the checksum in the frame may be what is broken: decode as if it had none.
        found.mended.assign(stored.begin(), stored.end() - 4);
        found.mended[kDescriptor] &= ~kChecksumFlag;
        found.sound = decodes(found.mended, entry.content) && holds();
        if (found.sound) found.fault = "its own checksum is wrong, the seek table's holds";
      }
      if (!found.sound && entry.stored_at == 0 && stored.size() <= kMostByTrial) {
        found.mended.assign(stored.begin(), stored.end());
        found.sound = one_byte_mends(
            found.mended, [&] { return decodes(found.mended, entry.content) && holds(); });
        if (found.sound) found.fault = "one byte is wrong, and was found by the checksums";
      }
    }
    if (!found.sound) found.mended.clear();
    return found;
  }

  /// Tries every value in every place, single bits first, and leaves the one that makes the frame
  /// sound.
  template <typename Sound>
  bool one_byte_mends(std::vector<std::byte>& frame, const Sound& sound) {
    for (const bool single_bits : {true, false}) {
      for (auto& byte : frame) {
        const auto before = byte;
        for (unsigned change = 1; change < 256; ++change) {
          if (std::has_single_bit(change) != single_bits) continue;
          byte = before ^ static_cast<std::byte>(change);
          if (sound()) return true;
        }
        byte = before;
      }
    }
    return false;
  }

  /// One header in a file of others that do not look so: a bit that changed what it says of itself,
  /// but not what is decoded.
  void find_odd_headers() {
    const auto says_size = [&](const FoundFrame& frame) {
      const auto stored = file_.subspan(static_cast<std::size_t>(frame.stored_at));
      return ZSTD_getFrameContentSize(stored.data(), stored.size()) != ZSTD_CONTENTSIZE_UNKNOWN;
    };
    if (!std::ranges::any_of(scan_.frames, says_size)) return;
    for (auto& frame : scan_.frames) {
      if (frame.fault.empty() && !says_size(frame)) {
        frame.fault = "its header does not say its size, others' do";
      }
    }
  }

  Stored file_;
  std::unique_ptr<ZSTD_DCtx, FreeContext> context_;
  std::vector<std::byte> content_;
  std::string_view error_;
  FrameScan scan_;
};

}  // namespace

FrameScan scan_frames(std::span<const std::byte> file) {
  Scanner scanner(file);
  try {
    // The message loses the path that it begins with, here an empty one.
    const auto table = read_seek_table({}, file);
    if (!table) return scanner.without_table("no seek table at the end of the file");
    auto scan = scanner.by_table(*table);
    // Bits 0 and 1 of the descriptor mean nothing, and writers leave them 0.
    if ((file[file.size() - 5] & std::byte{3}) != std::byte{}) {
      scan.table_fault = "a bit of the seek table's descriptor that means nothing is set";
    }
    return scan;
  } catch (const DataError& error) {
    return scanner.without_table(std::string(std::string_view(error.what()).substr(2)));
  }
}

std::vector<std::byte> decode_found(const std::filesystem::path& path,
                                    std::span<const std::byte> file, const FoundFrame& frame) {
  const auto stored = frame.mended.empty() ? file.subspan(static_cast<std::size_t>(frame.stored_at),
                                                          static_cast<std::size_t>(frame.stored))
                                           : Stored(frame.mended);
  std::vector<std::byte> content(static_cast<std::size_t>(frame.content));
  const auto written =
      ZSTD_decompress(content.data(), content.size(), stored.data(), stored.size());
  if (!frame.sound || written != content.size()) {
    throw DataError(path, frame.stored_at, "a sound zstd frame", frame.fault);
  }
  return content;
}

}  // namespace millrace
