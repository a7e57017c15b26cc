#include "formats/encoded_writer.h"

#include <fmt/format.h>
#include <libdeflate.h>
#include <zstd.h>

#include <algorithm>
#include <new>
#include <stdexcept>
#include <vector>

#include "formats/atomic_file.h"
#include "formats/compression.h"
#include "formats/error.h"

namespace millrace {

class EncodedWriter::Encoder {
 public:
  explicit Encoder(const std::filesystem::path& path) : file_(path) {}
  virtual ~Encoder() = default;
  Encoder(const Encoder&) = delete;
  Encoder& operator=(const Encoder&) = delete;

  virtual void write(std::span<const std::byte> bytes) { file_.write(bytes); }
  /// After the last write().
  virtual void finish() {}
  AtomicFile& file() noexcept { return file_; }

 private:
  AtomicFile file_;
};

namespace {

// The tools' own defaults.
constexpr int kGzipLevel = 6;
constexpr int kZstdLevel = 3;
constexpr int kHighestGzip = 12;
constexpr int kHighestZstd = 22;
constexpr std::uint64_t kMemberBytes = std::uint64_t{64} << 20;

struct FreeCompressor {
  void operator()(libdeflate_compressor* c) const noexcept { libdeflate_free_compressor(c); }
  void operator()(ZSTD_CCtx* c) const noexcept { ZSTD_freeCCtx(c); }
};

/// libdeflate compresses whole buffers only, so content is gathered into members.
class GzipEncoder final : public EncodedWriter::Encoder {
 public:
  GzipEncoder(const std::filesystem::path& path, std::uint64_t content_size, int level)
      : Encoder(path),
        compressor_(libdeflate_alloc_compressor(level)),
        member_bytes_(static_cast<std::size_t>(std::min(content_size, kMemberBytes))) {
    if (!compressor_) throw std::bad_alloc();
    member_.reserve(member_bytes_);
  }

  void write(std::span<const std::byte> bytes) override {
    while (!bytes.empty()) {
      if (member_.size() == member_bytes_) flush();
      const auto piece = bytes.first(std::min(bytes.size(), member_bytes_ - member_.size()));
      member_.insert(member_.end(), piece.begin(), piece.end());
      bytes = bytes.subspan(piece.size());
    }
  }

  void finish() override { flush(); }

 private:
  void flush() {
    packed_.resize(libdeflate_gzip_compress_bound(compressor_.get(), member_.size()));
    const auto size = libdeflate_gzip_compress(compressor_.get(), member_.data(), member_.size(),
                                               packed_.data(), packed_.size());
    if (size == 0) throw DataError(file().path(), "libdeflate did not keep to its own bound");
    file().write(std::span(packed_).first(size));
    member_.clear();
  }

  std::unique_ptr<libdeflate_compressor, FreeCompressor> compressor_;
  std::size_t member_bytes_;
  std::vector<std::byte> member_;
  std::vector<std::byte> packed_;
};

class ZstdEncoder final : public EncodedWriter::Encoder {
 public:
  ZstdEncoder(const std::filesystem::path& path, std::uint64_t content_size, int level)
      : Encoder(path), context_(ZSTD_createCCtx()), packed_(ZSTD_CStreamOutSize()) {
    if (!context_) throw std::bad_alloc();
    check(ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_compressionLevel, level));
    check(ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_checksumFlag, 1));
    check(ZSTD_CCtx_setPledgedSrcSize(context_.get(), content_size));
  }

  void write(std::span<const std::byte> bytes) override { run(bytes, ZSTD_e_continue); }
  void finish() override { run({}, ZSTD_e_end); }

 private:
  std::size_t check(std::size_t result) {
    if (ZSTD_isError(result) != 0) {
      throw DataError(file().path(), fmt::format("cannot compress: {}", ZSTD_getErrorName(result)));
    }
    return result;
  }

  void run(std::span<const std::byte> bytes, ZSTD_EndDirective directive) {
    ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
    for (;;) {
      ZSTD_outBuffer out{packed_.data(), packed_.size(), 0};
      const auto left = check(ZSTD_compressStream2(context_.get(), &out, &in, directive));
      file().write(std::span<const std::byte>(packed_).first(out.pos));
      if (directive == ZSTD_e_end ? left == 0 : in.pos == in.size) return;
    }
  }

  std::unique_ptr<ZSTD_CCtx, FreeCompressor> context_;
  std::vector<std::byte> packed_;
};

int checked_level(const std::filesystem::path& path, int level, int highest) {
  if (level < 1 || level > highest) {
    throw std::invalid_argument(
        fmt::format("{}: level {}; there are 1 to {}", path.string(), level, highest));
  }
  return level;
}

std::unique_ptr<EncodedWriter::Encoder> make_encoder(const std::filesystem::path& path,
                                                     std::uint64_t content_size,
                                                     std::optional<int> level) {
  switch (compression_for(path)) {
    case Compression::kGzip:
      return std::make_unique<GzipEncoder>(
          path, content_size, checked_level(path, level.value_or(kGzipLevel), kHighestGzip));
    case Compression::kZstd:
      return std::make_unique<ZstdEncoder>(
          path, content_size, checked_level(path, level.value_or(kZstdLevel), kHighestZstd));
    case Compression::kNone:
      break;
  }
  return std::make_unique<EncodedWriter::Encoder>(path);
}

}  // namespace

EncodedWriter::EncodedWriter(const std::filesystem::path& path, std::uint64_t content_size,
                             std::optional<int> level)
    : encoder_(make_encoder(path, content_size, level)), remaining_(content_size) {}
EncodedWriter::~EncodedWriter() = default;
EncodedWriter::EncodedWriter(EncodedWriter&& other) noexcept = default;

void EncodedWriter::write(std::span<const std::byte> bytes) {
  if (bytes.size() > remaining_) {
    throw std::invalid_argument(fmt::format("{}: {} bytes written where {} are to come",
                                            encoder_->file().path().string(), bytes.size(),
                                            remaining_));
  }
  encoder_->write(bytes);
  remaining_ -= bytes.size();
}

void EncodedWriter::finish() {
  if (remaining_ != 0) {
    throw std::logic_error(fmt::format("{}: {} bytes were never written",
                                       encoder_->file().path().string(), remaining_));
  }
  encoder_->finish();
  encoder_->file().sync();
  finished_ = true;
}

void EncodedWriter::commit() {
  if (!finished_) finish();
  encoder_->file().commit();
}

}  // namespace millrace
