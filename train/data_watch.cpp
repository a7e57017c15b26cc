#include "train/data_watch.h"

#include <utility>

#include "formats/block_dataset.h"
#include "formats/error.h"
#include "formats/mapped_file.h"
#include "loader/readable.h"

namespace millrace {
namespace {

// Frames have checksums, which are looked at whenever they are decoded.
bool checked_when_read(const Dataset& data) {
  const auto* blocks = dynamic_cast<const BlockDataset*>(&data);
  return blocks != nullptr && blocks->fingerprint().has_value();
}

}  // namespace

DataWatch::DataWatch(const Dataset& train, std::string hash,
                     std::function<void(const std::string&)> notice)
    : train_(train), hash_(std::move(hash)), notice_(std::move(notice)) {}

void DataWatch::check() const {
  const auto file = mapping_written_to();
  if (!file || checked_when_read(train_)) return;
  const auto now = hash_readable_now(train_);
  if (now != hash_) {
    throw DataError(
        *file, "was written to while the run read it: expected training samples of hash " + hash_ +
                   ", found " + now + "; what was saved before is whole");
  }
  notice_(file->string() + ": was written to; the training samples are the same");
}

}  // namespace millrace
