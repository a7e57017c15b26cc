#include "train/weights_hash.h"

#include <bit>
#include <span>

#include "formats/hash.h"

namespace millrace {

// Parameters are hashed as they lie in memory, and compared between machines.
static_assert(std::endian::native == std::endian::little);

std::string weights_hash(const Parameters& parameters) {
  Hasher hasher;
  for (const Tensor& tensor : parameters) hasher.update(std::span<const float>(tensor.values));
  return hasher.hex();
}

}  // namespace millrace
