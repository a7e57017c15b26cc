#include <fmt/format.h>

#include <charconv>
#include <chrono>
#include <nlohmann/json.hpp>

#include "formats/json_text.h"
#include "formats/shard_names.h"
#include "tools/cli/commands.h"
#include "tools/cli/convert.h"
#include "tools/console/command_line.h"
#include "tools/console/console.h"
#include "tools/console/image_options.h"
#include "tools/console/label_column.h"
#include "tools/console/numbers.h"
#include "tools/console/program.h"
#include "tools/console/quote.h"
#include "tools/console/stop_signals.h"
#include "tools/console/table_options.h"
#include "tools/console/task_option.h"
#include "tools/console/usage_error.h"

namespace millrace {
namespace {

constexpr std::uint32_t kMostJobs = 4096;
constexpr std::uint64_t kHighestLevel = 22;

struct ConvertOptions {
  ConvertSpec spec;
  bool json = false;
  bool quiet = false;
  std::string help;  ///< not empty: asked for
};

double parse_share(const std::string& text) {
  double value = 0.0;
  const auto* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || at != end || !(value > 0.0 && value < 1.0)) {
    throw UsageError("expected shares between 0 and 1, found " + shown(text));
  }
  return value;
}

StoredAs parse_stored(const std::string& text) {
  for (const auto stored : kAllForms) {
    if (text == name_of(stored)) return stored;
  }
  throw UsageError("expected idx, gz, zst, npy, csv, tar, tar.zst or images, found " + shown(text));
}

SplitShares parse_split(const std::string& text) {
  const auto comma = text.find(',');
  SplitShares shares;
  if (comma == std::string::npos || text.find(',', comma + 1) != std::string::npos) {
    throw UsageError("expected shares of training and test samples, like 0.9,0.1, found " +
                     shown(text));
  }
  shares.train = parse_share(text.substr(0, comma));
  shares.test = parse_share(text.substr(comma + 1));
  constexpr double kRounding = 1e-9;
  if (shares.train + shares.test > 1.0 + kRounding) {
    throw UsageError("expected shares that add up to at most 1, found " + shown(text));
  }
  return shares;
}

ConvertOptions parse(const std::vector<std::string>& arguments) {
  ConvertOptions options;
  ConvertSpec& spec = options.spec;
  CommandLine line(
      "tools convert",
      "Writes a data set, all of its splits, in another form; IDX files stay the same\n"
      "under their own names, all others become IDX files of MNIST's names. zst is\n"
      "seekable zstd: it loads on all cores at once and at random, and `zstd -d`\n"
      "gives the same IDX file back.");
  std::string in;
  std::string out;
  ImageArguments images;
  line.positional("IN", "folder or file of any data set that trainer opens", in);
  line.positional("OUT", "folder to write to, made where it is missing", out);
  declare_images(line, images);
  declare_stored_task(line, spec.task);
  declare_label_column(line, spec.label_column);
  declare_table(line, spec.table);
  line.value("--to", "FORM",
             "form to write: idx, gz, zst; npy, csv, tar, tar.zst\n(WebDataset), images (a folder "
             "of PNG files) [zst]",
             [&](const std::string& text) { spec.to = parse_stored(text); });
  line.value("--level", "N", "compression: zst 1 to 22 [3], gz 1 to 12 [6]",
             [&](const std::string& text) {
               spec.level = static_cast<int>(parse_whole(text, 1, kHighestLevel));
             });
  line.value("--shards", "N",
             "write each split as N pairs of zst files and a\nmanifest.json; where that was "
             "interrupted, the\nsame command goes on; of tar, N archives",
             [&](const std::string& text) {
               spec.shards = static_cast<std::uint32_t>(parse_whole(text, 1, kMostShards));
             });
  line.value("--split", "X,Y",
             "make X of the samples training and Y others test\nsamples, of a data set that has no "
             "test samples",
             [&](const std::string& text) { spec.split = parse_split(text); });
  line.value("--seed", "N", "of --split: which samples go where [0]",
             [&](const std::string& text) { spec.seed = parse_whole(text, 0, ~std::uint64_t{0}); });
  line.value("--jobs", "N|auto", "threads that decode and compress [auto: all cores]",
             [&](const std::string& text) { spec.jobs = parse_whole_or_auto(text, kMostJobs); });
  line.flag("--force", "replace files that are there", spec.force);
  line.flag("--json", "print one JSON object in place of text", options.json);
  line.flag("--quiet", "print nothing but errors", options.quiet);
  line.help_flag();
  line.examples(
      "Example:\n  tools convert data/mnist data/mnist-zst --level 9\n"
      "  tools convert photos shards --resize 64x64 --split 0.9,0.1 --shards 8");
  if (!line.parse(arguments)) {
    options.help = line.help();
    return options;
  }
  if (in.empty()) throw UsageError("expected a folder to convert, found none");
  if (out.empty()) throw UsageError("expected a folder to write to, found none");
  line.refuse_both("--json", "--quiet");
  if (!spec.split) line.refuse_idle("--seed", "--split", "--split with it", "none");
  spec.in = in;
  spec.out = out;
  spec.image = images.options();
  return options;
}

nlohmann::ordered_json summary(const ConvertSpec& spec, const std::vector<ConvertedFile>& files,
                               double seconds) {
  nlohmann::ordered_json json;
  json["to"] = name_of(spec.to);
  json["seconds"] = seconds;
  for (const auto& file : files) {
    json["files"].push_back({{"from", file.from.string()},
                             {"to", file.to.string()},
                             {"bytes_before", file.stored_before},
                             {"bytes", file.stored},
                             {"content_bytes", file.content},
                             {"frames", file.frames},
                             {"kept", file.kept}});
  }
  return json;
}

void show_text(Console& console, const std::vector<ConvertedFile>& files, double seconds) {
  std::uint64_t content = 0;
  for (const auto& file : files) {
    content += file.content;
    const double percent = 100.0 * static_cast<double>(file.stored) /
                           static_cast<double>(std::max<std::uint64_t>(1, file.content));
    console.line(fmt::format("{}: {}B, {:.1f} % of {}B{}", file.to.string(),
                             render_count(static_cast<double>(file.stored)), percent,
                             render_count(static_cast<double>(file.content)),
                             file.kept ? ", was there" : ""));
  }
  console.line(fmt::format("{} files in {:.2f} s, {}B/s", files.size(), seconds,
                           render_count(static_cast<double>(content) / seconds)));
}

}  // namespace

