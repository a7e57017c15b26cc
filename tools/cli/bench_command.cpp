#include <nlohmann/json.hpp>
#include <string>

#include "formats/json_text.h"
#include "tools/cli/bench.h"
#include "tools/cli/commands.h"
#include "tools/console/augment_options.h"
#include "tools/console/command_line.h"
#include "tools/console/console.h"
#include "tools/console/image_options.h"
#include "tools/console/label_column.h"
#include "tools/console/numbers.h"
#include "tools/console/program.h"
#include "tools/console/stop_signals.h"
#include "tools/console/table_options.h"
#include "tools/console/task_option.h"
#include "tools/console/usage_error.h"
#include "tools/trainer/device_options.h"

namespace millrace {
namespace {

constexpr std::uint64_t kMostBatch = std::uint64_t{1} << 24U;
constexpr float kLongest = 3600.0F;

double parse_seconds(const std::string& text) {
  const float seconds = parse_rate(text);
  if (!(seconds > 0.0F && seconds <= kLongest)) {
    throw UsageError("expected seconds above 0 and up to 3600, found " + shown(text));
  }
  return double{seconds};
}

}  // namespace

int bench_command(const std::vector<std::string>& arguments) {
  CommandLine line("tools bench",
                   "Measures how fast a data set loads here, stage by stage: files from disk and\n"
                   "from the page cache, decoding, chunks of random samples as training's loader\n"
                   "makes them, distortion; with one worker and with all. Says what bounds it.");
  std::string path;
  BenchSpec spec;
  ImageArguments images;
  bool json = false;
  bool quiet = false;
  line.positional("PATH", "data folder or file, whatever trainer --data takes", path);
  declare_images(line, images);
  declare_stored_task(line, spec.task);
  declare_label_column(line, spec.label_column);
  declare_table(line, spec.table);
  line.value("--seconds", "N", "of each measurement [1]",
             [&](const std::string& text) { spec.seconds = parse_seconds(text); });
  line.value("--batch", "N", "samples of a batch [128]", [&](const std::string& text) {
    spec.batch = static_cast<std::uint32_t>(parse_whole(text, 1, kMostBatch));
  });
  declare_workers(line, spec.workers);
  line.flag("--json", "print one JSON object in place of text", json);
  line.flag("--quiet", "print nothing but errors", quiet);
  line.group("Distortion of the samples");
  declare_augmentation(line, spec.augment);
  line.help_flag();
  line.examples(
      "Examples:\n  tools bench data/mnist --rotate 10 --elastic 34\n"
      "  tools bench photos --resize 64x64");
  if (!line.parse(arguments)) return print(line.help());
  if (path.empty()) throw UsageError("expected a folder or file to measure, found none");
  line.refuse_both("--json", "--quiet");
  check_augmentation(line, spec.augment);
  spec.path = path;
  spec.image = images.options();

  Console console("tools bench", quiet);
  const StopSignals signals(StopSignals::First::kSetsFlag);
  const auto result = bench(
      spec,
      [&](double share, std::string_view what) {
        console.progress({"Measuring", share, {std::string(what)}});
      },
      signals.flag());
  console.clear_progress();
  if (!result) {
    console.warning(signals.text());
    return signals.status();
  }
  std::string text = json ? json_line(bench_json(*result)) : render_bench(*result);
  if (text.ends_with('\n')) text.pop_back();
  console.line(text);
  return console.output_error() == 0 ? kDone : kFailed;
}

}  // namespace millrace
