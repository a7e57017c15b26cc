#include "compute/memory.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>

namespace millrace {
namespace {

class CountingMemory : public HostMemory {
 public:
  std::byte* allocate(std::size_t bytes) override {
    ++live;
    return pageable_memory().allocate(bytes);
  }
  void deallocate(std::byte* data, std::size_t bytes) noexcept override {
    --live;
    freed += bytes;
    pageable_memory().deallocate(data, bytes);
  }
  int live = 0;
  std::size_t freed = 0;
};

TEST(PageableMemory, IsAlignedAndWritable) {
  for (const std::size_t bytes : {1U, 63U, 64U, 65U, 4097U, 5000000U}) {
    const HostBuffer buffer(pageable_memory(), bytes);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(buffer.data()) % 64, 0U);
    ASSERT_EQ(buffer.size(), bytes);
    EXPECT_EQ(buffer.bytes().size(), bytes);
    std::memset(buffer.data(), 0x5A, bytes);
    EXPECT_EQ(buffer.bytes().back(), std::byte{0x5A});
  }
}

TEST(HostBuffer, GivesBackWhatItTookOnce) {
  CountingMemory memory;
  {
    HostBuffer a(memory, 100);
    std::byte* const data = a.data();
    HostBuffer b(std::move(a));
    EXPECT_EQ(b.data(), data);
    EXPECT_EQ(b.size(), 100U);
    EXPECT_EQ(memory.live, 1);
    HostBuffer c(memory, 7);
    c = std::move(b);  // gives back 7
    EXPECT_EQ(c.data(), data);
    EXPECT_EQ(memory.live, 1);
    EXPECT_EQ(memory.freed, 7U);
  }
  EXPECT_EQ(memory.live, 0);
  EXPECT_EQ(memory.freed, 107U);
}

TEST(HostBuffer, IsEmptyByDefault) {
  const HostBuffer buffer;
  EXPECT_EQ(buffer.data(), nullptr);
  EXPECT_TRUE(buffer.bytes().empty());
}

}  // namespace
}  // namespace millrace
