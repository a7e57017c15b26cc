#include "tools/trainer/options.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#include "tools/console/augment_options.h"
#include "tools/console/command_line.h"
#include "tools/console/image_options.h"
#include "tools/console/label_column.h"
#include "tools/console/numbers.h"
#include "tools/console/quote.h"
#include "tools/console/table_options.h"
#include "tools/console/task_option.h"
#include "tools/console/usage_error.h"
#include "tools/fetch/sources.h"
#include "tools/trainer/bad_options.h"
#include "tools/trainer/device_options.h"
#include "tools/trainer/option_checks.h"

namespace millrace {
namespace {

constexpr std::uint64_t kAny = std::numeric_limits<std::uint64_t>::max();
constexpr std::uint32_t kAny32 = std::numeric_limits<std::uint32_t>::max();
constexpr std::uint64_t kMostWindow = std::uint64_t{1} << 20U;  // MB
constexpr std::uint32_t kMostSlots = 65'536;
constexpr std::uint64_t kMostRuns = 1'000'000;
constexpr std::uint64_t kUsualValidation = 10'000;
constexpr float kLearningRate = 0.5F;
constexpr float kRegressionLearningRate = 0.1F;  // a squared error's gradient has no bound

constexpr const char* kDescription =
    "Trains a multilayer perceptron (Linear, ReLU, ..., Linear) to tell classes by\n"
    "softmax cross-entropy, or to predict numbers, on a folder of data files or\n"
    "images, and tests it where the folder has test files. Defaults stand in\n"
    "brackets.\n"
    "\n"
    "Other commands (trainer COMMAND --help):\n"
    "  evaluate    how good a checkpoint is: accuracy, confusion; or R², errors\n"
    "  predict     what a checkpoint says of images or lines of tables\n"
    "  export      a checkpoint as an ONNX model\n"
    "  search      which options are best: trains with many combinations of them";

constexpr const char* kExamples =
    "Examples:\n"
    "  trainer --data data/ --epochs 10\n"
    "  trainer --download mnist --data mnist/ --epochs 10\n"
    "  trainer --data data/ --hidden 512,512 --lr 0.1 --momentum 0.9 --precision bf16\n"
    "  trainer --data data/ --checkpoint-dir checkpoints/ --resume\n"
    "  trainer --config run.toml --seed 7 --metrics seed-7.jsonl\n"
    "  trainer evaluate --checkpoint checkpoints/best.safetensors --data data/\n"
    "\n"
    "Exit status: 0 done, 1 data, I/O or device error, 2 usage, 3 diverged,\n"
    "130 or 143 stopped by SIGINT or SIGTERM, after a checkpoint was saved.";

// What a name that was looked up stands for; `names` are those there are.
template <typename T>
T named(const std::optional<T>& found, const char* names, const std::string& text) {
  if (found) return *found;
  throw UsageError(fmt::format("expected {}, found {}", names, shown(text)));
}

// Of the validation samples.
float parse_target(const std::string& text) {
  const float share = parse_rate(text);
  if (share > 0.0F && share <= 1.0F) return share;
  throw UsageError("expected a number above 0 and at most 1, found " + shown(text));
}

// Of numbers.
Loss parse_loss(const std::string& text) {
  const auto loss = loss_called(text);
  if (loss && task_of(*loss) == Task::kRegression) return *loss;
  throw UsageError("expected mse, mae or huber, found " + shown(text));
}

ClassWeights parse_class_weights(const std::string& text) {
  if (text == "balanced") return {.balanced = true, .values = {}};
  auto values = rates_in(text);
  if (!values) {
    throw UsageError("expected balanced, or numbers of at least 0 with commas, found " +
                     shown(text));
  }
  return {.balanced = false, .values = std::move(*values)};
}

Residency parse_residency(const std::string& text) {
  if (text == "auto") return Residency::kAuto;
  if (text == "resident") return Residency::kResident;
  if (text == "host") return Residency::kHost;
  if (text == "stream") return Residency::kStream;
  throw UsageError("expected auto, resident, host or stream, found " + shown(text));
}

/// Declares options that fill a field each.
class Declarer {
 public:
  Declarer(CommandLine& line, Options& options) : line_(line), options_(options) {}

