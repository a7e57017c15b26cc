#include "compute/cuda/device_engine.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "compute/chunk_checks.h"
#include "compute/cuda/device_snapshot.h"
#include "compute/cuda/device_timeline.h"
#include "compute/cuda/ended_sums.h"
#include "compute/cuda/piece_runner.h"
#include "compute/cuda/pinned_memory.h"
#include "compute/cuda/slot_ring.h"
#include "compute/stage.h"
#include "compute/target_units.h"
#include "compute/tensors.h"

namespace millrace::cuda {
namespace {

// A piece: enough for a copy engine to run at full speed, and for a launch not to matter; not so
// much that the device memory of the slots would. Parts of steps count as steps.
constexpr std::size_t kPieceBytes = std::size_t{16} << 20U;
constexpr std::uint32_t kPieceSteps = 64;
// What a resident data set leaves free, for graphs, and for kernels that are loaded when first run.
constexpr std::size_t kHeadroom = std::size_t{64} << 20U;

std::uint32_t piece_rows(const MlpSpec& model, std::uint32_t batch) {
  const std::size_t steps = kPieceBytes / (batch * (sample_bytes(model) + label_bytes(model)));
  const auto whole = static_cast<std::uint32_t>(std::clamp<std::size_t>(steps, 1, kPieceSteps));
  return std::max(whole * batch, std::max(batch, Network::kEvaluateRows));
}

struct Resident {
  DeviceBuffer samples;
  DeviceBuffer labels;
  std::size_t size = 0;
};

class DeviceEngine final : public Engine {
 public:
  DeviceEngine(std::unique_ptr<Runtime> runtime, const MlpSpec& model, const TrainSpec& train,
               Arithmetic arithmetic, int device_index, std::string notice)
      : runtime_((runtime->make_current(), std::move(runtime))),
        model_(model),
        optimizer_(train.optimizer),
        piece_rows_(piece_rows(model, train.batch)),
        device_index_(device_index),
        notice_(std::move(notice)),
        compute_(*runtime_, runtime_->create_stream("compute")),
        copy_(*runtime_, runtime_->create_stream("copy")),
        network_(*runtime_, model, train, arithmetic, piece_rows_),
        pinned_(*runtime_),
        timeline_(*runtime_, copy_.get(), compute_.get()),
        slots_(*runtime_, pinned_, timeline_, piece_rows_, kPieceSteps, sample_bytes(model),
               label_bytes(model)),
        runner_(*runtime_, network_, compute_.get(), piece_rows_, kPieceSteps),
        ended_sums_(*runtime_, timeline_) {
    runtime_->stage("setting up");
    network_.clear(*runtime_, compute_.get());
    if (train.optimizer.adaptive() || train.optimizer.momentum != 0.0F) {
      network_.make_moments(*runtime_, compute_.get());
    }
    if (!train.class_weights.empty()) upload(network_.class_weights, train.class_weights);
    if (!model.target_scales.empty()) upload(network_.target_scales, model.target_scales);
    check_learning_rate(optimizer_.learning_rate);
    upload_parameters(initial_parameters(model_, train.seed, train.initializer));
    if (!runner_.one_kernel()) unfused_ = runner_.plan(true).unfused();
    runner_.plan(false);
  }

  // What is under way reads memory that is about to go.
  ~DeviceEngine() override {
    runtime_->synchronize_quietly(copy_.get());
    runtime_->synchronize_quietly(compute_.get());
  }
  DeviceEngine(const DeviceEngine&) = delete;
  DeviceEngine& operator=(const DeviceEngine&) = delete;

