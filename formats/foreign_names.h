#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace millrace {

/// What a file is whose name says that it holds data of a kind that is not read, and what to do
/// then: "Parquet, which is not read: write it as …". nullopt for any other name.
std::optional<std::string> foreign_text(std::string_view name);

}  // namespace millrace
