#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <utility>

#include "compute/engine.h"

namespace millrace::test {

/// Passes every call on to another engine. Tests derive from it, to hear of calls or to change what
/// comes of them.
class ForwardingEngine : public Engine {
 public:
  explicit ForwardingEngine(std::unique_ptr<Engine> engine) : engine_(std::move(engine)) {}

  std::uint32_t add_resident(ResidentSet set) override {
    return engine_->add_resident(std::move(set));
  }
  void train(const Chunk& chunk) override { engine_->train(chunk); }
  void evaluate(const Chunk& chunk) override { engine_->evaluate(chunk); }
  void predict(const Chunk& chunk, std::span<float> logits) override {
    engine_->predict(chunk, logits);
  }
  void close_metrics() override { engine_->close_metrics(); }
  Metrics metrics() override { return engine_->metrics(); }
  Parameters parameters() override { return engine_->parameters(); }
  void set_parameters(const Parameters& parameters) override {
    engine_->set_parameters(parameters);
  }
  OptimizerState optimizer_state() override { return engine_->optimizer_state(); }
  void set_optimizer_state(const OptimizerState& state) override {
    engine_->set_optimizer_state(state);
  }
  std::unique_ptr<Snapshot> make_snapshot() override { return engine_->make_snapshot(); }
  void set_learning_rate(float learning_rate) override {
    engine_->set_learning_rate(learning_rate);
  }
  EngineInfo info() const override { return engine_->info(); }
  EngineStats stats() const override { return engine_->stats(); }
  HostMemory& host_memory() override { return engine_->host_memory(); }

 private:
  std::unique_ptr<Engine> engine_;
};

}  // namespace millrace::test
