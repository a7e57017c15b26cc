#include "tools/console/task_option.h"

#include <string>

#include "tools/console/numbers.h"
#include "tools/console/usage_error.h"

namespace millrace {
namespace {

void declare(CommandLine& line, Task (*taken)(Task), Task& task) {
  line.value("--task", "TASK",
             "what is learnt of a sample: classification, its\nclass; regression, numbers; or "
             "multilabel, which\nlabels it has, numbers that are 0 or 1\n[classification]",
             [taken, &task](const std::string& text) {
               const auto known = task_called(text);
               if (!known) {
                 throw UsageError("expected classification, regression or multilabel, found " +
                                  shown(text));
               }
               task = taken(*known);
             });
}

}  // namespace

void declare_task(CommandLine& line, Task& task) {
  declare(
      line, [](Task given) { return given; }, task);
}

void declare_stored_task(CommandLine& line, Task& task) { declare(line, &stored_task, task); }

}  // namespace millrace
