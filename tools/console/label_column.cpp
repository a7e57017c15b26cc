#include "tools/console/label_column.h"

#include "tools/console/usage_error.h"

namespace millrace {

void declare_label_column(CommandLine& line, std::string& column) {
  line.value("--label-column", "NAME|N",
             "of a table: the column of labels, by its name or\nnumber from 1, several of targets, "
             "or of labels that\na "
             "sample may have, with commas between\n[label, class, target or y; of classes the "
             "only\ntext, else "
             "the first]",
             [&column](const std::string& text) {
               if (text.empty()) throw UsageError("expected a column's name or number, found ''");
               column = text;
             });
}

}  // namespace millrace
