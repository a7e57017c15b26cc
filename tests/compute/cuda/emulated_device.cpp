#include "tests/compute/cuda/emulated_device.h"

#include <algorithm>
#include <random>

namespace millrace::cuda::test {

void* EmulatedBlock::shared(const void* key, std::size_t bytes) {
  const Fibers::Unseen unseen;
  auto [found, is_new] = shared_.try_emplace(key);
  // All ones is a NaN of any size.
  if (is_new) found->second.assign(bytes, 0xFF);
  return found->second.data();
}

void run_threads(const Layout& layout, std::uint32_t block_threads,
                 const std::function<void(const EmulatedThread&)>& work) {
  static Fibers fibers;
  static std::minstd_rand random(11);
  if (layout.x * layout.y != block_threads) {
    throw std::logic_error("a block's threads are not as many as the kernel is compiled for");
  }
  std::vector<std::uint32_t> order(layout.blocks);
  std::iota(order.begin(), order.end(), 0U);
  std::shuffle(order.begin(), order.end(), random);
  const auto place = [&](std::uint32_t block, std::uint32_t number) {
    return EmulatedThread::Place{number, layout.x, block, layout.blocks};
  };
  switch (layout.meeting) {
    case Meeting::kNobody:
      for (const std::uint32_t b : order) {
        for (std::uint32_t i = 0; i < block_threads; ++i) work(EmulatedThread(place(b, i)));
      }
      return;
    case Meeting::kBlock:
      for (const std::uint32_t b : order) {
        EmulatedBlock block(block_threads, layout.memory);
        fibers.run(block_threads, [&](std::uint32_t i) {
          work(EmulatedThread(place(b, i), block, fibers, nullptr));
        });
      }
      return;
    case Meeting::kAll: {
      std::vector<std::unique_ptr<EmulatedBlock>> blocks;
      for (std::uint32_t b = 0; b < layout.blocks; ++b) {
        blocks.push_back(std::make_unique<EmulatedBlock>(block_threads, layout.memory));
      }
      Fibers::Rendezvous everybody(layout.blocks * block_threads);
      fibers.run(layout.blocks * block_threads, [&](std::uint32_t i) {
        const std::uint32_t b = i / block_threads;
        work(EmulatedThread(place(b, i % block_threads), *blocks[b], fibers, &everybody));
      });
      return;
    }
  }
}

}  // namespace millrace::cuda::test
