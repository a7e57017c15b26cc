#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>

#include "formats/atomic_file.h"
#include "formats/error.h"
#include "formats/json_text.h"
#include "tools/cli/commands.h"
#include "tools/cli/preview.h"
#include "tools/console/augment_options.h"
#include "tools/console/command_line.h"
#include "tools/console/console.h"
#include "tools/console/image_options.h"
#include "tools/console/label_column.h"
#include "tools/console/numbers.h"
#include "tools/console/program.h"
#include "tools/console/table_options.h"
#include "tools/console/task_option.h"
#include "tools/console/terminal.h"
#include "tools/console/usage_error.h"
#include "tools/image/text_grid.h"

namespace millrace {
namespace {

constexpr std::uint64_t kMostPixels = 100'000'000;
constexpr std::uint64_t kMostCount = 10'000;
constexpr std::uint32_t kColumns = 8;
constexpr std::uint32_t kTextColumns = 4;  // where copies stand beside their sample
constexpr std::uint32_t kUsualSide = 56;   // that small pictures are enlarged to

struct Arguments {
  PreviewSpec spec;
  ImageArguments images;
  std::string path;
  std::filesystem::path output;
  std::uint32_t count = 0;    // 0: the usual one
  std::uint32_t columns = 0;  // 0: the usual ones
  std::uint32_t zoom = 0;     // 0: by size
  bool ascii = false;
  bool force = false;
  bool json = false;
  bool quiet = false;
};

std::filesystem::path parse_output(const std::string& text) {
  std::filesystem::path path(parse_path(text));
  auto ending = path.extension().string();
  std::ranges::transform(ending, ending.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  if (!ending.empty() && ending != ".png") {
    throw UsageError("expected a name that ends in .png, for it becomes a PNG file, found " +
                     shown(text));
  }
  return path;
}

void declare(CommandLine& line, Arguments& arguments) {
  const auto whole = [&](const char* name, const char* help, std::uint64_t least,
                         std::uint64_t most, auto& target) {
    line.value(name, "N", help, [&target, least, most](const std::string& text) {
      target =
          static_cast<std::remove_reference_t<decltype(target)>>(parse_whole(text, least, most));
    });
  };
  line.positional("PATH", "data folder, or an images file", arguments.path);
  line.value("-o,--output", "FILE", "write the grid to this PNG file",
             [&](const std::string& text) { arguments.output = parse_output(text); });
  line.flag("--ascii", "print the pictures as text, within the terminal's\nwidth", arguments.ascii);
  line.value("--split", "SPLIT", "train, val (beside a test set) or test [train]",
             [&](const std::string& text) { arguments.spec.split = parse_split(text); });
  whole("--count", "samples, at most [64, with augmentation or\n--ascii 8]", 1, kMostCount,
        arguments.count);
  line.value("--class", "C", "samples of this class alone, a number or a name",
             [&](const std::string& text) { arguments.spec.only = text; });
  line.flag("--shuffle", "drawn at random, not the first ones", arguments.spec.shuffle);
  whole("--seed", "of that draw and of the augmentation [0]", 0,
        std::numeric_limits<std::uint64_t>::max(), arguments.spec.seed);
  whole("--columns", "pictures of a row [8; of text, what is legible]", 1, kMostCount,
        arguments.columns);
  whole("--zoom", "a pixel becomes NxN of the PNG file [1, or more\nfor small pictures]", 1, 64,
        arguments.zoom);
  declare_images(line, arguments.images);
  declare_stored_task(line, arguments.spec.task);
  declare_label_column(line, arguments.spec.label_column);
  declare_table(line, arguments.spec.table);
  line.flag("--force", "replace a file that is there", arguments.force);
  line.flag("--json", "print one JSON object in place of text", arguments.json);
  line.flag("--quiet", "print nothing but errors and warnings", arguments.quiet);
  line.help_flag();
  line.group("Augmentation: each sample, and --columns less one distorted copies of it");
  declare_augmentation(line, arguments.spec.augment);
  line.examples(
      "Examples:\n"
      "  tools preview data/mnist -o grid.png\n"
      "  tools preview photos/ --resize 64x64 --shuffle --seed 3 -o photos.png\n"
      "  tools preview data/mnist --ascii --class 7 --count 3\n"
      "  tools preview data/mnist --rotate 15 --shift 2 -o distorted.png");
}

std::uint32_t zoom_for(const Picture& picture) {
  const std::uint32_t side = std::max({1U, picture.width, picture.height});
  return std::max(1U, (kUsualSide + side / 2) / side);
}

Picture draw(const Preview& shown, const Arguments& arguments) {
  const Picture& first = shown.pictures.front().picture;
  GridLayout layout;
  layout.columns = arguments.columns;
  layout.zoom = arguments.zoom != 0 ? arguments.zoom : zoom_for(first);
  const auto pixels = grid_pixels(shown.pictures.size(), first.width, first.height, layout);
  if (pixels > kMostPixels) {
    throw UsageError(fmt::format(
        "expected a grid of at most {} pixels, found {}; --count, --zoom or --resize makes it "
        "smaller",
        kMostPixels, pixels));
  }
  return draw_grid(shown.pictures, layout);
}

void refuse_to_replace(const Arguments& arguments) {
  std::error_code ignored;
  if (arguments.output.empty()) return;
  if (std::filesystem::is_directory(std::filesystem::symlink_status(arguments.output, ignored)) ||
      !arguments.output.has_filename()) {
    throw DataError(arguments.output, std::nullopt, "a file to write", "a folder");
  }
  if (arguments.force) return;
  if (std::filesystem::exists(std::filesystem::symlink_status(arguments.output, ignored))) {
    throw DataError(arguments.output, "is there already; --force replaces it");
  }
}

nlohmann::ordered_json to_json(const Preview& shown, const Arguments& arguments,
                               const Picture& grid) {
  nlohmann::ordered_json json;
  json["data"] = shown.data;
  json["output"] = arguments.output.empty() ? nlohmann::ordered_json()
                                            : nlohmann::ordered_json(arguments.output.string());
  json["width"] = grid.width;
  json["height"] = grid.height;
  json["pictures"] = shown.pictures.size();
  json["note"] = shown.note;
  json["samples"] = nlohmann::ordered_json::array();
  for (const PreviewSample& sample : shown.samples) {
    nlohmann::ordered_json one{{"sample", sample.number}};
    if (arguments.spec.task == Task::kRegression) {
      one["targets"] = sample.targets;
    } else {
      one["label"] = sample.label;
      one["class"] = sample.name;
    }
    if (!sample.reason.empty()) one["unreadable"] = sample.reason;
    json["samples"].push_back(std::move(one));
  }
  return json;
}

void check(CommandLine& line, Arguments& arguments) {
  line.refuse_both("--json", "--quiet");
  line.refuse_both("--json", "--ascii");
  check_augmentation(line, arguments.spec.augment);
  if (!arguments.spec.shuffle && !arguments.spec.augment.enabled()) {
    line.refuse_idle("--seed", "--shuffle", "--shuffle or augmentation with it", "neither");
  }
  if (!arguments.output.empty()) return;
  for (const char* name : {"--zoom", "--force"}) {
    line.refuse_idle(name, "--output", "-o FILE with it", "none");
  }
}

void settle(Arguments& arguments) {
  PreviewSpec& spec = arguments.spec;
  spec.data = arguments.path;
  spec.images = arguments.images.options();
  const bool distorted = spec.augment.enabled();
  constexpr std::uint32_t kFew = 8;
  if (arguments.count != 0) {
    spec.count = arguments.count;
  } else if (distorted || (arguments.ascii && arguments.output.empty())) {
    spec.count = kFew;
  }
  if (!distorted) return;
  if (arguments.columns == 0)
    arguments.columns = arguments.output.empty() ? kTextColumns : kColumns;
  if (arguments.columns < 2) {
    throw UsageError("--columns: expected 2 at least with augmentation, found 1");
  }
  spec.copies = arguments.columns - 1;
}

}  // namespace

int preview_command(const std::vector<std::string>& arguments_given) {
  CommandLine line("tools preview",
                   "Shows samples of a data set with their labels: as a PNG file, or in the\n"
                   "terminal.");
  Arguments arguments;
  declare(line, arguments);
  if (!line.parse(arguments_given)) return print(line.help());
  if (arguments.path.empty()) throw UsageError("expected a folder or file to show, found none");
  if (arguments.output.empty() && !arguments.ascii) {
    throw UsageError("expected -o FILE or --ascii, found neither");
  }
  check(line, arguments);
  settle(arguments);
  refuse_to_replace(arguments);

  Console console("tools preview", arguments.quiet);
  const Preview shown = preview(arguments.spec);
  for (const PreviewSample& sample : shown.samples) {
    if (!sample.reason.empty()) {
      console.warning(fmt::format("sample {} cannot be read: {}", sample.number, sample.reason));
    }
  }
  Picture grid;
  if (!arguments.output.empty()) {
    Arguments drawn = arguments;
    if (drawn.columns == 0) drawn.columns = kColumns;
    grid = draw(shown, drawn);
    AtomicFile file(arguments.output);
    file.write(encode_png(grid));
    refuse_to_replace(arguments);  // what came meanwhile stays
    file.commit();
  }
  if (arguments.json) {
    return print(json_line(to_json(shown, arguments, grid)) + '\n');
  }
  if (arguments.ascii) {
    TextLayout layout;
    layout.width = terminal_columns(STDOUT_FILENO);
    layout.columns = arguments.columns;
    layout.utf8 = terminal_takes_utf8();
    if (const int status = print(text_grid(shown.pictures, layout)); status != 0) return status;
  }
  if (!shown.note.empty()) console.notice(shown.note);
  if (!arguments.output.empty()) {
    console.line(fmt::format("{}: {} pictures of {} samples of {}, {}x{} pixels",
                             arguments.output.string(), shown.pictures.size(), shown.samples.size(),
                             shown.data, grid.width, grid.height));
  }
  return console.output_error() == 0 ? 0 : 1;
}

}  // namespace millrace
