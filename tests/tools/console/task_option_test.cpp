#include "tools/console/task_option.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/tools/usage_error.h"

namespace millrace {
namespace {

Task parsed(const std::string& text) {
  CommandLine line("x", "");
  Task task = Task::kClassification;
  declare_task(line, task);
  line.parse({"--task", text});
  return task;
}

TEST(TaskOption, IsATasksName) {
  EXPECT_EQ(parsed("regression"), Task::kRegression);
  EXPECT_EQ(parsed("classification"), Task::kClassification);
  EXPECT_EQ(test::usage_error_of([] { parsed("guess"); }),
            "--task: expected classification or regression, found 'guess'");
}

}  // namespace
}  // namespace millrace
