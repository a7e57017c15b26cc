#include "tools/fetch/sources.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "formats/error.h"
#include "formats/json_text.h"
#include "tools/console/numbers.h"
#include "tools/console/usage_error.h"
#include "train/json_numbers.h"

namespace millrace {
namespace {

constexpr std::size_t kSumDigits = 64;
constexpr int kDeepest = 8;
constexpr const char* kForm = "a table of data sets in JSON";

bool is_plain_name(const std::string& name) {
  return !name.empty() && name != "." && name != ".." && name.find('/') == std::string::npos;
}

bool is_sum(const std::string& text) {
  return text.size() == kSumDigits &&
         text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

DataSource source_from(const std::filesystem::path& table, const std::string& name,
                       const nlohmann::json& entry) {
  DataSource source{name, entry.at("mirrors"), {}};
  for (const auto& mirror : source.mirrors) {
    if (!mirror.ends_with('/')) {
      throw DataError(table, std::nullopt, "a mirror's URL that ends in '/'", shown(mirror));
    }
  }
  for (const auto& file : entry.at("files")) {
    source.files.push_back({file.at("name"), whole_number<std::uint64_t>(file, "size"),
                            file.at("sha256"), file.value("content_sha256", std::string())});
    const SourceFile& last = source.files.back();
    if (!is_plain_name(last.name)) {
      throw DataError(table, std::nullopt, "a file's name without a path", shown(last.name));
    }
    for (const std::string* sum : {&last.sha256, &last.content_sha256}) {
      if (is_sum(*sum) || (sum->empty() && sum == &last.content_sha256)) continue;
      throw DataError(table, std::nullopt, "a SHA-256 of 64 hexadecimal digits, lower case",
                      shown(*sum));
    }
  }
  if (source.mirrors.empty() || source.files.empty()) {
    throw DataError(table, std::nullopt, "mirrors and files of " + shown(name), "none");
  }
  return source;
}

}  // namespace

std::vector<DataSource> read_sources(const std::filesystem::path& file) {
  std::ifstream stream(file);
  if (!stream) throw io_error(file, "open", errno);
  const std::string text{std::istreambuf_iterator<char>(stream), {}};
  const auto table = parse_json(file, text, {.name = kForm, .deepest = kDeepest});
  std::vector<DataSource> sources;
  try {
    for (const auto& [name, entry] : table.items()) {
      sources.push_back(source_from(file, name, entry));
    }
  } catch (const nlohmann::json::exception& error) {
    throw DataError(file, std::nullopt, kForm, json_reason(error.what()));
  }
  return sources;
}

std::vector<DataSource> known_sources() {
  const char* table = std::getenv("MILLRACE_SOURCES");
  return table != nullptr && *table != '\0' ? read_sources(table) : published_sources();
}

DataSource source_called(std::string_view name, const std::vector<DataSource>& sources) {
  const auto found = std::find_if(sources.begin(), sources.end(),
                                  [&](const DataSource& source) { return source.name == name; });
  if (found != sources.end()) return *found;
  std::string names;
  for (const auto& source : sources) names += (names.empty() ? "" : ", ") + source.name;
  throw UsageError("expected a data set (" + names + "), found " + shown(name));
}

}  // namespace millrace
