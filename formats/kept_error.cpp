#include "formats/kept_error.h"

#include "formats/error.h"

namespace millrace {

KeptError::KeptError(const std::exception_ptr& error) noexcept {
  if (!error) return;
  try {
    std::rethrow_exception(error);
  } catch (const DataError& data) {
    try {
      data_ = std::make_shared<const DataError>(data.detached());
    } catch (...) {
      other_ = error;  // no memory for more
    }
  } catch (...) {
    other_ = error;
  }
}

void KeptError::raise() const {
  if (data_) throw data_->detached();
  std::rethrow_exception(other_);
}

}  // namespace millrace
