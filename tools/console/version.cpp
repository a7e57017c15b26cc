#include "tools/console/version.h"

#include <fmt/format.h>
#include <hwy/highway.h>
#include <libdeflate.h>
#include <oneapi/tbb/version.h>
#include <xxhash.h>
#include <zstd.h>

#include <CLI/Version.hpp>
#include <nlohmann/json.hpp>
#include <string_view>

#include "compute/cpu_info.h"

namespace millrace {
namespace {

std::string dotted(int major, int minor, int patch) {
  return fmt::format("{}.{}.{}", major, minor, patch);
}

std::string xxhash_version() {
  const unsigned number = XXH_versionNumber();
  return dotted(static_cast<int>(number / 10000), static_cast<int>(number / 100 % 100),
                static_cast<int>(number % 100));
}

std::string fmt_version() {
  return dotted(FMT_VERSION / 10000, FMT_VERSION / 100 % 100, FMT_VERSION % 100);
}

std::string json_version() {
  return dotted(NLOHMANN_JSON_VERSION_MAJOR, NLOHMANN_JSON_VERSION_MINOR,
                NLOHMANN_JSON_VERSION_PATCH);
}

#if defined(__clang__)
constexpr const char* kCompiler = "Clang " __clang_version__;
#else
constexpr const char* kCompiler = "GCC " __VERSION__;
#endif

}  // namespace

// MILLRACE_VERSION, _REVISION and _BUILD are definitions of this file alone: a new revision
// compiles nothing else again.
std::string version_text(const std::string& program) {
  constexpr std::string_view kRevision = MILLRACE_REVISION;
  std::string text = fmt::format("{} (Millrace) {}", program, MILLRACE_VERSION);
  if (!kRevision.empty()) text += fmt::format(", configured from revision {}", kRevision);
  text += fmt::format("\nCompiler: {}, {}\n", kCompiler, MILLRACE_BUILD);
  text += fmt::format(
      "Libraries: oneTBB {} (run time {}), Highway {}, libdeflate {}, zstd {}, xxHash {}, CLI11 "
      "{}, nlohmann-json {}, fmt {}\n",
      TBB_VERSION_STRING, TBB_runtime_version(), dotted(HWY_MAJOR, HWY_MINOR, HWY_PATCH),
      LIBDEFLATE_VERSION_STRING, ZSTD_versionString(), xxhash_version(), CLI11_VERSION,
      json_version(), fmt_version());
  text += fmt::format("Processor: {}\nInstruction sets: {}\n", cpu_model(), cpu_instruction_sets());
  return text;
}

}  // namespace millrace
