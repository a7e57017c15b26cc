#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

namespace millrace {

/// One `key = value` of a config file.
struct ConfigEntry {
  std::string key;
  std::string value;     ///< as on a command line; an array's elements have commas between
  std::size_t line = 0;  ///< counted from 1
};

/// Reads the part of TOML 1.0 (https://toml.io/en/v1.0.0) that options need: bare keys; strings,
/// numbers, booleans and arrays of them on one line; comments. Throws UsageError naming file and
/// line for anything else and for a key that is there twice, DataError if the file cannot be read.
std::vector<ConfigEntry> read_config(const std::filesystem::path& path);

}  // namespace millrace
