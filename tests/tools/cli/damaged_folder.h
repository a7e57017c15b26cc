#pragma once

#include <gtest/gtest.h>

#include <filesystem>

#include "formats/idx.h"
#include "formats/seek_table.h"
#include "tests/support/files.h"
#include "tests/support/idx_files.h"
#include "tests/support/seekable.h"

namespace millrace::test {

/// A folder of seekable files: 1000 training samples, 334 a frame, and 100 test samples.
class DamagedFolder : public testing::Test {
 protected:
  DamagedFolder() {
    std::filesystem::create_directory(in_);
    content_ = write_seekable(images_, {1000, 28, 28});
    write_labels(labels_, 1000, 10);
    write_seekable(in_ / "t10k-images-idx3-ubyte.zst", {100, 28, 28});
    write_labels(in_ / "t10k-labels-idx1-ubyte.zst", 100, 10);
  }

  static void write_labels(const std::filesystem::path& path, std::uint32_t count,
                           std::uint32_t classes) {
    SeekableIdxWriter writer(path, {DType::kUInt8, {count}});
    const auto labels = small_labels(count, classes);
    writer.append(std::span(labels).subspan(8));
    writer.commit();
  }
  /// Breaks frame `frame` of `path`.
  static void break_frame(const std::filesystem::path& path, std::size_t frame) {
    auto file = read_bytes(path);
    const auto table = read_seek_table(path, file).value();
    const auto& entry = table.frames().at(frame);
    file[static_cast<std::size_t>(entry.stored_at) + entry.stored / 2] ^= std::byte{1};
    write_bytes(path, file);
  }
  static void cut(const std::filesystem::path& path, std::size_t left) {
    const auto file = read_bytes(path);
    write_bytes(path, std::span(file).first(left));
  }

  TempFolder folder_;
  std::filesystem::path in_ = folder_ / "in";
  std::filesystem::path images_ = in_ / "train-images-idx3-ubyte.zst";
  std::filesystem::path labels_ = in_ / "train-labels-idx1-ubyte.zst";
  ByteVector content_;  // of the training images
};

}  // namespace millrace::test
