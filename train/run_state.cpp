#include "train/run_state.h"

#include <array>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>
#include <utility>

#include "formats/error.h"
#include "formats/json_text.h"
#include "train/json_numbers.h"
#include "train/run_options.h"
#include "train/table_json.h"

namespace millrace {
namespace {

using nlohmann::json;

constexpr std::string_view kVersion = "1";
constexpr std::string_view kVersionKey = "millrace.checkpoint";
constexpr std::string_view kEpochKey = "millrace.epoch";
constexpr std::string_view kBatchKey = "millrace.batch";
constexpr std::string_view kStepKey = "millrace.step";
constexpr std::string_view kDatasetKey = "millrace.dataset_hash";
constexpr std::string_view kClassNamesKey = "millrace.class_names";  // where they have some
constexpr std::string_view kColumnsKey = "millrace.columns";         // likewise
constexpr std::string_view kLabelColumnKey = "millrace.label_column";
constexpr std::string_view kTargetColumnsKey = "millrace.target_columns";
constexpr std::string_view kTableKey = "millrace.table";  // likewise
constexpr std::string_view kOptionsKey = "millrace.options";
constexpr std::string_view kHistoryKey = "millrace.history";
constexpr std::string_view kLossSumKey = "millrace.epoch_loss_sum";
constexpr std::string_view kSquaredErrorSumKey = "millrace.epoch_squared_error_sum";
constexpr std::string_view kSquaredErrorRestKey = "millrace.epoch_squared_error_rest";
constexpr std::string_view kCorrectKey = "millrace.epoch_correct";
constexpr std::string_view kSamplesKey = "millrace.epoch_samples";

// Hexadecimal, so that a reader in another language gets the same bits too.
std::string hex_float(double value) {
  std::array<char, 64> text{};
  const auto end =
      std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::hex);
  return {text.data(), end.ptr};
}

json to_json(const std::optional<double>& value) { return value ? json(*value) : json(nullptr); }

json encode_history(const std::vector<EpochResult>& history) {
  json all = json::array();
  for (const EpochResult& e : history) {
    json object{{"epoch", e.epoch},
                {"train_loss", e.train_loss},
                {"train_acc", e.train_acc},
                {"val_loss", to_json(e.val_loss)},
                {"val_acc", to_json(e.val_acc)},
                {"learning_rate", to_json(e.learning_rate)},
                {"train_s", e.train_s},
                {"val_s", e.val_s},
                {"partial", e.partial}};
    if (e.train_r2) object["train_r2"] = *e.train_r2;
    if (e.val_r2) object["val_r2"] = *e.val_r2;
    if (e.val_rmse) object["val_rmse"] = *e.val_rmse;
    all.push_back(std::move(object));
  }
  return all;
}

// Reads the entries of one file; every complaint names it.
class Decoder {
 public:
  Decoder(const std::filesystem::path& file, const TensorMetadata& metadata)
      : file_(file), metadata_(metadata) {}

  const std::string& text(std::string_view key) const {
    const auto found = metadata_.find(std::string(key));
    if (found == metadata_.end()) {
      throw DataError(file_, std::nullopt, "metadata entry " + std::string(key), "none");
    }
    return found->second;
  }

  std::uint64_t integer(std::string_view key) const {
    const std::string& value = text(key);
    std::uint64_t number = 0;
    const auto [end, code] = std::from_chars(value.data(), value.data() + value.size(), number);
    if (code != std::errc{} || end != value.data() + value.size() || value.empty()) {
      fail(key, "a whole number", value);
    }
    return number;
  }

  double real(std::string_view key) const {
    const std::string& value = text(key);
    double number = 0.0;
    const auto [end, code] =
        std::from_chars(value.data(), value.data() + value.size(), number, std::chars_format::hex);
    if (code != std::errc{} || end != value.data() + value.size() || !std::isfinite(number)) {
      fail(key, "a finite hexadecimal number", value);
    }
    return number;
  }

  // `read` turns the entry's JSON into a value, and may throw json::exception.
  template <typename Read>
  auto parsed(std::string_view key, std::string_view expected, Read read) const {
    const std::string& value = text(key);
    try {
      return read(json::parse(value));
    } catch (const json::exception&) {
      fail(key, expected, value);
    }
  }

  [[noreturn]] void fail(std::string_view key, std::string_view expected,
                         const std::string& found) const {
    constexpr std::size_t kShown = 60;
    throw DataError(file_, std::nullopt, std::string(expected) + " as " + std::string(key),
                    '"' + (found.size() > kShown ? found.substr(0, kShown) + "…" : found) + '"');
  }

 private:
  const std::filesystem::path& file_;
  const TensorMetadata& metadata_;
};

std::optional<double> optional_double(const json& value) {
  return value.is_null() ? std::nullopt : std::optional(value.get<double>());
}

std::vector<std::string> list_of_names(const json& list) {
  return list.get<std::vector<std::string>>();
}

void check_count(const std::filesystem::path& file, std::uint64_t expected, std::string_view what,
                 std::size_t found) {
  if (found == expected) return;
  throw DataError(file, std::nullopt, std::to_string(expected) + ' ' + std::string(what),
                  std::to_string(found));
}

std::vector<EpochResult> decode_history(const json& all) {
  std::vector<EpochResult> history;
  for (const json& object : all) {
    EpochResult e;
    e.epoch = whole_number<std::uint64_t>(object, "epoch");
    e.train_loss = object.at("train_loss").get<double>();
    e.train_acc = object.at("train_acc").get<double>();
    e.val_loss = optional_double(object.at("val_loss"));
    e.val_acc = optional_double(object.at("val_acc"));
    const auto optional = [&](const char* key, std::optional<double>& value) {
      if (object.contains(key)) value = optional_double(object.at(key));
    };
    optional("learning_rate", e.learning_rate);
    optional("train_r2", e.train_r2);
    optional("val_r2", e.val_r2);
    optional("val_rmse", e.val_rmse);
    e.train_s = object.at("train_s").get<double>();
    e.val_s = object.at("val_s").get<double>();
    e.partial = object.at("partial").get<bool>();
    history.push_back(e);
  }
  return history;
}

}  // namespace

