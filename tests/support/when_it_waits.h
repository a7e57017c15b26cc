#pragma once

#include <functional>
#include <thread>
#include <utility>

#include "compute/stage.h"

namespace millrace::test {

/// While it lives it hears of the thread that made it when that begins to wait for a checkpoint,
/// and calls `act`, with which a test lets go of what it waits for. To be made before engines are.
class WhenItWaits final : public StageListener {
 public:
  explicit WhenItWaits(std::function<void()> act) : act_(std::move(act)), listening_(*this) {}

  int waits() const noexcept { return waits_; }

  void begin(Stage stage, std::uint64_t) noexcept override {
    if (stage != Stage::kCheckpoint || std::this_thread::get_id() != thread_) return;
    ++waits_;
    act_();
  }
  void end(Stage) noexcept override {}

 private:
  const std::thread::id thread_ = std::this_thread::get_id();
  std::function<void()> act_;
  int waits_ = 0;
  StageListening listening_;  // last: hears when all else is there
};

}  // namespace millrace::test
