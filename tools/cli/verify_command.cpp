#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "formats/json_text.h"
#include "tools/cli/commands.h"
#include "tools/cli/verify.h"
#include "tools/console/command_line.h"
#include "tools/console/console.h"
#include "tools/console/label_column.h"
#include "tools/console/program.h"
#include "tools/console/stop_signals.h"
#include "tools/console/table_options.h"
#include "tools/console/task_option.h"
#include "tools/console/usage_error.h"

namespace millrace {
namespace {

nlohmann::ordered_json to_json(const Verification& found) {
  nlohmann::ordered_json json;
  json["ok"] = found.faults() == 0;
  for (const auto& file : found.files) {
    nlohmann::ordered_json entry{{"path", file.path.string()},
                                 {"form", file.form},
                                 {"samples", file.samples},
                                 {"frames", file.frames}};
    entry["faults"] = nlohmann::ordered_json::array();
    for (const auto& fault : file.faults) {
      nlohmann::ordered_json one{{"what", fault.what}};
      if (fault.samples.count > 0) {
        one["first_sample"] = fault.samples.first;
        one["samples"] = fault.samples.count;
      }
      entry["faults"].push_back(std::move(one));
    }
    entry["notes"] = file.notes;
    json["files"].push_back(std::move(entry));
  }
  return json;
}

void show_text(Console& console, const Verification& found) {
  for (const auto& file : found.files) {
    for (const auto& fault : file.faults) {
      console.line(file.path.string() + ": " + fault.what +
                   (fault.samples.count > 0 ? " (" + describe(fault.samples) + ")" : ""));
    }
    if (file.faults.empty()) {
      console.line(fmt::format("{}: sound, {} samples, {}{}", file.path.string(), file.samples,
                               file.form,
                               file.frames > 0 ? fmt::format(" of {} frames", file.frames) : ""));
    }
    for (const auto& note : file.notes) console.line(file.path.string() + ": note: " + note);
  }
}

}  // namespace

int verify_command(const std::vector<std::string>& arguments) {
  CommandLine line(
      "tools verify",
      "Reads the IDX files or shards of a folder, or one file, to the last byte: every\n"
      "checksum, count and label; of any other data set every sample. Names each bad\n"
      "frame and sample. The exit status is 1 if there is one.");
  std::string path;
  OpenOptions options;
  bool json = false;
  bool quiet = false;
  line.positional("PATH", "folder or file to check", path);
  declare_task(line, options.task);
  declare_label_column(line, options.label_column);
  declare_table(line, options.table);
  line.flag("--json", "print one JSON object in place of text", json);
  line.flag("--quiet", "print nothing but errors", quiet);
  line.help_flag();
  line.examples("Example:\n  tools verify data/mnist-zst");
  if (!line.parse(arguments)) return print(line.help());
  line.refuse_both("--json", "--quiet");
  if (path.empty()) throw UsageError("expected a folder or file to check, found none");

  Console console("tools verify", quiet);
  const StopSignals signals(StopSignals::First::kSetsFlag);
  const auto found = verify(
      path,
      [&](std::size_t done, std::size_t all) {
        console.progress({"Verifying",
                          static_cast<double>(done) / static_cast<double>(all),
                          {fmt::format("{} of {}", done, all)}});
        return !signals.flag().load();
      },
      options);
  console.clear_progress();
  if (signals.received() != 0) {
    console.warning(signals.text());
    return signals.status();
  }
  if (json) {
    console.line(json_line(to_json(found)));
  } else {
    show_text(console, found);
  }
  return found.faults() == 0 && console.output_error() == 0 ? kDone : kFailed;
}

}  // namespace millrace
