#include "formats/table_words.h"

namespace millrace {

std::vector<TableSource> table_sources(const TableLayout& layout) {
  std::vector<TableSource> sources(layout.values());
  std::size_t next = 0;
  for (std::size_t value = 0; value < sources.size(); ++value) {
    auto& source = sources[layout.places.empty() ? value : layout.places[value]];
    source.column = layout.column_of(value);
    if (next < layout.categories.size() && layout.categories[next] == source.column) {
      source.categories = next++;
    }
  }
  return sources;
}

}  // namespace millrace
