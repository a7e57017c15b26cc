#pragma once

#include <cstdint>
#include <string>

#include "compute/spec.h"
#include "tools/console/command_line.h"

namespace millrace {

/// More threads than anybody has; more than these are a mistake.
inline constexpr std::uint32_t kMostThreads = 4096;

/// "auto", "cpu", "cuda" or "cuda:N". Throws UsageError with "expected …, found …".
Device parse_device(const std::string& text);

/// Declares --device and --threads, --workers for a sub-command; the targets outlive `line`.
void declare_device(CommandLine& line, Device& device);
void declare_workers(CommandLine& line, std::uint32_t& workers);
/// Throws UsageError for --threads where a GPU is to compute.
void check_device(CommandLine& line, const Device& device);

}  // namespace millrace
