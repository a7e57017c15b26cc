#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string>

struct evp_md_ctx_st;

namespace millrace {

/// SHA-256 (FIPS 180-4), as OpenSSL computes it. Move-only, one thread at a time.
class Sha256 {
 public:
  /// Throws std::runtime_error where the installed OpenSSL has no SHA-256.
  Sha256();

  void update(std::span<const std::byte> bytes);
  /// 64 hexadecimal digits, lower case; the last call on this object.
  std::string finish();

 private:
  struct Free {
    void operator()(evp_md_ctx_st* context) const noexcept;
  };
  std::unique_ptr<evp_md_ctx_st, Free> context_;
};

/// Of a whole file. Throws DataError if it cannot be read.
std::string sha256_of_file(const std::filesystem::path& file);

}  // namespace millrace
