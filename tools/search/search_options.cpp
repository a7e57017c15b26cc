#include "tools/search/search_options.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <optional>

#include "tools/console/command_line.h"
#include "tools/console/numbers.h"
#include "tools/console/output_paths.h"
#include "tools/console/quote.h"
#include "tools/console/usage_error.h"

namespace millrace {
namespace {

constexpr std::uint64_t kUsualTrials = 20;
constexpr std::uint64_t kMostTrials = 10'000;
constexpr std::uint64_t kMostRuns = 1'000'000;
constexpr std::uint64_t kAny = std::numeric_limits<std::uint64_t>::max();
constexpr std::uint32_t kMostAtOnce = 1024;
constexpr double kMostWhole = 0x1p53;  // up to which doubles are all whole numbers

constexpr const char* kDescription =
    "Trains with many combinations of options, as many at once as there are cores,\n"
    "ranks them by the best validation accuracy (or R²) of each, and trains with the\n"
    "best once more. Takes all options of the trainer besides.\n"
    "\n"
    "  lr=0.1/0.3/1      these values\n"
    "  dropout=0..0.5    drawn between these, both included\n"
    "  lr=0.01..1:log    drawn by their logarithm\n"
    "\n"
    "Of lists alone all combinations are tried, else --trials draws some.";

constexpr const char* kExamples =
    "Examples:\n"
    "  trainer search lr=0.1/0.3/1 hidden=32/64/128,64 --data data/ --epochs 5\n"
    "  trainer search lr=0.001..0.1:log dropout=0..0.5 --trials 100 \\\n"
    "    --optimizer adam --data data/ --journal search.jsonl --report best.html\n"
    "\n"
    "Exit status: that of the trainer.";

// What a trial may differ in: not its data, nor where it writes to.
void check_varied(const CommandLine& line, const Axis& axis) {
  const std::string name = "--" + axis.option;
  const std::string group = line.group_of(name);
  constexpr std::array<const char*, 2> kElsewhere{"--shuffle", "--precision"};
  constexpr std::array<const char*, 2> kNever{"--init", "--repeat"};
  const bool of_training =
      group == "Model" || group == "Training" || group.starts_with("Augmentation");
  const bool varied = (of_training && std::ranges::find(kNever, name) == kNever.end()) ||
                      std::ranges::find(kElsewhere, name) != kElsewhere.end();
  if (varied) return;
  throw UsageError(name +
                   ": expected an option of the model, of training or of augmentation to vary, "
                   "found one that all trials share");
}

// Whether it is a value of the option, whatever the others are.
void check_value(const std::string& option, const std::string& value) {
  CommandLine alone("trainer search", "");
  parse_beside(alone, {"--" + option, value});
}

bool takes_fractions(const std::string& option) {
  try {
    check_value(option, "0.5");
    return true;
  } catch (const UsageError&) {
    return false;
  }
}

void check_values(Axis& axis) {
  for (const std::string& value : axis.values) check_value(axis.option, value);
  if (!axis.range) return;
  ValueRange& range = *axis.range;
  range.whole = !takes_fractions(axis.option);
  const auto is_whole = [](double end) { return end == std::floor(end) && end <= kMostWhole; };
  if (range.whole && !(is_whole(range.low) && is_whole(range.high))) {
    throw UsageError(fmt::format("--{}: expected whole numbers up to {:.0f}, found {} to {}",
                                 axis.option, kMostWhole, range.low, range.high));
  }
  check_value(axis.option, value_text(range.low, range));
  check_value(axis.option, value_text(range.high, range));
}

[[noreturn]] void refuse_to_resume() {
  throw UsageError("--resume: expected --journal, by which a search goes on");
}

std::vector<Axis> read_axes(const CommandLine& line, const std::vector<std::string>& texts) {
  if (line.given("--resume")) refuse_to_resume();  // which may have taken what is to be tried
  if (texts.empty()) {
    throw UsageError("expected what to try, as lr=0.1/0.3 or lr=0.01..1:log, found nothing");
  }
  std::vector<Axis> axes;
  for (const std::string& text : texts) {
    axes.push_back(parse_axis(text));
    Axis& axis = axes.back();
    check_varied(line, axis);
    const auto same = [&](const Axis& other) { return other.option == axis.option; };
    if (std::ranges::count_if(axes, same) > 1) {
      throw UsageError("--" + axis.option + ": expected it once, found it twice");
    }
    if (line.given("--" + axis.option)) {
      throw UsageError("--" + axis.option + ": expected it to be varied or given, found both");
    }
    check_values(axis);
  }
  return axes;
}

std::vector<Combination> combine(std::span<const Axis> axes, std::optional<std::uint64_t> number,
                                 std::uint64_t seed) {
  const auto all = combinations(axes);
  const bool listed =
      std::ranges::none_of(axes, [](const Axis& axis) { return axis.range.has_value(); });
  if (!number && !listed) number = kUsualTrials;
  if (!number && all.value_or(kAny) > kMostTrials) {
    throw UsageError(
        fmt::format("expected at most {} combinations, or --trials to try some, found {}",
                    kMostTrials, all ? std::to_string(*all) : "more than 2^62"));
  }
  return trials(axes, number, seed);
}

void append(std::vector<std::string>& words, std::span<const Axis> axes,
            const Combination& values) {
  for (std::size_t i = 0; i < axes.size(); ++i) {
    words.push_back("--" + axes[i].option);
    words.push_back(values[i]);
  }
}

void check(const Options& options) {
  if (options.action != Options::Action::kTrain) return;
  if (options.validation_size == std::uint64_t{0}) {
    throw UsageError("--val-size: expected validation samples to judge trials by, found 0");
  }
  if (options.run.epochs == 0) {
    throw UsageError("--epochs: expected at least 1 to judge trials by, found 0");
  }
  if (options.run.resume) refuse_to_resume();  // in a config file
}

// Fills in the trials, those of `combinations` that can be.
void add_trials(SearchOptions& search, std::vector<Combination> combinations,
                const std::vector<std::string>& words) {
  const std::size_t all = combinations.size();
  std::string first;  // why one was left out
  std::string error;
  for (Combination& values : combinations) {
    std::vector<std::string> arguments = words;
    append(arguments, search.axes, values);
    try {
      Options options = parse_options(arguments);
      check(options);
      search.options.push_back(std::move(options));
      search.trials.push_back({search.trials.size() + 1, std::move(values), {}});
    } catch (const UsageError& refused) {
      if (!error.empty()) continue;
      error = refused.what();
      first = describe(search.axes, values);
    }
  }
  if (search.trials.empty()) throw UsageError(error);
  if (search.trials.size() == all) return;
  search.notes.push_back(fmt::format("{} of {} combinations cannot be, and are left out: {} ({})",
                                     all - search.trials.size(), all, first, error));
}

void check_number(const SearchOptions& search) {
  const std::uint64_t runs = search.options.front().repeat;
  if (search.trials.size() <= kMostRuns / runs) return;
  throw UsageError(fmt::format("expected at most {} runs, found {} trials of {}", kMostRuns,
                               search.trials.size(), runs));
}

}  // namespace

std::vector<std::string> SearchOptions::command(const Trial& trial) const {
  std::vector<std::string> all{"trainer"};
  all.insert(all.end(), words.begin(), words.end());
  append(all, axes, trial.values);
  // Those of a config file are still there.
  const auto& given = options.front().given;
  if (given.contains("--folds") && given.contains("--config")) {
    all.insert(all.end(), {"--folds", "1"});
  }
  return all;
}

Options SearchOptions::refit_options(const Trial& trial) const {
  const std::vector<std::string> all = command(trial);
  return parse_options({all.begin() + 1, all.end()});
}

std::string describe(std::span<const Axis> axes, const Combination& values) {
  std::string text;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    text += fmt::format("{}{}={}", i == 0 ? "" : " ", axes[i].option, values[i]);
  }
  return one_line(text);
}

