#pragma once

#include <gtest/gtest.h>

#include <concepts>
#include <string>
#include <utility>

#include "tools/console/usage_error.h"

namespace millrace::test {

/// The message of the UsageError that `action` throws, which must be one line; a failure and an
/// empty text if it throws none.
template <std::invocable Action>
std::string usage_error_of(Action&& action) {
  try {
    std::forward<Action>(action)();
  } catch (const UsageError& error) {
    std::string message = error.what();
    EXPECT_EQ(message.find_first_of("\n\r"), std::string::npos) << message;
    return message;
  }
  ADD_FAILURE() << "no UsageError";
  return {};
}

}  // namespace millrace::test