TensorMetadata encode_run_state(const RunState& state) {
  TensorMetadata metadata;
  const auto put = [&](std::string_view key, std::string value) {
    metadata.emplace(std::string(key), std::move(value));
  };
  put(kVersionKey, std::string(kVersion));
  put(kEpochKey, std::to_string(state.epoch));
  put(kBatchKey, std::to_string(state.batch));
  put(kStepKey, std::to_string(state.step));
  put(kDatasetKey, state.dataset_hash);
  if (!state.class_names.empty()) put(kClassNamesKey, json_line(state.class_names));
  if (!state.columns.values.empty()) put(kColumnsKey, json_line(state.columns.values));
  if (!state.columns.label.empty()) put(kLabelColumnKey, state.columns.label);
  if (!state.columns.targets.empty()) put(kTargetColumnsKey, json_line(state.columns.targets));
  if (state.columns.form != TableForm{})
    put(kTableKey, json_line(encode_table(state.columns.form)));
  put(kOptionsKey, encode_run_options(state.options).dump());
  put(kHistoryKey, encode_history(state.history).dump());
  put(kLossSumKey, hex_float(state.sums.loss_sum));
  put(kCorrectKey, std::to_string(state.sums.correct));
  put(kSamplesKey, std::to_string(state.sums.samples));
  if (state.options.task() != Task::kClassification) {
    put(kSquaredErrorSumKey, hex_float(state.sums.squared_error_sum));
    put(kSquaredErrorRestKey, hex_float(state.sums.squared_error_rest));
  }
  return metadata;
}

RunState decode_run_state(const std::filesystem::path& file, const TensorMetadata& metadata) {
  const Decoder in(file, metadata);
  if (!metadata.contains(std::string(kVersionKey))) {
    throw DataError(file, std::nullopt,
                    "a checkpoint of the trainer, which says of what model and run it is",
                    "a safetensors file without " + std::string(kVersionKey));
  }
  if (in.text(kVersionKey) != kVersion) in.fail(kVersionKey, "version 1", in.text(kVersionKey));
  RunState state;
  state.epoch = in.integer(kEpochKey);
  state.batch = in.integer(kBatchKey);
  state.step = in.integer(kStepKey);
  state.dataset_hash = in.text(kDatasetKey);
  state.options = in.parsed(kOptionsKey, "the options of a run", decode_run_options);
  const bool targets = state.options.task() != Task::kClassification;
  for (const std::string_view key : {kClassNamesKey, kTargetColumnsKey}) {
    if (!metadata.contains(std::string(key)) || targets == (key == kTargetColumnsKey)) continue;
    throw DataError(file, std::nullopt,
                    std::string(targets ? "names of targets" : "names of classes") +
                        ", which its loss (" + name_of(state.options.loss) + ") is of",
                    std::string(key));
  }
  if (metadata.contains(std::string(kClassNamesKey))) {
    state.class_names = in.parsed(kClassNamesKey, "a list of the classes' names", list_of_names);
    const auto& widths = state.options.widths;
    check_count(file, widths.empty() ? 0 : widths.back(), "names of classes",
                state.class_names.size());
  }
  if (metadata.contains(std::string(kColumnsKey))) {
    state.columns.values = in.parsed(kColumnsKey, "a list of the columns' names", list_of_names);
    const auto& widths = state.options.widths;
    check_count(file, widths.empty() ? 0 : widths.front(), "names of columns",
                state.columns.values.size());
  }
  if (metadata.contains(std::string(kLabelColumnKey))) {
    state.columns.label = in.text(kLabelColumnKey);
  }
  if (metadata.contains(std::string(kTargetColumnsKey))) {
    state.columns.targets =
        in.parsed(kTargetColumnsKey, "a list of the target columns' names", list_of_names);
    const auto& widths = state.options.widths;
    check_count(file, widths.empty() ? 0 : widths.back(), "names of target columns",
                state.columns.targets.size());
  }
  if (metadata.contains(std::string(kTableKey))) {
    auto& form = state.columns.form;
    form = in.parsed(kTableKey, "what the columns of a table become", decode_table);
    const auto& widths = state.options.widths;
    if (!form.columns.empty()) {
      check_count(file, widths.empty() ? 0 : widths.front(), "values of a table's columns",
                  form.values());
    }
  }
  state.history = in.parsed(kHistoryKey, "the epochs of a run", decode_history);
  state.sums = {in.real(kLossSumKey), in.integer(kCorrectKey), in.integer(kSamplesKey)};
  if (state.options.task() != Task::kClassification) {
    state.sums.squared_error_sum = in.real(kSquaredErrorSumKey);
    state.sums.squared_error_rest = in.real(kSquaredErrorRestKey);
  }
  if (state.history.size() != state.epoch) {
    throw DataError(file, std::nullopt, std::to_string(state.epoch) + " epochs of history",
                    std::to_string(state.history.size()));
  }
  return state;
}

}  // namespace millrace
