#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "compute/cuda/activation_gradient.h"
#include "compute/cuda/elementwise.h"
#include "compute/cuda/owned.h"
#include "compute/cuda/parameter_layout.h"
#include "compute/spec.h"

namespace millrace::cuda {

/// How a model computes.
struct Arithmetic {
  ElementType storage = ElementType::kFloat32;  ///< of samples, activations and their gradients
  bool tf32 = false;                            ///< float32 products may run on TF32 tensor cores
  bool one_kernel = false;     ///< train with SmallTraining where model and device allow it
  bool side_stream = true;     ///< weights' gradients and updates run beside the backward pass
  bool fused_backward = true;  ///< the backward pass's products have epilogues, where they exist
};

/// The device memory of one model: parameters, optimizer state, activations. Logits, gradients of
/// parameters and the parameters' masters are float32 in every arithmetic.
struct Network {
  /// At least, in an evaluation.
  static constexpr std::uint32_t kEvaluateRows = 1024;

  /// `piece_rows`: the most of all steps that run as one piece.
  Network(Runtime& runtime, const MlpSpec& model, TrainSpec train, Arithmetic arithmetic,
          std::uint32_t piece_rows);

  /// That products have. A batch, or a part of one, of fewer samples is filled up with samples of
  /// zeros, whose gradient is zero: so each product has one shape, and is planned before the run.
  std::uint32_t rows(bool training) const {
    return training ? train.rows_at_once() : std::max(train.rows_at_once(), kEvaluateRows);
  }
  std::size_t layers() const { return layout.layers(); }
  std::int64_t mask_ld(std::size_t l) const;
  Elements activations(const DeviceBuffer& buffer) const {
    return {buffer.data(), arithmetic.storage};
  }
  /// Of the batch under way.
  float* batch_mean(std::size_t l) const { return batch[l].as<float>(); }
  float* batch_inverse(std::size_t l) const { return batch_mean(l) + layout.padded(l + 1); }
  bool averaged() const { return average.bytes() != 0; }
  bool clips() const { return train.optimizer.clip_norm > 0.0F; }
  /// Whether a step's batch may go through in parts.
  bool accumulates() const { return train.rows_at_once() < train.batch; }
  /// Of a whole step.
  const DeviceBuffer& step_gradient() const { return accumulates() ? total : gradient; }
  /// The float32 values that a step goes by: of an evaluation the averages, where there are any.
  const DeviceBuffer& values(bool training) const {
    return training || !averaged() ? masters : average;
  }
  /// What products read: those values, or their rounded copy.
  const std::byte* parameter(std::size_t offset, bool training) const;
  /// From `count` samples, or those that indices name, to rows(training) of x.
  Gather gather(const void* samples, const std::uint32_t* indices, std::uint32_t count,
                bool training) const;
  /// Of a step that `step` belongs to: of all parameters, or of layer l's.
  OptimizerUpdate update(const StepConstants* step) const;
  OptimizerUpdate update(const StepConstants* step, std::size_t l) const;
  /// Zeroes what is neither parameters nor made with zeros. Steps write before they read; but
  /// products are tried before there was a step, and of a mask's last words a product writes a part
  /// and reads all.
  void clear(Runtime& runtime, StreamHandle stream) const;
  /// Makes what the optimizer keeps beside each parameter, zero, where it is missing.
  void make_moments(Runtime& runtime, StreamHandle stream);

  MlpSpec model;
  TrainSpec train;
  ParameterLayout layout;
  Arithmetic arithmetic;

  DeviceBuffer masters;   // float32 [layout.size()]
  DeviceBuffer average;   // the same; empty without
  DeviceBuffer gradient;  // float32 [layout.trained()], as are the next three
  DeviceBuffer total;     // gradients of a step's parts, added up; empty where a step has one
  DeviceBuffer first;     // momenta, or Adam's first moments; empty without
  DeviceBuffer second;    // Adam's second moments; empty without
  DeviceBuffer rounded;   // bfloat16 [layout.trained()]; empty in float32
  DeviceBuffer rounded_average;  // the same, made when it is to be used; empty without

  DeviceBuffer squares;  // double [SquareSums::kBlocks], of its gradient; empty without clipping
  DeviceBuffer clip;     // float32 [1], by which it is multiplied; empty without

  // Of rows(false), or of train_rows = rows(true).
  DeviceBuffer x;                    // [rows, padded(0)]
  std::vector<DeviceBuffer> y;       // hidden layer l: [rows, padded(l + 1)]
  std::vector<DeviceBuffer> slopes;  // hidden layer l: as y, of training; none of a ReLU
  std::vector<DeviceBuffer> z;       // normalised layer l: as y, of training; the sums
  std::vector<DeviceBuffer> batch;   // the same: mean and 1 / deviation, float32 [2, padded(l + 1)]
  std::vector<DeviceBuffer> mask;    // hidden layer l: [train_rows, mask_ld(l)] bits
  std::vector<DeviceBuffer> dy;      // layer l: [train_rows, padded(l + 1)], of the pre-activations
  std::vector<DeviceBuffer> parts;   // layer l: float32 [ActivationGradient::kParts, padded(l + 1)]
  DeviceBuffer logits;               // float32 [rows, padded(layers())]

  DeviceBuffer class_weights;  // float32 [classes]; empty where all are 1
  DeviceBuffer target_scales;  // TargetScale [classes]; empty without

  DeviceBuffer losses;          // float32 [piece_rows]
  DeviceBuffer correct;         // uint8 [piece_rows]; of classes
  DeviceBuffer squared_errors;  // float32 [piece_rows]; of a loss of numbers
  DeviceBuffer metrics;         // DeviceMetrics [1]
};

}  // namespace millrace::cuda
