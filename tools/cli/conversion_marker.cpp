#include "tools/cli/conversion_marker.h"

#include <algorithm>
#include <fstream>
#include <system_error>

#include "formats/atomic_file.h"
#include "formats/error.h"
#include "formats/shard_manifest.h"

namespace millrace {

ConversionMarker::ConversionMarker(const std::filesystem::path& in,
                                   const std::filesystem::path& out)
    : path_(out / kConversionName) {
  std::error_code error;
  const auto from = std::filesystem::is_directory(in, error) ? in : in.parent_path();
  left_out_ = std::filesystem::equivalent(from.empty() ? "." : from, out, error);
  std::ifstream file(path_);
  for (std::string name; std::getline(file, name);) names_.push_back(name);
  std::ranges::sort(names_);
}

void ConversionMarker::put(const std::vector<std::filesystem::path>& files) const {
  if (left_out_) return;
  AtomicFile marker(path_);
  for (const auto& file : files) marker.write(file.filename().string() + '\n');
  marker.commit();
}

void ConversionMarker::remove() const {
  if (left_out_) return;
  std::error_code error;
  std::filesystem::remove(path_, error);
  if (error) throw io_error(path_, "remove", error.value());
  sync_folder_of(path_);
}

}  // namespace millrace
