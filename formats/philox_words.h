#pragma once

#include <cstddef>
#include <cstdint>

#include "formats/philox.h"

namespace millrace {

/// The random words of one (seed, purpose, number), in order; 2^34 of them. Those of another
/// purpose or number are independent draws.
class PhiloxWords {
 public:
  /// `purpose` is of who draws, and keeps these words apart from others that the seed may serve.
  PhiloxWords(std::uint64_t seed, std::uint32_t purpose, std::uint64_t number) noexcept
      : key_(Philox::key_of(seed)),
        counter_{0, purpose, static_cast<std::uint32_t>(number),
                 static_cast<std::uint32_t>(number >> 32U)} {}

  std::uint32_t next() noexcept {
    if (used_ == block_.size()) {
      block_ = Philox::generate(counter_, key_);
      ++counter_[0];
      used_ = 0;
    }
    return block_[used_++];
  }

 private:
  Philox::Key key_;
  Philox::Counter counter_;
  Philox::Counter block_{};
  std::size_t used_ = block_.size();
};

}  // namespace millrace
