#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "compute/chunk.h"
#include "compute/memory.h"
#include "compute/spec.h"

namespace millrace {

/// A device that is not there, not built in, or failed.
class DeviceError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Sums over everything trained or evaluated between two ends of sums: see Engine::close_metrics().
struct Metrics {
  /// Of the samples' losses (cross-entropies have the natural logarithm), each rounded to a
  /// multiple of 2^-24: exact, and so the same however the samples were grouped in calls.
  double loss_sum = 0.0;
  std::uint64_t correct = 0;  ///< 0 of a loss of numbers
  /// Of a loss of numbers: of the samples' squared errors, of each the mean over its targets as the
  /// network sees them (MlpSpec::target_scales), rounded as losses are; else 0. Of binary
  /// cross-entropy how many of the sample's labels are wrong: a logit of at least 0 is a yes.
  double squared_error_sum = 0.0;
  /// What that rounding took away, each rounded to a multiple of 2^-54: exact as well, up to 2^24
  /// samples. Of a good model it is most of the error.
  double squared_error_rest = 0.0;
  std::uint64_t samples = 0;
  std::uint64_t steps = 0;
  /// Index, counted from the end of the sums before, of the first training step whose loss was not
  /// finite.
  std::optional<std::uint64_t> first_nonfinite_step;
  /// When the work before the end of these sums was done.
  std::chrono::steady_clock::time_point done;

  double mean_loss() const noexcept {
    return samples == 0 ? 0.0 : loss_sum / static_cast<double>(samples);
  }
  double mean_squared_error() const noexcept {
    return samples == 0 ? 0.0
                        : (squared_error_sum + squared_error_rest) / static_cast<double>(samples);
  }
  double accuracy() const noexcept {
    return samples == 0 ? 0.0 : static_cast<double>(correct) / static_cast<double>(samples);
  }
};

/// One float32 tensor in host memory, row-major.
struct Tensor {
  std::string name;
  std::vector<std::uint64_t> shape;
  std::vector<float> values;

  bool operator==(const Tensor&) const = default;
};

/// Parameters, in the names and the layout of the state_dict of torch.nn.Sequential(Linear,
/// activation, …, Linear): "0.weight" [out, in], "0.bias" [out], "2.weight", …
using Parameters = std::vector<Tensor>;
/// What optimizer_state_shapes() says: momentum buffers or moments; with an average
/// (OptimizerSpec::ema), the parameters that training goes on with; empty without any.
using OptimizerState = std::vector<Tensor>;

/// What an engine's parameters and optimizer state were at one point in the order of its work, in
/// memory of its own, which serves again and again. Nobody waits for the copy but who wants it.
class Snapshot {
 public:
  virtual ~Snapshot() = default;

  /// A copy after all work that was enqueued so far and before all that will be. Enqueued, too.
  /// What was taken before and not handed out is forgotten. By the engine's thread, as await().
  virtual void take() = 0;
  /// Waits for what was taken, and for nothing that was enqueued after it.
  virtual void await() = 0;
  /// Hands it out, once, after await(); what Engine::parameters() and optimizer_state() would have
  /// said. By any thread, beside calls of the engine. Throws std::logic_error where nothing has
  /// arrived.
  virtual std::pair<Parameters, OptimizerState> hand_out() = 0;
};

/// A data set that an engine keeps in its own memory, addressed by index chunks.
struct ResidentSet {
  std::span<const std::byte> samples;    ///< [size, features] of the engine's InputType
  std::span<const std::int32_t> labels;  ///< [size, MlpSpec::label_words()]
  std::shared_ptr<const void> owner;     ///< keeps the spans alive
};

struct EngineInfo {
  std::string device;       ///< "cpu"
  std::string description;  ///< processor and what its kernels use: "AVX-512, AMX-BF16"
  Precision precision = Precision::kFloat32;  ///< in effect
  std::uint32_t threads = 1;
  std::string notice;  ///< a fall-back that the user should know of; empty if there was none
  /// Calls return before their work is done, which goes on beside the caller's.
  bool runs_ahead = false;
};

/// Where the engine's time went since it was made, in seconds of wall time. Of a device that works
/// by itself, by its own clock, from its first training step to the last one that a call waited
/// for: what it does before and after those is not counted.
struct EngineStats {
  double busy = 0.0;  ///< inside train() and evaluate(), or the device working
  double idle = 0.0;  ///< between them
  double waiting =
      0.0;  ///< of `busy`: its threads waiting for each other, summed over threads / threads
  double copying = 0.0;  ///< chunks to a device; 0 where there is none
  double hidden = 0.0;   ///< of `copying`: while the device computed
  /// Of an engine that chooses how many of its threads share a step: of how many, and how many do
  /// now. 0 where there is no choice.
  std::uint32_t choices = 0;
  std::uint32_t chosen = 0;
};

/// A whole model with its optimizer on one device. Calls enqueue work, in order; metrics(),
/// parameters() and optimizer_state() wait for it. One thread at a time may call it.
///
/// The same seed, chunks and options give the same parameters, bit for bit, whatever the number of
/// threads and however the batches are grouped in chunks.
class Engine {
 public:
  virtual ~Engine() = default;

