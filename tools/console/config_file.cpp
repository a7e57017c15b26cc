#include "tools/console/config_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <optional>
#include <string_view>
#include <system_error>

#include "formats/csv_cells.h"
#include "formats/error.h"
#include "formats/text.h"
#include "tools/console/numbers.h"
#include "tools/console/quote.h"
#include "tools/console/usage_error.h"

namespace millrace {
namespace {

constexpr std::string_view kBlanks = " \t";
constexpr std::size_t kLargest = std::size_t{1} << 20;  // bytes

bool is_key_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_';
}

/// One line, read from left to right.
class Line {
 public:
  Line(std::string_view text, std::string where) : rest_(text), where_(std::move(where)) {}

  /// nullopt for a line without an entry.
  std::optional<ConfigEntry> entry() {
    skip_blanks();
    if (at_end()) return std::nullopt;
    if (rest_.front() == '[') refuse("an option's name, for there are no tables");
    ConfigEntry entry;
    while (!rest_.empty() && is_key_char(rest_.front())) entry.key += take();
    if (entry.key.empty()) refuse("an option's name");
    skip_blanks();
    if (rest_.empty() || rest_.front() != '=') refuse("'=' after " + entry.key);
    take();
    skip_blanks();
    entry.value = !rest_.empty() && rest_.front() == '[' ? array() : scalar();
    skip_blanks();
    if (!at_end()) refuse("nothing more after the value of " + entry.key);
    return entry;
  }

 private:
  [[noreturn]] void refuse(const std::string& expected) const {
    throw UsageError(fmt::format("{}: expected {}, found {}", where_, expected,
                                 rest_.empty() ? "the end of the line" : shown(rest_)));
  }
  char take() {
    const char c = rest_.front();
    rest_.remove_prefix(1);
    return c;
  }
  void skip_blanks() {
    rest_.remove_prefix(std::min(rest_.find_first_not_of(kBlanks), rest_.size()));
  }
  bool at_end() const { return rest_.empty() || rest_.front() == '#'; }

  std::string array() {
    take();
    std::string all;
    for (bool first = true;; first = false) {
      skip_blanks();
      if (!rest_.empty() && rest_.front() == ']') break;
      if (!first) all += ',';
      all += csv_cell(scalar());  // as lists on a command line have it
      skip_blanks();
      if (!rest_.empty() && rest_.front() == ',') {
        take();
      } else if (rest_.empty() || rest_.front() != ']') {
        refuse("',' or ']'");
      }
    }
    take();
    return all;
  }

  std::string scalar() {
    if (rest_.empty()) refuse("a value");
    if (rest_.front() == '"' || rest_.front() == '\'') return quoted(take());
    std::string word;
    while (!rest_.empty() &&
           (is_key_char(rest_.front()) || rest_.front() == '.' || rest_.front() == '+')) {
      word += take();
    }
    // TOML knows no bare words but these; asking for quotes keeps files readable by other programs.
    const bool number = !word.empty() && (std::string_view("+-.0123456789").find(word.front()) !=
                                              std::string_view::npos ||
                                          word == "inf" || word == "nan");
    if (word != "true" && word != "false" && !number) {
      refuse("a number, true, false, an array or text in quotes" +
             (word.empty() ? std::string() : " instead of " + word));
    }
    std::erase(word, '_');  // 10_000
    return word;
  }

  std::string quoted(char quote) {
    std::string text;
    while (!rest_.empty() && rest_.front() != quote) {
      char c = take();
      if (c == '\\' && quote == '"') {
        if (rest_.empty()) break;
        c = unescape(take());
      }
      text += c;
    }
    if (rest_.empty()) refuse(fmt::format("a closing {}", quote));
    take();
    return text;
  }

  char unescape(char c) const {
    switch (c) {
      case 'n':
        return '\n';
      case 't':
        return '\t';
      case '"':
      case '\\':
        return c;
      default:
        refuse(fmt::format(R"(one of \" \\ \n \t, not \{} (text in ' ' takes all as it is),)",
                           one_line(std::string(1, c))));
    }
  }

  std::string_view rest_;
  std::string where_;
};

std::string read_text(const std::filesystem::path& path) {
  // A folder opens, and then reads as an empty file.
  std::error_code code;
  if (std::filesystem::is_directory(path, code)) throw io_error(path, "read", EISDIR);
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  if (!file) throw io_error(path, "open", errno);
  // A device may have no end.
  std::string text(kLargest + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (file.bad()) throw io_error(path, "read", errno);
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (text.size() > kLargest) {
    throw DataError(path, std::nullopt, fmt::format("at most {} bytes of options", kLargest),
                    "more");
  }
  return text;
}

}  // namespace

std::vector<ConfigEntry> read_config(const std::filesystem::path& path) {
  const std::string text = read_text(path);
  std::vector<ConfigEntry> entries;
  std::size_t number = 0;
  std::string_view rest = without_byte_order_mark(text);
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    const std::string where = fmt::format("{}:{}", path.string(), ++number);
    auto entry = Line(line, where).entry();
    if (!entry) continue;
    const auto twin = std::ranges::find(entries, entry->key, &ConfigEntry::key);
    if (twin != entries.end()) {
      throw UsageError(fmt::format("{}: expected {} once, found it in line {} already", where,
                                   entry->key, twin->line));
    }
    entry->line = number;
    entries.push_back(std::move(*entry));
  }
  return entries;
}

}  // namespace millrace
