#include <fmt/format.h>
#include <oneapi/tbb/parallel_for.h>
#include <oneapi/tbb/task_arena.h>

#include <algorithm>
#include <cstddef>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "formats/error.h"
#include "formats/json_text.h"
#include "loader/readable.h"
#include "tools/console/command_line.h"
#include "tools/console/console.h"
#include "tools/console/numbers.h"
#include "tools/console/program.h"
#include "tools/console/quote.h"
#include "tools/console/usage_error.h"
#include "tools/model/image_samples.h"
#include "tools/model/table_samples.h"
#include "tools/trainer/bad_options.h"
#include "tools/trainer/commands.h"
#include "tools/trainer/device_options.h"
#include "train/bad_ledger.h"
#include "train/checkpoint_dir.h"
#include "train/predictions.h"

namespace millrace {
namespace {

// Images in memory at once.
constexpr std::size_t kBatch = 1024;

struct Arguments {
  std::string checkpoint;
  std::vector<std::string> paths;
  std::uint32_t top = 3;
  bool top_given = false;
  Invert invert = Invert::kAuto;
  Device device;
  std::uint32_t workers = 0;
  BadArguments bad;
  bool json = false;
};

Invert parse_invert(const std::string& text) {
  if (text == "auto") return Invert::kAuto;
  if (text == "on") return Invert::kOn;
  if (text == "off") return Invert::kOff;
  throw UsageError("expected auto, on or off, found " + shown(text));
}

struct Guess {
  std::uint32_t label = 0;
  double share = 0.0;  // its probability
  bool said = false;   // of a label that a sample may have: that it has it; as Metrics count it
};

// The likeliest first, of equals the first class.
std::vector<Guess> guesses_of(std::span<const float> logits, std::uint32_t top) {
  const auto shares = softmax(logits);
  std::vector<Guess> guesses(shares.size());
  for (std::uint32_t c = 0; c < guesses.size(); ++c) guesses[c] = {c, shares[c]};
  std::ranges::stable_sort(guesses, std::ranges::greater{}, &Guess::share);
  guesses.resize(std::min<std::size_t>(guesses.size(), top));
  return guesses;
}

// Of each label that a sample may have, in their order.
std::vector<Guess> labels_of(std::span<const float> logits) {
  std::vector<Guess> labels;
  for (const float logit : logits) {
    labels.push_back({static_cast<std::uint32_t>(labels.size()), sigmoid(logit), logit >= 0.0F});
  }
  return labels;
}

/// What there is to tell of a sample.
struct Said {
  std::vector<Guess> guesses = {};
  std::span<const float> targets = {};  // of a regression
  std::vector<Guess> labels = {};       // that it may have
};

Said said_of(const TrainedModel& model, std::span<const float> outputs, std::uint32_t top) {
  switch (model.task()) {
    case Task::kRegression:
      return {.targets = outputs};
    case Task::kMultilabel:
      return {.labels = labels_of(outputs)};
    case Task::kClassification:
      break;
  }
  return {.guesses = guesses_of(outputs, top)};
}

// A picture, or a sample of a table by its number.
struct Asked {
  std::filesystem::path file;
  std::optional<std::uint64_t> sample = {};
};

std::string told(const Asked& asked, const Said& said, const RunState& state, bool json) {
  const auto& names = state.class_names;
  const auto& targets = state.columns.targets;
  if (!json) {
    std::string line = one_line(asked.file.string());
    line += asked.sample ? fmt::format(", sample {}:", *asked.sample) : ":";
    for (std::size_t t = 0; t < said.targets.size(); ++t) {
      line += "  ";
      if (!targets.empty()) line += one_line(targets[t]) + ' ';
      line += fmt::format("{}", said.targets[t]);
    }
    for (const Guess& g : said.labels) {
      if (!g.said) continue;
      line += fmt::format("  {} ({:.2f} %)",
                          targets.empty() ? std::to_string(g.label) : one_line(targets[g.label]),
                          100.0 * g.share);
    }
    if (!said.labels.empty() && std::ranges::none_of(said.labels, &Guess::said))
      line += "  no label";
    for (const Guess& g : said.guesses) {
      line += fmt::format("  {} ({:.2f} %)",
                          names.empty() ? std::to_string(g.label) : one_line(names[g.label]),
                          100.0 * g.share);
    }
    return line + '\n';
  }
  auto object = nlohmann::ordered_json{{asked.sample ? "table" : "image", asked.file.string()}};
  if (asked.sample) object["sample"] = *asked.sample;
  for (std::size_t t = 0; t < said.targets.size(); ++t) {
    nlohmann::ordered_json target{{"target", t}};
    if (!targets.empty()) target["name"] = targets[t];
    target["value"] = said.targets[t];
    object["targets"].push_back(std::move(target));
  }
  for (const Guess& g : said.labels) {
    nlohmann::ordered_json label{{"label", g.label}};
    if (!targets.empty()) label["name"] = targets[g.label];
    label["probability"] = g.share;
    label["said"] = g.said;
    object["labels"].push_back(std::move(label));
  }
  for (const Guess& g : said.guesses) {
    nlohmann::ordered_json guess{{"class", g.label}};
    if (!names.empty()) guess["name"] = names[g.label];
    guess["probability"] = g.share;
    object["top"].push_back(std::move(guess));
  }
  return json_line(object) + '\n';
}

// Counts and names the images that cannot be read. Without a budget each is an error, but those
// that can be read are worth their line.
class Unreadable {
 public:
  Unreadable(const Arguments& arguments, std::size_t images, Console& console)
      : console_(console),
        reports_(arguments.bad, console_),
        tolerant_(arguments.bad.on_bad != OnBad::kFail),
        ledger_(arguments.paths.size() == 1 ? arguments.paths[0] : "the images", images,
                arguments.bad.budget,
                [this](const BadSample& bad) { reports_.tell(bad.file.string(), bad); }) {}

