#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

namespace millrace {

/// A text of JSON inside of a file, for reading and for messages.
struct JsonForm {
  std::string_view name;    ///< what it should be: "a JSON header"
  std::uint64_t begin = 0;  ///< the text's first byte in the file
  int deepest = 0;          ///< levels of objects and lists in each other
};

/// Reads it strictly: besides what is no JSON, a NUL byte, one name twice in an object and nesting
/// deeper than the form's are refused. Throws DataError, which names the byte where it is known.
nlohmann::json parse_json(const std::filesystem::path& file, std::string_view text,
                          const JsonForm& form);

/// What an exception of the JSON library says (its what()), without the library's own name for the
/// error and what it read last.
std::string json_reason(std::string_view what);

/// JSON of one line, without its end; what is no UTF-8 in it, as a file's name may be, is replaced.
std::string json_line(const nlohmann::ordered_json& value);

/// `text` in UTF-8 for sure: what is none in it is replaced, as json_line does.
std::string utf8_text(std::string_view text);

/// A value as part of a message: JSON of one line, at most some hundred characters; of an object or
/// a list its type alone.
std::string brief(const nlohmann::json& value);

}  // namespace millrace