int convert_command(const std::vector<std::string>& arguments) {
  ConvertOptions options = parse(arguments);
  if (!options.help.empty()) return print(options.help);

  Console console("tools convert", options.quiet);
  if (!options.json) {
    options.spec.opened = [&](const std::string& text) { console.line("Data: " + one_line(text)); };
  }
  const StopSignals signals(StopSignals::First::kSetsFlag);
  const auto start = std::chrono::steady_clock::now();
  const auto elapsed = [&] {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  };
  double shown_at = 0.0;
  const auto files = convert(options.spec, [&](std::uint64_t done, std::uint64_t all) {
    constexpr double kRedraw = 0.05;
    const double now = elapsed();
    if (now - shown_at >= kRedraw) {
      shown_at = now;
      const double share = static_cast<double>(done) / static_cast<double>(all);
      console.progress({"Converting",
                        share,
                        {render_duration(now * (1.0 - share) / share) + " left",
                         render_count(static_cast<double>(done) / now) + "B/s"}});
    }
    return !signals.flag().load();
  });
  console.clear_progress();
  if (files.empty()) {
    console.warning(signals.text() +
                    (options.spec.shards > 0
                         ? "; the same command goes on behind the shards that are written"
                         : "; nothing was written"));
    return signals.status();
  }
  if (options.json) {
    console.line(json_line(summary(options.spec, files, elapsed())));
  } else {
    show_text(console, files, elapsed());
  }
  return console.output_error() == 0 ? kDone : kFailed;
}

}  // namespace millrace
