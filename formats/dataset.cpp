#include "formats/dataset.h"

namespace millrace {

std::uint64_t SampleShape::elements() const noexcept {
  std::uint64_t product = 1;
  for (const auto dim : dims) product *= dim;
  return product;
}

}  // namespace millrace
