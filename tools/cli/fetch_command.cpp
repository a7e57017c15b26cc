#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "formats/json_text.h"
#include "tools/cli/commands.h"
#include "tools/console/command_line.h"
#include "tools/console/console.h"
#include "tools/console/numbers.h"
#include "tools/console/program.h"
#include "tools/console/stop_signals.h"
#include "tools/console/usage_error.h"
#include "tools/fetch/fetch_on_console.h"

namespace millrace {
namespace {

constexpr std::uint64_t kMostRetries = 1000;
constexpr std::uint64_t kMostSeconds = 86'400;

struct FetchOptions {
  FetchSpec spec;
  bool json = false;
  bool quiet = false;
  std::string help;  ///< not empty: asked for
};

FetchOptions parse(const std::vector<std::string>& arguments) {
  FetchOptions options;
  FetchSpec& spec = options.spec;
  CommandLine line(
      "tools fetch",
      "Downloads mnist, fashion-mnist or kmnist from public mirrors, and checks each\n"
      "file's SHA-256. Files that are there, compressed or not, stay; a download that\n"
      "was broken off (NAME.part) goes on where it stopped. MILLRACE_SOURCES in the\n"
      "environment may name another table of data sets, in JSON: {\"NAME\": {\n"
      "\"mirrors\": [URL/...], \"files\": [{\"name\": ..., \"size\": ..., \"sha256\": ...,\n"
      "\"content_sha256\": ...}]}}, the last one, of what is in it, if it is known.");
  std::string name;
  line.positional("NAME", "mnist, fashion-mnist or kmnist", name);
  line.value("-o,--output", "DIR", "folder to write to, made where it is missing [NAME]",
             [&](const std::string& text) { spec.folder = parse_path(text); });
  line.value("--retries", "N", "rounds through the mirrors after the first [4]",
             [&](const std::string& text) {
               spec.retries = static_cast<unsigned>(parse_whole(text, 0, kMostRetries));
             });
  line.value("--stall", "SECONDS", "give a mirror up that sends next to nothing so long\n[20]",
             [&](const std::string& text) {
               spec.limits.stall_s = static_cast<long>(parse_whole(text, 1, kMostSeconds));
             });
  line.flag("--force", "replace files of other content", spec.force);
  line.flag("--json", "print one JSON object in place of text", options.json);
  line.flag("--quiet", "print nothing but errors and warnings", options.quiet);
  line.help_flag();
  line.examples(
      "Examples:\n"
      "  tools fetch mnist -o data/\n"
      "  tools fetch fashion-mnist -o fashion/ && trainer --data fashion/\n"
      "\n"
      "Exit status: 0 all files are there, 1 no mirror had a good one or one cannot be\n"
      "written, 2 usage, 130 or 143 stopped; the same command goes on.");
  if (!line.parse(arguments)) {
    options.help = line.help();
    return options;
  }
  line.refuse_both("--json", "--quiet");
  if (name.empty()) throw UsageError("expected the name of a data set, found none");
  spec.source = source_called(name, known_sources());
  if (spec.folder.empty()) spec.folder = name;
  return options;
}

nlohmann::ordered_json summary(const FetchSpec& spec, const FetchResult& result) {
  nlohmann::ordered_json json;
  json["name"] = spec.source.name;
  json["folder"] = spec.folder.string();
  for (const auto& file : result.files) {
    json["files"].push_back(
        {{"path", file.path.string()}, {"bytes", file.bytes}, {"was_there", file.was_there}});
  }
  return json;
}

}  // namespace

int fetch_command(const std::vector<std::string>& arguments) {
  const FetchOptions options = parse(arguments);
  if (!options.help.empty()) return print(options.help);

  Console console("tools fetch", options.quiet);
  const StopSignals signals(StopSignals::First::kSetsFlag);
  const FetchResult result = fetch_on_console(
      options.spec, [&] { return signals.flag().load(); }, console);
  if (result.stopped) {
    console.warning(signals.text() + "; the same command goes on where it was");
    return signals.status();
  }
  if (options.json) {
    console.line(json_line(summary(options.spec, result)));
  } else {
    for (const auto& file : result.files) {
      console.line(fmt::format("{}: {} bytes{}", file.path.string(), file.bytes,
                               file.was_there ? ", was there" : ""));
    }
  }
  return console.output_error() == 0 ? kDone : kFailed;
}

}  // namespace millrace
