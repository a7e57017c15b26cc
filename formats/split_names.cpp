#include "formats/split_names.h"

#include <algorithm>
#include <array>
#include <map>
#include <system_error>
#include <utility>

#include "formats/error.h"
#include "formats/text.h"

namespace millrace {
namespace {

namespace fs = std::filesystem;

struct Word {
  std::string_view text;
  DataSplit split;
};
constexpr std::array<Word, 8> kWords{{{"train", DataSplit::kTrain},
                                      {"training", DataSplit::kTrain},
                                      {"test", DataSplit::kTest},
                                      {"testing", DataSplit::kTest},
                                      {"t10k", DataSplit::kTest},
                                      {"val", DataSplit::kValidation},
                                      {"valid", DataSplit::kValidation},
                                      {"validation", DataSplit::kValidation}}};

}  // namespace

std::string_view name_of(DataSplit split) noexcept {
  switch (split) {
    case DataSplit::kTrain:
      return "train";
    case DataSplit::kTest:
      return "test";
    case DataSplit::kValidation:
      return "validation";
  }
  return "unknown";
}

std::optional<DataSplit> split_called(std::string_view word) noexcept {
  for (const auto& known : kWords) {
    if (std::ranges::equal(word, known.text, {}, lower)) return known.split;
  }
  return std::nullopt;
}

std::optional<DataSplit> split_in_name(std::string_view name) noexcept {
  constexpr std::string_view kBetween = "-_.";
  while (!name.empty()) {
    const auto end = std::min(name.find_first_of(kBetween), name.size());
    if (const auto split = split_called(name.substr(0, end))) return split;
    name.remove_prefix(std::min(end + 1, name.size()));
  }
  return std::nullopt;
}

std::string plain_file_name(const fs::path& path) {
  auto name = path.filename().string();
  std::ranges::transform(name, name.begin(), lower);
  for (const std::string_view packed : {".gz", ".zst"}) {
    if (name.ends_with(packed)) return name.substr(0, name.size() - packed.size());
  }
  return name;
}

std::vector<fs::path> files_ending_in(const fs::path& folder, std::string_view ending) {
  std::vector<fs::path> all;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    std::error_code unreadable;
    if (!it->is_directory(unreadable) && !it->path().filename().string().starts_with('.')) {
      all.push_back(it->path());
    }
  }
  if (error) throw io_error(folder, "list the folder", error.value());
  // By falling length of what was taken off, so that the plain file comes last and stays. Names
  // that differ in case are those of different files.
  std::map<std::pair<std::string, std::string>, fs::path> found;
  std::ranges::sort(all);
  std::ranges::stable_sort(all, std::ranges::greater{}, [](const fs::path& path) {
    return path.filename().string().size() - plain_file_name(path).size();
  });
  for (auto& path : all) {
    const auto plain = plain_file_name(path);
    if (plain.size() <= ending.size() || !plain.ends_with(ending)) continue;
    auto unpacked = path.filename().string().substr(0, plain.size());
    found[{plain, std::move(unpacked)}] = std::move(path);
  }
  std::vector<fs::path> files;
  files.reserve(found.size());
  for (auto& [names, path] : found) files.push_back(std::move(path));
  return files;
}

SplitFiles split_files(const std::vector<fs::path>& files, bool own_validation) {
  SplitFiles found;
  std::vector<fs::path> validation;
  std::vector<fs::path> others;
  for (const auto& file : files) {
    const auto split = split_in_name(plain_file_name(file));
    auto& list = !split                        ? others
                 : *split == DataSplit::kTrain ? found.train
                 : *split == DataSplit::kTest  ? found.test
                                               : validation;
    list.push_back(file);
  }
  const auto use = [&found](std::vector<fs::path>& more, std::vector<fs::path>& as) {
    auto& to = as.empty() ? as : found.left_out;
    to.insert(to.end(), more.begin(), more.end());
  };
  if (own_validation && !found.test.empty()) {
    found.validation = std::move(validation);
  } else {
    use(validation, found.test);
  }
  use(others, found.train);
  return found;
}

}  // namespace millrace
