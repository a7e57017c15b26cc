#include "formats/table_form.h"

namespace millrace {

std::size_t TableForm::values() const noexcept {
  std::size_t sum = 0;
  for (const auto& column : columns) sum += column.values();
  return sum;
}

std::vector<std::string> TableForm::value_names() const {
  std::vector<std::string> names;
  names.reserve(values());
  for (const auto& column : columns) {
    if (column.categories.empty()) names.push_back(column.name);
    for (const auto& category : column.categories) names.push_back(column.name + '=' + category);
    if (column.flagged) names.push_back(column.name + " missing");
  }
  return names;
}

std::vector<bool> TableForm::indicators() const {
  std::vector<bool> marks;
  marks.reserve(values());
  for (const auto& column : columns) {
    if (column.categories.empty()) marks.push_back(false);
    marks.insert(marks.end(), column.categories.size() + (column.flagged ? 1 : 0), true);
  }
  return marks;
}

}  // namespace millrace
