#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <numeric>
#include <stdexcept>
#include <vector>

#include "compute/cuda/thread_blocks.h"
#include "tests/compute/cuda/fibers.h"

namespace millrace::cuda::test {

/// What a block's threads share.
class EmulatedBlock {
 public:
  EmulatedBlock(std::uint32_t threads, std::size_t bytes)
      : memory(bytes / sizeof(float), std::numeric_limits<float>::quiet_NaN()), all(threads) {
    for (std::uint32_t i = 0; i < threads; i += kWarp) {
      warps.push_back(std::make_unique<Warp>(std::min(kWarp, threads - i)));
    }
  }

  struct Warp {
    explicit Warp(std::uint32_t threads) : all(threads) {}
    std::array<std::array<float, kWarp>, 2> values{};  // in turn
    Fibers::Rendezvous all;
  };

  /// Bytes for whoever is the first to ask with this key.
  void* shared(const void* key, std::size_t bytes);

  std::vector<float> memory;
  Fibers::Rendezvous all;
  std::vector<std::unique_ptr<Warp>> warps;

 private:
  std::map<const void*, std::vector<unsigned char>> shared_;
};

/// The Thread of thread_blocks.h on the host. What it has of its own begins as NaN.
class EmulatedThread {
 public:
  struct Place {
    std::uint32_t number = 0;  // in the block
    std::uint32_t width = 1;   // of the block
    std::uint32_t block = 0;
    std::uint32_t blocks = 1;
  };
  /// For kernels where nobody meets.
  explicit EmulatedThread(const Place& place) : place_(place) {}
  EmulatedThread(const Place& place, EmulatedBlock& block, Fibers& fibers,
                 Fibers::Rendezvous* everybody)
      : place_(place), block_(&block), fibers_(&fibers), everybody_(everybody) {}

  std::uint32_t x() const { return place_.number % place_.width; }
  std::uint32_t y() const { return place_.number / place_.width; }
  std::uint32_t block() const { return place_.block; }
  std::uint32_t blocks() const { return place_.blocks; }

  void sync() const { meet(own().all); }
  void sync_warp() const { meet(warp().all); }
  template <class F>
  void sync_all(const F& f) const {
    if (everybody_ == nullptr) throw std::logic_error("blocks meet that need not run together");
    const std::uint32_t round = fibers_->arrive(*everybody_);
    f();
    fibers_->wait(*everybody_, round);
  }
  float exchange(float value, std::uint32_t mask) const {
    const auto& values = exchanged(value);
    return values[(place_.number % kWarp) ^ mask];
  }
  bool any(bool value) const {
    const auto& values = exchanged(value ? 1.0F : 0.0F);
    return std::accumulate(values.begin(), values.end(), 0.0F) != 0.0F;
  }

  template <class T, std::uint32_t kCount>
  T* shared() const {
    static const char key = 0;
    return static_cast<T*>(own().shared(&key, sizeof(T) * kCount));
  }
  float* memory() const { return own().memory.data(); }

 private:
  EmulatedBlock& own() const {
    if (block_ == nullptr)
      throw std::logic_error("a kernel whose threads do not meet shares memory");
    return *block_;
  }
  EmulatedBlock::Warp& warp() const { return *own().warps[place_.number / kWarp]; }
  void meet(Fibers::Rendezvous& at) const { fibers_->meet(at); }

  // The next exchange but one writes here again, when all have passed the one between.
  const std::array<float, kWarp>& exchanged(float value) const {
    auto& values = warp().values[turn_];
    turn_ ^= 1U;
    values[place_.number % kWarp] = value;
    sync_warp();
    return values;
  }

  Place place_;
  EmulatedBlock* block_ = nullptr;
  Fibers* fibers_ = nullptr;
  Fibers::Rendezvous* everybody_ = nullptr;
  mutable std::uint32_t turn_ = 0;
};

/// Runs all threads of a layout: all blocks at the same time where these meet, else one after
/// another. Blocks and threads begin in an order that differs from call to call.
void run_threads(const Layout& layout, std::uint32_t block_threads,
                 const std::function<void(const EmulatedThread&)>& work);

/// Runs a kernel as launch.cu does on a device. Throws std::logic_error where a device would hang.
template <class Kernel>
void emulate(const Kernel& kernel) {
  run_threads(layout(kernel), kBlockThreads<Kernel>,
              [&](const EmulatedThread& thread) { work(thread, kernel); });
}

}  // namespace millrace::cuda::test
