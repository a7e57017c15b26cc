#include <fmt/format.h>

#include "formats/atomic_file.h"
#include "tools/console/command_line.h"
#include "tools/console/console.h"
#include "tools/console/numbers.h"
#include "tools/console/output_paths.h"
#include "tools/console/program.h"
#include "tools/console/quote.h"
#include "tools/console/usage_error.h"
#include "tools/onnx/onnx_model.h"
#include "tools/trainer/commands.h"
#include "train/checkpoint_dir.h"

namespace millrace {
namespace {

bool is_first(const std::string& text, const std::string& first, const std::string& second) {
  if (text != first && text != second) {
    throw UsageError("expected " + first + " or " + second + ", found " + shown(text));
  }
  return text == first;
}

std::string told(const TrainedModel& model, const OnnxOptions& options, const std::string& path,
                 std::uint64_t bytes) {
  return fmt::format("{}: {}, {} bytes\nInput: samples, a batch of {} {}\nOutput: {}, {} of each\n",
                     one_line(path), model.widths(), bytes, model.sample_shape().text(),
                     options.input == InputType::kUInt8 ? "uint8" : "float",
                     model.spec.regression() ? "targets"
                     : options.probabilities ? "probabilities"
                                             : "logits",
                     model.spec.classes);
}

}  // namespace

int export_command(const std::vector<std::string>& arguments) {
  CommandLine line("trainer export",
                   "Writes a checkpoint's model as an ONNX file (opset 13). It takes samples as\n"
                   "they are in the data set, in batches of any size, and normalises them itself.");
  std::string checkpoint;
  std::string path;
  OnnxOptions options;
  line.value("--checkpoint", "PATH",
             "the model, a .safetensors file of the trainer, or a\nfolder of them: best, else last",
             [&](const std::string& t) { checkpoint = parse_path(t); });
  line.value("--onnx", "FILE", "the file to write",
             [&](const std::string& t) { path = parse_path(t); });
  line.value("--input", "uint8|float", "type of the input [as the model's data set]",
             [&](const std::string& t) {
               options.input =
                   is_first(t, "uint8", "float") ? InputType::kUInt8 : InputType::kFloat32;
             });
  line.value("--output", "probabilities|logits",
             "probabilities: with the softmax,\nor the sigmoid of labels [probabilities]",
             [&](const std::string& t) {
               options.probabilities = is_first(t, "probabilities", "logits");
             });
  line.help_flag();
  line.examples("Example:\n  trainer export --checkpoint checkpoints --onnx model.onnx");
  if (!line.parse(arguments)) return print(line.help());
  if (checkpoint.empty()) throw UsageError("--checkpoint: expected a file or folder, found none");
  if (path.empty()) throw UsageError("--onnx: expected a file, found none");

  const std::filesystem::path model_file = checkpoint_meant(checkpoint);
  check_output_paths({{"--onnx", path, "\x08"}}, {{"--checkpoint", model_file}});
  const TrainedModel model = load_model(model_file);
  if (line.given("--output") && model.task() == Task::kRegression) {
    throw UsageError("--output: expected a model of classes or labels with it, found " +
                     model.path.string() + ", of targets");
  }
  if (model_file != checkpoint) {
    Console("trainer export", false).notice("the model is " + model_file.string());
  }
  if (!line.given("--input")) options.input = stored_type(model);
  const std::string bytes = onnx_model(model, options);
  AtomicFile file(path);
  file.write(bytes);
  file.commit();
  return print(told(model, options, path, bytes.size()));
}

}  // namespace millrace
