#include "train/placement.h"

#include <unistd.h>

#include <limits>
#include <new>
#include <optional>
#include <stdexcept>

#include "loader/resident.h"

namespace millrace {
namespace {

// Index chunks count samples in 32 bits.
constexpr std::uint64_t kMaxSamples = std::numeric_limits<std::uint32_t>::max();

std::uint64_t free_memory() {
  const long pages = ::sysconf(_SC_AVPHYS_PAGES);
  const long page = ::sysconf(_SC_PAGESIZE);
  return pages <= 0 || page <= 0 ? 0 : static_cast<std::uint64_t>(pages) * page;
}

bool in_place(const Dataset& data, InputType type) {
  return !data.contiguous().samples.empty() &&
         data.dtype() == (type == InputType::kUInt8 ? DType::kUInt8 : DType::kFloat32);
}

// Why `data` is better left where it is; nullopt if nothing stands against it.
std::optional<std::string> obstacle(const Dataset& data, InputType type) {
  if (data.size() > kMaxSamples) return "it has more than 4294967295 samples";
  if (in_place(data, type)) return std::nullopt;
  const std::uint64_t row = data.shape().elements() * size_of(type) + sizeof(std::int32_t);
  if (data.size() > free_memory() / 2 / row) {
    return "a copy in memory would fill more than half of what is free";
  }
  return std::nullopt;
}

}  // namespace

Placement place(Engine& engine, Residency residency, const std::shared_ptr<const Dataset>& data,
                InputType type, const std::function<void(const std::string&)>& notice) {
  if (residency == Residency::kHost) return {};
  const auto add = [&] {
    return Placement{ChunkKind::kIndices, engine.add_resident(resident_samples(data, type))};
  };
  if (residency == Residency::kResident) {
    if (data->size() > kMaxSamples) {
      throw std::invalid_argument("resident data: expected at most 4294967295 samples, found " +
                                  std::to_string(data->size()) + " in " + data->name());
    }
    return add();
  }
  auto reason = obstacle(*data, type);
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
