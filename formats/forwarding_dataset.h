#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "formats/dataset.h"

namespace millrace {

/// What is made of another data set, and says of itself what that says but for what it overrides;
/// of columns, which its values need not be those of, it says nothing. `Base`: the kind it is,
/// Dataset or one derived from it; `Of`: the kind of the other.
template <typename Base, typename Of = Dataset>
class ForwardingDataset : public Base {
 public:
  explicit ForwardingDataset(std::shared_ptr<const Of> of) : of_(std::move(of)) {}

  std::uint64_t size() const noexcept override { return of_->size(); }
  const SampleShape& shape() const noexcept override { return of_->shape(); }
  DType dtype() const noexcept override { return of_->dtype(); }
  std::uint32_t classes() const noexcept override { return of_->classes(); }
  std::uint32_t targets() const noexcept override { return of_->targets(); }
  const std::vector<std::string>& class_names() const noexcept override {
    return of_->class_names();
  }
  std::string name() const override { return of_->name(); }

 protected:
  const Of& of() const noexcept { return *of_; }

 private:
  std::shared_ptr<const Of> of_;
};

}  // namespace millrace