  std::uint32_t add_resident(ResidentSet set) override {
    check_resident(model_, set);
    runtime_->make_current();
    runtime_->stage("copying a resident data set");
    // Before the set takes the memory: other sets may come in chunks.
    runner_.reserve();
    slots_.reserve();
    Resident resident;
    resident.size = sample_count(model_, set);
    if (resident.size != 0) {
      resident.samples = device_buffer(*runtime_, set.samples.size(), "a resident data set");
      resident.labels = device_buffer(*runtime_, set.labels.size_bytes(), "its labels");
      runtime_->synchronize(compute_.get());  // freeing memory would, and hide an error of before
      device_buffer(*runtime_, kHeadroom, "what has to be left beside a resident data set");
      runtime_->copy_to_device(resident.samples.data(), set.samples.data(), set.samples.size(),
                               copy_.get());
      runtime_->copy_to_device(resident.labels.data(), set.labels.data(), set.labels.size_bytes(),
                               copy_.get());
      runtime_->synchronize(copy_.get());
    }
    resident_.push_back(std::move(resident));
    return static_cast<std::uint32_t>(resident_.size() - 1);
  }

  void train(const Chunk& chunk) override {
    check_steps(chunk, network_.train.batch);
    if (chunk.count == 0) return;
    const std::uint32_t most = network_.rows(true);
    const std::uint32_t parts = (chunk.batch + most - 1) / most;
    const std::uint32_t steps = std::max(1U, kPieceSteps / parts);
    average_moved_ = true;
    run(checked(chunk), true, std::min(steps, piece_rows_ / chunk.batch));
  }

  void evaluate(const Chunk& chunk) override {
    if (chunk.count == 0) return;
    Chunk whole = checked(chunk);
    round_average();
    whole.batch = network_.rows(false);
    run(whole, false, std::min(kPieceSteps, piece_rows_ / whole.batch));
  }

  void predict(const Chunk& chunk, std::span<float> logits) override {
    check_logits(model_, chunk, logits);
    if (chunk.count == 0) return;
    Chunk whole = checked(chunk);
    round_average();
    whole.batch = network_.rows(false);
    float* out = logits.data();
    run(whole, false, 1, [&](const Piece& piece, const Batch& batch) {
      timed(piece, [&] { runner_.run_once(piece, batch); });
      out = fetch_logits(piece.rows, out);
    });
  }

  void close_metrics() override {
    runtime_->make_current();
    runtime_->stage("ending sums");
    ended_sums_.end(network_.metrics, compute_.get());
  }

  Metrics metrics() override {
    if (ended_sums_.empty()) close_metrics();
    runtime_->make_current();
    runtime_->stage("reading the metrics");
    return ended_sums_.take();
  }

  Parameters parameters() override { return download(network_.values(false)); }

  void set_parameters(const Parameters& parameters) override {
    match_tensors(model_, parameters);
    runtime_->make_current();
    upload_parameters(parameters);
  }

  OptimizerState optimizer_state() override {
    OptimizerState state;
    for (const StatePart& part : optimizer_parts(network_)) {
      append(state, download(*part.buffer), part);
    }
    if (counts_steps()) state.push_back(step_tensor(steps_));
    return state;
  }

  std::unique_ptr<Snapshot> make_snapshot() override {
    runtime_->make_current();
    return std::make_unique<DeviceSnapshot>(*runtime_, network_, compute_.get(), [this] {
      return counts_steps() ? std::optional(steps_) : std::nullopt;
    });
  }

  void set_optimizer_state(const OptimizerState& state) override {
    const bool has_moments = network_.first.bytes() != 0;
    const auto matched = match_state(model_, optimizer_, has_moments, state);
    const std::span<const Tensor* const> tensors(matched);
    const std::size_t raw = network_.averaged() ? parameter_shapes(model_).size() : 0;
    runtime_->make_current();
    runtime_->stage("setting the optimizer's state");
    if (const std::size_t all = tensors.size() - raw; all != 0) {
      const std::size_t first = optimizer_.adaptive() ? all / 2 : all;
      if (!has_moments) {
        runner_.forget();  // graphs that know of no momenta
        network_.make_moments(*runtime_, compute_.get());
      }
      upload(network_.first, network_.layout.pack(tensors.first(first)));
      if (optimizer_.adaptive())
        upload(network_.second, network_.layout.pack(tensors.subspan(first, all - first)));
    }
    if (network_.averaged()) upload_masters(network_.layout.pack(tensors.last(raw)));
    if (counts_steps()) steps_ = steps_in(state);
  }

