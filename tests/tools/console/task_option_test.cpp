#include "tools/console/task_option.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/tools/usage_error.h"

namespace millrace {
namespace {

Task parsed(const std::string& text, void (*declare)(CommandLine&, Task&) = &declare_task) {
  CommandLine line("x", "");
  Task task = Task::kClassification;
  declare(line, task);
  line.parse({"--task", text});
  return task;
}

TEST(TaskOption, IsATasksName) {
  EXPECT_EQ(parsed("regression"), Task::kRegression);
  EXPECT_EQ(parsed("classification"), Task::kClassification);
  EXPECT_EQ(parsed("multilabel"), Task::kMultilabel);
  EXPECT_EQ(test::usage_error_of([] { parsed("guess"); }),
            "--task: expected classification, regression or multilabel, found 'guess'");
}

TEST(TaskOption, IsHowLabelsAreStoredWhereThatIsAllThatMatters) {
  EXPECT_EQ(parsed("classification", &declare_stored_task), Task::kClassification);
  EXPECT_EQ(parsed("regression", &declare_stored_task), Task::kRegression);
  EXPECT_EQ(parsed("multilabel", &declare_stored_task), Task::kRegression);
}

}  // namespace
}  // namespace millrace
