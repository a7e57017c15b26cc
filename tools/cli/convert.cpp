#include "tools/cli/convert.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>

#include "formats/error.h"
#include "formats/idx.h"
#include "formats/seekable_idx.h"
#include "tools/cli/idx_files.h"

namespace millrace {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kPiece = std::size_t{4} << 20;  // between two looks at `progress`
constexpr int kHighestZstd = 22;
constexpr int kHighestGzip = 12;
constexpr int kUsualZstd = 3;

/// An IDX file in one of the forms, written piece by piece.
class Writer {
 public:
  Writer() = default;
  virtual ~Writer() = default;
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;
  virtual void append(std::span<const std::byte> elements) = 0;
  /// Returns the number of frames.
  virtual std::uint64_t commit() = 0;
};

class EncodedIdx final : public Writer {
 public:
  EncodedIdx(const fs::path& path, const IdxHeader& header, std::optional<int> level)
      : file_(path, header, level) {}
  void append(std::span<const std::byte> elements) override { file_.append(elements); }
  std::uint64_t commit() override {
    file_.commit();
    return 0;
  }

 private:
  IdxWriter file_;
};

class SeekableIdx final : public Writer {
 public:
  SeekableIdx(const fs::path& path, const IdxHeader& header, const SeekableOptions& options)
      : file_(path, header, options) {}
  void append(std::span<const std::byte> elements) override { file_.append(elements); }
  std::uint64_t commit() override {
    file_.commit();
    return file_.table().frames().size();
  }

 private:
  SeekableIdxWriter file_;
};

std::unique_ptr<Writer> make_writer(const ConvertSpec& spec, const fs::path& path,
                                    const IdxHeader& header) {
  if (spec.to != StoredAs::kSeekable) {
    return std::make_unique<EncodedIdx>(path, header, spec.level);
  }
  const SeekableOptions options{.level = spec.level.value_or(kUsualZstd), .threads = spec.jobs};
  return std::make_unique<SeekableIdx>(path, header, options);
}

void check_level(const ConvertSpec& spec) {
  if (!spec.level) return;
  const int highest = spec.to == StoredAs::kPlain      ? 0
                      : spec.to == StoredAs::kSeekable ? kHighestZstd
                                                       : kHighestGzip;
  if (*spec.level < 1 || *spec.level > highest) {
    throw std::invalid_argument(highest == 0
                                    ? std::string("--level: idx files are not compressed")
                                    : fmt::format("--level: expected 1 to {} for {}, found {}",
                                                  highest, name_of(spec.to), *spec.level));
  }
}

std::string suffix(StoredAs stored) {
  return stored == StoredAs::kPlain ? std::string() : fmt::format(".{}", name_of(stored));
}

struct Task {
  ConvertedFile file;
  IdxHeader header;
  std::unique_ptr<Writer> writer;
};

}  // namespace

std::string_view name_of(StoredAs stored) noexcept {
  switch (stored) {
    case StoredAs::kPlain:
      return "idx";
    case StoredAs::kGzip:
      return "gz";
    case StoredAs::kSeekable:
      return "zst";
  }
  return "unknown";
}

std::vector<ConvertedFile> convert(
    const ConvertSpec& spec, const std::function<bool(std::uint64_t, std::uint64_t)>& progress) {
  check_level(spec);
  std::vector<Task> tasks;
  std::uint64_t all = 0;
  for (const auto& from : idx_files_at(spec.in)) {
    Task task;
    task.file.from = from;
    task.file.to = target_in(spec.out, from, suffix(spec.to), spec.force);
    task.file.stored_before = fs::file_size(from);
    task.header = read_idx_header(from);
    task.file.content = task.header.header_bytes() + idx_data_bytes(task.header);
    all += task.file.content;
    tasks.push_back(std::move(task));
  }
  std::error_code error;
  fs::create_directories(spec.out, error);
  if (error) throw io_error(spec.out, "create the folder", error.value());

  std::vector<ConvertedFile> written;
  std::uint64_t done = 0;
  for (auto& task : tasks) {
    const auto array = read_idx(task.file.from);
    task.writer = make_writer(spec, task.file.to, array.header());
    done += array.header().header_bytes();
    for (auto rest = array.data(); !rest.empty();) {
      const auto piece = rest.first(std::min(rest.size(), kPiece));
      task.writer->append(piece);
      rest = rest.subspan(piece.size());
      done += piece.size();
      if (!progress(done, all)) return written;
    }
  }
  for (auto& task : tasks) {
    task.file.frames = task.writer->commit();
    task.file.stored = fs::file_size(task.file.to);
    written.push_back(task.file);
  }
  return written;
}

}  // namespace millrace
