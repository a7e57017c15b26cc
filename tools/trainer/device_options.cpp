#include "tools/trainer/device_options.h"

#include <string_view>

#include "tools/console/numbers.h"
#include "tools/console/usage_error.h"

namespace millrace {

Device parse_device(const std::string& text) {
  Device device;
  if (text == "auto") return device;
  device.kind = text == "cpu" ? Device::Kind::kCpu : Device::Kind::kCuda;
  if (text == "cpu" || text == "cuda") return device;
  constexpr std::string_view kIndexed = "cuda:";
  constexpr int kMostDevices = 1024;
  try {
    if (text.starts_with(kIndexed)) {
      device.index = static_cast<int>(parse_whole(text.substr(kIndexed.size()), 0, kMostDevices));
      return device;
    }
  } catch (const UsageError&) {  // told below, with the whole value
  }
  throw UsageError("expected auto, cpu, cuda or cuda:N, found " + shown(text));
}

void declare_device(CommandLine& line, Device& device) {
  line.value("--device", "DEVICE", "auto, cpu, cuda or cuda:N [auto]",
             [&device](const std::string& text) {
               const std::uint32_t threads = device.threads;
               device = parse_device(text);
               device.threads = threads;
             });
  line.value("--threads", "N|auto", "computing threads [auto: as many as are fastest]",
             [&device](const std::string& text) {
               device.threads = parse_whole_or_auto(text, kMostThreads);
             });
}

void declare_workers(CommandLine& line, std::uint32_t& workers) {
  line.value("--workers", "N|auto", "loading threads [auto]", [&workers](const std::string& text) {
    workers = parse_whole_or_auto(text, kMostThreads);
  });
}

void check_device(CommandLine& line, const Device& device) {
  if (device.kind != Device::Kind::kCuda) return;
  line.refuse_idle("--threads", "--device", "--device cpu or auto with it", "cuda");
}

}  // namespace millrace
