#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>

namespace millrace::test {

/// Bytes of a file that this process has mapped and in memory (proc(5), smaps).
inline std::uint64_t mapped_bytes(const std::filesystem::path& path) {
  std::ifstream maps("/proc/self/smaps");
  std::uint64_t kilobytes = 0;
  bool inside = false;
  for (std::string line; std::getline(maps, line);) {
    if (line.find('-') < line.find(' ')) inside = line.ends_with(path.string());
    if (inside && line.starts_with("Rss:")) kilobytes += std::stoull(line.substr(4));
  }
  return kilobytes * 1024;
}

}  // namespace millrace::test
