#include <fmt/format.h>
#include <tbb/parallel_for.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

#include "formats/atomic_file.h"
#include "formats/error.h"
#include "formats/npy.h"
#include "formats/seekable_idx.h"
#include "formats/seekable_writer.h"
#include "formats/tar.h"
#include "tools/cli/part_sink.h"
#include "tools/cli/target.h"

namespace millrace {
namespace {

// All are open until the end, so that they appear together.
constexpr std::uint64_t kMostShards = 100;

/// One shard, plain or inside seekable zstd.
class TarShard {
 public:
  TarShard(const ConvertSpec& spec, const std::filesystem::path& path) : path_(path) {
    if (spec.to == StoredAs::kTarZst) {
      seekable_.emplace(path, seekable_options(spec));
    } else {
      plain_.emplace(path);
    }
  }

  /// Whole members.
  void append(std::span<const std::byte> members) {
    content_ += members.size();
    if (plain_) {
      plain_->write(members);
      return;
    }
    frame_.insert(frame_.end(), members.begin(), members.end());
    if (frame_.size() >= SeekableIdxWriter::kFrameBytes)
      seekable_->append(std::exchange(frame_, {}));
  }
  void finish() {
    append(std::vector<std::byte>(kTarEnd));
    if (plain_) {
      plain_->sync();
      return;
    }
    if (!frame_.empty()) seekable_->append(std::exchange(frame_, {}));
    seekable_->finish();
  }
  ConvertedFile commit(const std::string& from) {
    ConvertedFile file{.from = from, .to = path_, .content = content_};
    if (plain_) {
      plain_->commit();
    } else {
      seekable_->commit();
      file.frames = seekable_->table().frames().size();
    }
    file.stored = std::filesystem::file_size(path_);
    return file;
  }

 private:
  std::filesystem::path path_;
  std::optional<AtomicFile> plain_;
  std::optional<SeekableWriter> seekable_;
  std::vector<std::byte> frame_;
  std::uint64_t content_ = 0;
};

class TarSink final : public PartSink {
 public:
  TarSink(const ConvertSpec& spec, const ConvertPart& part)
      : spec_(spec),
        part_(part),
        count_(std::max(1U, spec.shards)),
        images_(holds_images(*part.data)) {
    if (!images_) {
      const NpyHeader header{.dtype = part.data->dtype(), .shape = part.data->shape().dims};
      if (header.dtype == DType::kBFloat16) refuse_type(part, "NumPy");
      npy_header_ = encode_npy_header(header);
    }
    if (count_ > kMostShards) {
      throw std::invalid_argument(
          fmt::format("--shards: expected at most {} for tar, found {}", kMostShards, count_));
    }
    for (std::uint64_t i = 0; i < count_; ++i) free_target(spec, name(i));
    refuse_other_shards();
  }

  void append(std::span<const std::byte> samples, std::span<const std::int32_t> labels) override {
    const auto bytes = static_cast<std::size_t>(part_.data->sample_bytes());
    std::vector<std::vector<std::byte>> members(labels.size());
    tbb::parallel_for(std::size_t{0}, members.size(), [&](std::size_t i) {
      members[i] = members_of(done_ + i, samples.subspan(i * bytes, bytes), labels[i]);
    });
    for (const auto& both : members) {
      // Sample s is in shard floor(s * count / size), as shards of IDX have it.
      while (done_ >= part_.data->size() * shards_.size() / count_ && shards_.size() < count_) {
        if (!shards_.empty()) shards_.back()->finish();
        shards_.push_back(std::make_unique<TarShard>(spec_, spec_.out / name(shards_.size())));
      }
      shards_.back()->append(both);
      ++done_;
    }
  }

  void finish() override { shards_.back()->finish(); }

  std::vector<std::filesystem::path> targets() const override {
    std::vector<std::filesystem::path> paths;
    for (std::uint64_t i = 0; i < count_; ++i) paths.push_back(spec_.out / name(i));
    return paths;
  }

  std::vector<ConvertedFile> commit() override {
    std::vector<ConvertedFile> files;
    for (auto& shard : shards_) files.push_back(shard->commit(part_.data->name()));
    return files;
  }

 private:
  std::string name(std::uint64_t shard) const {
    return fmt::format("{}-{}.{}", split_name(part_), padded(shard, count_, 6), name_of(spec_.to));
  }

  /// A reader would take them for part of the same set.
  void refuse_other_shards() const {
    const auto begin = split_name(part_) + "-";
    for (const auto& entry : std::filesystem::directory_iterator(spec_.out)) {
      const auto file = entry.path().filename().string();
      const bool is_shard =
          file.starts_with(begin) && (file.ends_with(".tar") || file.ends_with(".tar.zst"));
      if (!is_shard) continue;
      bool is_target = false;
      for (std::uint64_t i = 0; i < count_ && !is_target; ++i) is_target = file == name(i);
      if (!is_target) throw DataError(entry.path(), "belongs to another set; remove it");
    }
  }

  static void put(std::vector<std::byte>& out, const std::string& path,
                  std::span<const std::byte> content) {
    const auto header = encode_tar_header({.path = path, .size = content.size()});
    out.insert(out.end(), header.begin(), header.end());
    out.insert(out.end(), content.begin(), content.end());
    out.resize(out.size() + tar_padding(content.size()));
  }

  std::vector<std::byte> members_of(std::uint64_t number, std::span<const std::byte> sample,
                                    std::int32_t label) const {
    const auto key = padded(number, part_.data->size(), 6);
    std::vector<std::byte> out;
    if (images_) {
      const auto png = png_of_sample(*part_.data, sample);
      put(out, key + ".png", std::as_bytes(std::span(png)));
    } else {
      auto array = npy_header_;
      array.insert(array.end(), sample.begin(), sample.end());
      put(out, key + ".npy", array);
    }
    const auto text = std::to_string(label);
    put(out, key + ".cls", std::as_bytes(std::span(text)));
    return out;
  }

  const ConvertSpec& spec_;
  const ConvertPart& part_;
  std::uint64_t count_;
  bool images_;
  std::vector<std::byte> npy_header_;
  std::vector<std::unique_ptr<TarShard>> shards_;
  std::uint64_t done_ = 0;
};

}  // namespace

std::unique_ptr<PartSink> make_tar_sink(const ConvertSpec& spec, const ConvertPart& part) {
  return std::make_unique<TarSink>(spec, part);
}

}  // namespace millrace
