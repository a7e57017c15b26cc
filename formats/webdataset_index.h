#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "formats/random_content.h"

namespace millrace {

/// Where the samples of a WebDataset lie in its shards, and their labels.
struct WebIndex {
  struct Sample {
    std::uint32_t shard = 0;
    std::uint64_t header_at = 0;  ///< of its image or array, in the shard's content, as `at`
    std::uint64_t at = 0;
    std::uint64_t bytes = 0;
  };

  /// A member that is no sample's part, for what it is: a link, or a sparse file.
  struct LeftOut {
    std::uint32_t shard = 0;
    std::string path;
    std::uint64_t at = 0;  ///< of its header, in the shard's content
    char type = 0;         ///< as of TarHeader

    /// "0.jpg at byte 512 is left out: a hard link"
    std::string text() const;
  };

  std::vector<Sample> samples;
  std::vector<std::int32_t> labels;  ///< of the samples
  bool arrays = false;               ///< .npy members
  std::uint64_t left_out = 0;        ///< such members
  std::optional<LeftOut> first_left_out;
};

/// Goes through the shard of that number and appends its samples. `limit`: what labels must lie
/// below. Throws DataError: what TarReader throws, a sample without image or label, with two,
/// images and arrays in one index, a label that is no whole number or not below the limit.
void index_shard(const RandomContent& shard, std::uint32_t number, std::uint32_t limit,
                 WebIndex& index);

/// Lets go of what lies behind somebody who goes through a large file from front to back.
class PassedContent {
 public:
  /// `content` outlives it.
  explicit PassedContent(const RandomContent& content) : content_(content) {}

  void reach(std::uint64_t at);

 private:
  const RandomContent& content_;
  std::uint64_t from_ = 0;
};

}  // namespace millrace
