#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "loader/bad_sample.h"
#include "tools/console/command_line.h"
#include "tools/console/console.h"
#include "train/bad_ledger.h"

namespace millrace {

/// What --on-bad, --bad-budget and --quarantine say.
struct BadArguments {
  OnBad on_bad = OnBad::kFail;
  BadBudget budget;
  std::filesystem::path quarantine;  ///< empty: none

  /// Throws UsageError for a budget or a file where the first bad sample is an error.
  void check() const;
};

/// "fail", "skip" or "substitute"; and a share of the samples, or a number of them. Both throw
/// UsageError with "expected …, found …".
OnBad parse_on_bad(const std::string& text);
BadBudget parse_bad_budget(const std::string& text);

/// Declares the three for a command that looks at each of `what` ("samples", "images") once, and so
/// leaves bad ones out, with skip as with substitute. `arguments` outlives `line`.
void declare_leaving_out(CommandLine& line, const std::string& what, BadArguments& arguments);

/// Warns of the first few bad samples, and then once that there are more.
class BadWarnings {
 public:
  /// `console` outlives it.
  explicit BadWarnings(Console& console) : console_(console) {}

  /// Where all of them are named.
  void set_quarantine(std::filesystem::path path) { quarantine_ = std::move(path); }
  void tell(const BadSample& sample);

 private:
  Console& console_;
  std::filesystem::path quarantine_;
  std::uint64_t told_ = 0;
};

}  // namespace millrace
