#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include "formats/mapped_file.h"

namespace millrace {

/// Owns the bytes of a file's content: a mapping of the file, or memory they were decoded into.
/// Move-only.
class Bytes {
 public:
  Bytes() noexcept = default;
  explicit Bytes(MappedFile file) noexcept;

  /// `size` uninitialised bytes, of which the one at index `aligned_at` stands on a multiple of 64:
  /// what follows a header of that many bytes is then aligned for every type. Memory that is never
  /// touched is never taken from the system. Throws std::bad_alloc.
  static Bytes allocate(std::size_t size, std::size_t aligned_at = 0);

  std::span<const std::byte> view() const noexcept { return view_; }
  std::size_t size() const noexcept { return view_.size(); }
  bool mapped() const noexcept { return memory_ == nullptr && !view_.empty(); }

  /// As MappedFile::expect() and forget(), where it is a mapping; else nothing happens.
  void expect(std::size_t at, std::size_t length) const noexcept { file_.expect(at, length); }
  void forget(std::size_t at, std::size_t length) const noexcept { file_.forget(at, length); }

  /// The same bytes, to write to. Only for what allocate() made: a mapping gives an empty span.
  std::span<std::byte> writable() noexcept;
  /// Keeps the first `size` bytes. Precondition: size <= size().
  void truncate(std::size_t size) noexcept { view_ = view_.first(size); }

  Bytes(Bytes&& other) noexcept;
  Bytes& operator=(Bytes&& other) noexcept;
  ~Bytes() = default;

 private:
  struct Free {
    void operator()(std::byte* memory) const noexcept;
  };
  MappedFile file_;
  std::unique_ptr<std::byte, Free> memory_;
  std::span<const std::byte> view_;  // of file_ or memory_
};

}  // namespace millrace