  void set_learning_rate(float learning_rate) override {
    check_learning_rate(learning_rate);
    optimizer_.learning_rate = learning_rate;
  }

  EngineInfo info() const override {
    EngineInfo info;
    info.device = "cuda:" + std::to_string(device_index_);
    info.description = runtime_->device_name();
    if (runner_.one_kernel()) info.description += ", trains in one kernel";
    if (unfused_ != 0) {
      info.description += ", " + std::to_string(unfused_) + " of " +
                          std::to_string(3 * network_.layers() - 1) +
                          " products without a fused epilogue";
    }
    info.precision = network_.arithmetic.tf32                               ? Precision::kTf32
                     : network_.arithmetic.storage == ElementType::kFloat32 ? Precision::kFloat32
                                                                            : Precision::kBFloat16;
    info.notice = notice_;
    info.runs_ahead = true;
    return info;
  }

  EngineStats stats() const override { return timeline_.stats(); }
  HostMemory& host_memory() override { return pinned_; }

 private:
  Chunk checked(const Chunk& chunk) const {
    const std::size_t size = chunk.source < resident_.size() ? resident_[chunk.source].size : 0;
    return millrace::checked(model_, chunk, resident_.size(), size);
  }

  bool counts_steps() const { return millrace::counts_steps(model_, optimizer_); }

  // Of the steps [first, first + count) of a chunk, which are the run's next.
  std::span<const StepConstants> next_steps(const Chunk& chunk, std::uint32_t first,
                                            std::uint32_t count) {
    constants_.clear();
    OptimizerSpec optimizer = optimizer_;
    for (std::uint32_t s = first; s < first + count; ++s) {
      if (!chunk.learning_rates.empty()) optimizer.learning_rate = chunk.learning_rates[s];
      const std::uint64_t number = steps_ + (s - first) + 1;
      constants_.push_back({optimizer_step(optimizer, number), static_cast<std::uint32_t>(number)});
    }
    return constants_;
  }

  // Calls run_piece(Piece, Batch) for every `steps` batches of the chunk, copied to a slot.
  template <class RunPiece>
  void run(const Chunk& chunk, bool training, std::uint32_t steps, RunPiece run_piece) {
    runtime_->make_current();
    for (std::uint32_t first = 0; first < chunk.batches(); first += steps) {
      const Chunk part = chunk.slice(first, steps);
      Piece piece;
      piece.training = training;
      piece.source = part.packed() ? Piece::kPacked : part.source;
      const auto constants =
          training ? next_steps(chunk, first, part.batches()) : std::span<const StepConstants>();
      const std::uint32_t slot = slots_.fill(part, constants, copy_.get(), compute_.get());
      piece.batch = part.batch;
      piece.rows = part.count;
      Batch batch = slots_.batch(slot, part.packed());
      if (!part.packed()) {
        batch.samples = resident_[part.source].samples.data();
        batch.labels = resident_[part.source].labels.as<const std::int32_t>();
      }
      {
        const StageSpan span(Stage::kCompute);
        run_piece(piece, batch);
        if (training) steps_ += part.batches();
      }
      slots_.release(slot, compute_.get());
    }
    slots_.finish_direct_copies();
  }

  void run(const Chunk& chunk, bool training, std::uint32_t steps) {
    runtime_->make_current();
    if (chunk.packed()) runner_.reserve();  // before anything is under way that it would wait for
    run(chunk, training, steps, [this](const Piece& piece, const Batch& batch) {
      runner_.prepare(piece, batch);
      timed(piece, [&] { runner_.run(piece, batch); });
    });
  }

  // What the device does of `work`, which is enqueued without a pause.
  template <class Work>
  void timed(const Piece& piece, const Work& work) {
    timeline_.begin(DeviceTimeline::Queue::kCompute, piece.training);
    work();
    timeline_.end(DeviceTimeline::Queue::kCompute);
  }

