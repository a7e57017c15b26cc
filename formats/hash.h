#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <type_traits>

struct XXH3_state_s;  // xxhash.h

namespace millrace {

/// Streaming XXH3-128 (https://github.com/Cyan4973/xxHash, doc/xxhash_spec.md), seed 0. The same
/// bytes give the same digits however they were cut into update() calls, and the digits that
/// `xxhsum -H2` prints. Finds accidents, not attackers.
class Hasher {
 public:
  Hasher();

  void update(std::span<const std::byte> bytes);
  template <typename T>
  requires std::is_trivially_copyable_v<T>
  void update(std::span<const T> values) { update(std::as_bytes(values)); }

  /// 32 hex digits of what came so far; more may follow.
  std::string hex() const;

 private:
  struct Free {
    void operator()(XXH3_state_s* state) const noexcept;
  };
  std::unique_ptr<XXH3_state_s, Free> state_;
};

/// 32 hex digits of `bytes`.
std::string hash_hex(std::span<const std::byte> bytes);

}  // namespace millrace
