#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <span>
#include <stdexcept>
#include <utility>
#include <vector>

#include "compute/engine.h"

namespace millrace::test {

/// An engine that runs ahead as a device does, and does everything as late as it may: work waits
/// until somebody asks for what it leads to. Another engine does it in the end.
class LateEngine final : public Engine {
 public:
  explicit LateEngine(std::unique_ptr<Engine> engine) : engine_(std::move(engine)) {}

  std::uint64_t steps_handed_over() const noexcept { return handed_over_; }
  std::uint64_t steps_done() const noexcept { return done_; }
  /// Calls that waited for everything.
  int waits() const noexcept { return waits_; }
  /// Called when steps were handed over.
  std::function<void()> on_train = [] {};
  /// Called when sums were waited for.
  std::function<void()> on_metrics = [] {};

  std::uint32_t add_resident(ResidentSet set) override {
    return engine_->add_resident(std::move(set));
  }
  void train(const Chunk& chunk) override {
    handed_over_ += chunk.batches();
    enqueue(chunk, [this](const Chunk& copy) {
      engine_->train(copy);
      done_ += copy.batches();
    });
    on_train();
  }
  void evaluate(const Chunk& chunk) override {
    enqueue(chunk, [this](const Chunk& copy) { engine_->evaluate(copy); });
  }
  void predict(const Chunk& chunk, std::span<float> logits) override {
    finish();
    engine_->predict(chunk, logits);
  }
  void close_metrics() override {
    queue_.emplace_back([this] { sums_.push_back(engine_->metrics()); });
    ++ended_;
  }
  Metrics metrics() override {
    if (ended_ == 0) close_metrics();
    --ended_;
    while (sums_.empty()) advance();
    const Metrics oldest = sums_.front();
    sums_.pop_front();
    on_metrics();
    return oldest;
  }
  Parameters parameters() override {
    finish();
    return engine_->parameters();
  }
  void set_parameters(const Parameters& parameters) override {
    finish();
    engine_->set_parameters(parameters);
  }
  OptimizerState optimizer_state() override {
    finish();
    return engine_->optimizer_state();
  }
  void set_optimizer_state(const OptimizerState& state) override {
    finish();
    engine_->set_optimizer_state(state);
  }
  /// What it hands out is as the engine was where the queue had it taken.
  std::unique_ptr<Snapshot> make_snapshot() override {
    return std::make_unique<LateSnapshot>(*this, engine_->make_snapshot());
  }
  void set_learning_rate(float learning_rate) override {
    queue_.emplace_back([this, learning_rate] { engine_->set_learning_rate(learning_rate); });
  }
  EngineInfo info() const override {
    EngineInfo info = engine_->info();
    info.runs_ahead = true;
    return info;
  }
  EngineStats stats() const override { return engine_->stats(); }
  HostMemory& host_memory() override { return engine_->host_memory(); }

 private:
  class LateSnapshot final : public Snapshot {
   public:
    LateSnapshot(LateEngine& engine, std::unique_ptr<Snapshot> of)
        : engine_(engine), of_(std::move(of)) {}
    void take() override {
      taken_ = std::make_shared<bool>(false);
      engine_.queue_.emplace_back([of = of_, taken = taken_] {
        of->take();
        *taken = true;
      });
    }
    void await() override {
      while (taken_ && !*taken_) engine_.advance();
      of_->await();
      arrived_ = taken_ != nullptr;
    }
    std::pair<Parameters, OptimizerState> hand_out() override {
      if (!std::exchange(arrived_, false)) throw std::logic_error("nobody waited for the snapshot");
      return of_->hand_out();
    }

   private:
    LateEngine& engine_;
    std::shared_ptr<Snapshot> of_;
    std::shared_ptr<bool> taken_;
    bool arrived_ = false;
  };

  // The caller's memory is its own again when a call returns.
  struct Copy {
    Chunk chunk;
    std::vector<std::uint32_t> indices;
    std::vector<std::byte> samples;
    std::vector<std::int32_t> labels;
    std::vector<float> rates;
  };

  void enqueue(const Chunk& chunk, std::function<void(const Chunk&)> act) {
    const auto copy = std::make_shared<Copy>();
    const auto keep = [](auto& memory, auto& span) {
      memory.assign(span.begin(), span.end());
      span = memory;
    };
    copy->chunk = chunk;
    keep(copy->indices, copy->chunk.indices);
    keep(copy->samples, copy->chunk.samples);
    keep(copy->labels, copy->chunk.labels);
    keep(copy->rates, copy->chunk.learning_rates);
    queue_.emplace_back([copy, act = std::move(act)] { act(copy->chunk); });
  }
  void advance() {
    const auto act = std::move(queue_.front());
    queue_.pop_front();
    act();
  }
  void finish() {
    ++waits_;
    while (!queue_.empty()) advance();
  }

  std::unique_ptr<Engine> engine_;
  std::deque<std::function<void()>> queue_;
  std::deque<Metrics> sums_;
  int ended_ = 0;  // and not asked for
  int waits_ = 0;
  std::uint64_t handed_over_ = 0;
  std::uint64_t done_ = 0;
};

}  // namespace millrace::test