  /// Makes a data set addressable by chunks with `source` = the number returned: 0, 1, … in order
  /// of calls. Throws std::bad_alloc or DeviceError where it does not fit, std::invalid_argument on
  /// a wrong size.
  virtual std::uint32_t add_resident(ResidentSet set) = 0;

  /// One optimizer step for each batch of the chunk. A chunk's memory may be reused when train()
  /// returns. Labels must lie in [0, classes), targets be finite; one that is not throws
  /// std::out_of_range before any step of the chunk.
  virtual void train(const Chunk& chunk) = 0;
  /// Adds loss and correct predictions of the chunk's samples to the metrics.
  virtual void evaluate(const Chunk& chunk) = 0;
  /// The same, and hands out what the model says: `logits`, [count, classes], row-major, without
  /// the softmax; or the targets that it predicts, in their own units. The predicted class is the
  /// first largest. Waits. Throws std::invalid_argument if
  /// `logits` has another size.
  virtual void predict(const Chunk& chunk, std::span<float> logits) = 0;

  /// Ends the running sums: what is trained or evaluated from now on adds to new ones. Does not
  /// wait, so that the caller may hand over more work before it looks at them.
  virtual void close_metrics() = 0;
  /// Returns the oldest sums that were ended and not yet returned; the running ones, which it ends,
  /// where there are none. Waits for what they are of, and for nothing after it.
  virtual Metrics metrics() = 0;

  /// What evaluate() and predict() use: with OptimizerSpec::ema the average.
  virtual Parameters parameters() = 0;
  /// Both the average and what is averaged; set_optimizer_state() may change the latter again.
  /// Throws std::invalid_argument naming the first tensor that is missing or has another shape.
  virtual void set_parameters(const Parameters& parameters) = 0;
  virtual OptimizerState optimizer_state() = 0;
  virtual void set_optimizer_state(const OptimizerState& state) = 0;
  /// The engine outlives it.
  virtual std::unique_ptr<Snapshot> make_snapshot() = 0;
  /// Of steps of chunks without Chunk::learning_rates.
  virtual void set_learning_rate(float learning_rate) = 0;

  virtual EngineInfo info() const = 0;
  virtual EngineStats stats() const = 0;
  /// Memory for the host side of the chunks this engine takes.
  virtual HostMemory& host_memory() = 0;
};

/// Makes an engine with parameters initialised as `train.initializer` says, drawn from a
/// counter-based generator seeded by `train.seed`. Device::Kind::kAuto takes CUDA where build and
/// machine have it, the CPU elsewhere (EngineInfo::notice). Throws std::invalid_argument for an
/// impossible spec, DeviceError for a device that is not to be had.
std::unique_ptr<Engine> make_engine(const MlpSpec& model, const TrainSpec& train,
                                    const Device& device);

}  // namespace millrace
