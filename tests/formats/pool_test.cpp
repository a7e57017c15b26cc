#include "formats/pool.h"

#include <gtest/gtest.h>

#include <optional>
#include <stdexcept>

namespace millrace {
namespace {

struct Counted {
  Counted() : number(++made) {
    if (number == fails_at) throw std::runtime_error("no decoder");
  }
  static inline int made = 0;
  static inline int fails_at = 0;
  int number;
};

class PoolTest : public ::testing::Test {
 protected:
  PoolTest() { Counted::made = Counted::fails_at = 0; }
  Pool<Counted> pool_;
};

TEST_F(PoolTest, MakesNoneWhereOneIsIdle) {
  for (int i = 0; i < 3; ++i) EXPECT_EQ(Pool<Counted>::Lease(pool_)->number, 1);
  {
    const Pool<Counted>::Lease first(pool_);
    const Pool<Counted>::Lease second(pool_);
    EXPECT_EQ(first->number, 1);
    EXPECT_EQ((*second).number, 2);
  }
  EXPECT_EQ(Counted::made, 2);
}

TEST_F(PoolTest, LendsTheOneThatCameBackLast) {
  std::optional<Pool<Counted>::Lease> first(std::in_place, pool_);
  std::optional<Pool<Counted>::Lease> second(std::in_place, pool_);
  second.reset();
  first.reset();
  EXPECT_EQ(Pool<Counted>::Lease(pool_)->number, 1);
}

TEST_F(PoolTest, GoesOnAfterOneThatCouldNotBeMade) {
  Counted::fails_at = 1;
  EXPECT_THROW(const Pool<Counted>::Lease lease(pool_), std::runtime_error);
  EXPECT_EQ(Pool<Counted>::Lease(pool_)->number, 2);
  EXPECT_EQ(Pool<Counted>::Lease(pool_)->number, 2);
}

}  // namespace
}  // namespace millrace
