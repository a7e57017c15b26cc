#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace millrace {

/// What becomes of a sample that cannot be read. The shape of batches stays, but with kLeaveOut.
/// Which samples are bad is a property of the data, and what takes a bad one's place a pure
/// function of (seed, epoch, place in the epoch, which samples are bad); see StandIn.
enum class OnBad : std::uint8_t {
  kFail,        ///< its error ends the run
  kSkip,        ///< its place takes the next good sample in the epoch's order, which comes twice
  kSubstitute,  ///< its place takes a good sample of the same subset, drawn at random
  kLeaveOut     ///< its batch is shorter: for evaluation, which must see each sample once
};

/// A sample that cannot be read, and why.
struct BadSample {
  std::uint64_t id = 0;                 ///< number in its data set
  std::filesystem::path file;           ///< that is broken
  std::optional<std::uint64_t> offset;  ///< byte of the file's decompressed content, where known
  std::string reason;                   ///< one line, which names both
};

/// One of several samples that were asked for together.
struct BadPlace {
  std::uint32_t place = 0;  ///< among those
  BadSample sample;
};

}  // namespace millrace