  // In the targets' units, where these are numbers. Waits. Returns where the next rows' logits go.
  float* fetch_logits(std::uint32_t rows, float* out) {
    const std::size_t stride = network_.layout.padded(network_.layers());
    std::vector<float> padded(rows * stride);
    runtime_->copy_to_host(padded.data(), network_.logits.data(), padded.size() * sizeof(float),
                           compute_.get());
    runtime_->synchronize(compute_.get());
    float* const begin = out;
    for (std::size_t r = 0; r < rows; ++r) {
      out = std::copy_n(padded.data() + r * stride, model_.classes, out);
    }
    to_target_units(model_, {begin, out});
    return out;
  }

  Parameters download(const DeviceBuffer& buffer) {
    runtime_->make_current();
    runtime_->stage("reading parameters");
    std::vector<float> flat(buffer.bytes() / sizeof(float));
    runtime_->copy_to_host(flat.data(), buffer.data(), buffer.bytes(), compute_.get());
    runtime_->synchronize(compute_.get());
    ended_sums_.receive_all();
    timeline_.collect(timeline_.mark());
    return network_.layout.unpack(flat);
  }

  // Waits.
  template <class T>
  void upload(const DeviceBuffer& buffer, const std::vector<T>& values) {
    runtime_->copy_to_device(buffer.data(), values.data(), buffer.bytes(), compute_.get());
    runtime_->synchronize(compute_.get());
  }

  void upload_parameters(const Parameters& parameters) {
    runtime_->stage("setting parameters");
    const std::vector<float> flat = network_.layout.pack(match_tensors(model_, parameters));
    upload_masters(flat);
    if (!network_.averaged()) return;
    upload(network_.average, flat);
    average_moved_ = true;
  }

  void upload_masters(const std::vector<float>& flat) {
    upload(network_.masters, flat);
    round(network_.masters, network_.rounded);
  }

  // What products of an evaluation read, which steps leave as it was.
  void round_average() {
    if (!average_moved_) return;
    runtime_->make_current();
    round(network_.average, network_.rounded_average);
    average_moved_ = false;
  }

  void round(const DeviceBuffer& from, const DeviceBuffer& to) {
    if (to.bytes() == 0) return;
    runtime_->launch(
        CopyElements{from.as<const float>(), network_.activations(to), network_.layout.trained()},
        compute_.get());
  }

  std::unique_ptr<Runtime> runtime_;  // first: outlives all that was made with it
  MlpSpec model_;
  OptimizerSpec optimizer_;  // its rate is of steps of chunks that bring none
  std::uint32_t piece_rows_;
  int device_index_;
  std::string notice_;
  Stream compute_;
  Stream copy_;
  Network network_;
  PinnedMemory pinned_;
  DeviceTimeline timeline_;
  SlotRing slots_;
  PieceRunner runner_;
  EndedSums ended_sums_;
  std::vector<Resident> resident_;
  std::uint32_t unfused_ = 0;
  bool average_moved_ = true;             // since it was rounded
  std::vector<StepConstants> constants_;  // of the piece under way
  std::uint64_t steps_ = 0;               // of the run, also those before a resumption
};

}  // namespace

std::unique_ptr<Engine> make_device_engine(std::unique_ptr<Runtime> runtime, const MlpSpec& model,
                                           const TrainSpec& train, Arithmetic arithmetic,
                                           int device_index) {
  std::string notice;
  const bool short_floats = arithmetic.tf32 || arithmetic.storage == ElementType::kBFloat16;
  if (const auto capability = runtime->capability();
      short_floats && capability < kLeastOfShortFloats) {
    notice = "GPU " + std::to_string(device_index) + " has compute capability " +
             capability.text() + ", and " + (arithmetic.tf32 ? "TF32" : "bfloat16") + " needs " +
             kLeastOfShortFloats.text() + ": training in float32";
    arithmetic.tf32 = false;
    arithmetic.storage = ElementType::kFloat32;
  }
  return std::make_unique<DeviceEngine>(std::move(runtime), model, train, arithmetic, device_index,
                                        std::move(notice));
}

}  // namespace millrace::cuda
