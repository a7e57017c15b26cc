#include "tools/trainer/tensorboard_observer.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "loader/readable.h"

namespace millrace {

std::vector<Picture> first_pictures(const Dataset& data, std::size_t most) {
  const std::size_t count = std::min<std::size_t>(most, data.size());
  std::vector<std::uint64_t> ids(count);
  std::iota(ids.begin(), ids.end(), std::uint64_t{0});
  std::vector<std::byte> samples(count * data.sample_bytes());
  std::vector<std::int32_t> labels(count * data.label_words());
  // Training says what cannot be read; there is no picture of it.
  const auto bad = read_readable(data, ids, samples, labels);
  std::vector<Picture> pictures;
  for (std::size_t i = 0; i < count; ++i) {
    if (std::ranges::find(bad, i, &BadPlace::place) != bad.end()) continue;
    auto picture =
        picture_of(data.shape(), data.dtype(),
                   std::span(samples).subspan(i * data.sample_bytes(), data.sample_bytes()));
    if (picture) pictures.push_back(std::move(*picture));
  }
  return pictures;
}

TensorboardObserver::TensorboardObserver(std::filesystem::path folder, bool resumed,
                                         Console& console)
    : folder_(std::move(folder)), resumed_(resumed), console_(console) {}

void TensorboardObserver::begin(Engine& engine, const Dataset& train) {
  constexpr std::size_t kSamples = 32;
  constexpr std::uint32_t kColumns = 8;
  file_.emplace(folder_);
  engine_ = &engine;
  const auto pictures = first_pictures(train, kSamples);
  if (!pictures.empty()) samples_.image("samples", mosaic(pictures, kColumns, 2));
}

void TensorboardObserver::on_start(const RunInfo& info) {
  info_ = info;
  if (resumed_) {
    file_->restart(static_cast<std::int64_t>(info.first_epoch));
    warn_of_failure();
  }
  if (!samples_.message().bytes().empty()) write(0, samples_);
}

void TensorboardObserver::on_epoch(const EpochResult& epoch) {
  Summary summary;
  summary.scalar("loss/train", epoch.train_loss);
  if (epoch.train_r2) {
    summary.scalar("r2/train", *epoch.train_r2);
  } else {
    summary.scalar("accuracy/train", epoch.train_acc);
  }
  if (epoch.val_r2) summary.scalar("r2/validation", *epoch.val_r2);
  if (epoch.val_rmse) summary.scalar("rmse/validation", *epoch.val_rmse);
  if (epoch.val_loss) summary.scalar("loss/validation", *epoch.val_loss);
  if (epoch.val_acc) summary.scalar("accuracy/validation", *epoch.val_acc);
  if (epoch.learning_rate) summary.scalar("learning_rate", *epoch.learning_rate);
  summary.scalar("seconds/train", epoch.train_s);
  if (epoch.train_s > 0.0 && !epoch.partial) {
    summary.scalar("samples_per_s", static_cast<double>(info_.train_samples) / epoch.train_s);
  }
  for (const Tensor& tensor : engine_->parameters()) {
    summary.histogram("parameters/" + tensor.name, histogram_of(tensor.values));
  }
  write(epoch.epoch, summary);
}

void TensorboardObserver::on_finish(const RunResult& result) {
  if (!result.test_loss) return;
  Summary summary;
  summary.scalar("loss/test", *result.test_loss);
  if (result.test_acc) summary.scalar("accuracy/test", *result.test_acc);
  if (result.test_r2) summary.scalar("r2/test", *result.test_r2);
  if (result.test_rmse) summary.scalar("rmse/test", *result.test_rmse);
  write(result.history.empty() ? 0 : result.history.back().epoch, summary);
}

void TensorboardObserver::write(std::uint64_t epoch, const Summary& summary) {
  file_->write(static_cast<std::int64_t>(epoch), summary);
  warn_of_failure();
}

void TensorboardObserver::warn_of_failure() {
  if (!failed() || warned_) return;
  warned_ = true;
  console_.warning(file_->error() + "; the run goes on without TensorBoard's events");
}

}  // namespace millrace
