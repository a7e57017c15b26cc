#include <fmt/format.h>

#include <chrono>
#include <limits>
#include <nlohmann/json.hpp>

#include "formats/json_text.h"
#include "tools/cli/commands.h"
#include "tools/cli/synth.h"
#include "tools/console/command_line.h"
#include "tools/console/console.h"
#include "tools/console/numbers.h"
#include "tools/console/program.h"
#include "tools/console/stop_signals.h"
#include "tools/console/usage_error.h"

namespace millrace {
namespace {

constexpr std::uint32_t kMostImages = std::numeric_limits<std::uint32_t>::max();
constexpr std::uint32_t kMostJobs = 4096;

struct SynthOptions {
  SynthSpec spec;
  bool json = false;
  bool quiet = false;
  std::string help;  ///< not empty: asked for
};

SynthOptions parse(const std::vector<std::string>& arguments) {
  SynthOptions options;
  SynthSpec& spec = options.spec;
  CommandLine line("tools synth",
                   "Draws handwritten-like digits, 28x28 pixels, and writes them as IDX files of\n"
                   "MNIST's names. An image depends on its place and the seed alone.");
  std::string folder;
  line.positional("OUT", "folder to write to, made where it is missing", folder);
  line.value("--count", "N", "training images [60000]", [&](const std::string& text) {
    spec.train = static_cast<std::uint32_t>(parse_whole(text, 1, kMostImages));
  });
  line.value("--test-count", "N", "test images, 0 for no test files [10000]",
             [&](const std::string& text) {
               spec.test = static_cast<std::uint32_t>(parse_whole(text, 0, kMostImages));
             });
  line.value("--seed", "N", "another seed draws other images [0]", [&](const std::string& text) {
    spec.seed = parse_whole(text, 0, std::numeric_limits<std::uint64_t>::max());
  });
  line.value("--jobs", "N|auto", "threads [auto: all cores]",
             [&](const std::string& text) { spec.jobs = parse_whole_or_auto(text, kMostJobs); });
  line.flag("--force", "replace files that are there", spec.force);
  line.flag("--json", "print one JSON object in place of text", options.json);
  line.flag("--quiet", "print nothing but errors", options.quiet);
  line.help_flag();
  line.examples("Example:\n  tools synth data/ --count 1000000 --seed 7");
  if (!line.parse(arguments)) {
    options.help = line.help();
    return options;
  }
  line.refuse_both("--json", "--quiet");
  if (folder.empty()) throw UsageError("expected a folder to write to, found none");
  spec.folder = folder;
  return options;
}

nlohmann::ordered_json summary(const SynthSpec& spec,
                               const std::vector<std::filesystem::path>& files, double seconds) {
  nlohmann::ordered_json json;
  json["folder"] = spec.folder.string();
  json["train"] = spec.train;
  json["test"] = spec.test;
  json["seed"] = spec.seed;
  json["seconds"] = seconds;
  for (const auto& file : files) json["files"].push_back(file.string());
  return json;
}

}  // namespace

int synth_command(const std::vector<std::string>& arguments) {
  const SynthOptions options = parse(arguments);
  if (!options.help.empty()) return print(options.help);

  Console console("tools synth", options.quiet);
  const StopSignals signals(StopSignals::First::kSetsFlag);
  const auto start = std::chrono::steady_clock::now();
  const auto elapsed = [&] {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  };
  const auto all = static_cast<double>(options.spec.train) + options.spec.test;
  double shown_at = 0.0;
  const auto files = draw_data_set(options.spec, [&](std::uint64_t done) {
    constexpr double kRedraw = 0.05;
    const double now = elapsed();
    if (now - shown_at >= kRedraw) {
      shown_at = now;
      const double share = static_cast<double>(done) / all;
      console.progress({"Drawing",
                        share,
                        {render_duration(now * (1.0 - share) / share) + " left",
                         render_count(static_cast<double>(done) / now) + " images/s"}});
    }
    return !signals.flag().load();
  });
  console.clear_progress();
  if (files.empty()) {
    console.warning(signals.text() + "; nothing was written");
    return signals.status();
  }
  if (options.json) {
    console.line(json_line(summary(options.spec, files, elapsed())));
  } else {
    for (const auto& file : files) console.line(file.string());
    console.line(fmt::format("{} training and {} test images in {:.2f} s", options.spec.train,
                             options.spec.test, elapsed()));
  }
  return console.output_error() == 0 ? kDone : kFailed;
}

}  // namespace millrace
