#include "formats/in_quotes.h"

#include <fmt/format.h>

namespace millrace {

std::string in_quotes(std::string_view text) {
  constexpr std::size_t kShown = 60;
  std::string shown = "\"";
  for (const char c : text.substr(0, kShown)) {
    const auto code = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      shown += '\\';
      shown += c;
    } else if (c == '\n') {
      shown += "\\n";
    } else if (c == '\r') {
      shown += "\\r";
    } else if (c == '\t') {
      shown += "\\t";
    } else if (code < 0x20 || code >= 0x7f) {
      shown += fmt::format("\\x{:02x}", code);
    } else {
      shown += c;
    }
  }
  if (text.size() > kShown) shown += "…";
  return shown + '"';
}

std::string name_within(const std::string& file, std::string_view member) {
  const auto safe = in_quotes(member);
  const bool plain = safe.size() == member.size() + 2;
  return fmt::format("{}/{}", file, plain ? member : safe);
}

}  // namespace millrace
