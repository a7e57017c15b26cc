#include "formats/folder_kinds.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <utility>

#include "formats/error.h"
#include "formats/resized_dataset.h"

namespace millrace {

std::string describe_samples(const Dataset& data) {
  return fmt::format("{} {}", fmt::join(data.shape().dims, "x"), name_of(data.dtype()));
}

DataFolder data_folder(const std::filesystem::path& path, std::shared_ptr<const Dataset> train,
                       std::shared_ptr<const Dataset> test, const OpenOptions& options,
                       std::string_view counted) {
  train = ResizedDataset::as_asked(std::move(train), options.image);
  if (test) test = ResizedDataset::as_asked(std::move(test), options.image);
  std::string counts = fmt::format("{} training", train->size());
  if (test) {
    if (test->shape() != train->shape() || test->dtype() != train->dtype()) {
      throw DataError(
          test->name(), std::nullopt,
          fmt::format("samples of {}, as in {}", describe_samples(*train), train->name()),
          describe_samples(*test));
    }
    counts += fmt::format(" and {} test", test->size());
  }
  auto description = fmt::format("{}: {} {}, {}, {} classes", path.string(), counts, counted,
                                 describe_samples(*train), train->classes());
  return {std::move(train), std::move(test), std::move(description)};
}

}  // namespace millrace
