#pragma once

#include <algorithm>
#include <memory>
#include <set>
#include <string>
#include <utility>

#include "formats/dataset.h"
#include "formats/error.h"
#include "formats/forwarding_dataset.h"

namespace millrace::test {

/// Another data set, some of whose samples cannot be read. Nothing of it lies in memory.
class FaultyDataset final : public ForwardingDataset<Dataset> {
 public:
  FaultyDataset(std::shared_ptr<const Dataset> whole, std::set<std::uint64_t> bad)
      : ForwardingDataset(std::move(whole)), bad_(std::move(bad)) {}

  std::string hash() const override {
    if (!bad_.empty()) refuse(*bad_.begin());
    return of().hash();
  }
  void read(std::span<const std::uint64_t> ids, std::span<std::byte> samples,
            std::span<std::int32_t> labels) const override {
    for (const auto id : ids) {
      if (bad_.contains(id)) refuse(id);
    }
    of().read(ids, samples, labels);
  }

 private:
  [[noreturn]] void refuse(std::uint64_t id) const {
    throw DataError("faulty.bin", id * sample_bytes(), "sample " + std::to_string(id), "noise");
  }

  std::set<std::uint64_t> bad_;
};

}  // namespace millrace::test