SearchOptions parse_search(const std::vector<std::string>& arguments) {
  SearchOptions search;
  std::vector<std::string> texts;
  std::optional<std::uint64_t> number;
  std::uint64_t seed = 0;
  CommandLine line("trainer search", kDescription);
  line.positionals("OPTION=VALUES", "what to try for an option", texts);
  line.group("Search");
  line.value(
      "--trials", "N",
      fmt::format("how many combinations to draw [all there are; {}\nwhere there is a range]",
                  kUsualTrials),
      [&](const std::string& t) { number = parse_whole(t, 1, kMostTrials); });
  line.value("--search-seed", "N", "of what is drawn [0]",
             [&](const std::string& t) { seed = parse_whole(t, 0, kAny); });
  line.value("--halving", "N",
             "give up what is behind: of all trials after a few\nepochs, one in N goes on, to N "
             "times as many, and\nso on up to --epochs; 3 is usual [none is given up]",
             [&](const std::string& t) { search.halving = parse_whole(t, 2, kMostTrials); });
  line.value("--parallel", "N|auto",
             "trials at once [auto: one for --threads cores, or\nfor a core; on a GPU one]",
             [&](const std::string& t) { search.parallel = parse_whole_or_auto(t, kMostAtOnce); });
  line.value("--journal", "FILE",
             "a JSON line for each run that has ended. What it\nhas already is not run again: so a "
             "search goes on,\nor tries more",
             [&](const std::string& t) { search.journal = parse_path(t); });
  line.value("--refit", "on|off",
             "train with the best once more, with the test and\nall files that are asked for [on]",
             [&](const std::string& t) { search.refit = parse_switch(t); });
  line.examples(kExamples);
  if (!parse_beside(line, arguments)) {
    search.help = line.help();
    return search;
  }
  search.axes = read_axes(line, texts);
  const auto of_epochs = [](const Axis& axis) { return axis.option == "epochs"; };
  if (search.halving != 0 && std::ranges::any_of(search.axes, of_epochs)) {
    throw UsageError("--halving: expected one number of --epochs, found epochs=…");
  }
  // A report and a trace are of the run that follows.
  std::vector<std::string> own{"--trials",  "--search-seed", "--halving", "--parallel",
                               "--journal", "--refit",       "--report",  "--trace"};
  const std::vector<std::string> words = line.words_without(own);
  own.resize(own.size() - 2);
  own.emplace_back("--folds");
  search.words = line.words_without(own);
  std::vector<Combination> combinations = combine(search.axes, number, seed);
  if (number && combinations.size() < *number) {
    search.notes.push_back(fmt::format("there are {} combinations, fewer than --trials {}",
                                       combinations.size(), *number));
  }
  add_trials(search, std::move(combinations), words);
  check_number(search);
  if (search.refit) search.refit_options(search.trials.front());
  const Options& any = search.options.front();
  check_output_paths({{"--journal", search.journal, R"({"search")"},
                      {"--metrics", any.metrics},
                      {"--report", any.report},
                      {"--trace", any.trace},
                      {"--quarantine", any.quarantine}},
                     {{"--data", any.data}, {"--init", any.run.init}});
  return search;
}

}  // namespace millrace
