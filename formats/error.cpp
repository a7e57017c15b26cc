#include "formats/error.h"

#include <fmt/format.h>

#include <system_error>

namespace millrace {
namespace {

std::string describe(const std::filesystem::path& file, std::optional<std::uint64_t> offset,
                     std::string_view expected, std::string_view found) {
  if (offset) {
    return fmt::format("{}: byte {}: expected {}, found {}", file.string(), *offset, expected,
                       found);
  }
  return fmt::format("{}: expected {}, found {}", file.string(), expected, found);
}

}  // namespace

DataError::DataError(const std::filesystem::path& file, std::optional<std::uint64_t> offset,
                     std::string_view expected, std::string_view found)
    : std::runtime_error(describe(file, offset, expected, found)),
      place_(std::make_shared<const Place>(Place{file, offset})) {}

DataError::DataError(const std::filesystem::path& file, std::string_view message)
    : std::runtime_error(fmt::format("{}: {}", file.string(), message)),
      place_(std::make_shared<const Place>(Place{file, std::nullopt})) {}

DataError::DataError(const std::filesystem::path& file, std::uint64_t offset,
                     std::string_view message)
    : std::runtime_error(fmt::format("{}: {}", file.string(), message)),
      place_(std::make_shared<const Place>(Place{file, offset})) {}

DataError io_error(const std::filesystem::path& file, std::string_view action, int code) {
  return {file, fmt::format("cannot {}: {}", action, std::generic_category().message(code))};
}

}  // namespace millrace
