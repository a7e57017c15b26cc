#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>

#include "compute/cuda/elements.h"

namespace millrace::cuda {

/// Softmax cross-entropy of a batch: each row's loss, whether its label is the first largest logit,
/// and the gradient of the step's mean loss.
///     loss = w (log(sum_c exp(z_c)) - sum_c t_c z_c);  dz_c = w (exp(z_c) / sum - t_c) / step_rows
/// with t_c = (1 - smoothing) [c = label] + smoothing / classes, and w the weight of the label.
/// A group of threads does a row. `Group` has lane(), size(), max, sum and any over the group, and
/// sync(), after which its threads see what each wrote: a warp on a device, one thread on the host.
struct SoftmaxLoss {
  const float* logits = nullptr;           ///< [rows, stride]
  const std::int32_t* labels = nullptr;    ///< by sample
  const std::uint32_t* indices = nullptr;  ///< [rows], sample of each row; null: the row itself
  std::uint32_t rows = 0;
  std::uint32_t padded_rows = 0;  ///< of the gradient
  std::uint32_t classes = 0;
  std::uint32_t stride = 0;
  /// [padded_rows, stride], zero beyond `rows` and `classes`; null: not wanted
  Elements gradient;
  float* losses = nullptr;          ///< [rows]
  std::uint8_t* correct = nullptr;  ///< [rows]
  float smoothing = 0.0F;
  std::uint32_t step_rows = 0;           ///< of the step that these are a part of; 0: these are all
  const float* class_weights = nullptr;  ///< [classes]; null: all are 1

  MILLRACE_HOST_DEVICE std::uint32_t all_rows() const {
    return gradient.data != nullptr ? padded_rows : rows;
  }
  /// For each row below all_rows().
  template <class Group>
  MILLRACE_HOST_DEVICE void operator()(const Group& group, std::uint32_t row) const {
    const std::size_t first = std::size_t{row} * stride;
    if (row >= rows) {
      for (std::uint32_t c = group.lane(); c < stride; c += group.size()) {
        gradient.store(first + c, 0.0F);
      }
      return;
    }
    const std::uint32_t label = label_of(row);
    const float* z = logits + first;
    const Judged judged = look(group, label, z);
    if (gradient.data != nullptr) gradient_of(group, judged, label, z, gradient, first);
    finish(group, judged, row);
  }

  MILLRACE_HOST_DEVICE std::uint32_t label_of(std::uint32_t row) const {
    return static_cast<std::uint32_t>(labels[indices != nullptr ? indices[row] : row]);
  }

  // The same in three parts, for logits that lie elsewhere: z, [stride].

  struct Judged {
    float largest = 0.0F;
    float sum = 0.0F;       ///< of exp(z - largest)
    float expected = 0.0F;  ///< log(sum) less the loss
    bool correct = false;
    float weight = 1.0F;  ///< of the label
  };
  template <class Group>
  MILLRACE_HOST_DEVICE Judged look(const Group& group, std::uint32_t label, const float* z) const {
    const float of_label = z[label];
    Judged judged;
    if (class_weights != nullptr) judged.weight = class_weights[label];
    judged.largest = -INFINITY;
    bool beaten = !(of_label == of_label);
    // As far as the stride, which the compiler may know.
    for (std::uint32_t c = group.lane(); c < stride; c += group.size()) {
      if (c >= classes) continue;
      if (z[c] > judged.largest) judged.largest = z[c];
      beaten = beaten || z[c] > of_label || (z[c] == of_label && c < label);
    }
    judged.largest = group.max(judged.largest);
    judged.correct = !group.any(beaten);
    float total = 0.0F;  // of the logits
    for (std::uint32_t c = group.lane(); c < stride; c += group.size()) {
      if (c >= classes) continue;
      judged.sum += std::exp(z[c] - judged.largest);
      total += z[c] - judged.largest;
    }
    judged.sum = group.sum(judged.sum);
    judged.expected = of_label - judged.largest;
    if (smoothing != 0.0F) {
      total = group.sum(total);
      judged.expected =
          (1.0F - smoothing) * judged.expected + smoothing * (total / static_cast<float>(classes));
    }
    return judged;
  }
  /// To elements `first` and following of dz.
  template <class Group>
  MILLRACE_HOST_DEVICE void gradient_of(const Group& group, const Judged& judged,
                                        std::uint32_t label, const float* z, const Elements& dz,
                                        std::size_t first) const {
    const float inverse = judged.weight / static_cast<float>(step_rows != 0 ? step_rows : rows);
    const float of_all = smoothing / static_cast<float>(classes);
    for (std::uint32_t c = group.lane(); c < stride; c += group.size()) {
      const float share = c < classes ? std::exp(z[c] - judged.largest) / judged.sum : 0.0F;
      float target = c < classes ? of_all : 0.0F;
      if (c == label) target += 1.0F - smoothing;
      dz.store(first + c, (share - target) * inverse);
    }
  }
  template <class Group>
  MILLRACE_HOST_DEVICE void finish(const Group& group, const Judged& judged,
                                   std::uint32_t row) const {
    if (group.lane() != 0) return;
    losses[row] = judged.weight * (std::log(judged.sum) - judged.expected);
    correct[row] = judged.correct ? 1 : 0;
  }
};

}  // namespace millrace::cuda
