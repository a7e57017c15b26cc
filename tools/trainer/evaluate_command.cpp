#include <fmt/format.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "formats/folder.h"
#include "formats/json_text.h"
#include "formats/resized_dataset.h"
#include "formats/split_names.h"
#include "tools/console/command_line.h"
#include "tools/console/console.h"
#include "tools/console/image_options.h"
#include "tools/console/label_column.h"
#include "tools/console/numbers.h"
#include "tools/console/output_paths.h"
#include "tools/console/program.h"
#include "tools/console/usage_error.h"
#include "tools/trainer/bad_options.h"
#include "tools/trainer/commands.h"
#include "tools/trainer/device_options.h"
#include "tools/trainer/evaluation.h"
#include "tools/trainer/options.h"
#include "train/checkpoint_dir.h"

namespace millrace {
namespace {

// A run that was streamed knows its data by the file's frames, so that the file is opened likewise.
OpenOptions opening(const TrainedModel& model, OpenOptions options) {
  options.known = known_data(model);
  options.task = stored_task(model.task());
  if (model.checkpoint.state.options.window_blocks != 0) options.most_decoded = 0;
  return options;
}

}  // namespace

int evaluate_command(const std::vector<std::string>& arguments) {
  CommandLine line("trainer evaluate",
                   "Says how good a checkpoint's model is on a data set: loss, accuracy,\n"
                   "precision and recall of each class, and what it takes for what; R² and errors\n"
                   "of each target; or precision, recall and F1 of each label that samples may\n"
                   "have.");
  std::string checkpoint;
  std::string data = Options().data.string();
  DataSplit split = DataSplit::kTest;
  Device device;
  ImageArguments images;
  std::string label_column;
  std::uint32_t workers = 0;
  std::string outputs_path;
  bool json = false;
  line.value("--checkpoint", "PATH",
             "the model, a .safetensors file of the trainer, or a\nfolder of them: best, else last",
             [&](const std::string& t) { checkpoint = parse_path(t); });
  line.value("--data", "DIR", "the data set, a folder or a file [data]",
             [&](const std::string& t) { data = parse_path(t); });
  declare_images(line, images);
  declare_label_column(line, label_column);
  line.value("--split", "SPLIT",
             "train, val or test. On the data that it was trained\non, train and val are the parts "
             "that the run made,\n"
             "or val what lies beside a test set [test]",
             [&](const std::string& t) { split = parse_split(t); });
  line.value(
      "--outputs", "FILE",
      "write what the model says of each sample: logits,\nlabels (or predictions, targets) and "
      "numbers of the\nsamples, as .safetensors",
      [&](const std::string& t) { outputs_path = parse_path(t); });
  BadArguments bad;
  declare_leaving_out(line, "samples", bad);
  declare_device(line, device);
  declare_workers(line, workers);
  line.flag("--json", "print one JSON object in place of text", json);
  line.help_flag();
  line.examples("Example:\n  trainer evaluate --checkpoint checkpoints --data data/");
  if (!line.parse(arguments)) return print(line.help());
  if (checkpoint.empty()) throw UsageError("--checkpoint: expected a file or folder, found none");

  const std::filesystem::path model_file = checkpoint_meant(checkpoint);
  check_output_paths({{"--outputs", outputs_path, "{", 8}, {"--quarantine", bad.quarantine}},
                     {{"--checkpoint", model_file}, {"--data", data}});
  check_bad_options(line, bad.on_bad);
  check_device(line, device);

  Console console("trainer evaluate", false);  // notes go to standard error, beside JSON too
  const TrainedModel model = load_model(model_file);
  BadReports reports(bad, console);
  const LeavingOut leaving_out{.on_bad = bad.on_bad,
                               .budget = bad.budget,
                               .tell = [&](const std::string& dataset, const BadSample& sample) {
                                 reports.tell(dataset, sample);
                               }};
  SampleOutputs outputs;
  const DataFolder opened =
      open_folder(data, opening(model, {.image = images.options(),
                                        .label_column = label_column,
                                        .own_validation = split == DataSplit::kValidation,
                                        .tolerant = bad.on_bad != OnBad::kFail}));
  const Evaluation evaluation = evaluate(model, opened, split, device, workers,
                                         outputs_path.empty() ? nullptr : &outputs, leaving_out);
  if (const auto note = matched_by_place(model, *opened.train)) console.notice(*note);
  if (!opened.unknown.empty()) console.notice(opened.unknown);
  if (const auto* stored = stored_of(*opened.train); stored && !images.resize) {
    console.notice(fmt::format("{}: images of {} are made the model's {}", stored->name(),
                               stored->shape().text(), opened.train->shape().text()));
  }
  if (!outputs_path.empty()) write_outputs(outputs_path, outputs, evaluation);
  if (!evaluation.engine.notice.empty()) console.notice(evaluation.engine.notice);
  const int status = print(json ? json_line(to_json(evaluation)) + '\n' : render(evaluation));
  return status == kDone && reports.failed() ? kFailed : status;
}

}  // namespace millrace
