#include "tools/trainer/bad_options.h"

#include <fmt/format.h>

#include <charconv>
#include <limits>
#include <system_error>

#include "tools/console/numbers.h"
#include "tools/console/usage_error.h"

namespace millrace {

OnBad parse_on_bad(const std::string& text) {
  if (const auto on_bad = on_bad_called(text)) return *on_bad;
  throw UsageError("expected fail, skip or substitute, found " + shown(text));
}

// Below 1 a share, else a number of samples.
BadBudget parse_bad_budget(const std::string& text) {
  BadBudget budget;
  if (text.find_first_not_of("0123456789") == std::string::npos && !text.empty()) {
    budget.count = parse_whole(text, 0, std::numeric_limits<std::uint64_t>::max());
    return budget;
  }
  const char* end = text.data() + text.size();
  const auto [last, error] = std::from_chars(text.data(), end, budget.share);
  if (error != std::errc() || last != end || !(budget.share >= 0.0 && budget.share < 1.0)) {
    throw UsageError("expected a share below 1 or a whole number of samples, found " + shown(text));
  }
  return budget;
}

void declare_leaving_out(CommandLine& line, const std::string& what, BadArguments& arguments) {
  line.value(
      "--on-bad", "HOW",
      fmt::format(
          "{} that cannot be read: fail (an error),\nskip or substitute (both: left out) [fail]",
          what),
      [&arguments](const std::string& t) { arguments.on_bad = parse_on_bad(t); });
  line.value(
      "--bad-budget", "X",
      fmt::format("more of them are an error: a share of the {},\nor a number [0.001]", what),
      [&arguments](const std::string& t) { arguments.budget = parse_bad_budget(t); });
  line.value("--quarantine", "FILE", "append a JSON line for each of them [none]",
             [&arguments](const std::string& t) { arguments.quarantine = parse_path(t); });
}

void check_bad_options(CommandLine& line, OnBad on_bad) {
  if (on_bad != OnBad::kFail) return;
  for (const char* name : {"--bad-budget", "--quarantine"}) {
    line.refuse_idle(name, "--on-bad", "--on-bad skip or substitute with it", "fail");
  }
}

void BadWarnings::tell(const BadSample& sample) {
  constexpr std::uint64_t kTold = 5;
  ++told_;
  if (told_ <= kTold) {
    console_.warning(fmt::format("bad sample {}: {}", sample.id, sample.reason));
  } else if (told_ == kTold + 1) {
    console_.warning("further bad samples are counted" +
                     (quarantine_.empty() ? std::string("; --quarantine FILE names them")
                                          : ", and named in " + quarantine_.string()));
  }
}

BadReports::BadReports(const BadArguments& arguments, Console& console) : warnings_(console) {
  if (arguments.quarantine.empty()) return;
  quarantine_.emplace(arguments.quarantine, console);
  quarantine_->open();
  warnings_.set_quarantine(arguments.quarantine);
}

void BadReports::tell(const std::string& dataset, const BadSample& sample) {
  warnings_.tell(sample);
  if (quarantine_) quarantine_->on_bad_sample(dataset, sample);
}

}  // namespace millrace
