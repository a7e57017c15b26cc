#pragma once

#include <filesystem>

namespace millrace {

/// A folder to write to, made where it is missing. One that was made for files of which none came
/// goes again: who looks for data by whether it is there is not told wrong.
class MadeFolder {
 public:
  /// Throws DataError.
  explicit MadeFolder(std::filesystem::path path);
  ~MadeFolder();
  MadeFolder(const MadeFolder&) = delete;
  MadeFolder& operator=(const MadeFolder&) = delete;

 private:
  std::filesystem::path path_;
  bool made_ = false;
};

}  // namespace millrace
