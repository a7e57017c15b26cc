#include "tools/console/table_options.h"

#include <algorithm>
#include <string>
#include <vector>

#include "formats/table_label_columns.h"
#include "tools/console/numbers.h"
#include "tools/console/usage_error.h"

namespace millrace {
namespace {

std::vector<std::string> parse_columns(const std::string& text) {
  auto columns = columns_in(text);
  if (std::ranges::find(columns, std::string()) != columns.end()) {
    throw UsageError("expected names or numbers of columns, found " + shown(text));
  }
  return columns;
}

}  // namespace

void declare_table(CommandLine& line, TableOptions& table) {
  line.value("--one-hot", "NAME,N,...",
             "of a table: columns of categories, a value of 0 or 1\nfor each of these; \"text\": "
             "all columns that have\ntext",
             [&table](const std::string& text) { table.one_hot = parse_columns(text); });
  line.value("--drop-columns", "NAME,N,...", "of a table: columns to leave out",
             [&table](const std::string& text) { table.dropped = parse_columns(text); });
  line.value("--missing", "fail|mean",
             "of a table: cells that are missing end the run, or\nget their column's mean, and a "
             "value that says so\n[fail]",
             [&table](const std::string& text) {
               if (text != "fail" && text != "mean") {
                 throw UsageError("expected fail or mean, found " + shown(text));
               }
               table.fill_missing = text == "mean";
             });
}

}  // namespace millrace
