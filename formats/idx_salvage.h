#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "formats/frame_scan.h"
#include "formats/idx.h"
#include "formats/mapped_file.h"

namespace millrace {

/// Samples [first, first + count).
struct SampleRange {
  std::uint64_t first = 0;
  std::uint64_t count = 0;
  bool operator==(const SampleRange&) const = default;
};

/// Something wrong with a file.
struct IdxFault {
  std::string what;     ///< one line: where, and what
  SampleRange samples;  ///< that are lost by it; none where it costs none
};

/// An IDX file that may be damaged, and what of it can still be read: plain, seekable zstd (also
/// where the seek table is lost), or in another form, of which all can be read or nothing.
/// Outermost elements are the samples. Move-only; keeps the file mapped.
class SalvagedIdx {
 public:
  /// Looks at the whole file. `known`: the header that it had, where that is known from elsewhere;
  /// it is then taken for a seekable file, and a header that it lost costs no sample. Throws
  /// DataError if it cannot be opened.
  explicit SalvagedIdx(std::filesystem::path path, std::optional<IdxHeader> known = {});

  const std::filesystem::path& path() const noexcept { return path_; }
  /// "plain", "gzip", "zstd" or "seekable zstd".
  const std::string& form() const noexcept { return form_; }
  /// nullopt where the header cannot be read: nothing can be salvaged then.
  const std::optional<IdxHeader>& header() const noexcept { return header_; }
  /// As the header says; 0 without one.
  std::uint64_t samples() const noexcept { return sound_.size(); }
  std::uint64_t frames() const noexcept { return scan_.frames.size(); }
  const std::vector<IdxFault>& faults() const noexcept { return faults_; }
  /// Whether sample i is what was written.
  const std::vector<bool>& sound() const noexcept { return sound_; }

  /// Hands out the sound samples in order, a run at a time: the first one's number, and the bytes
  /// in host order.
  void read(
      const std::function<void(std::uint64_t first, std::span<const std::byte> bytes)>& take) const;

 private:
  void look_at_frames();
  void look_at_whole();
  void take_header(IdxHeader header);
  void take_known();
  void lay_out(IdxHeader header);
  void locate_after_damage();
  void fault(std::string what, SampleRange samples = {});
  SampleRange samples_of(const FoundFrame& frame) const;

  std::filesystem::path path_;
  std::string form_;
  MappedFile file_;
  std::optional<IdxHeader> known_;
  std::optional<IdxHeader> header_;
  std::uint64_t sample_bytes_ = 1;
  FrameScan scan_;                 // of a seekable file
  std::optional<IdxArray> whole_;  // of a file that can be read as any other
  std::vector<bool> sound_;
  std::vector<IdxFault> faults_;
};

/// "sample 7", "samples 7 to 12".
std::string describe(const SampleRange& range);

/// The runs of `false` in `sound`.
std::vector<SampleRange> lost_ranges(const std::vector<bool>& sound);

}  // namespace millrace
