#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

#include "formats/idx.h"
#include "formats/seekable_writer.h"

namespace millrace {

/// Writes an IDX file inside a seekable zstd file, whose whole content is the IDX file byte for
/// byte. The header is a frame of its own, so that damage to samples leaves the shape; each frame
/// behind it holds whole samples (elements of the outermost dimension): as many as fit in
/// kFrameBytes, at least one. Memory does not depend on how many there are. Move-only, called by
/// one thread at a time.
class SeekableIdxWriter {
 public:
  /// Small enough to be read at random and mixed well, large enough to compress within 3 % of one
  /// frame and to be decoded at full speed.
  static constexpr std::size_t kFrameBytes = std::size_t{256} << 10;

  /// `header` says how much will come. Throws as write_idx and SeekableWriter do, and
  /// std::invalid_argument for samples larger than a frame can be.
  SeekableIdxWriter(const std::filesystem::path& path, IdxHeader header,
                    SeekableOptions options = {});

  /// Appends whole elements in host byte order, as many as there are. Throws std::invalid_argument
  /// if that is no whole number of elements or more than the header says.
  void append(std::span<const std::byte> elements);
  /// As SeekableWriter::finish(). Throws std::logic_error if elements are missing.
  void finish();
  /// finish() where that was not called, and makes the file appear.
  void commit();
  /// Of all frames, after finish().
  const SeekTable& table() const noexcept { return file_.table(); }

 private:
  std::string path_;
  IdxHeader header_;
  SeekableWriter file_;
  std::size_t frame_bytes_;
  std::uint64_t remaining_;
  std::vector<std::byte> frame_;
  bool finished_ = false;
};

}  // namespace millrace
