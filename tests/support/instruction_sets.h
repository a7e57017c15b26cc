#pragma once

#include <hwy/highway.h>

#include <cstdint>
#include <string>

namespace millrace::testing {

/// Calls test(name) once for each instruction set that this processor has and the code was compiled
/// for.
template <typename Test>
void on_each_instruction_set(const Test& test) {
  const std::int64_t supported = hwy::SupportedTargets();
  for (std::int64_t left = supported & HWY_TARGETS; left != 0; left &= left - 1) {
    const std::int64_t target = left & -left;
    hwy::SetSupportedTargetsForTest(target);
    hwy::GetChosenTarget().Update(target);
    test(std::string(hwy::TargetName(target)));
  }
  hwy::SetSupportedTargetsForTest(0);
  hwy::GetChosenTarget().Update(supported);
}

}  // namespace millrace::testing
