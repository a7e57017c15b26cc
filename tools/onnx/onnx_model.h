#pragma once

#include <string>

#include "compute/chunk.h"
#include "train/trained_model.h"

namespace millrace {

struct OnnxOptions {
  /// Element type of the input. Its values are those of the data set in either form (0 to 255 for
  /// images of bytes): the model itself normalises them.
  InputType input = InputType::kUInt8;
  /// Of a model of classes: softmax at the end; else the output is the logits.
  bool probabilities = true;
};

/// The model as an ONNX file (opset 13): input "samples", [batch, the sample's shape], output
/// "probabilities" or "logits", [batch, classes], or "targets", [batch, targets], in their own
/// units; float32, with any number of samples as batch. The
/// same model and options give the same bytes.
///
/// Throws std::invalid_argument for uint8 input of a model that was trained on floats, DataError
/// where the model is larger than a protobuf message can be (2 GiB).
std::string onnx_model(const TrainedModel& model, const OnnxOptions& options);

}  // namespace millrace
