#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "formats/file_descriptor.h"
#include "formats/shard_manifest.h"

namespace millrace {

/// What an unfinished conversion to shards has written so far: a file of lines beside the shards
/// (kUnfinishedName). A shard is entered, and that synced to disk, when its files are there under
/// their names; whatever ends the process, each entry is of a shard that was whole. Locked while it
/// is open: one conversion a folder. One thread at a time.
class ShardJournal {
 public:
  /// `job` is one word that stands for all that the shards' content depends on. Goes on with the
  /// journal in `folder`, if there is one, or makes one; with `anew` what it had is dropped. Throws
  /// DataError: a journal of another job, one that another process has open, or what the system
  /// refuses.
  ShardJournal(const std::filesystem::path& folder, const std::string& job, bool anew);

  /// Null for a shard that was not entered.
  const Shard* find(std::string_view split, std::uint32_t index) const;
  void add(std::string_view split, std::uint32_t index, const Shard& shard);
  /// Removes the file: the conversion is done.
  void remove();

 private:
  void read(const std::string& job);
  void append(std::string_view line);

  std::filesystem::path path_;
  FileDescriptor folder_;
  FileDescriptor file_;
  std::map<std::pair<std::string, std::uint32_t>, Shard> shards_;
};

}  // namespace millrace
