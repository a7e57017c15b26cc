#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "compute/engine.h"
#include "formats/folder.h"
#include "formats/split_names.h"
#include "train/bad_ledger.h"
#include "train/confusion.h"
#include "train/label_scores.h"
#include "train/predictions.h"
#include "train/target_errors.h"
#include "train/trained_model.h"

namespace millrace {

/// What becomes of samples that cannot be read: unless it is kFail they are left out, and `tell` is
/// told of each, until they are more than `budget` of their data set.
struct LeavingOut {
  OnBad on_bad = OnBad::kFail;
  BadBudget budget;
  std::function<void(const std::string& dataset, const BadSample& sample)> tell;
};

/// The samples of a split as the model's own run made it: where `data` is what it was trained on,
/// train and validation are those two parts; of other data train is the whole training set. A
/// validation set that lies beside a test set is taken where the run kept no training samples for
/// validation, or had other data. Samples
/// that cannot be read are left out unless `on_bad` is kFail. Throws DataError where there is no
/// such split.
Part part_of(const TrainedModel& model, const DataFolder& data, DataSplit split,
             OnBad on_bad = OnBad::kFail);

/// How good a model is on one split.
struct Evaluation {
  std::string checkpoint;
  std::string widths;  ///< "784-32-10"
  std::string data;    ///< name of the data set
  DataSplit split = DataSplit::kTest;
  std::string weights_hash;
  std::string dataset_hash;
  EngineInfo engine;
  Metrics metrics;
  Confusion confusion{0};  ///< without classes where they are not what is learnt
  OnBad on_bad = OnBad::kFail;
  std::uint64_t bad_budget = 0;
  std::uint64_t bad_samples = 0;            ///< left out
  std::optional<TargetErrors> errors = {};  ///< of a regression
  std::optional<double> r2 = {};            ///< of all targets together; see TargetErrors
  std::optional<LabelScores> labels = {};   ///< of labels that samples have or have not
};

/// What the model said of each sample of a split.
struct SampleOutputs {
  std::vector<float> logits;           ///< [count, outputs], row-major; of a regression targets
  std::vector<std::int32_t> labels;    ///< [count], of classes
  std::vector<float> targets;          ///< else, the true ones: [count, targets]
  std::vector<std::uint64_t> numbers;  ///< [count], of the samples in their data set
};

/// Fills `outputs` where that is not null. Throws DataError where model and data do not go together
/// (seen_by), where no sample can be read or too many cannot, or where one has a value that
/// is not finite, and what make_engine and predict_all throw.
Evaluation evaluate(const TrainedModel& model, const DataFolder& data, DataSplit split,
                    const Device& device, std::uint32_t workers, SampleOutputs* outputs = nullptr,
                    const LeavingOut& leaving_out = {});

/// As a safetensors file with the tensors "logits", "labels" and "samples"; of a regression
/// "predictions", "targets" and "samples", of labels that samples have or have not "logits",
/// "targets" and "samples". Throws DataError if it cannot be written.
void write_outputs(const std::filesystem::path& path, const SampleOutputs& outputs,
                   const Evaluation& evaluation);

/// Several lines for people, at most 80 columns wide: loss, R² and errors of each target; loss,
/// accuracies and a line a label; or loss and accuracy, a line a class, of very many the worst
/// alone, and the confusion matrix where it fits, else the most frequent mistakes.
std::string render(const Evaluation& evaluation);

/// The same for programs; precision and recall are null where they are not defined, "confusion"
/// (rows: truth) where the table would be too large.
nlohmann::ordered_json to_json(const Evaluation& evaluation);

}  // namespace millrace
