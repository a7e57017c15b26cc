#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <iterator>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "formats/error.h"

// What tests of files need: a folder that goes away, files of given bytes, the message of an error.

namespace millrace::test {

/// A new empty folder, removed with all that is in it.
class TempFolder {
 public:
  TempFolder() {
    auto pattern = (std::filesystem::temp_directory_path() / "millrace-test-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr)
      throw std::runtime_error("mkdtemp failed: " + pattern);
    path_ = pattern;
  }
  ~TempFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;

  const std::filesystem::path& path() const noexcept { return path_; }
  std::filesystem::path operator/(const std::filesystem::path& name) const { return path_ / name; }

  /// Names of all that is in it, hidden files too, sorted.
  std::vector<std::string> names() const {
    std::vector<std::string> found;
    for (const auto& entry : std::filesystem::directory_iterator(path_)) {
      found.push_back(entry.path().filename().string());
    }
    std::ranges::sort(found);
    return found;
  }

 private:
  std::filesystem::path path_;
};

using ByteVector = std::vector<std::byte>;

/// make_bytes({0x1f, 0x8b}).
inline ByteVector make_bytes(std::initializer_list<int> values) {
  ByteVector bytes;
  for (const int value : values) bytes.push_back(static_cast<std::byte>(value));
  return bytes;
}

inline ByteVector make_bytes(std::string_view text) {
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

template <typename T>
std::span<const std::byte> bytes_of(const std::vector<T>& values) {
  return std::as_bytes(std::span(values));
}

inline ByteVector joined(std::initializer_list<std::span<const std::byte>> pieces) {
  ByteVector all;
  for (const auto piece : pieces) all.insert(all.end(), piece.begin(), piece.end());
  return all;
}

/// Returns `path`.
inline std::filesystem::path write_bytes(const std::filesystem::path& path,
                                         std::span<const std::byte> bytes) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(reinterpret_cast<const char*>(bytes.data()),
             static_cast<std::streamsize>(bytes.size()));
  file.close();
  if (!file) throw std::runtime_error("cannot write " + path.string());
  return path;
}

inline ByteVector read_bytes(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("cannot read " + path.string());
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  return make_bytes(std::string_view(text));
}

/// The message of the DataError that `action` throws, which must be one line; a failure if it
/// throws none.
template <std::invocable Action>
std::string data_error_of(Action&& action) {
  try {
    std::forward<Action>(action)();
  } catch (const DataError& error) {
    std::string message = error.what();
    EXPECT_EQ(message.find_first_of("\n\r"), std::string::npos) << message;
    return message;
  }
  ADD_FAILURE() << "no DataError";
  return {};
}

/// Real MNIST, or an empty path where it is not to be had: MILLRACE_MNIST_DIR, else
/// ../shared/data/mnist seen from the project.
inline std::filesystem::path mnist_folder() {
  const char* set = std::getenv("MILLRACE_MNIST_DIR");  // NOLINT(concurrency-mt-unsafe)
  const std::filesystem::path folder = set != nullptr ? set : "../shared/data/mnist";
  std::error_code ignored;
  return std::filesystem::is_directory(folder, ignored) ? folder : std::filesystem::path();
}

}  // namespace millrace::test