  void data() {
    line_.group("Data");
    path("--data", "DIR",
         "folder with IDX, NumPy, CSV, Parquet, CIFAR,\nsafetensors or tar files, with shards, or "
         "with a\n"
         "sub-folder of images for each class; or one such\nfile [data]",
         options_.data);
    declare_task(line_, options_.task);
    declare_images(line_, images);
    declare_label_column(line_, options_.label_column);
    declare_table(line_, options_.table);
    line_.value(
        "--download", "NAME",
        "first fetch mnist, fashion-mnist or kmnist into\nthat folder, where it is not there",
        [this](const std::string& t) {
          source_called(t, known_sources());
          options_.download = t;
        });
    line_.value(
        "--val-size", "N",
        "training samples kept for validation [10000, or a\nsixth; 0 where \"val\" lies beside "
        "\"test\"]",
        [this](const std::string& t) { options_.validation_size = parse_whole(t, 0, kAny); });
    line_.value("--folds", "N",
                "cross-validation: N runs, each validated on another\nof N parts of the training "
                "samples; their mean\n[none]",
                [this](const std::string& t) {
                  run().fold.count = static_cast<std::uint32_t>(parse_whole(t, 1, kMostRuns));
                  if (run().fold.count == 1) run().fold.count = 0;
                });
    line_.value("--standardize", "on|off",
                "shift and scale each value of a sample to mean 0\nand deviation 1 over the "
                "training samples [off]",
                [this](const std::string& t) { run().standardize = parse_switch(t); });
    line_.value("--standardize-targets", "on|off",
                "of --task regression: the network learns targets\nof mean 0 and deviation 1, over "
                "the training samples\n[on]",
                [this](const std::string& t) { run().standardize_targets = parse_switch(t); });
    line_.value("--shuffle", "on|off", "a new order of samples each epoch [on]",
                [this](const std::string& t) { run().shuffle = parse_switch(t); });
    line_.value(
        "--on-bad", "HOW",
        "what a training sample that cannot be read does:\nfail (end the run), skip (the next "
        "one takes its\nplace too) or substitute (another one, drawn).\nIn validation and test "
        "it is left out [fail]",
        [this](const std::string& t) { run().on_bad = parse_on_bad(t); });
    line_.value("--bad-budget", "X",
                "more of them end the run: a share of the data\nset, or a number [0.001]",
                [this](const std::string& t) { run().bad_budget = parse_bad_budget(t); });
    path("--quarantine", "FILE",
         "append a JSON line for each of them [to\nquarantine.jsonl in --checkpoint-dir]",
         options_.quarantine);
  }

  void model() {
    line_.group("Model");
    line_.value("--hidden", "N,N,...", "widths of the hidden layers, or none [32]",
                [this](const std::string& t) { run().hidden = parse_widths(t); });
    line_.value("--activation", "NAME",
                "of the hidden layers: relu, gelu, tanh, sigmoid\nor leaky-relu [relu]",
                [this](const std::string& t) {
                  run().activation =
                      named(activation_called(t), "relu, gelu, tanh, sigmoid or leaky-relu", t);
                });
    line_.value("--batch-norm", "on|off", "normalise hidden layers over the batch [off]",
                [this](const std::string& t) { run().batch_norm = parse_switch(t); });
    line_.value("--dropout", "X", "share of hidden outputs that a step drops [0]",
                [this](const std::string& t) { run().dropout = parse_fraction(t); });
    line_.value("--initializer", "NAME",
                "of the first weights, drawn by the seed: pytorch,\nhe or xavier [pytorch]",
                [this](const std::string& t) {
                  run().initializer = named(initializer_called(t), "pytorch, he or xavier", t);
                });
    path("--init", "FILE", "initial parameters, a .safetensors file\n[none: --initializer]",
         run().init);
  }

