#include "tools/console/task_option.h"

#include <string>

#include "tools/console/numbers.h"
#include "tools/console/usage_error.h"

namespace millrace {

void declare_task(CommandLine& line, Task& task) {
  line.value("--task", "TASK",
             "what is learnt of a sample: classification, its\nclass, or regression, numbers "
             "[classification]",
             [&task](const std::string& text) {
               const auto known = task_called(text);
               if (!known) {
                 throw UsageError("expected classification or regression, found " + shown(text));
               }
               task = *known;
             });
}

}  // namespace millrace
