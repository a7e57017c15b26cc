#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "formats/error.h"
#include "tools/console/console.h"
#include "tools/console/program.h"
#include "tools/console/quote.h"
#include "tools/console/stop_signals.h"
#include "tools/console/version.h"
#include "tools/search/progress.h"
#include "tools/search/search_options.h"
#include "tools/search/search_section.h"
#include "tools/search/trial_runs.h"
#include "tools/trainer/commands.h"
#include "tools/trainer/download.h"
#include "tools/trainer/run.h"
#include "tools/trainer/run_data.h"

namespace millrace {
namespace {

constexpr std::size_t kShown = 10;  // lines of the ranking

void tell_plan(const SearchOptions& search, const DataFolder& data, Console& console) {
  console.line(one_line("Data: " + data.description));
  std::string axes;
  for (const Axis& axis : search.axes) axes += (axes.empty() ? "" : "; ") + describe(axis);
  const Options& any = search.options.front();
  console.line(one_line(fmt::format(
      "Search: {}{}, {}", plural(search.trials.size(), "trial"),
      any.repeat == 1
          ? ""
          : fmt::format(" of {} {}", any.repeat, any.run.fold.count != 0 ? "folds" : "seeds"),
      axes)));
}

void tell_ranking(const SearchOptions& search, const TrialRuns& runs,
                  const std::vector<Trial>& best_first, Console& console) {
  std::string line = fmt::format("Searched: {}", plural(runs.runs, "run"));
  if (runs.runs > 0)
    line += fmt::format(" in {:.2f} s, {} at once", runs.seconds, runs.shares.at_once);
  if (runs.from_journal > 0) line += fmt::format("; {} from the journal", runs.from_journal);
  console.line(line);
  for (const std::string& row : ranking(best_first, search.axes, score_name(search.options[0].task),
                                        kShown, runs.rungs > 1)) {
    console.line(row);
  }
  if (best_first.size() > kShown) {
    console.line(fmt::format("… and {} more", best_first.size() - kShown));
  }
}

int tell_stopped(const SearchOptions& search, const TrialRuns& runs, const StopSignals& signals,
                 const std::vector<std::string>& arguments, Console& console) {
  console.error(fmt::format("{}; {} of {} runs are done", signals.text(),
                            runs.from_journal + runs.runs, runs.wanted));
  if (search.journal.empty()) {
    console.error("nothing was saved, for there is no --journal");
  } else {
    std::vector<std::string> command{"trainer", "search"};
    command.insert(command.end(), arguments.begin(), arguments.end());
    console.error("to go on: " + shell_command(command));
  }
  return signals.status();
}

// What the search found, trained by itself.
int refit(const SearchOptions& search, const TrialRuns& runs, const std::vector<Trial>& best_first,
          const DataFolder& data, Console& console) {
  const Trial& best = best_first.front();
  const Options options = search.refit_options(best);
  for (const std::string& note : options.notes) console.notice(note);
  const bool whole = best.rung + 1 == runs.rungs;  // it had all its epochs
  RunContext context{data, render_search(best_first, search.axes, score_name(options.task)), {}};
  context.ended = [&](const RunSpec& spec, const RunResult& result) {
    const auto same = [named = named_run(spec)](const TrialRun& run) {
      return run.seed == named.seed && run.fold == named.fold;
    };
    const auto run = std::ranges::find_if(best.runs, same);
    if (!whole || run == best.runs.end() || run->weights_hash == result.weights_hash) return;
    console.warning("the trial ended in other weights, " + run->weights_hash +
                    ": what is in the journal is of another machine or program");
  };
  return run_in(context, options, search.command(best), console);
}

}  // namespace

int search_command(const std::vector<std::string>& arguments) {
  const SearchOptions search = parse_search(arguments);
  if (!search.help.empty()) return print(search.help);
  const Options& any = search.options.front();
  if (any.action == Options::Action::kVersion) return print(version_text("trainer"));
  Console console("trainer search", any.quiet);
  for (const std::string& note : search.notes) console.notice(note);
  // What it could not do should not be found out after hours.
  if (search.refit) check_run(search.refit_options(search.trials.front()), console);
  download(any, console);
  const DataFolder data = open_data(any);
  tell_plan(search, data, console);

  std::optional<StopSignals> signals(std::in_place, StopSignals::First::kSetsFlag,
                                     "trainer search");
  SearchProgress progress(console, search.axes, score_name(any.task));
  const TrialRuns runs = run_trials(search, data, progress, [&] { return signals->flag().load(); });
  progress.clear();
  const std::vector<Trial> best_first = ranked(runs.trials);
  if (!best_first.empty()) tell_ranking(search, runs, best_first, console);
  if (signals->received() != 0) return tell_stopped(search, runs, *signals, arguments, console);
  signals.reset();  // whoever trains has signals of its own

  const Trial& best = best_first.front();
  if (best.diverged()) {
    const auto why =
        std::ranges::find_if(best.runs, [](const TrialRun& run) { return !run.diverged.empty(); });
    console.error("all trials diverged: " + why->diverged);
    return kDiverged;
  }
  console.line("Best: " + shell_command(search.command(best)));
  const int status = search.refit ? refit(search, runs, best_first, data, console) : kDone;
  return status == kDone && (runs.journal_lost || console.output_error() != 0) ? kFailed : status;
}

}  // namespace millrace
