#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <vector>

namespace millrace {

/// A synthetic data set to be drawn (formats/synthetic_digits.h).
struct SynthSpec {
  std::filesystem::path folder;  ///< made where it is missing
  std::uint32_t train = 60'000;  ///< images, at least 1
  std::uint32_t test = 10'000;   ///< 0: no test files
  std::uint64_t seed = 0;
  std::uint32_t jobs = 0;  ///< threads; 0: the cores this process may use
  bool force = false;      ///< replace files that are there
};

/// Draws the images to IDX files of MNIST's names, and returns their paths. They appear together
/// when all are written; memory does not depend on how many images there are. An image depends on
/// its place and the seed alone, and test images are the same for any number of training images.
///
/// `progress` is told images drawn so far, from any thread, one at a time; where it returns false
/// nothing is written and the result is empty. Throws DataError if a file of one of these data sets
/// (in any form, .gz too) is there and not to be replaced, or would stay beside the new ones
/// (validation images always, test images where none are drawn), or if the folder cannot be
/// written.
std::vector<std::filesystem::path> draw_data_set(
    const SynthSpec& spec, const std::function<bool(std::uint64_t done)>& progress);

}  // namespace millrace
