#pragma once

#include <nlohmann/json_fwd.hpp>

#include "formats/table_form.h"

namespace millrace {

/// A table's form as a checkpoint keeps it: {"columns": [{"name": "sex", "categories": ["female",
/// "male"]}, {"name": "age", "mean": 29.7, "flagged": true}], "dropped": ["name"], "fills": true}.
nlohmann::ordered_json encode_table(const TableForm& form);

/// Throws nlohmann::json::exception for what is none: another type, categories that are not sorted,
/// a mean that is not finite or is missing where others are filled in.
TableForm decode_table(const nlohmann::json& json);

}  // namespace millrace
