#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace millrace {

enum class DataSplit : std::uint8_t { kTrain, kTest, kValidation };

/// "train", "test", "validation".
std::string_view name_of(DataSplit split) noexcept;

/// "train" or "training"; "test", "testing" or "t10k"; "val", "valid" or "validation", in any case.
/// nullopt for any other word.
std::optional<DataSplit> split_called(std::string_view word) noexcept;

/// The first such word in a name whose words have '-', '_' or '.' between them: train for
/// "mnist_train.csv" and "cifar10-train-000001.tar".
std::optional<DataSplit> split_in_name(std::string_view name) noexcept;

/// `name` without .gz or .zst, in lower case if it is ASCII: what its ending says then is the
/// format.
std::string plain_file_name(const std::filesystem::path& path);

/// The files of a folder whose plain_file_name ends in `ending` (".csv") and which are not hidden,
/// sorted by name. Of several forms of one file the plain one comes alone. Throws DataError if the
/// folder cannot be listed.
std::vector<std::filesystem::path> files_ending_in(const std::filesystem::path& folder,
                                                   std::string_view ending);

/// Files of one kind by what their names say. Where no name has "test" those of "validation" are
/// the test set; else they are the validation set where that is asked for (`own_validation`), and
/// left out where not. Files without such a word are the training set where none is called that;
/// else they are left out.
struct SplitFiles {
  std::vector<std::filesystem::path> train;
  std::vector<std::filesystem::path> test;
  std::vector<std::filesystem::path> validation;
  std::vector<std::filesystem::path> left_out;
};
SplitFiles split_files(const std::vector<std::filesystem::path>& files,
                       bool own_validation = false);

}  // namespace millrace