  void training() {
    line_.group("Training");
    whole("--epochs", "passes over the training samples [10]", 0, kAny, run().epochs);
    whole("--batch", "samples of a batch [128]", 1, kAny32, run().batch);
    line_.value("--lr", "X",
                fmt::format("learning rate [{}; of --task regression {}]", kLearningRate,
                            kRegressionLearningRate),
                [this](const std::string& t) { run().optimizer.learning_rate = parse_rate(t); });
    line_.value("--schedule", "NAME",
                "of the learning rate: constant, step, cosine or\none-cycle [constant]",
                [this](const std::string& t) {
                  run().schedule.kind =
                      named(schedule_called(t), "constant, step, cosine or one-cycle", t);
                });
    line_.value(
        "--warmup", "X", "epochs in which the rate first rises in a line [0]",
        [this](const std::string& t) { run().schedule.warmup_epochs = parse_double_rate(t); });
    whole("--step-epochs", "epochs between steps of --schedule step [10]", 1, kAny,
          run().schedule.step_epochs);
    line_.value("--gamma", "X", "factor of each step of --schedule step [0.1]",
                [this](const std::string& t) { run().schedule.gamma = parse_double_rate(t); });
    line_.value("--target-acc", "X", "end at this validation accuracy [none]",
                [this](const std::string& t) { run().stopping.target_accuracy = parse_target(t); });
    line_.value("--target-r2", "X", "of --task regression: end at this validation R²",
                [this](const std::string& t) { run().stopping.target_r2 = parse_target(t); });
    whole("--patience", "end after N epochs without a better one [0: never]", 0, kAny,
          run().stopping.patience);
    line_.value(
        "--optimizer", "NAME", "sgd, nesterov, adam or adamw [sgd]", [this](const std::string& t) {
          run().optimizer.kind = named(optimizer_called(t), "sgd, nesterov, adam or adamw", t);
        });
    line_.value("--momentum", "X", "of sgd and nesterov, below 1 [0]",
                [this](const std::string& t) { run().optimizer.momentum = parse_fraction(t); });
    line_.value("--beta1", "X", "decay of Adam's mean of gradients [0.9]",
                [this](const std::string& t) { run().optimizer.beta1 = parse_fraction(t); });
    line_.value("--beta2", "X", "decay of Adam's mean of their squares [0.999]",
                [this](const std::string& t) { run().optimizer.beta2 = parse_fraction(t); });
    line_.value("--epsilon", "X", "added below Adam's fraction [1e-8]",
                [this](const std::string& t) { run().optimizer.epsilon = parse_rate(t); });
    line_.value("--loss", "NAME", "of --task regression: mse, mae or huber [mse]",
                [this](const std::string& t) { run().loss = parse_loss(t); });
    line_.value("--label-smoothing", "X", "share of a label's weight that all classes get [0]",
                [this](const std::string& t) { run().label_smoothing = parse_fraction(t); });
    line_.value("--class-weights", "HOW",
                "what classes weigh in the training loss: balanced\n(rare ones more), or a number "
                "for each [all 1]",
                [this](const std::string& t) { run().class_weights = parse_class_weights(t); });
    line_.value("--clip-norm", "X", "scale larger gradients down to norm X [0: never]",
                [this](const std::string& t) { run().optimizer.clip_norm = parse_rate(t); });
    line_.value("--ema", "X",
                "decay of an average of the weights, which is what\nis evaluated and saved "
                "[0: none]",
                [this](const std::string& t) { run().optimizer.ema = parse_fraction(t); });
    whole("--accumulate", "batches whose gradients make one step [1]", 1, kAny32, run().accumulate);
    line_.value("--weight-decay", "X", "weight decay: L2, of adamw decoupled [0]",
                [this](const std::string& t) { run().optimizer.weight_decay = parse_rate(t); });
    whole("--seed", "of split, order and initial parameters [0]", 0, kAny, run().seed);
    whole("--repeat", "runs, with seeds that count up; their mean [1]", 1, kMostRuns,
          options_.repeat);
  }

  void augmentation() {
    line_.group("Augmentation of training images, drawn anew for each sample and epoch");
    declare_augmentation(line_, run().augment);
  }

  void machine() {
    line_.group("Machine (of these, only --precision and streaming change the result)");
    declare_device(line_, run().device);
    line_.value("--precision", "fp32|tf32|bf16",
                "of the matrix products; parameters stay fp32,\nand tf32 is a GPU's [fp32]",
                [this](const std::string& t) {
                  run().precision = named(precision_called(t), "fp32, tf32 or bf16", t);
                });
    declare_workers(line_, run().workers);
    line_.value(
        "--residency", "WHERE",
        "where the data set lives: resident (with the\nmodel), host (copied chunk by "
        "chunk), stream (on\ndisk, read block by block) or auto [auto: resident\nif it fits]",
        [this](const std::string& t) { run().residency = parse_residency(t); });
    line_.value("--shuffle-window", "MB",
                "memory in which a stream is mixed; it changes\nthe order of samples [32]",
                [this](const std::string& t) {
                  run().window_bytes = parse_whole(t, 1, kMostWindow) << 20U;
                });
    count("--chunk-batches", "batches of a chunk [auto: some MB]", kAny32, run().chunk_batches);
    whole("--slots", "chunks in memory at once [3]", 1, kMostSlots, run().slots);
  }

