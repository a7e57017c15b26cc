#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "loader/bad_sample.h"
#include "tools/console/command_line.h"
#include "tools/console/console.h"
#include "tools/trainer/quarantine_observer.h"
#include "train/bad_ledger.h"

namespace millrace {

/// What --on-bad, --bad-budget and --quarantine say.
struct BadArguments {
  OnBad on_bad = OnBad::kFail;
  BadBudget budget;
  std::filesystem::path quarantine;  ///< empty: none
};

/// "fail", "skip" or "substitute"; and a share of the samples, or a number of them. Both throw
/// UsageError with "expected …, found …".
OnBad parse_on_bad(const std::string& text);
BadBudget parse_bad_budget(const std::string& text);

/// Declares the three for a command that looks at each of `what` ("samples", "images") once, and so
/// leaves bad ones out, with skip as with substitute. `arguments` outlives `line`.
void declare_leaving_out(CommandLine& line, const std::string& what, BadArguments& arguments);

/// Throws UsageError for a budget or a file where the first bad sample is an error.
void check_bad_options(CommandLine& line, OnBad on_bad);

/// Warns of the first few bad samples, and then once that there are more.
class BadWarnings {
 public:
  /// `console` outlives it.
  explicit BadWarnings(Console& console) : console_(console) {}

  /// Where all of them are named.
  void set_quarantine(std::filesystem::path path) { quarantine_ = std::move(path); }
  const std::filesystem::path& quarantine() const noexcept { return quarantine_; }
  void tell(const BadSample& sample);

 private:
  Console& console_;
  std::filesystem::path quarantine_;
  std::uint64_t told_ = 0;
};

/// Warns of bad samples, and names them in the quarantine file where there is one.
class BadReports {
 public:
  /// Makes the file. Throws DataError if it cannot be written. `console` outlives it.
  BadReports(const BadArguments& arguments, Console& console);

  void tell(const std::string& dataset, const BadSample& sample);
  /// Whether the file lacks some of them.
  bool failed() const noexcept { return quarantine_ && quarantine_->failed(); }

 private:
  BadWarnings warnings_;
  std::optional<QuarantineObserver> quarantine_;
};

}  // namespace millrace
