#include "train/confusion.h"

#include <gtest/gtest.h>

#include <stdexcept>
#include <vector>

namespace millrace {
namespace {

// Truth 0: 3 right, 1 taken for 2. Truth 1: never right, 2 taken for 2. Truth 2: 4 right. No
// truth 3.
Confusion sample() {
  Confusion confusion(4);
  for (int i = 0; i < 3; ++i) confusion.add(0, 0);
  confusion.add(0, 2);
  for (int i = 0; i < 2; ++i) confusion.add(1, 2);
  for (int i = 0; i < 4; ++i) confusion.add(2, 2);
  return confusion;
}

TEST(Confusion, CountsTruthAndGuess) {
  const Confusion c = sample();
  EXPECT_EQ(c.total(), 10U);
  EXPECT_EQ(c.correct(), 7U);
  EXPECT_EQ(c.count(0, 2), 1U);
  EXPECT_EQ(c.count(2, 0), 0U);
  EXPECT_EQ(c.samples(1), 2U);
  EXPECT_EQ(c.guesses(2), 7U);
}

TEST(Confusion, KnowsPrecisionRecallAndF1) {
  const Confusion c = sample();
  EXPECT_EQ(c.precision(0), 1.0);
  EXPECT_EQ(c.recall(0), 0.75);
  EXPECT_EQ(c.f1(0), 6.0 / 7.0);
  EXPECT_EQ(c.precision(2), 4.0 / 7.0);
  EXPECT_EQ(c.recall(2), 1.0);
}

TEST(Confusion, SaysNothingOfWhatThereIsNothingOf) {
  const Confusion c = sample();
  EXPECT_FALSE(c.precision(1));  // never guessed
  EXPECT_EQ(c.recall(1), 0.0);
  EXPECT_EQ(c.f1(1), 0.0);
  EXPECT_FALSE(c.precision(3));
  EXPECT_FALSE(c.recall(3));
  EXPECT_FALSE(c.f1(3));
}

TEST(Confusion, OrdersMistakes) {
  const auto worst = sample().worst(5);
  ASSERT_EQ(worst.size(), 2U);
  EXPECT_EQ(worst[0].truth, 1U);
  EXPECT_EQ(worst[0].guess, 2U);
  EXPECT_EQ(worst[0].count, 2U);
  EXPECT_EQ(worst[1].truth, 0U);
  EXPECT_EQ(sample().worst(1).size(), 1U);
}

TEST(Confusion, PicksTheWorstClassesWhereNotAllAreWanted) {
  using Labels = std::vector<std::uint32_t>;
  EXPECT_EQ(sample().worst_classes(4), (Labels{0, 1, 2, 3}));
  EXPECT_EQ(sample().worst_classes(3), (Labels{1, 2, 0})) << "of class 3 nothing can be said";
  Confusion never_right(4);
  never_right.add(1, 0);
  for (int i = 0; i < 2; ++i) never_right.add(2, 0);
  never_right.add(3, 0);
  EXPECT_EQ(never_right.worst_classes(3), (Labels{2, 1, 3})) << "more samples are worse";
}

TEST(Confusion, HasNoTableForManyClasses) {
  Confusion c(Confusion::kMostTabled + 1);
  c.add(1024, 1024);
  c.add(3, 1024);
  EXPECT_FALSE(c.tabled());
  EXPECT_EQ(c.precision(1024), 0.5);
  EXPECT_TRUE(Confusion(Confusion::kMostTabled).tabled());
}

TEST(Confusion, CallsClassesByNameOrNumber) {
  EXPECT_EQ(Confusion(2).name(1), "1");
  const Confusion trees(2, {"ash", "elm"});
  EXPECT_TRUE(trees.named());
  EXPECT_EQ(trees.name(1), "elm");
  EXPECT_THROW(Confusion(3, {"ash", "elm"}), std::invalid_argument);
}

TEST(Confusion, RefusesWhatIsNoClass) {
  Confusion c(4);
  EXPECT_THROW(c.add(4, 0), std::out_of_range);
  EXPECT_THROW(c.add(0, -1), std::out_of_range);
  EXPECT_EQ(c.total(), 0U);
}

}  // namespace
}  // namespace millrace
