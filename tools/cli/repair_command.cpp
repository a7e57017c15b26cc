#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "formats/json_text.h"
#include "tools/cli/commands.h"
#include "tools/cli/repair.h"
#include "tools/console/command_line.h"
#include "tools/console/console.h"
#include "tools/console/numbers.h"
#include "tools/console/program.h"
#include "tools/console/stop_signals.h"
#include "tools/console/task_option.h"
#include "tools/console/usage_error.h"

namespace millrace {
namespace {

constexpr std::uint32_t kMostJobs = 4096;

nlohmann::ordered_json to_json(const std::vector<RepairedFile>& files) {
  nlohmann::ordered_json json;
  for (const auto& file : files) {
    nlohmann::ordered_json entry{{"from", file.from.string()},
                                 {"to", file.to.string()},
                                 {"samples_before", file.samples_before},
                                 {"samples", file.samples}};
    entry["dropped"] = nlohmann::ordered_json::array();
    for (const auto& range : file.dropped) {
      entry["dropped"].push_back({{"first_sample", range.first}, {"samples", range.count}});
    }
    entry["faults"] = nlohmann::ordered_json::array();
    for (const auto& fault : file.faults) entry["faults"].push_back(fault.what);
    json["files"].push_back(std::move(entry));
  }
  return json;
}

void show_text(Console& console, const std::vector<RepairedFile>& files) {
  for (const auto& file : files) {
    for (const auto& fault : file.faults) console.line(file.from.string() + ": " + fault.what);
    std::string dropped;
    for (const auto& range : file.dropped) {
      dropped += (dropped.empty() ? "; dropped " : ", ") + describe(range);
    }
    if (file.to.empty()) {
      console.line(fmt::format("{}: nothing is left of {} samples", file.from.string(),
                               file.samples_before));
      continue;
    }
    console.line(fmt::format("{}: {} of {} samples{}", file.to.string(), file.samples,
                             file.samples_before, dropped));
  }
}

}  // namespace

int repair_command(const std::vector<std::string>& arguments) {
  RepairSpec spec;
  CommandLine line("tools repair",
                   "Writes damaged IDX files anew, as seekable zstd under their own names: a lost\n"
                   "seek table is rebuilt, and all samples of whole frames are kept. Images and\n"
                   "labels of a folder lose the same samples. A sharded set also gets a new\n"
                   "manifest.");
  std::string in;
  std::string out;
  bool json = false;
  bool quiet = false;
  line.positional("PATH", "folder of IDX files in any form, or one of them, or\nof shards", in);
  line.positional("OUT", "folder to write to, made where it is missing", out);
  declare_stored_task(line, spec.task);
  line.value("--jobs", "N|auto", "threads that compress [auto: all cores]",
             [&](const std::string& text) { spec.jobs = parse_whole_or_auto(text, kMostJobs); });
  line.flag("--force", "replace files that are there", spec.force);
  line.flag("--json", "print one JSON object in place of text", json);
  line.flag("--quiet", "print nothing but errors", quiet);
  line.help_flag();
  line.examples("Example:\n  tools repair data/broken data/mended");
  if (!line.parse(arguments)) return print(line.help());
  line.refuse_both("--json", "--quiet");
  if (in.empty()) throw UsageError("expected a folder or file to repair, found none");
  if (out.empty()) throw UsageError("expected a folder to write to, found none");
  spec.in = in;
  spec.out = out;

  Console console("tools repair", quiet);
  const StopSignals signals(StopSignals::First::kSetsFlag);
  const auto files = repair(spec, [&](std::size_t done, std::size_t all) {
    console.progress({"Repairing",
                      static_cast<double>(done) / static_cast<double>(all),
                      {fmt::format("{} of {} files", done, all)}});
    return !signals.flag().load();
  });
  console.clear_progress();
  if (files.empty()) {
    console.warning(signals.text() + "; nothing was written");
    return signals.status();
  }
  if (json) {
    console.line(json_line(to_json(files)));
  } else {
    show_text(console, files);
  }
  return console.output_error() == 0 ? kDone : kFailed;
}

}  // namespace millrace
