#include <nvtx3/nvToolsExt.h>

#include <array>

#include "compute/cuda_engine.h"

namespace millrace {
namespace {

// Of the same stages in every thread: a colour tells more than a name at a distance (ARGB).
constexpr std::array<std::uint32_t, kStages> kColors{0xFF8D6E63, 0xFFFFB300, 0xFF43A047, 0xFFE53935,
                                                     0xFF1E88E5, 0xFF8E24AA, 0xFFB0BEC5, 0xFF00ACC1,
                                                     0xFF3949AB, 0xFF6D4C41};

// https://nvidia.github.io/NVTX: names are registered once, so that a range costs no copy of one.
class NvtxListener final : public StageListener {
 public:
  NvtxListener() : domain_(nvtxDomainCreateA("millrace")) {
    for (std::size_t i = 0; i < kStages; ++i) {
      names_[i] = nvtxDomainRegisterStringA(domain_, name_of(static_cast<Stage>(i)));
    }
  }

  void begin(Stage stage, std::uint64_t number) noexcept override {
    nvtxEventAttributes_t range{};
    range.version = NVTX_VERSION;
    range.size = NVTX_EVENT_ATTRIB_STRUCT_SIZE;
    range.colorType = NVTX_COLOR_ARGB;
    range.color = kColors[static_cast<std::size_t>(stage)];
    range.messageType = NVTX_MESSAGE_TYPE_REGISTERED;
    range.message.registered = names_[static_cast<std::size_t>(stage)];
    if (number != kNoNumber) {
      range.payloadType = NVTX_PAYLOAD_TYPE_UNSIGNED_INT64;
      range.payload.ullValue = number;
    }
    nvtxDomainRangePushEx(domain_, &range);
  }
  void end(Stage) noexcept override { nvtxDomainRangePop(domain_); }

 private:
  nvtxDomainHandle_t domain_;
  std::array<nvtxStringHandle_t, kStages> names_{};
};

}  // namespace

StageListener* cuda_profiler() noexcept {
  // Never destroyed: loading threads may outlast main().
  static NvtxListener& listener = *new NvtxListener;  // NOLINT(cppcoreguidelines-owning-memory)
  return &listener;
}

}  // namespace millrace
