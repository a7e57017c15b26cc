#include "tools/trainer/bad_options.h"

#include <gtest/gtest.h>

#include "tests/tools/usage_error.h"

namespace millrace {
namespace {

using test::usage_error_of;

BadArguments parse(const std::vector<std::string>& words) {
  CommandLine line("x", "");
  BadArguments arguments;
  declare_leaving_out(line, "samples", arguments);
  line.parse(words);
  check_bad_options(line, arguments.on_bad);
  return arguments;
}

TEST(BadArguments, ComeFromTheCommandLine) {
  const BadArguments none = parse({});
  EXPECT_EQ(none.on_bad, OnBad::kFail);
  EXPECT_EQ(none.budget, BadBudget{});
  EXPECT_TRUE(none.quarantine.empty());
  const auto all = parse({"--on-bad", "skip", "--bad-budget", "0.25", "--quarantine", "q.jsonl"});
  EXPECT_EQ(all.on_bad, OnBad::kSkip);
  EXPECT_EQ(all.budget.of(1000), 250U);
  EXPECT_EQ(all.quarantine, "q.jsonl");
  EXPECT_EQ(parse({"--on-bad", "substitute", "--bad-budget", "7"}).budget.of(1000), 7U);
}

TEST(BadArguments, GoTogether) {
  EXPECT_EQ(usage_error_of([] {
              parse({"--bad-budget", "2"});
            }),
            "--bad-budget: expected --on-bad skip or substitute with it, found fail");
  EXPECT_EQ(usage_error_of([] {
              parse({"--quarantine", "q", "--on-bad", "fail"});
            }),
            "--quarantine: expected --on-bad skip or substitute with it, found fail");
  EXPECT_EQ(usage_error_of([] {
              parse({"--quarantine", ""});
            }),
            "--quarantine: expected a path, found ''");
}

TEST(BadArguments, AreRefused) {
  EXPECT_EQ(usage_error_of([] { parse_on_bad("leave out"); }),
            "expected fail, skip or substitute, found 'leave out'");
  for (const auto* text : {"", "1.0", "-1", "x", "0.5x", "nan"}) {
    const auto error = usage_error_of([&] { parse_bad_budget(text); });
    EXPECT_TRUE(error.starts_with("expected a share below 1 or a whole number of samples, found "))
        << error;
  }
}

TEST(BadWarnings, TellOfTheFirstFew) {
  Console console("x", false);
  BadWarnings warnings(console);
  warnings.set_quarantine("q.jsonl");
  testing::internal::CaptureStderr();
  for (std::uint64_t i = 0; i < 9; ++i)
    warnings.tell({.id = i, .file = {}, .offset = {}, .reason = "torn"});
  const std::string told = testing::internal::GetCapturedStderr();
  EXPECT_NE(told.find("bad sample 4: torn"), std::string::npos) << told;
  EXPECT_EQ(told.find("bad sample 5"), std::string::npos) << told;
  EXPECT_NE(told.find("further bad samples are counted, and named in q.jsonl"), std::string::npos);
}

}  // namespace
}  // namespace millrace
