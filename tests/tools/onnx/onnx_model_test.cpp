// Reads the file with a reader of its own and runs its operators one by one, in double precision,
// as https://onnx.ai/onnx/operators defines them. onnx_test.py does the same with ONNX Runtime.

#include "tools/onnx/onnx_model.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "compute/tensors.h"
#include "tests/support/protobuf_reader.h"
#include "train/predictions.h"

namespace millrace {
namespace {

using test::ProtoReader;

TrainedModel small_model(const std::vector<std::uint32_t>& hidden, InputType input,
                         Activation activation = Activation::kRelu) {
  TrainedModel model;
  model.spec.activation = activation;
  model.spec.features = 6;
  model.spec.hidden = hidden;
  model.spec.classes = 4;
  model.spec.input = input;
  model.spec.input_scale = input == InputType::kUInt8 ? 1.0F / 255.0F : 0.5F;
  model.checkpoint.parameters = initial_parameters(model.spec, 5);
  model.checkpoint.state.options.sample = {{2, 3}, input, model.spec.input_scale};
  model.checkpoint.state.dataset_hash = "d";
  return model;
}

struct Value {
  std::vector<std::uint64_t> shape;
  std::vector<double> values;
};

class Graph {
 public:
  explicit Graph(const std::string& file) : graph_(ProtoReader(file).message(7)) {
    for (const auto& field : graph_.all(5)) {
      const ProtoReader tensor(field.bytes);
      EXPECT_EQ(tensor.integer(2), 1);  // FLOAT
      Value value;
      std::uint64_t count = 1;
      for (const auto& dim : tensor.all(1)) {
        value.shape.push_back(dim.value);
        count *= dim.value;
      }
      const std::string raw = tensor.text(9);
      EXPECT_EQ(raw.size(), 4 * count);
      for (std::size_t i = 0; i < raw.size(); i += 4) {
        float number = 0.0F;
        std::memcpy(&number, raw.data() + i, 4);
        value.values.push_back(double{number});
      }
      values_[tensor.text(8)] = std::move(value);
    }
  }

  Value run(Value input) {
    values_[ProtoReader(graph_.one(11).bytes).text(1)] = std::move(input);
    for (const auto& field : graph_.all(1)) run_node(ProtoReader(field.bytes));
    return values_.at(ProtoReader(graph_.one(12).bytes).text(1));
  }

  std::vector<std::string> operators() const {
    std::vector<std::string> names;
    for (const auto& field : graph_.all(1)) names.push_back(ProtoReader(field.bytes).text(4));
    return names;
  }
  const ProtoReader& proto() const { return graph_; }

 private:
  static std::int64_t attribute(const ProtoReader& node, const std::string& name) {
    const ProtoReader found = node.message(5);
    EXPECT_EQ(found.text(1), name);
    EXPECT_EQ(found.integer(20), 2);  // INT
    return found.integer(3);
  }

  void run_node(const ProtoReader& node) {
    std::vector<Value> in;
    for (const auto& field : node.all(1)) in.push_back(values_.at(std::string(field.bytes)));
    values_[node.text(2)] = apply(node, node.text(4), in);
  }

