#include "train/placement.h"

#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <limits>
#include <new>
#include <optional>
#include <stdexcept>

#include "formats/block_dataset.h"
#include "loader/resident.h"

namespace millrace {
namespace {

// Index chunks count samples in 32 bits.
constexpr std::uint64_t kMaxSamples = std::numeric_limits<std::uint32_t>::max();

// What the control group that a container runs in leaves it (the kernel's cgroup-v2.rst); no limit
// where there is none.
std::uint64_t free_in_group() {
  std::uint64_t most = 0;
  std::uint64_t used = 0;
  std::ifstream limit("/sys/fs/cgroup/memory.max");
  std::ifstream current("/sys/fs/cgroup/memory.current");
  if (!(limit >> most) || !(current >> used)) return std::numeric_limits<std::uint64_t>::max();
  return most - std::min(most, used);
}

// What the kernel can hand out without swapping: pages of files that it would drop count too.
// (proc(5), MemAvailable; sysconf(3) knows free pages alone.)
std::uint64_t free_memory() {
  std::ifstream file("/proc/meminfo");
  std::string name;
  std::string unit;
  for (std::uint64_t kib = 0; file >> name >> kib; std::getline(file, unit)) {
    if (name == "MemAvailable:") return std::min(kib * 1024, free_in_group());
  }
  const long pages = ::sysconf(_SC_AVPHYS_PAGES);
  const long page = ::sysconf(_SC_PAGESIZE);
  return pages <= 0 || page <= 0 ? 0 : static_cast<std::uint64_t>(pages) * page;
}

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