  void checkpoints() {
    line_.group("Checkpoints");
    path("--checkpoint-dir", "DIR",
         "keep last.safetensors and best.safetensors here\n[no checkpoints]", run().checkpoint_dir);
    whole("--checkpoint-every", "steps between step-N.safetensors, 0 for none [0]", 0, kAny,
          run().checkpoint_every);
    whole("--keep", "how many step-N.safetensors to keep [3]", 1, kAny32, run().keep);
    line_.optional_value("--resume", "[FILE]",
                         "go on from FILE, or from the newest good one in\n--checkpoint-dir",
                         [this](const std::string& t) {
                           run().resume = true;
                           run().resume_from = t;
                         });
    line_.flag("--force", "replace checkpoints of another run in that folder", options_.force);
  }

  void output(bool& version) {
    line_.group("Output");
    path("--metrics", "FILE",
         "JSON lines: one an epoch, then a summary. A new\nrun replaces the file, --resume goes on "
         "in it",
         options_.metrics);
    path("--tensorboard", "DIR", "a new event file in DIR, for TensorBoard to show",
         options_.tensorboard);
    path("--trace", "FILE",
         "what every thread was at, and when, as JSON for\nui.perfetto.dev or chrome://tracing",
         options_.trace);
    path("--report", "FILE", "a page on the run, to look at in any browser", options_.report);
    path("--config", "FILE",
         "options from a TOML file: epochs = 10. The\ncommand line has precedence", config);
    line_.flag("--quiet", "print nothing but errors and warnings", options_.quiet);
    line_.flag("--version", "print versions and instruction sets", version);
    line_.help_flag();
  }

  void all(bool& version) {
    data();
    model();
    training();
    augmentation();
    machine();
    checkpoints();
    output(version);
  }

  std::filesystem::path config;
  ImageArguments images;

 private:
  RunSpec& run() { return options_.run; }

  void path(const std::string& name, const std::string& meta, const std::string& help,
            std::filesystem::path& target) {
    line_.value(name, meta, help, [&target](const std::string& t) { target = parse_path(t); });
  }
  template <typename T>
  void whole(const std::string& name, const std::string& help, std::uint64_t least,
             std::uint64_t most, T& target) {
    line_.value(name, "N", help, [&target, least, most](const std::string& t) {
      target = static_cast<T>(parse_whole(t, least, most));
    });
  }
  void count(const std::string& name, const std::string& help, std::uint32_t most,
             std::uint32_t& target) {
    line_.value(name, "N|auto", help,
                [&target, most](const std::string& t) { target = parse_whole_or_auto(t, most); });
  }

  CommandLine& line_;
  Options& options_;
};

}  // namespace

Options parse_options(const std::vector<std::string>& arguments) {
  Options options;
  options.run.optimizer.learning_rate = kLearningRate;
  CommandLine line("trainer", kDescription);
  Declarer declarer(line, options);
  bool version = false;
  declarer.all(version);
  line.examples(kExamples);

  if (!line.parse(arguments)) {
    options.action = Options::Action::kHelp;
    options.help = line.help();
    return options;
  }
  if (version) {
    options.action = Options::Action::kVersion;
    return options;
  }
  if (!declarer.config.empty()) {
    const std::vector<std::string> refused{"config", "help", "version", "force"};
    line.apply(declarer.config.string(), read_config(declarer.config), refused);
  }
  if (options.task == Task::kRegression && !line.given("--lr")) {
    options.run.optimizer.learning_rate = kRegressionLearningRate;
  }
  options.images = declarer.images.options();
  check_options(options, line);
  options.window_given = line.given("--shuffle-window");
  options.notes = line.notes();
  options.given = line.values();
  return options;
}

bool parse_beside(CommandLine& line, const std::vector<std::string>& arguments) {
  Options alone;
  Declarer declarer(line, alone);
  bool version = false;
  declarer.all(version);
  return line.parse(arguments);
}

std::uint64_t default_validation_size(std::uint64_t samples) noexcept {
  return std::min(kUsualValidation, samples / 6);
}

std::string resume_command(const std::vector<std::string>& arguments) {
  std::vector<std::string> command;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    if (arguments[i].starts_with("--resume=") || arguments[i] == "--force") continue;
    if (arguments[i] == "--resume") {
      // Its file, if it has one, is what does not begin as an option.
      if (i + 1 < arguments.size() && !arguments[i + 1].starts_with('-')) ++i;
      continue;
    }
    command.push_back(arguments[i]);
  }
  command.emplace_back("--resume");
  return shell_command(command);
}

}  // namespace millrace
