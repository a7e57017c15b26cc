#pragma once

#include <string>
#include <vector>

#include "formats/tar.h"
#include "tests/support/files.h"

// Tar archives, by the project's own headers.

namespace millrace::test {

struct TarEntry {
  std::string path;
  ByteVector content;
  char type = '0';
};

inline ByteVector tar_of(const std::vector<TarEntry>& entries) {
  ByteVector out;
  for (const auto& entry : entries) {
    out = joined(
        {out,
         encode_tar_header({.path = entry.path, .size = entry.content.size(), .type = entry.type}),
         entry.content, ByteVector(tar_padding(entry.content.size()))});
  }
  return joined({out, ByteVector(kTarEnd)});
}

}  // namespace millrace::test
