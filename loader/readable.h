#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "formats/dataset.h"
#include "formats/error.h"
#include "loader/bad_sample.h"

namespace millrace {

BadSample bad_sample(std::uint64_t id, const DataError& error);

/// Reads one sample. Returns why it cannot be read, if it cannot: what it left in the sample's
/// place is then of no use. Throws ChangedFile, and what read() throws besides DataError.
std::optional<BadSample> read_one(const Dataset& data, std::uint64_t id,
                                  std::span<std::byte> sample, std::span<std::int32_t> label);

/// Reads what can be read of `ids`: as Dataset::read(), with zeros in the places of the samples
/// that are returned, ascending. While nothing is bad it is one read(); else they are read one by
/// one. Throws as read_one() does.
std::vector<BadPlace> read_readable(const Dataset& data, std::span<const std::uint64_t> ids,
                                    std::span<std::byte> samples, std::span<std::int32_t> labels);

/// data.hash(); where that fails for samples that cannot be read, a hash of all others and of which
/// those are. Decodes on all cores. Throws as read_one() does.
std::string hash_readable(const Dataset& data);
/// The same of what is there now: data.hash() may be known from before.
std::string hash_readable_now(const Dataset& data);

}  // namespace millrace
