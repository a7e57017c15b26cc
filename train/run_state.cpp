#include "train/run_state.h"

#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>
#include <utility>

#include "formats/error.h"
#include "formats/json_text.h"
#include "train/bad_ledger.h"

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
constexpr std::string_view kOptionsKey = "millrace.options";
constexpr std::string_view kHistoryKey = "millrace.history";
constexpr std::string_view kLossSumKey = "millrace.epoch_loss_sum";
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

json encode_sample(const SampleSpec& sample) {
  json object{{"shape", sample.shape},
              {"type", sample.input == InputType::kUInt8 ? "uint8" : "float32"},
              {"scale", sample.scale}};
  if (sample.dark_on_light) object["dark_on_light"] = *sample.dark_on_light;
  return object;
}

json encode_schedule(const RunOptions& options) {
  const ScheduleSpec& schedule = options.schedule;
  return {{"kind", name_of(schedule.kind)},
          {"warmup_epochs", schedule.warmup_epochs},
          {"step_epochs", schedule.step_epochs},
          {"gamma", schedule.gamma},
          {"epochs", options.schedule_epochs}};
}

json encode_optimizer(const OptimizerSpec& optimizer) {
  return {{"kind", name_of(optimizer.kind)},  {"beta1", optimizer.beta1},
          {"beta2", optimizer.beta2},         {"epsilon", optimizer.epsilon},
          {"clip_norm", optimizer.clip_norm}, {"ema", optimizer.ema}};
}

json encode_augment(const AugmentSpec& augment) {
  return {{"rotate", augment.rotate},   {"shift", augment.shift},
          {"scale", augment.scale},     {"shear", augment.shear},
          {"elastic", augment.elastic}, {"elastic_sigma", augment.elastic_sigma}};
}

json encode_options(const RunOptions& options) {
  json object{{"widths", options.widths},
              {"batch", options.batch},
              {"accumulate", options.accumulate},
              {"validation_size", options.validation_size},
              {"learning_rate", options.optimizer.learning_rate},
              {"momentum", options.optimizer.momentum},
              {"weight_decay", options.optimizer.weight_decay},
              {"optimizer", encode_optimizer(options.optimizer)},
              {"batch_norm", options.batch_norm},
              {"dropout", options.dropout},
              {"activation", name_of(options.activation)},
              {"label_smoothing", options.label_smoothing},
              {"augment", encode_augment(options.augment)},
              {"precision", name_of(options.precision)},
              {"seed", options.seed},
              {"shuffle", options.shuffle},
              {"window_blocks", options.window_blocks},
              {"on_bad", name_of(options.on_bad)},
              {"schedule", encode_schedule(options)},
              {"sample", encode_sample(options.sample)}};
  if (!options.validation_hash.empty()) object["validation_hash"] = options.validation_hash;
  return object;
}

