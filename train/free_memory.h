#pragma once

#include <cstdint>
#include <filesystem>

namespace millrace {

/// Where the kernel says how much memory there is; other folders are for tests.
struct MemoryFiles {
  std::filesystem::path proc = "/proc";
  std::filesystem::path groups = "/sys/fs/cgroup";
};

/// Bytes that the kernel can hand out to this process without swapping: pages of files that it
/// would drop count too (proc(5), MemAvailable), what the control groups of the process do not
/// allow does not (the kernel's cgroup-v2.rst and cgroup-v1/memory.rst).
std::uint64_t free_memory(const MemoryFiles& files = {});

/// Bytes that this process may still allocate: the same with swap space, and no more than its limit
/// of address space leaves (getrlimit(2), RLIMIT_AS).
std::uint64_t memory_at_hand(const MemoryFiles& files = {});

}  // namespace millrace
