#include <fcntl.h>
#include <fmt/format.h>
#include <tbb/parallel_for.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <functional>
#include <string>
#include <system_error>

#include "formats/error.h"
#include "formats/image_layout.h"
#include "formats/in_quotes.h"
#include "tools/cli/atomic_folder.h"
#include "tools/cli/part_sink.h"
#include "tools/cli/target.h"

namespace millrace {
namespace {

namespace fs = std::filesystem;

void write_new(const fs::path& path, const std::string& content) {
  const FileDescriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
  if (!file) throw io_error(path, "create", errno);
  std::string_view rest(content);
  while (!rest.empty()) {
    const auto written = ::write(file.get(), rest.data(), rest.size());
    if (written < 0) {
      if (errno == EINTR) continue;
      throw io_error(path, "write", errno);
    }
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
}

class ImagesSink final : public PartSink {
 public:
  ImagesSink(const ConvertSpec& spec, const ConvertPart& part)
      : part_(part), folder_(checked_target(spec, part)), counts_(part.data->classes()) {
    for (std::uint32_t c = 0; c < part.data->classes(); ++c) {
      names_.push_back(part.class_names.empty() ? padded(c, part.data->classes(), 1)
                                                : part.class_names[c]);
    }
    for (const auto& name : names_) {
      if (name.empty() || name.front() == '.' || name.find('/') != std::string::npos) {
        throw DataError(part.data->name(), std::nullopt, "classes named as folders can be",
                        in_quotes(name));
      }
    }
    // Where names do not sort as their classes do, the labels would be others.
    if (std::ranges::adjacent_find(names_, std::greater_equal()) != names_.end()) {
      throw DataError(part.data->name(), std::nullopt, "classes sorted by name",
                      "names in another order, or one twice");
    }
  }

  void append(std::span<const std::byte> samples, std::span<const std::int32_t> labels) override {
    for (const auto label : labels) {
      auto& count = counts_[static_cast<std::size_t>(label)];
      if (count++ > 0) continue;
      const auto folder = folder_.temporary() / names_[static_cast<std::size_t>(label)];
      std::error_code error;
      fs::create_directory(folder, error);
      if (error) throw io_error(folder, "create the folder", error.value());
    }
    const auto bytes = static_cast<std::size_t>(part_.data->sample_bytes());
    std::atomic<std::uint64_t> written{0};
    tbb::parallel_for(std::size_t{0}, labels.size(), [&](std::size_t i) {
      const auto png = png_of_sample(*part_.data, samples.subspan(i * bytes, bytes));
      write_new(folder_.temporary() / names_[static_cast<std::size_t>(labels[i])] /
                    (padded(done_ + i, part_.data->size(), 6) + ".png"),
                png);
      written += png.size();
    });
    stored_ += written;
    done_ += labels.size();
  }

  void finish() override {
    if (part_.split == DataSplit::kTrain) refuse_empty_class();
    folder_.sync();
  }

  std::vector<std::filesystem::path> targets() const override { return {folder_.path()}; }

  std::vector<ConvertedFile> commit() override {
    folder_.commit();
    return {{.from = part_.data->name(),
             .to = folder_.path(),
             .content = done_ * part_.data->sample_bytes(),
             .stored = stored_}};
  }

 private:
  void refuse_empty_class() const {
    const auto empty = std::ranges::find(counts_, 0U);
    if (empty == counts_.end()) return;
    const auto label = static_cast<std::size_t>(empty - counts_.begin());
    throw DataError(part_.data->name(),
                    fmt::format("class {} has no training sample: a folder of images cannot keep "
                                "the numbers of the classes behind it",
                                names_[label]));
  }

  static fs::path checked_target(const ConvertSpec& spec, const ConvertPart& part) {
    if (!holds_images(*part.data)) {
      throw DataError(part.data->name(), std::nullopt, "images, [h, w] or [h, w, 3] uint8",
                      describe_samples(*part.data) + std::string(flat_hint(part.data->shape())));
    }
    return free_target(spec, split_name(part));
  }

  const ConvertPart& part_;
  AtomicFolder folder_;
  std::vector<std::string> names_;
  std::vector<std::uint64_t> counts_;
  std::uint64_t done_ = 0;
  std::uint64_t stored_ = 0;
};

}  // namespace

std::unique_ptr<PartSink> make_images_sink(const ConvertSpec& spec, const ConvertPart& part) {
  return std::make_unique<ImagesSink>(spec, part);
}

}  // namespace millrace
