#include "compute/cuda/device_snapshot.h"

#include <span>
#include <stdexcept>

#include "compute/tensors.h"

namespace millrace::cuda {

std::vector<StatePart> optimizer_parts(const Network& network) {
  std::vector<StatePart> parts;
  const bool adaptive = network.train.optimizer.adaptive();
  if (network.first.bytes() != 0) {
    parts.push_back({&network.first, adaptive ? kFirstMomentSuffix : ""});
  }
  if (network.second.bytes() != 0) parts.push_back({&network.second, kSecondMomentSuffix});
  if (network.averaged()) parts.push_back({&network.masters, kRawSuffix});
  return parts;
}

void append(OptimizerState& state, Parameters tensors, const StatePart& part) {
  for (Tensor& tensor : tensors) {
    tensor.name += part.suffix;
    state.push_back(std::move(tensor));
  }
}

DeviceSnapshot::DeviceSnapshot(Runtime& runtime, const Network& network, StreamHandle compute,
                               std::function<std::optional<std::uint64_t>()> steps)
    : runtime_(runtime),
      network_(network),
      compute_(compute),
      steps_now_(std::move(steps)),
      done_(runtime, runtime.create_event()) {
  look_at_network();
}

// Its memory is written to until the copies are done.
DeviceSnapshot::~DeviceSnapshot() {
  if (has_ == Has::kUnderWay) runtime_.synchronize_quietly(compute_);
}

// Memory is there before anything is under way: allocating page-locked memory may wait for the
// device. Momenta may still come later.
void DeviceSnapshot::look_at_network() {
  parts_ = {{&network_.values(false), ""}};
  for (const StatePart& part : optimizer_parts(network_)) parts_.push_back(part);
  if (memory_.size() == parts_.size()) return;
  if (has_ == Has::kUnderWay) await();
  memory_.clear();
  for (const StatePart& part : parts_) {
    memory_.push_back(pinned_buffer(runtime_, part.buffer->bytes()));
  }
}

void DeviceSnapshot::take() {
  runtime_.make_current();
  runtime_.stage("copying a snapshot");
  look_at_network();
  has_ = Has::kUnderWay;
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    runtime_.copy_to_host(memory_[i].data(), parts_[i].buffer->data(), parts_[i].buffer->bytes(),
                          compute_);
  }
  runtime_.record(done_.get(), compute_);
  steps_ = steps_now_();
}

void DeviceSnapshot::await() {
  if (has_ != Has::kUnderWay) return;
  runtime_.make_current();
  runtime_.stage("waiting for a snapshot");
  runtime_.synchronize(done_.get());
  has_ = Has::kArrived;
}

// Of the runtime it needs nothing, which only the engine's thread may call.
std::pair<Parameters, OptimizerState> DeviceSnapshot::hand_out() {
  if (has_ != Has::kArrived) throw std::logic_error("snapshot: nothing has arrived");
  has_ = Has::kNothing;
  std::pair<Parameters, OptimizerState> state{unpacked(0), {}};
  for (std::size_t i = 1; i < parts_.size(); ++i) append(state.second, unpacked(i), parts_[i]);
  if (steps_) state.second.push_back(step_tensor(*steps_));
  return state;
}

Parameters DeviceSnapshot::unpacked(std::size_t part) const {
  const PinnedBuffer& memory = memory_[part];
  return network_.layout.unpack(
      std::span(memory.as<const float>(), memory.bytes() / sizeof(float)));
}

}  // namespace millrace::cuda
