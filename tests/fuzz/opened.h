#pragma once

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "formats/dataset.h"
#include "formats/error.h"
#include "formats/folder.h"
#include "tests/support/files.h"

// What the fuzzers of data sets do with their files: any bytes are a data set or a DataError.

namespace millrace::test {

/// Reads every sample there is room for, and checks what a Dataset promises.
inline void read_all(const Dataset& data) {
  constexpr std::uint64_t kRoom = std::uint64_t{1} << 20;
  if (data.size() == 0 || data.sample_bytes() == 0) std::abort();
  if ((data.classes() == 0) != (data.targets() > 0)) std::abort();
  const auto bytes = data.sample_bytes();
  const auto count = std::min(data.size(), kRoom / bytes);
  std::vector<std::uint64_t> ids(1);
  std::vector<std::byte> sample(count == 0 ? 0 : bytes);
  std::vector<std::int32_t> label(data.label_words());
  for (ids[0] = 0; ids[0] < count; ++ids[0]) {
    data.read(ids, sample, label);
    if (data.targets() > 0) {
      if (!std::ranges::all_of(label, [](auto word) { return std::isfinite(target_of(word)); })) {
        std::abort();
      }
    } else if (label[0] < 0 || static_cast<std::uint32_t>(label[0]) >= data.classes()) {
      std::abort();
    }
  }
}

/// One folder for all runs of a fuzzer, in memory where there is such a file system.
class OpenedFile {
 public:
  explicit OpenedFile(const std::string& name)
      : path_((std::filesystem::is_directory("/dev/shm") ? std::filesystem::path("/dev/shm")
                                                         : std::filesystem::temp_directory_path()) /
              ("millrace-fuzz-" + std::to_string(::getpid())) / name) {
    std::filesystem::create_directories(path_.parent_path());
  }
  OpenedFile(const OpenedFile&) = delete;
  OpenedFile& operator=(const OpenedFile&) = delete;
  ~OpenedFile() {
    std::error_code ignored;
    std::filesystem::remove_all(path_.parent_path(), ignored);
  }

  /// Opens a file of these bytes as trainer --data does.
  void open(std::span<const std::byte> bytes, const OpenOptions& options = {}) const {
    write_bytes(path_, bytes);
    try {
      const auto opened = open_folder(path_, options);
      read_all(*opened.train);
      if (opened.test) read_all(*opened.test);
    } catch (const DataError&) {
    }
  }

 private:
  std::filesystem::path path_;
};

}  // namespace millrace::test
