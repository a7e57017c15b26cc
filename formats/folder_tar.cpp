#include <memory>
#include <utility>
#include <vector>

#include "formats/folder_kinds.h"
#include "formats/split_names.h"
#include "formats/webdataset.h"

namespace millrace {
namespace {

constexpr std::string_view kTar = ".tar";

void refuse_undivided(const std::filesystem::path& path,
                      const std::vector<std::filesystem::path>& shards) {
  for (const auto& shard : shards) {
    if (const auto found = compressed_whole(shard)) refuse_whole(path, shard.string(), *found);
  }
}

}  // namespace

std::optional<DataFolder> open_tar_folder(const std::filesystem::path& folder,
                                          const OpenOptions& options) {
  const auto shards = split_files(files_ending_in(folder, kTar), options.own_validation);
  if (shards.train.empty()) return std::nullopt;
  refuse_targets(folder, options, "tar shards");
  if (options.in_blocks) refuse_undivided(folder, shards.train);
  auto train = std::make_shared<const WebDataset>(shards.train, image_form(options), std::nullopt,
                                                  options.most_decoded);
  const auto beside = [&](const auto& files) -> std::shared_ptr<const Dataset> {
    if (files.empty()) return nullptr;
    return std::make_shared<const WebDataset>(files, *train, options.most_decoded);
  };
  auto test = beside(shards.test);
  auto validation = beside(shards.validation);
  auto opened =
      data_folder(folder, train, std::move(test), options, "samples", std::move(validation));
  opened.description += left_out_text(shards.left_out);
  return opened;
}

std::optional<DataFolder> open_tar_file(const std::filesystem::path& path,
                                        const OpenOptions& options) {
  if (!plain_file_name(path).ends_with(kTar)) return std::nullopt;
  refuse_targets(path, options, "a tar shard");
  if (options.in_blocks) refuse_undivided(path, {path});
  auto shard = std::make_shared<const WebDataset>(std::vector{path}, image_form(options),
                                                  std::nullopt, options.most_decoded);
  return data_folder(path, std::move(shard), nullptr, options);
}

}  // namespace millrace