  static Value apply(const ProtoReader& node, const std::string& op, const std::vector<Value>& in) {
    Value out = in[0];
    if (op == "Flatten") {
      EXPECT_EQ(attribute(node, "axis"), 1);
      out.shape = {in[0].shape[0], in[0].values.size() / in[0].shape[0]};
    } else if (op == "Cast") {
      EXPECT_EQ(attribute(node, "to"), 1);
    } else if (op == "Mul") {
      EXPECT_TRUE(in[1].shape.empty() || in[1].shape == in[0].shape);
      for (std::size_t i = 0; i < out.values.size(); ++i) {
        out.values[i] *= in[1].values[in[1].shape.empty() ? 0 : i];
      }
    } else if (op == "Add") {
      EXPECT_TRUE(in[1].shape.empty());
      for (double& v : out.values) v += in[1].values[0];
    } else if (op == "Erf") {
      for (double& v : out.values) v = std::erf(v);
    } else if (op == "Tanh") {
      for (double& v : out.values) v = std::tanh(v);
    } else if (op == "Sigmoid") {
      for (double& v : out.values) v = 1.0 / (1.0 + std::exp(-v));
    } else if (op == "LeakyRelu") {
      const ProtoReader alpha = node.message(5);
      EXPECT_EQ(alpha.text(1), "alpha");
      EXPECT_EQ(alpha.integer(20), 1);  // FLOAT
      const double slope = std::bit_cast<float>(static_cast<std::uint32_t>(alpha.one(2).value));
      for (double& v : out.values) v = v > 0.0 ? v : slope * v;
    } else if (op == "Relu") {
      for (double& v : out.values) v = std::max(v, 0.0);
    } else if (op == "Gemm") {
      EXPECT_EQ(attribute(node, "transB"), 1);
      out = gemm(in[0], in[1], in[2]);
    } else if (op == "Softmax") {
      EXPECT_EQ(attribute(node, "axis"), 1);
      for (std::size_t row = 0; row < out.values.size(); row += out.shape[1]) {
        std::vector<float> logits(
            out.values.begin() + static_cast<std::ptrdiff_t>(row),
            out.values.begin() + static_cast<std::ptrdiff_t>(row + out.shape[1]));
        std::ranges::copy(softmax(logits), out.values.begin() + static_cast<std::ptrdiff_t>(row));
      }
    } else {
      throw std::runtime_error("operator " + op);
    }
    return out;
  }

  static Value gemm(const Value& a, const Value& b, const Value& c) {
    const std::uint64_t rows = a.shape.at(0);
    const std::uint64_t depth = a.shape.at(1);
    const std::uint64_t columns = b.shape.at(0);
    EXPECT_EQ(b.shape.at(1), depth);
    EXPECT_EQ(c.shape, (std::vector<std::uint64_t>{columns}));
    Value out{{rows, columns}, {}};
    for (std::uint64_t r = 0; r < rows; ++r) {
      for (std::uint64_t o = 0; o < columns; ++o) {
        double sum = c.values[o];
        for (std::uint64_t i = 0; i < depth; ++i) {
          sum += a.values[r * depth + i] * b.values[o * depth + i];
        }
        out.values.push_back(sum);
      }
    }
    return out;
  }

