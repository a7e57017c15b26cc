#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

namespace millrace {

/// Bad data or failed I/O. what() is one line that names the file, the byte where it went wrong if
/// there is one, what was expected and what was found:
///
///     data/train-labels-idx1-ubyte: byte 4: expected 60000 labels, found 59999
///
/// The program that shows it exits with status 1.
class DataError : public std::runtime_error {
 public:
  /// A file whose content is not what it should be. `offset` counts bytes of the decompressed
  /// content.
  DataError(const std::filesystem::path& file, std::optional<std::uint64_t> offset,
            std::string_view expected, std::string_view found);
  /// Anything else about a file: `message` says what.
  DataError(const std::filesystem::path& file, std::string_view message);
  /// The same where `message` says the place in words of its own.
  DataError(const std::filesystem::path& file, std::uint64_t offset, std::string_view message);

  const std::filesystem::path& file() const noexcept { return place_->file; }
  /// Of the decompressed content; none where no byte is known.
  std::optional<std::uint64_t> offset() const noexcept { return place_->offset; }
  /// The same in an object that shares no memory with this one, as a copy does.
  DataError detached() const { return {*place_, what()}; }

 private:
  struct Place {
    std::filesystem::path file;
    std::optional<std::uint64_t> offset;
  };
  DataError(const Place& place, const char* what)
      : std::runtime_error(what), place_(std::make_shared<const Place>(place)) {}

  std::shared_ptr<const Place> place_;  // shared, so that copying cannot fail
};

/// A failed system call on a file: `action` is a verb phrase ("open", "write 4096 bytes"), `code`
/// an errno.
DataError io_error(const std::filesystem::path& file, std::string_view action, int code);

}  // namespace millrace
