#include "tools/onnx/onnx_model.h"

#include <bit>
#include <cstddef>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <span>
#include <stdexcept>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "compute/target_units.h"
#include "compute/tensors.h"
#include "formats/error.h"
#include "formats/json_text.h"
#include "tools/onnx/schema.h"
#include "tools/protobuf/message.h"
#include "train/weights_hash.h"

namespace millrace {
namespace {

static_assert(std::endian::native == std::endian::little, "raw_data is little-endian");

struct Attribute {
  std::string_view name;
  std::variant<std::int64_t, float> value;
};

std::int64_t element_type(InputType type) {
  return type == InputType::kUInt8 ? onnx::tensor::kTypeUInt8 : onnx::tensor::kTypeFloat;
}

ProtoMessage tensor_of(const std::string& name, std::span<const std::uint64_t> shape,
                       std::span<const float> values) {
  ProtoMessage tensor;
  for (const std::uint64_t dim : shape) {
    tensor.integer(onnx::tensor::kDims, static_cast<std::int64_t>(dim));
  }
  tensor.integer(onnx::tensor::kDataType, onnx::tensor::kTypeFloat);
  tensor.text(onnx::tensor::kName, name);
  const auto bytes = std::as_bytes(values);
  tensor.text(onnx::tensor::kRawData, {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  return tensor;
}

// A tensor [batch, shape…] of the graph's input or output.
ProtoMessage value_of(const std::string& name, InputType element,
                      const std::vector<std::uint64_t>& shape) {
  ProtoMessage dims;
  ProtoMessage batch;
  batch.text(onnx::type::kDimParam, "batch");
  dims.message(onnx::type::kDim, batch);
  for (const std::uint64_t size : shape) {
    ProtoMessage dim;
    dim.integer(onnx::type::kDimValue, static_cast<std::int64_t>(size));
    dims.message(onnx::type::kDim, dim);
  }
  ProtoMessage tensor;
  tensor.integer(onnx::type::kElement, element_type(element));
  tensor.message(onnx::type::kShape, dims);
  ProtoMessage type;
  type.message(onnx::type::kTensor, tensor);
  ProtoMessage value;
  value.text(onnx::value::kName, name);
  value.message(onnx::value::kType, type);
  return value;
}

/// A chain of operators, each on the output of the one before it.
class Chain {
 public:
  explicit Chain(std::string input) : last_(std::move(input)) {}

  /// `output` names the operator too.
  void add(std::string_view op, const std::string& output,
           std::initializer_list<std::string> more_inputs = {},
           std::initializer_list<Attribute> attributes = {}) {
    ProtoMessage node;
    node.text(onnx::node::kInput, last_);
    for (const std::string& input : more_inputs) node.text(onnx::node::kInput, input);
    node.text(onnx::node::kOutput, output);
    node.text(onnx::node::kName, output);
    node.text(onnx::node::kOpType, op);
    for (const Attribute& attribute : attributes) {
      ProtoMessage message;
      message.text(onnx::attribute::kName, attribute.name);
      if (const auto* number = std::get_if<float>(&attribute.value)) {
        message.real(onnx::attribute::kFloat, *number);
        message.integer(onnx::attribute::kType, onnx::attribute::kTypeFloat);
      } else {
        message.integer(onnx::attribute::kInt, std::get<std::int64_t>(attribute.value));
        message.integer(onnx::attribute::kType, onnx::attribute::kTypeInt);
      }
      node.message(onnx::node::kAttribute, message);
    }
    graph_.message(onnx::graph::kNode, node);
    last_ = output;
  }

  ProtoMessage& graph() { return graph_; }
  const std::string& last() const { return last_; }

 private:
  ProtoMessage graph_;
  std::string last_;
};

void add_input(Chain& chain, const TrainedModel& model, const OnnxOptions& options) {
  if (model.sample_shape().dims.size() != 1) {
    chain.add("Flatten", "flat", {}, {{"axis", std::int64_t{1}}});
  }
  if (options.input == InputType::kUInt8) {
    chain.add("Cast", "floats", {}, {{"to", onnx::tensor::kTypeFloat}});
  }
  const auto constant = [&](const std::string& name, std::span<const std::uint64_t> shape,
                            std::span<const float> values) {
    chain.graph().message(onnx::graph::kInitializer, tensor_of(name, shape, values));
  };
  if (const auto& by = model.checkpoint.state.options.sample.standardizer) {
    const std::vector<std::uint64_t> features{model.spec.features};
    chain.add("Sub", "centred", {"input.mean"});
    chain.add("Div", "standardised", {"input.std"});
    constant("input.mean", features, by->mean);
    constant("input.std", features, by->deviation);
    return;
  }
  chain.add("Mul", "normalised", {"scale"});
  constant("scale", {}, std::span(&model.spec.input_scale, 1));
}

// Opset 13 has no Gelu: x * (1 + erf(x / sqrt(2))) / 2, of which the constants are initialisers.
constexpr std::string_view kGeluScale = "gelu.scale";
constexpr std::string_view kGeluOne = "gelu.one";
constexpr std::string_view kGeluHalf = "gelu.half";

void add_gelu_constants(Chain& chain) {
  const auto add = [&](std::string_view name, float value) {
    chain.graph().message(onnx::graph::kInitializer,
                          tensor_of(std::string(name), {}, std::span(&value, 1)));
  };
  add(kGeluScale, 0.70710678F);
  add(kGeluOne, 1.0F);
  add(kGeluHalf, 0.5F);
}

void add_activation(Chain& chain, Activation activation, const std::string& output) {
  switch (activation) {
    case Activation::kTanh:
      return chain.add("Tanh", output);
    case Activation::kSigmoid:
      return chain.add("Sigmoid", output);
    case Activation::kLeakyRelu:
      return chain.add("LeakyRelu", output, {}, {{"alpha", kLeakySlope}});
    case Activation::kGelu: {
      const std::string sums = chain.last();
      chain.add("Mul", output + ".scaled", {std::string(kGeluScale)});
      chain.add("Erf", output + ".erf");
      chain.add("Add", output + ".share", {std::string(kGeluOne)});
      chain.add("Mul", output + ".twice", {sums});
      return chain.add("Mul", output, {std::string(kGeluHalf)});
    }
    case Activation::kRelu:
      break;
  }
  chain.add("Relu", output);
}

// Of the last layer.
std::string outputs_name(const TrainedModel& model) {
  if (!model.spec.regression()) return "logits";
  return model.spec.target_scales.empty() ? "targets" : "standardised_targets";
}

void add_layers(Chain& chain, const TrainedModel& model) {
  const Parameters parameters = folded(model.spec, model.checkpoint.parameters);
  const std::size_t layers = parameters.size() / 2;
  if (model.spec.activation == Activation::kGelu && layers > 1) add_gelu_constants(chain);
  for (std::size_t l = 0; l < layers; ++l) {
    const Tensor& weight = parameters[2 * l];
    const Tensor& bias = parameters[2 * l + 1];
    const bool top = l + 1 == layers;
    // Named as the modules of torch.nn.Sequential, whose parameters these are.
    const std::size_t module = std::stoul(weight.name);
    chain.add("Gemm", top ? outputs_name(model) : std::to_string(module), {weight.name, bias.name},
              {{"transB", std::int64_t{1}}});
    if (!top) add_activation(chain, model.spec.activation, std::to_string(module + 1));
    for (const Tensor* tensor : {&weight, &bias}) {
      chain.graph().message(onnx::graph::kInitializer,
                            tensor_of(tensor->name, tensor->shape, tensor->values));
    }
  }
}

// From those that the network sees to their own units.
void add_target_scales(Chain& chain, const TrainedModel& model) {
  const auto& scales = model.spec.target_scales;
  if (scales.empty()) return;
  chain.add("Mul", "spread", {"target.std"});
  chain.add("Add", "targets", {"target.mean"});
  const std::vector<std::uint64_t> shape{scales.size()};
  chain.graph().message(onnx::graph::kInitializer,
                        tensor_of("target.std", shape, each_of(scales, &TargetScale::deviation)));
  chain.graph().message(onnx::graph::kInitializer,
                        tensor_of("target.mean", shape, each_of(scales, &TargetScale::mean)));
}

void add_metadata(ProtoMessage& message, const std::string& key, const std::string& value) {
  ProtoMessage entry;
  entry.text(onnx::entry::kKey, key);
  entry.text(onnx::entry::kValue, value);
  message.message(onnx::model::kMetadataProps, entry);
}

void check_size(const TrainedModel& model) {
  constexpr std::uint64_t kMost =
      (std::uint64_t{1} << 31U) - (1U << 20U);  // with room for the rest
  const std::uint64_t bytes = model.spec.parameter_count() * sizeof(float);
  if (bytes > kMost) {
    throw DataError(model.path, std::nullopt,
                    "parameters of less than 2 GiB, which is what an ONNX file can hold",
                    std::to_string(bytes) + " bytes");
  }
}

}  // namespace

std::string onnx_model(const TrainedModel& model, const OnnxOptions& options) {
  if (options.input == InputType::kUInt8 && stored_type(model) != InputType::kUInt8) {
    throw std::invalid_argument(
        "--input: expected float for a model of float samples, found uint8");
  }
  check_size(model);
  Chain chain("samples");
  add_input(chain, model, options);
  add_layers(chain, model);
  add_target_scales(chain, model);
  if (options.probabilities && model.spec.multilabel()) {
    chain.add("Sigmoid", "probabilities");
  } else if (options.probabilities && !model.spec.regression()) {
    chain.add("Softmax", "probabilities", {}, {{"axis", std::int64_t{1}}});
  }
  ProtoMessage& graph = chain.graph();
  graph.text(onnx::graph::kName, "mlp-" + model.widths());
  graph.message(onnx::graph::kInput, value_of("samples", options.input, model.sample_shape().dims));
  graph.message(onnx::graph::kOutput,
                value_of(chain.last(), InputType::kFloat32, {model.spec.classes}));

  ProtoMessage opset;
  opset.text(onnx::opset::kDomain, "");
  opset.integer(onnx::opset::kVersion, onnx::kOpset);
  ProtoMessage file;
  file.integer(onnx::model::kIrVersion, onnx::kIrVersion);
  file.text(onnx::model::kProducerName, "Millrace");
  file.message(onnx::model::kOpsetImport, opset);
  add_metadata(file, "millrace.weights_hash", weights_hash(model.checkpoint.parameters));
  add_metadata(file, "millrace.dataset_hash", model.checkpoint.state.dataset_hash);
  if (const auto& names = model.checkpoint.state.class_names; !names.empty()) {
    add_metadata(file, "millrace.class_names", json_line(names));
  }
  if (const auto& names = model.checkpoint.state.columns.values; !names.empty()) {
    add_metadata(file, "millrace.columns", json_line(names));
  }
  if (const auto& names = model.checkpoint.state.columns.targets; !names.empty()) {
    add_metadata(file, "millrace.target_columns", json_line(names));
  }
  file.message(onnx::model::kGraph, graph);
  return file.bytes();
}

}  // namespace millrace
