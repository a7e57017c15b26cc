#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "formats/dataset.h"
#include "formats/error.h"
#include "loader/bad_sample.h"

namespace millrace {

BadSample bad_sample(std::uint64_t id, const DataError& error);

/// Reads what can be read of `ids`: as Dataset::read(), with zeros in the places of the samples
/// that are returned, ascending. While nothing is bad it is one read(); else they are read one by
/// one. Throws what read() throws besides DataError.
std::vector<BadPlace> read_readable(const Dataset& data, std::span<const std::uint64_t> ids,
                                    std::span<std::byte> samples, std::span<std::int32_t> labels);

/// data.hash(); where that fails for samples that cannot be read, a hash of all others and of which
/// those are. Decodes on all cores.
std::string hash_readable(const Dataset& data);

}  // namespace millrace