  ProtoReader graph_;
  std::map<std::string, Value> values_;
};

Value some_samples() {
  Value samples{{5, 2, 3}, {}};
  for (int i = 0; i < 30; ++i) samples.values.push_back(i * 97 % 256);
  return samples;
}

// What the engine says of them.
std::vector<float> engine_logits(const TrainedModel& model, const Value& samples) {
  std::vector<std::byte> bytes;
  for (const double value : samples.values) {
    if (model.spec.input == InputType::kUInt8) {
      bytes.push_back(static_cast<std::byte>(value));
    } else {
      const auto number = static_cast<float>(value);
      const auto raw = std::as_bytes(std::span(&number, 1));
      bytes.insert(bytes.end(), raw.begin(), raw.end());
    }
  }
  const std::vector<std::int32_t> labels(5, 0);
  std::vector<float> logits(5 * std::size_t{model.spec.classes});
  const auto engine = make_engine(model, {Device::Kind::kCpu, 0, 1});
  engine->predict({.batch = 5, .count = 5, .indices = {}, .samples = bytes, .labels = labels},
                  logits);
  return logits;
}

TEST(OnnxModel, ComputesWhatTheEngineDoes) {
  for (const auto& hidden : std::vector<std::vector<std::uint32_t>>{{}, {5}, {7, 3}}) {
    for (const InputType stored : {InputType::kUInt8, InputType::kFloat32}) {
      for (const InputType input : {InputType::kUInt8, InputType::kFloat32}) {
        if (input == InputType::kUInt8 && stored != input) continue;
        const TrainedModel model = small_model(hidden, stored);
        const auto expected = engine_logits(model, some_samples());
        const Value found = Graph(onnx_model(model, {input, false})).run(some_samples());
        ASSERT_EQ(found.shape, (std::vector<std::uint64_t>{5, 4}));
        for (std::size_t i = 0; i < expected.size(); ++i) {
          EXPECT_NEAR(found.values[i], double{expected[i]}, 1e-5 * (1 + std::abs(expected[i])));
        }
      }
    }
  }
}

TEST(OnnxModel, HasTheModelsActivation) {
  for (const auto activation : {Activation::kRelu, Activation::kGelu, Activation::kTanh,
                                Activation::kSigmoid, Activation::kLeakyRelu}) {
    const TrainedModel model = small_model({7, 3}, InputType::kUInt8, activation);
    const auto expected = engine_logits(model, some_samples());
    const Value found = Graph(onnx_model(model, {InputType::kUInt8, false})).run(some_samples());
    for (std::size_t i = 0; i < expected.size(); ++i) {
      EXPECT_NEAR(found.values[i], double{expected[i]}, 1e-6) << name_of(activation);
    }
  }
}

TEST(OnnxModel, EndsInProbabilitiesWhereAskedTo) {
  const TrainedModel model = small_model({5}, InputType::kUInt8);
  const auto logits = engine_logits(model, some_samples());
  const Value found = Graph(onnx_model(model, {InputType::kUInt8, true})).run(some_samples());
  for (std::size_t row = 0; row < 5; ++row) {
    const auto expected = softmax(std::span(logits).subspan(row * 4, 4));
    for (std::size_t c = 0; c < 4; ++c) {
      EXPECT_NEAR(found.values[row * 4 + c], expected[c], 1e-6);
    }
  }
}

TEST(OnnxModel, HasTheOperatorsThatItsInputNeeds) {
  using Names = std::vector<std::string>;
  const TrainedModel model = small_model({5}, InputType::kUInt8);
  EXPECT_EQ(Graph(onnx_model(model, {InputType::kUInt8, true})).operators(),
            (Names{"Flatten", "Cast", "Mul", "Gemm", "Relu", "Gemm", "Softmax"}));
  EXPECT_EQ(Graph(onnx_model(model, {InputType::kFloat32, false})).operators(),
            (Names{"Flatten", "Mul", "Gemm", "Relu", "Gemm"}));
  TrainedModel flat = model;
  flat.checkpoint.state.options.sample.shape = {6};
  EXPECT_EQ(Graph(onnx_model(flat, {InputType::kUInt8, false})).operators(),
            (Names{"Cast", "Mul", "Gemm", "Relu", "Gemm"}));
}

TEST(OnnxModel, NamesAndTypesInputAndOutput) {
  const std::string file = onnx_model(small_model({5}, InputType::kUInt8), {});
  const ProtoReader model(file);
  EXPECT_EQ(model.integer(1), 7);
  EXPECT_EQ(model.message(8).integer(2), 13);
  const Graph graph(file);
  const ProtoReader input = graph.proto().message(11);
  EXPECT_EQ(input.text(1), "samples");
  const ProtoReader tensor = input.message(2).message(1);
  EXPECT_EQ(tensor.integer(1), 2);  // UINT8
  const ProtoReader shape = tensor.message(2);
  const auto dims = shape.all(1);
  ASSERT_EQ(dims.size(), 3U);
  EXPECT_EQ(ProtoReader(dims[0].bytes).text(2), "batch");
  EXPECT_EQ(ProtoReader(dims[2].bytes).integer(1), 3);
  EXPECT_EQ(graph.proto().message(12).text(1), "probabilities");
}

TEST(OnnxModel, EndsInASigmoidForLabels) {
  TrainedModel model = small_model({5}, InputType::kUInt8);
  model.spec.loss = Loss::kBinaryCrossEntropy;
  const std::string probabilities = onnx_model(model, {});
  EXPECT_NE(probabilities.find("Sigmoid"), std::string::npos);
  EXPECT_EQ(probabilities.find("Softmax"), std::string::npos);
  EXPECT_EQ(Graph(probabilities).proto().message(12).text(1), "probabilities");
  const std::string logits = onnx_model(model, {InputType::kUInt8, false});
  EXPECT_EQ(logits.find("Sigmoid"), std::string::npos);
  EXPECT_EQ(Graph(logits).proto().message(12).text(1), "logits");
}

TEST(OnnxModel, IsTheSameBytesForTheSameModel) {
  const TrainedModel model = small_model({5}, InputType::kUInt8);
  EXPECT_EQ(onnx_model(model, {}), onnx_model(model, {}));
}

TEST(OnnxModel, TakesNoBytesForAModelOfFloats) {
  EXPECT_THROW(onnx_model(small_model({5}, InputType::kFloat32), {InputType::kUInt8, true}),
               std::invalid_argument);
}

}  // namespace
}  // namespace millrace
