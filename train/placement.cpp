#include "train/placement.h"

#include <limits>
#include <new>
#include <optional>
#include <stdexcept>

#include "formats/block_dataset.h"
#include "loader/resident.h"
#include "train/free_memory.h"

namespace millrace {
namespace {

// Index chunks count samples in 32 bits.
constexpr std::uint64_t kMaxSamples = std::numeric_limits<std::uint32_t>::max();

bool in_place(const Dataset& data, InputType type) {
  return !data.contiguous().samples.empty() &&
         data.dtype() == (type == InputType::kUInt8 ? DType::kUInt8 : DType::kFloat32);
}

}  // namespace

std::optional<std::string> obstacle_to_residency(const Dataset& data, InputType type) {
  if (data.size() > kMaxSamples) return "it has more than 4294967295 samples";
  if (in_place(data, type)) return std::nullopt;
  const std::uint64_t row = data.shape().elements() * size_of(type) + sizeof(std::int32_t);
  if (data.size() > free_memory() / 2 / row) {
    return "a copy in memory would fill more than half of what is free";
  }
  return std::nullopt;
}

Placement place(Engine& engine, Residency residency, const std::shared_ptr<const Dataset>& data,
                InputType type, OnBad on_bad,
                const std::function<void(const std::string&)>& notice) {
  const bool in_blocks = dynamic_cast<const BlockDataset*>(data.get()) != nullptr;
  if (residency == Residency::kHost || (residency == Residency::kStream && in_blocks)) return {};
  const auto add = [&] {
    Placement placed{ChunkKind::kIndices};
    placed.source = engine.add_resident(
        resident_samples(data, type, on_bad == OnBad::kFail ? nullptr : &placed.bad));
    return placed;
  };
  if (residency == Residency::kResident) {
    if (data->size() > kMaxSamples) {
      throw std::invalid_argument("resident data: expected at most 4294967295 samples, found " +
                                  std::to_string(data->size()) + " in " + data->name());
    }
    return add();
  }
  auto reason = obstacle_to_residency(*data, type);
  if (!reason) {
    try {
      return add();
    } catch (const DeviceError& error) {
      reason = error.what();
    } catch (const std::bad_alloc&) {
      reason = "memory is short";
    }
  }
  notice(data->name() + " is not kept resident: " + *reason);
  return {};
}

}  // namespace millrace
