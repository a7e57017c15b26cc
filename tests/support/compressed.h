#pragma once

#include <gtest/gtest.h>
#include <libdeflate.h>
#include <zstd.h>

#include <cstddef>
#include <memory>
#include <span>

#include "tests/support/files.h"

// gzip members and zstd frames made by the libraries themselves, not by Millrace's writer.

namespace millrace::test {

/// One gzip member. Level 0 stores.
inline ByteVector gzip_member(std::span<const std::byte> content, int level = 6) {
  const std::unique_ptr<libdeflate_compressor, decltype(&libdeflate_free_compressor)> compressor(
      libdeflate_alloc_compressor(level), &libdeflate_free_compressor);
  ByteVector packed(libdeflate_gzip_compress_bound(compressor.get(), content.size()));
  packed.resize(libdeflate_gzip_compress(compressor.get(), content.data(), content.size(),
                                         packed.data(), packed.size()));
  EXPECT_FALSE(packed.empty());
  return packed;
}

struct FrameOptions {
  bool content_size = true;
  bool checksum = true;
  int level = 3;
  int window_log = 0;
};

/// One zstd frame.
inline ByteVector zstd_frame(std::span<const std::byte> content, FrameOptions options = {}) {
  const std::unique_ptr<ZSTD_CCtx, decltype(&ZSTD_freeCCtx)> context(ZSTD_createCCtx(),
                                                                     &ZSTD_freeCCtx);
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_contentSizeFlag, options.content_size ? 1 : 0);
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_checksumFlag, options.checksum ? 1 : 0);
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_compressionLevel, options.level);
  if (options.window_log != 0) {
    ZSTD_CCtx_setParameter(context.get(), ZSTD_c_windowLog, options.window_log);
  }
  ByteVector packed(ZSTD_compressBound(content.size()));
  const auto size =
      ZSTD_compress2(context.get(), packed.data(), packed.size(), content.data(), content.size());
  EXPECT_EQ(ZSTD_isError(size), 0U);
  packed.resize(size);
  return packed;
}

/// A frame that decoders skip.
inline ByteVector zstd_skippable(int nibble, std::size_t size) {
  auto bytes = make_bytes({0x50 + nibble, 0x2a, 0x4d, 0x18, static_cast<int>(size & 0xff),
                           static_cast<int>(size >> 8), 0, 0});
  bytes.resize(bytes.size() + size, std::byte{0x77});
  return bytes;
}

}  // namespace millrace::test
