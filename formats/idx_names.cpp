#include "formats/idx_names.h"

#include <algorithm>
#include <system_error>
#include <utility>
#include <vector>

#include "formats/error.h"

namespace millrace {
namespace {

/// Takes `word` off the front of `text`; false if it does not stand there.
bool take(std::string_view& text, std::string_view word) {
  if (!text.starts_with(word)) return false;
  text.remove_prefix(word.size());
  return true;
}

bool take_end(std::string_view& text, std::string_view word) {
  if (!text.ends_with(word)) return false;
  text.remove_suffix(word.size());
  return true;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// idx<rank>-<type>: "idx3-ubyte".
bool is_idx_tag(std::string_view text) {
  if (!take(text, "idx")) return false;
  const auto digits = std::min(text.find_first_not_of("0123456789"), text.size());
  if (digits == 0) return false;
  text.remove_prefix(digits);
  return text.size() > 1 && text[0] == '-' && std::all_of(text.begin() + 1, text.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || is_digit(c);
         });
}

std::optional<IdxName> parse_rest(std::string_view text) {
  const auto dash = text.find('-');
  const auto split = split_called(text.substr(0, dash));
  if (!split || dash == std::string_view::npos) return std::nullopt;
  text.remove_prefix(dash + 1);
  IdxName name;
  name.split = *split;
  if (take(text, "images")) {
    name.role = IdxRole::kImages;
  } else if (take(text, "labels")) {
    name.role = IdxRole::kLabels;
  } else {
    return std::nullopt;
  }
  const bool separated = take(text, "-") || take(text, ".");
  if (!separated || !is_idx_tag(text)) return std::nullopt;
  return name;
}

}  // namespace

std::string_view name_of(IdxRole role) noexcept {
  return role == IdxRole::kImages ? "images" : "labels";
}

std::optional<IdxName> parse_idx_name(std::string_view file_name) {
  int preference = 0;
  if (take_end(file_name, ".gz")) {
    preference = 1;
  } else if (take_end(file_name, ".zst")) {
    preference = 2;
  }
  // The variant may have dashes itself: the first place where the rest fits ends it.
  for (std::size_t start = 0; start != std::string_view::npos;) {
    if (auto name = parse_rest(file_name.substr(start))) {
      if (start != 0) name->variant = file_name.substr(0, start - 1);
      name->preference = preference;
      return name;
    }
    const auto dash = file_name.find('-', start);
    start = dash == std::string_view::npos ? dash : dash + 1;
  }
  return std::nullopt;
}

std::map<std::string, IdxFiles> find_idx_files(const std::filesystem::path& folder) {
  struct Found {
    std::filesystem::path path;
    IdxName name;
  };
  std::vector<Found> found;
  std::error_code error;
  for (std::filesystem::directory_iterator it(folder, error), end; !error && it != end;
       it.increment(error)) {
    auto name = parse_idx_name(it->path().filename().string());
    // Some archives unpack to a folder of the file's name, with the file in it.
    std::error_code unreadable;
    if (name && !it->is_directory(unreadable)) found.push_back({it->path(), std::move(*name)});
  }
  if (error) throw io_error(folder, "list the folder", error.value());
  // A folder's order is arbitrary; ours is not.
  std::ranges::sort(found, [](const Found& a, const Found& b) {
    return std::pair(a.name.preference, a.path) < std::pair(b.name.preference, b.path);
  });
  std::map<std::string, IdxFiles> files;
  for (auto& [path, name] : found) {
    auto& slot =
        files[name.variant]
            .paths[static_cast<std::size_t>(name.split)][static_cast<std::size_t>(name.role)];
    if (slot.empty()) slot = std::move(path);
  }
  return files;
}

}  // namespace millrace