  /// Throws DataError once they are more than the budget, where there is one.
  void report(std::span<const BadPlace> bad) {
    if (tolerant_) {
      ledger_.report(bad);
      return;
    }
    for (const BadPlace& place : bad) console_.error(place.sample.reason);
    failed_ = failed_ || !bad.empty();
  }
  bool failed() const { return failed_ || reports_.failed(); }

 private:
  Console& console_;
  BadReports reports_;
  bool tolerant_;
  bool failed_ = false;
  BadLedger ledger_;
};

// Of a line for each sample, many at a time.
class Lines {
 public:
  void add(const std::string& line) {
    text_ += line;
    if (text_.size() >= kAtOnce) flush();
  }
  int flush() {
    if (status_ == kDone && !text_.empty()) status_ = print(text_);
    text_.clear();
    return status_;
  }

 private:
  static constexpr std::size_t kAtOnce = std::size_t{64} << 10;
  std::string text_;
  int status_ = kDone;
};

// Images, each of which may be damaged.
struct Pictures {
  std::size_t count = 0;
  std::size_t bytes = 0;  // of a sample
  std::function<void(std::size_t, std::span<std::byte>)> read;
  std::function<Asked(std::size_t)> asked;
};

int predict_pictures(const Arguments& arguments, const TrainedModel& model, Engine& engine,
                     Unreadable& unreadable, const Pictures& pictures) {
  const std::size_t bytes = pictures.bytes;
  std::vector<std::byte> samples(std::min(kBatch, pictures.count) * bytes);
  const std::size_t words = model.spec.label_words();
  const std::vector<std::int32_t> labels(kBatch * words, 0);  // nobody knows them
  std::vector<float> logits;
  tbb::task_arena arena(arguments.workers == 0 ? tbb::task_arena::automatic
                                               : static_cast<int>(arguments.workers));
  for (std::size_t first = 0; first < pictures.count; first += kBatch) {
    const std::size_t count = std::min(kBatch, pictures.count - first);
    std::vector<std::optional<BadSample>> failed(count);
    arena.execute([&] {
      tbb::parallel_for(std::size_t{0}, count, [&](std::size_t i) {
        const auto sample = std::span(samples).subspan(i * bytes, bytes);
        try {
          pictures.read(first + i, sample);
        } catch (const DataError& error) {
          std::ranges::fill(sample, std::byte{0});
          failed[i] = bad_sample(first + i, error);
        }
      });
    });
    std::vector<BadPlace> bad;
    for (std::size_t i = 0; i < count; ++i) {
      if (failed[i]) bad.push_back({static_cast<std::uint32_t>(i), std::move(*failed[i])});
    }
    unreadable.report(bad);
    Chunk chunk;
    chunk.batch = chunk.count = static_cast<std::uint32_t>(count);
    chunk.samples = std::span(samples).first(count * bytes);
    chunk.labels = std::span(labels).first(count * words);
    logits.resize(count * model.spec.classes);
    engine.predict(chunk, logits);
    std::string text;
    for (std::size_t i = 0; i < count; ++i) {
      if (failed[i]) continue;
      const auto row = std::span(logits).subspan(i * model.spec.classes, model.spec.classes);
      text += told(pictures.asked(first + i), said_of(model, row, arguments.top),
                   model.checkpoint.state, arguments.json);
    }
    if (const int status = print(text); status != kDone) return status;
  }
  return kDone;
}

int predict_images(const Arguments& arguments, const TrainedModel& model, Console& console) {
  const ImageLayout layout = image_layout(model);
  const Invert invert = invert_for(model, arguments.invert);
  const auto images = images_of(arguments.paths);
  const auto engine = make_engine(model, arguments.device);
  Unreadable unreadable(arguments, images.size(), console);
  const int status = predict_pictures(arguments, model, *engine, unreadable,
                                      {.count = images.size(),
                                       .bytes = model.spec.features,
                                       .read =
                                           [&](std::size_t i, std::span<std::byte> sample) {
                                             read_image_sample(images[i], layout, invert, sample);
                                           },
                                       .asked = [&](std::size_t i) { return Asked{images[i]}; }});
  return status != kDone ? status : unreadable.failed() ? kFailed : kDone;
}

int predict_table(const Arguments& arguments, const TrainedModel& model, Engine& engine,
                  const std::string& path, const std::shared_ptr<const Dataset>& data,
                  Console& console) {
  if (const auto note = matched_by_place(model, *data)) console.notice(*note);
  Lines lines;
  (void)predict_all(engine, model.spec, {data, Subset::all(data->size())}, arguments.workers,
                    [&](const Prediction& p) {
                      lines.add(told({path, p.sample}, said_of(model, p.logits, arguments.top),
                                     model.checkpoint.state, arguments.json));
                    });
  return lines.flush();
}

int predict_tables(const Arguments& arguments, const TrainedModel& model, Console& console) {
  std::vector<TableSamples> tables;
  std::size_t images = 0;
  for (const auto& path : arguments.paths) {
    tables.push_back(open_table(model, path));
    if (tables.back().images) images += static_cast<std::size_t>(tables.back().data->size());
  }
  if (images == 0 && arguments.bad.on_bad != OnBad::kFail) {
    throw UsageError("--on-bad: expected images with it, found tables");
  }
  const auto engine = make_engine(model, arguments.device);
  Unreadable unreadable(arguments, images, console);
  for (std::size_t i = 0; i < tables.size(); ++i) {
    const auto& data = *tables[i].data;
    const auto& path = arguments.paths[i];
    if (!tables[i].unknown.empty()) console.notice(path + ": " + tables[i].unknown);
    if (!tables[i].images) {
      if (const int status =
              predict_table(arguments, model, *engine, path, tables[i].data, console);
          status != kDone)
        return status;
      continue;
    }
    const Pictures pictures{.count = static_cast<std::size_t>(data.size()),
                            .bytes = static_cast<std::size_t>(data.sample_bytes()),
                            .read =
                                [&data](std::size_t sample, std::span<std::byte> to) {
                                  const std::uint64_t id = sample;
                                  std::vector<std::int32_t> label(data.label_words());
                                  data.read({&id, 1}, to, label);
                                },
                            .asked =
                                [&path](std::size_t sample) {
                                  return Asked{path, sample};
                                }};
    if (const int status = predict_pictures(arguments, model, *engine, unreadable, pictures);
        status != kDone)
      return status;
  }
  return unreadable.failed() ? kFailed : kDone;
}

int predict(const Arguments& arguments) {
  const auto tables = std::ranges::count_if(arguments.paths, is_table_name);
  if (tables != 0 && static_cast<std::size_t>(tables) != arguments.paths.size()) {
    throw UsageError("expected images or tables, found both");
  }
  if (tables != 0 && arguments.invert != Invert::kAuto) {
    throw UsageError("--invert: expected images with it, found tables");
  }
  Console console("trainer predict", false);  // notes go to standard error, beside JSON too
  const TrainedModel model = load_model(checkpoint_meant(arguments.checkpoint));
  if (arguments.top_given && model.task() != Task::kClassification) {
    throw UsageError("--top: expected a model of classes with it, found " + model.path.string() +
                     (model.task() == Task::kRegression ? ", of targets" : ", of labels"));
  }
  if (model.path != arguments.checkpoint) console.notice("the model is " + model.path.string());
  return tables == 0 ? predict_images(arguments, model, console)
                     : predict_tables(arguments, model, console);
}

}  // namespace

int predict_command(const std::vector<std::string>& words) {
  CommandLine line(
      "trainer predict",
      "Says what a checkpoint's model takes images for, or which labels or targets it\n"
      "predicts of them: PNG, JPEG, BMP, GIF, TGA and PNM files of any size and\n"
      "colour, which it stretches to what the model takes;\n"
      "or the lines of CSV and Parquet files, whose columns it finds by their names,\n"
      "where both have some, with or without labels, which it does not look at.");
  Arguments arguments;
  line.positionals("images",
                   "image files, folders with some at any depth, or\nCSV or Parquet files",
                   arguments.paths);
  line.value("--checkpoint", "PATH",
             "the model, a .safetensors file of the trainer, or a\nfolder of them: best, else last",
             [&](const std::string& t) { arguments.checkpoint = parse_path(t); });
  line.value("--top", "K", "classes to name, the likeliest first [3]", [&](const std::string& t) {
    arguments.top = static_cast<std::uint32_t>(parse_whole(t, 1, 1U << 20U));
  });
  line.value(
      "--invert", "auto|on|off",
      "swap light and dark. auto: where a grey image is\ndark on light and the model's own were "
      "not, as\nMNIST's [auto]",
      [&](const std::string& t) { arguments.invert = parse_invert(t); });
  declare_leaving_out(line, "images", arguments.bad);
  declare_device(line, arguments.device);
  declare_workers(line, arguments.workers);
  line.flag("--json", "print a JSON object for each image or line", arguments.json);
  line.help_flag();
  line.examples(
      "Examples:\n  trainer predict --checkpoint checkpoints photo.jpg\n"
      "  trainer predict --checkpoint checkpoints --json test.csv");
  if (!line.parse(words)) return print(line.help());
  if (arguments.checkpoint.empty())
    throw UsageError("--checkpoint: expected a file or folder, found none");
  if (arguments.paths.empty())
    throw UsageError("expected images, folders of them, CSV or Parquet files, found none");
  arguments.top_given = line.given("--top");
  check_bad_options(line, arguments.bad.on_bad);
  check_device(line, arguments.device);
  return predict(arguments);
}

}  // namespace millrace
