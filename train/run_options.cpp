#include "train/run_options.h"

#include <cmath>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "train/bad_ledger.h"
#include "train/json_numbers.h"

namespace millrace {
namespace {

using nlohmann::json;

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
    sample.shape.push_back(whole_number<std::uint32_t>(json{{"dim", dim}}, "dim"));
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

Fold decode_fold(const json& object) {
  const Fold fold{whole_number<std::uint32_t>(object, "index"),
                  whole_number<std::uint32_t>(object, "count")};
  if (fold.count < 2 || fold.index >= fold.count) {
    throw json::type_error::create(302, "no fold", &object);
  }
  return fold;
}

void decode_schedule(const json& object, RunOptions& options) {
  options.schedule.kind = known(object, "kind", schedule_called);
  options.schedule.warmup_epochs = object.at("warmup_epochs").get<double>();
  options.schedule.step_epochs = whole_number<std::uint64_t>(object, "step_epochs");
  options.schedule.gamma = object.at("gamma").get<double>();
  options.schedule_epochs = whole_number<std::uint64_t>(object, "epochs");
}

void decode_optimizer(const json& object, OptimizerSpec& optimizer) {
  optimizer.kind = known(object, "kind", optimizer_called);
  optimizer.beta1 = object.at("beta1").get<float>();
  optimizer.beta2 = object.at("beta2").get<float>();
  optimizer.epsilon = object.at("epsilon").get<float>();
  if (object.contains("clip_norm")) optimizer.clip_norm = object.at("clip_norm").get<float>();
  if (object.contains("ema")) optimizer.ema = object.at("ema").get<float>();
}

}  // namespace

json encode_run_options(const RunOptions& options) {
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
  if (options.loss != Loss::kCrossEntropy) object["loss"] = name_of(options.loss);
  if (!options.class_weights.empty()) object["class_weights"] = options.class_weights;
  if (!options.validation_hash.empty()) object["validation_hash"] = options.validation_hash;
  if (const Fold& fold = options.fold; fold.count != 0) {
    object["fold"] = {{"index", fold.index}, {"count", fold.count}};
  }
  return object;
}

RunOptions decode_run_options(const json& object) {
  RunOptions options;
  for (const json& width : object.at("widths")) {
    options.widths.push_back(whole_number<std::uint32_t>(json{{"width", width}}, "width"));
  }
  options.batch = whole_number<std::uint32_t>(object, "batch");
  if (object.contains("accumulate")) {
    options.accumulate = whole_number<std::uint32_t>(object, "accumulate");
  }
  options.validation_size = whole_number<std::uint64_t>(object, "validation_size");
  if (object.contains("validation_hash")) {
    options.validation_hash = object.at("validation_hash").get<std::string>();
  }
  options.optimizer.learning_rate = object.at("learning_rate").get<float>();
  options.optimizer.momentum = object.at("momentum").get<float>();
  options.optimizer.weight_decay = object.at("weight_decay").get<float>();
  options.precision = known(object, "precision", precision_called);
  options.seed = whole_number<std::uint64_t>(object, "seed");
  options.shuffle = object.at("shuffle").get<bool>();
  // Checkpoints were without these once.
  if (object.contains("optimizer")) {
    decode_optimizer(object.at("optimizer"), options.optimizer);
    options.batch_norm = object.at("batch_norm").get<bool>();
    options.dropout = object.at("dropout").get<float>();
    options.label_smoothing = object.at("label_smoothing").get<float>();
  }
  if (object.contains("class_weights")) {
    options.class_weights = object.at("class_weights").get<std::vector<float>>();
  }
  if (object.contains("fold")) options.fold = decode_fold(object.at("fold"));
  if (object.contains("loss")) options.loss = known(object, "loss", loss_called);
  if (object.contains("activation")) {
    options.activation = known(object, "activation", activation_called);
  }
  if (object.contains("window_blocks")) {
    options.window_blocks = whole_number<std::uint64_t>(object, "window_blocks");
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

}  // namespace millrace