json encode_history(const std::vector<EpochResult>& history) {
  json all = json::array();
  for (const EpochResult& e : history) {
    all.push_back({{"epoch", e.epoch},
                   {"train_loss", e.train_loss},
                   {"train_acc", e.train_acc},
                   {"val_loss", to_json(e.val_loss)},
                   {"val_acc", to_json(e.val_acc)},
                   {"learning_rate", to_json(e.learning_rate)},
                   {"train_s", e.train_s},
                   {"val_s", e.val_s},
                   {"partial", e.partial}});
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

// get<>() would cut a number that is negative, has a fraction or is too large.
template <typename T>
T whole(const json& object, const char* key) {
  const json& value = object.at(key);
  if (!value.is_number_unsigned() ||
      value.get<std::uint64_t>() > std::uint64_t{std::numeric_limits<T>::max()}) {
    throw json::type_error::create(302, "not a whole number in range", &value);
  }
  return value.get<T>();
}

// Of a text that `called` knows.
template <typename Called>
auto known(const json& object, const char* key, const Called& called) {
  const auto value = called(object.at(key).get<std::string>());
  if (!value) throw json::type_error::create(302, "not known", &object);
  return *value;
}

SampleSpec decode_sample(const json& object, std::uint64_t features) {
  SampleSpec sample;
  std::uint64_t elements = 1;
  for (const json& dim : object.at("shape")) {
    sample.shape.push_back(whole<std::uint32_t>(json{{"dim", dim}}, "dim"));
    // More than 32 bits are never features, and less than 2^64 after the next dimension.
    if (elements <= features) elements *= sample.shape.back();
  }
  if (!sample.shape.empty() && elements != features) {
    throw json::type_error::create(302, "not the shape of a sample", &object);
  }
  const auto type = object.at("type").get<std::string>();
  if (type != "uint8" && type != "float32") {
    throw json::type_error::create(302, "no known type of samples", &object);
  }
  sample.input = type == "uint8" ? InputType::kUInt8 : InputType::kFloat32;
  sample.scale = object.at("scale").get<float>();
  if (!std::isfinite(sample.scale)) {
    throw json::type_error::create(302, "not a finite scale", &object);
  }
  if (object.contains("dark_on_light")) {
    sample.dark_on_light = object.at("dark_on_light").get<double>();
  }
  return sample;
}

void decode_schedule(const json& object, RunOptions& options) {
  options.schedule.kind = known(object, "kind", schedule_called);
  options.schedule.warmup_epochs = object.at("warmup_epochs").get<double>();
  options.schedule.step_epochs = whole<std::uint64_t>(object, "step_epochs");
  options.schedule.gamma = object.at("gamma").get<double>();
  options.schedule_epochs = whole<std::uint64_t>(object, "epochs");
}

void decode_optimizer(const json& object, OptimizerSpec& optimizer) {
  optimizer.kind = known(object, "kind", optimizer_called);
  optimizer.beta1 = object.at("beta1").get<float>();
  optimizer.beta2 = object.at("beta2").get<float>();
  optimizer.epsilon = object.at("epsilon").get<float>();
  if (object.contains("clip_norm")) optimizer.clip_norm = object.at("clip_norm").get<float>();
  if (object.contains("ema")) optimizer.ema = object.at("ema").get<float>();
}

RunOptions decode_options(const json& object) {
  RunOptions options;
  for (const json& width : object.at("widths")) {
    options.widths.push_back(whole<std::uint32_t>(json{{"width", width}}, "width"));
  }
  options.batch = whole<std::uint32_t>(object, "batch");
  if (object.contains("accumulate")) {
    options.accumulate = whole<std::uint32_t>(object, "accumulate");
  }
  options.validation_size = whole<std::uint64_t>(object, "validation_size");
  if (object.contains("validation_hash")) {
    options.validation_hash = object.at("validation_hash").get<std::string>();
  }
  options.optimizer.learning_rate = object.at("learning_rate").get<float>();
  options.optimizer.momentum = object.at("momentum").get<float>();
  options.optimizer.weight_decay = object.at("weight_decay").get<float>();
  options.precision = known(object, "precision", precision_called);
  options.seed = whole<std::uint64_t>(object, "seed");
  options.shuffle = object.at("shuffle").get<bool>();
  // Checkpoints were without these once.
  if (object.contains("optimizer")) {
    decode_optimizer(object.at("optimizer"), options.optimizer);
    options.batch_norm = object.at("batch_norm").get<bool>();
    options.dropout = object.at("dropout").get<float>();
    options.label_smoothing = object.at("label_smoothing").get<float>();
  }
  if (object.contains("activation")) {
    options.activation = known(object, "activation", activation_called);
  }
  if (object.contains("window_blocks")) {
    options.window_blocks = whole<std::uint64_t>(object, "window_blocks");
  }
  if (object.contains("on_bad")) {
    options.on_bad = known(object, "on_bad", on_bad_called);
  }
  if (object.contains("schedule")) decode_schedule(object.at("schedule"), options);
  if (object.contains("augment")) {
    const json& augment = object.at("augment");
    options.augment = {augment.at("rotate").get<float>(), augment.at("shift").get<float>(),
                       augment.at("scale").get<float>(), augment.at("shear").get<float>()};
    if (augment.contains("elastic")) {
      options.augment.elastic = augment.at("elastic").get<float>();
      options.augment.elastic_sigma = augment.at("elastic_sigma").get<float>();
    }
  }
  if (object.contains("sample") && !options.widths.empty()) {
    options.sample = decode_sample(object.at("sample"), options.widths.front());
  }
  return options;
}

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
    e.epoch = whole<std::uint64_t>(object, "epoch");
    e.train_loss = object.at("train_loss").get<double>();
    e.train_acc = object.at("train_acc").get<double>();
    e.val_loss = optional_double(object.at("val_loss"));
    e.val_acc = optional_double(object.at("val_acc"));
    if (object.contains("learning_rate")) {
      e.learning_rate = optional_double(object.at("learning_rate"));
    }
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
  put(kOptionsKey, encode_options(state.options).dump());
  put(kHistoryKey, encode_history(state.history).dump());
  put(kLossSumKey, hex_float(state.sums.loss_sum));
  put(kCorrectKey, std::to_string(state.sums.correct));
  put(kSamplesKey, std::to_string(state.sums.samples));
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
  state.options = in.parsed(kOptionsKey, "the options of a run", decode_options);
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
  state.history = in.parsed(kHistoryKey, "the epochs of a run", decode_history);
  state.sums = {in.real(kLossSumKey), in.integer(kCorrectKey), in.integer(kSamplesKey)};
  if (state.history.size() != state.epoch) {
    throw DataError(file, std::nullopt, std::to_string(state.epoch) + " epochs of history",
                    std::to_string(state.history.size()));
  }
  return state;
}

}  // namespace millrace
