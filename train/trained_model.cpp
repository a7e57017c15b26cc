#include "train/trained_model.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "formats/error.h"
#include "formats/image_layout.h"
#include "formats/json_text.h"
#include "loader/loader.h"
#include "loader/standardized.h"
#include "train/sample_labels.h"

namespace millrace {
namespace {

std::string type_name(InputType type) { return type == InputType::kUInt8 ? "uint8" : "float32"; }

using Names = std::vector<std::string>;

std::string name_at(const Names& names, std::size_t label) {
  return label < names.size() ? json_line(names[label]) : "none";
}

// The first that the two call differently, where both have names.
std::optional<std::size_t> other_name(const Names& known, const Names& found) {
  if (known.empty() || found.empty()) return std::nullopt;
  for (std::size_t c = 0; c < std::max(known.size(), found.size()); ++c) {
    if (name_at(known, c) != name_at(found, c)) return c;
  }
  return std::nullopt;
}

}  // namespace

SampleShape TrainedModel::sample_shape() const {
  const auto& recorded = checkpoint.state.options.sample.shape;
  if (recorded.empty()) return {{spec.features}};
  return {recorded};
}

std::string TrainedModel::widths() const {
  return fmt::format("{}", fmt::join(spec.widths(), "-"));
}

TrainedModel load_model(const std::filesystem::path& path) {
  TrainedModel model;
  model.path = path;
  model.checkpoint = load_checkpoint(path);
  model.spec = model_of(model.checkpoint.state.options);
  return model;
}

void check_goes_with(const TrainedModel& model, const Dataset& data) {
  std::string differences;
  const auto differ = [&](const std::string& what, const std::string& wanted,
                          const std::string& found) {
    if (!differences.empty()) differences += "; ";
    differences += fmt::format("{}: model {}, {} {}", what, wanted, data.name(), found);
  };
  const RunState& state = model.checkpoint.state;
  const bool shape_known = !state.options.sample.shape.empty();
  const bool same_shape = shape_known ? data.shape() == model.sample_shape()
                                      : data.shape().elements() == model.spec.features;
  // Numbers of a table are the same in any type; bytes of an image are not its floats.
  const SampleSpec& sample = state.options.sample;
  const bool any_type = sample.standardizer && !image_layout_of(model.sample_shape());
  const bool same_type = any_type || input_type_for(data.dtype()) == sample.input;
  if (!same_shape || !same_type) {
    differ("samples", model.sample_shape().text() + ' ' + type_name(sample.input),
           describe_samples(data));
  }
  const std::uint32_t targets = model.spec.has_targets() ? model.spec.classes : 0;
  if (data.targets() != targets) {
    differ("to be predicted",
           targets == 0 ? fmt::format("{} classes", model.spec.classes)
                        : fmt::format("{} target{}", targets, targets == 1 ? "" : "s"),
           describe_labels(data));
  } else if (const auto unlike = other_name(state.columns.targets, data.column_names().targets)) {
    differ("target " + std::to_string(*unlike), name_at(state.columns.targets, *unlike),
           name_at(data.column_names().targets, *unlike));
  } else if (data.classes() > model.spec.classes) {
    differ("classes", std::to_string(model.spec.classes), std::to_string(data.classes()));
  } else if (const auto other = other_name(state.class_names, data.class_names())) {
    differ("class " + std::to_string(*other), name_at(state.class_names, *other),
           name_at(data.class_names(), *other));
  }
  const Names& columns = data.column_names().values;
  if (const auto other = other_name(state.columns.values, columns); other && same_shape) {
    differ("column " + std::to_string(*other + 1), name_at(state.columns.values, *other),
           name_at(columns, *other));
  }
  if (!differences.empty()) {
    throw DataError(model.path, "does not go with the data: " + differences);
  }
}

std::shared_ptr<const Dataset> seen_by(const TrainedModel& model,
                                       std::shared_ptr<const Dataset> data) {
  check_goes_with(model, *data);
  if (model.spec.multilabel()) check_sample_labels(*data);
  return standardized(std::move(data), model.checkpoint.state.options.sample.standardizer);
}

KnownData known_data(const TrainedModel& model) {
  const RunState& state = model.checkpoint.state;
  KnownData known{.as_float = state.options.sample.input == InputType::kFloat32};
  if (!state.columns.label.empty() || !state.columns.targets.empty()) {
    known.columns = {.names = state.columns, .of = model.path};
  }
  const auto layout = image_layout_of(model.sample_shape());
  if (layout) known.shape = model.sample_shape();
  if (layout && !layout->planes && stored_type(model) == InputType::kUInt8) {
    known.image.resize = ImageSize{layout->width, layout->height};
    known.image.channels = layout->channels == 1 ? ImageChannels::kGray : ImageChannels::kRgb;
  }
  // A checkpoint holds what is no UTF-8 replaced, which files are not read by.
  constexpr std::string_view kReplacement = "\xef\xbf\xbd";
  const auto replaced = [&](const std::string& name) {
    return name.find(kReplacement) != std::string::npos;
  };
  if (std::ranges::none_of(state.class_names, replaced)) known.class_names = state.class_names;
  return known;
}

std::optional<std::string> matched_by_place(const TrainedModel& model, const Dataset& data) {
  const bool model_knows = !model.checkpoint.state.columns.values.empty();
  const bool data_knows = !data.column_names().values.empty();
  if (model_knows == data_knows) return std::nullopt;
  return fmt::format("{}: {} its columns: values are taken by their places", data.name(),
                     data_knows ? "the model has no names for" : "there are no names for");
}

std::unique_ptr<Engine> make_engine(const TrainedModel& model, const Device& device) {
  TrainSpec train;
  train.batch = 1;  // it never trains: the least memory
  train.precision = model.checkpoint.state.options.precision;
  auto engine = make_engine(model.spec, train, device);
  engine->set_parameters(model.checkpoint.parameters);
  return engine;
}

}  // namespace millrace
