#pragma once

#include <cstdint>
#include <filesystem>
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
};

/// A failed system call on a file: `action` is a verb phrase ("open", "write 4096 bytes"), `code`
/// an errno.
DataError io_error(const std::filesystem::path& file, std::string_view action, int code);

}  // namespace millrace
