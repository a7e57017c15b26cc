#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "formats/cifar.h"
#include "formats/folder_kinds.h"
#include "formats/image_folder.h"

namespace millrace {

std::optional<DataFolder> open_cifar_folder(const std::filesystem::path& folder,
                                            const OpenOptions& options) {
  const auto files = find_cifar_files(folder);
  if (!files) return std::nullopt;
  refuse_targets(folder, options, "CIFAR's binary files");
  auto train = std::make_shared<const CifarDataset>(files->kind, files->train);
  std::shared_ptr<const Dataset> test;
  if (!files->test.empty()) test = std::make_shared<const CifarDataset>(files->kind, files->test);
  return data_folder(folder, std::move(train), std::move(test), options);
}

std::optional<DataFolder> open_image_folder(const std::filesystem::path& folder,
                                            const OpenOptions& options) {
  auto parts = find_image_folders(folder);
  if (!parts) return std::nullopt;
  refuse_targets(folder, options, "a folder of images");
  if (!options.own_validation && !parts->validation.empty()) {
    parts->left_out.push_back(std::exchange(parts->validation, {}));
    std::ranges::sort(parts->left_out);
  }
  const auto headers =
      options.tolerant ? ImageFolder::Headers::kAnyReadable : ImageFolder::Headers::kAll;
  auto train = std::make_shared<const ImageFolder>(parts->train, image_form(options), headers,
                                                   options.known.class_names);
  auto others = train->others();
  const auto beside = [&](const std::filesystem::path& part) -> std::shared_ptr<const Dataset> {
    if (part.empty()) return nullptr;
    auto images = std::make_shared<const ImageFolder>(part, *train, headers);
    others.insert(others.end(), images->others().begin(), images->others().end());
    return images;
  };
  auto test = beside(parts->test);
  auto validation = beside(parts->validation);
  auto opened =
      data_folder(folder, train, std::move(test), options, "images", std::move(validation));
  opened.description += left_out_text(parts->left_out);
  if (!others.empty()) {
    opened.description +=
        others.size() == 1
            ? fmt::format("; left out: {}, which is not named as an image", others[0].string())
            : fmt::format("; left out: {} files that are not named as images, like {}",
                          others.size(), others[0].string());
  }
  return opened;
}

}  // namespace millrace
