#include "train/bad_ledger.h"

#include <gtest/gtest.h>

#include <vector>

#include "formats/error.h"

namespace millrace {
namespace {

std::vector<BadPlace> bad_ones(std::uint64_t first, std::uint64_t count) {
  std::vector<BadPlace> all;
  for (auto id = first; id < first + count; ++id) {
    all.push_back({0, {.id = id, .file = "a.bin", .offset = id, .reason = "a.bin: no good"}});
  }
  return all;
}

TEST(BadBudget, IsAShareRoundedUpOrANumber) {
  EXPECT_EQ(BadBudget{}.of(60'000), 60U);
  EXPECT_EQ(BadBudget{}.of(60'001), 61U);
  EXPECT_EQ(BadBudget{}.of(20), 1U);
  EXPECT_EQ((BadBudget{.share = 0.07, .count = {}}.of(100)), 7U);
  EXPECT_EQ((BadBudget{.share = 0.0, .count = {}}.of(100)), 0U);
  EXPECT_EQ((BadBudget{.share = 1.0, .count = {}}.of(100)), 100U);
  EXPECT_EQ((BadBudget{.share = 0.5, .count = 3}.of(100)), 3U);
}

TEST(BadLedger, TellsOfEachOnceAndCountsIt) {
  std::vector<std::uint64_t> told;
  BadLedger ledger("set", 1000, {.share = 0.0, .count = 5},
                   [&](const BadSample& bad) { told.push_back(bad.id); });
  ledger.report(bad_ones(7, 2));
  ledger.report(bad_ones(6, 3));
  EXPECT_EQ(told, (std::vector<std::uint64_t>{7, 8, 6}));
  EXPECT_EQ(ledger.count(), 3U);
  EXPECT_EQ(ledger.budget(), 5U);
}

TEST(BadLedger, EndsTheRunOverBudgetInOneLine) {
  std::size_t told = 0;
  BadLedger ledger("set", 1000, {.share = 0.0, .count = 4}, [&](const BadSample&) { ++told; });
  ledger.report(bad_ones(10, 4));
  try {
    ledger.report(bad_ones(20, 2));
    FAIL() << "expected an error";
  } catch (const DataError& error) {
    EXPECT_STREQ(error.what(),
                 "set: 6 of 1000 samples cannot be read, where the budget (--bad-budget) is 4: "
                 "sample 10 (a.bin: no good), sample 11 (a.bin: no good), sample 12 (a.bin: no "
                 "good), …");
  }
  EXPECT_EQ(told, 6U);
}

TEST(OnBad, NamesLeadBack) {
  for (const auto on_bad : {OnBad::kFail, OnBad::kSkip, OnBad::kSubstitute}) {
    EXPECT_EQ(on_bad_called(name_of(on_bad)), on_bad);
  }
  EXPECT_FALSE(on_bad_called("leave out"));
}

}  // namespace
}  // namespace millrace
