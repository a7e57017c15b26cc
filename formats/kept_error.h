#pragma once

#include <exception>
#include <memory>

namespace millrace {

class DataError;

/// An exception that is kept, to be thrown by other threads than the one that met it, any number of
/// times.
///
/// A std::exception_ptr throws one object in all of them, whose text each may read while the last
/// one to let go deletes it, ordered only by counters inside of the standard library. Here each
/// throw of a DataError has an object of its own. Other exceptions are kept as they are.
class KeptError {
 public:
  /// None.
  KeptError() noexcept = default;
  explicit KeptError(const std::exception_ptr& error) noexcept;
  /// The one that is being handled.
  static KeptError current() noexcept { return KeptError(std::current_exception()); }

  explicit operator bool() const noexcept { return data_ != nullptr || other_ != nullptr; }
  /// Throws it. Needs one.
  [[noreturn]] void raise() const;

 private:
  std::shared_ptr<const DataError> data_;
  std::exception_ptr other_;
};

}  // namespace millrace
