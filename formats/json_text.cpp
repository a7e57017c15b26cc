#include "formats/json_text.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <vector>

#include "formats/error.h"

namespace millrace {
namespace {

using nlohmann::json;

/// Refuses what a JSON library lets pass: one name twice in an object, and nesting without end.
class Watch {
 public:
  Watch(const std::filesystem::path& file, const JsonForm& form) : file_(file), form_(form) {}

  bool operator()(int depth, json::parse_event_t event, const json& value) {
    using Event = json::parse_event_t;
    if (depth > form_.deepest) fail(std::string(form_.name), "JSON nested too deeply");
    if (event == Event::object_start) names_.emplace_back();
    if (event == Event::object_end) names_.pop_back();
    if (event == Event::key && !names_.back().insert(value.get<std::string>()).second) {
      fail("each name once", fmt::format("{} twice", brief(value)));
    }
    return true;
  }

  // The library does not say where.
  [[noreturn]] void fail(const std::string& expected, const std::string& found) const {
    const auto place = form_.begin == 0 ? std::nullopt : std::optional(form_.begin);
    throw DataError(file_, place, expected, found);
  }

 private:
  const std::filesystem::path& file_;
  const JsonForm& form_;
  std::vector<std::set<std::string>> names_;
};

}  // namespace

json parse_json(const std::filesystem::path& file, std::string_view text, const JsonForm& form) {
  // The library takes a NUL for the end of the text, and would not look at what follows.
  if (const auto nul = text.find('\0'); nul != std::string_view::npos) {
    throw DataError(file, form.begin + nul, form.name, "a NUL byte");
  }
  const Watch watch(file, form);
  try {
    return json::parse(text.begin(), text.end(), watch);
  } catch (const json::parse_error& error) {
    const auto at = error.byte == 0 ? 0 : error.byte - 1;
    throw DataError(file, form.begin + at, form.name, json_reason(error.what()));
  } catch (const json::exception& error) {
    watch.fail(std::string(form.name), json_reason(error.what()));
  }
}

std::string json_reason(std::string_view what) {
  const auto drop_through = [&what](std::string_view end) {
    if (const auto at = what.find(end); at != std::string_view::npos) {
      what.remove_prefix(at + end.size());
    }
  };
  // "[json.exception.parse_error.101] parse error at line 1, column 3: syntax error …": the place
  // is said otherwise.
  const bool parsing = what.starts_with("[json.exception.parse_error");
  what = what.substr(0, what.find("; last read"));
  if (what.starts_with("[json.exception.")) drop_through("] ");
  if (parsing) drop_through(": ");
  return std::string(what.substr(0, 200));
}

std::string json_line(const nlohmann::ordered_json& value) {
  return value.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

std::string utf8_text(std::string_view text) {
  return json::parse(json_line(std::string(text))).get<std::string>();
}

std::string brief(const json& value) {
  constexpr std::size_t kLongest = 100;
  if (value.is_structured()) return value.type_name();
  // Cutting a character in two is the one way to get here text that is not UTF-8.
  auto text = value.is_string() ? json(value.get_ref<const std::string&>().substr(0, kLongest))
                                      .dump(-1, ' ', false, json::error_handler_t::replace)
                                : value.dump(-1, ' ', true);
  if (text.size() > kLongest + 2) text = text.substr(0, kLongest) + "...";
  return text;
}

}  // namespace millrace
