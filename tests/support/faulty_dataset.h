#pragma once

#include <algorithm>
#include <memory>
#include <set>
#include <string>
#include <utility>

#include "formats/dataset.h"
#include "formats/error.h"

namespace millrace::test {

/// Another data set, some of whose samples cannot be read. Nothing of it lies in memory.
class FaultyDataset final : public Dataset {
 public:
  FaultyDataset(std::shared_ptr<const Dataset> whole, std::set<std::uint64_t> bad)
      : whole_(std::move(whole)), bad_(std::move(bad)) {}

  std::uint64_t size() const noexcept override { return whole_->size(); }
  const SampleShape& shape() const noexcept override { return whole_->shape(); }
  DType dtype() const noexcept override { return whole_->dtype(); }
  std::uint32_t classes() const noexcept override { return whole_->classes(); }
  std::string name() const override { return whole_->name(); }
  std::string hash() const override {
    if (!bad_.empty()) refuse(*bad_.begin());
    return whole_->hash();
  }
  void read(std::span<const std::uint64_t> ids, std::span<std::byte> samples,
            std::span<std::int32_t> labels) const override {
    for (const auto id : ids) {
      if (bad_.contains(id)) refuse(id);
    }
    whole_->read(ids, samples, labels);
  }

 private:
  [[noreturn]] void refuse(std::uint64_t id) const {
    throw DataError("faulty.bin", id * sample_bytes(), "sample " + std::to_string(id), "noise");
  }

  std::shared_ptr<const Dataset> whole_;
  std::set<std::uint64_t> bad_;
};

}  // namespace millrace::test
