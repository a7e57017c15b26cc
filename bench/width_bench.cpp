// How step time grows with the width of a hidden layer, from a few microseconds to what no cache
// holds: 784-W-10, float32 and bfloat16, one thread and more. All variants of a width take turns,
// so that a slower minute of the machine slows them alike.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <numeric>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "bench/median.h"
#include "bench/peak.h"
#include "compute/engine.h"
#include "formats/synthetic_digits.h"

namespace {

using millrace::SyntheticDigits;
using Clock = std::chrono::steady_clock;

struct Options {
  std::vector<std::uint32_t> widths{32, 64, 128, 256, 512, 1024, 2048, 4096};
  std::vector<std::uint32_t> threads{1, 2};
  std::vector<std::string> precisions{"fp32", "bf16"};
  std::uint32_t batch = 128;
  std::uint32_t repeats = 7;
  double measure_ms = 100.0;  // of one repeat
  bool smoke = false;
};

// Digits in the engine's memory, and a random order of them to train in.
class Data {
 public:
  explicit Data(std::uint32_t count)
      : samples_(count * SyntheticDigits::kPixels), labels_(count), order_(count) {
    const SyntheticDigits digits{1};
    for (std::size_t i = 0; i < count; ++i) {
      labels_[i] = digits.draw(
          i, std::span(samples_).subspan(i * SyntheticDigits::kPixels, SyntheticDigits::kPixels));
    }
    std::iota(order_.begin(), order_.end(), 0U);
    std::uint32_t state = 1;
    for (std::size_t i = order_.size(); i > 1; --i) {
      state = state * 1664525U + 1013904223U;
      std::swap(order_[i - 1], order_[state % i]);
    }
  }

  millrace::ResidentSet resident() const {
    return {std::as_bytes(std::span(samples_)), labels_, nullptr};
  }
  std::span<const std::uint32_t> order() const { return order_; }

 private:
  std::vector<std::uint8_t> samples_;
  std::vector<std::int32_t> labels_;
  std::vector<std::uint32_t> order_;
};

millrace::Precision precision_of(const std::string& name) {
  return name == "bf16" ? millrace::Precision::kBFloat16 : millrace::Precision::kFloat32;
}

// One engine of one width.
class Contestant {
 public:
  Contestant(const Options& options, const Data& data, std::uint32_t width, std::uint32_t threads,
             const std::string& precision)
      : batch_(options.batch),
        threads_(threads),
        precision_(precision),
        width_(width),
        order_(data.order()) {
    model_.features = SyntheticDigits::kPixels;
    model_.hidden = {width};
    model_.classes = SyntheticDigits::kClasses;
    millrace::TrainSpec train;
    train.batch = options.batch;
    train.optimizer.learning_rate = 0.01F;
    train.precision = precision_of(precision);
    millrace::Device device;
    device.kind = millrace::Device::Kind::kCpu;
    device.threads = threads;
    engine_ = millrace::make_engine(model_, train, device);
    source_ = engine_->add_resident(data.resident());
    run(2);  // pages, caches, clock
    const double once = std::max(run(4) / 4, 1e-7);
    steps_ = static_cast<std::uint32_t>(std::clamp(options.measure_ms * 1e-3 / once, 1.0, 1e6));
  }

  // False where the processor lacks the precision and the engine fell back.
  bool available() const { return engine_->info().precision == precision_of(precision_); }
  std::string notice() const { return engine_->info().notice; }
  std::string description() const { return engine_->info().description; }

  void measure() {
    peaks_.push_back(millrace::bench::peak_gflops(engine_->info().precision, threads_));
    step_us_.push_back(run(steps_) / steps_ * 1e6);
  }

  nlohmann::json result() const {
    const double step_us = median(step_us_);
    const double gflops =
        static_cast<double>(model_.train_flops_per_sample()) * batch_ / step_us / 1e3;
    return {{"width", width_},
            {"threads", threads_},
            {"precision", precision_},
            {"parameters", model_.parameter_count()},
            {"step_us", step_us},
            {"step_us_min", *std::min_element(step_us_.begin(), step_us_.end())},
            {"step_us_max", *std::max_element(step_us_.begin(), step_us_.end())},
            {"gflops", gflops},
            {"peak_gflops", median(peaks_)},
            {"ratio", gflops / median(peaks_)}};
  }

 private:
  // Seconds for `steps` steps.
  double run(std::uint32_t steps) {
    const auto per_chunk = static_cast<std::uint32_t>(order_.size()) / batch_;
    millrace::Chunk chunk;
    chunk.batch = batch_;
    chunk.source = source_;
    const auto begin = Clock::now();
    for (std::uint32_t done = 0; done < steps;) {
      const std::uint32_t now = std::min(per_chunk, steps - done);
      chunk.count = now * batch_;
      chunk.indices = order_.first(chunk.count);
      engine_->train(chunk);
      done += now;
    }
    engine_->metrics();
    return std::chrono::duration<double>(Clock::now() - begin).count();
  }

  std::uint32_t batch_;
  std::uint32_t threads_;
  std::string precision_;
  std::uint32_t width_;
  std::span<const std::uint32_t> order_;
  millrace::MlpSpec model_;
  std::unique_ptr<millrace::Engine> engine_;
  std::uint32_t source_ = 0;
  std::uint32_t steps_ = 1;
  std::vector<double> step_us_;
  std::vector<double> peaks_;
};

nlohmann::json sweep(const Options& options) {
  const Data data(32 * options.batch);
  nlohmann::json rows = nlohmann::json::array();
  nlohmann::json notices = nlohmann::json::array();
  std::string description;
  for (const std::uint32_t width : options.widths) {
    std::vector<Contestant> contestants;
    for (const std::string& precision : options.precisions) {
      for (const std::uint32_t threads : options.threads) {
        Contestant contestant(options, data, width, threads, precision);
        description = contestant.description();
        if (contestant.available()) {
          contestants.push_back(std::move(contestant));
        } else if (std::find(notices.begin(), notices.end(), contestant.notice()) ==
                   notices.end()) {
          notices.push_back(contestant.notice());
        }
      }
    }
    for (std::uint32_t r = 0; r < options.repeats; ++r) {
      for (Contestant& contestant : contestants) contestant.measure();
    }
    for (const Contestant& contestant : contestants) rows.push_back(contestant.result());
  }
  return {{"bench", "width"},      {"batch", options.batch}, {"repeats", options.repeats},
          {"engine", description}, {"notices", notices},     {"rows", rows}};
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app{"Step time of 784-W-10 by width, threads and precision"};
  app.add_option("--widths", options.widths, "Widths of the hidden layer")->delimiter(',');
  app.add_option("--threads", options.threads, "Numbers of threads")->delimiter(',');
  app.add_option("--precisions", options.precisions)
      ->delimiter(',')
      ->check(CLI::IsMember({"fp32", "bf16"}));
  app.add_option("--batch", options.batch);
  app.add_option("--repeats", options.repeats);
  app.add_option("--measure-ms", options.measure_ms, "Least time of one repeat of one variant");
  app.add_flag("--smoke", options.smoke, "A tiny run that only shows that it works");
  CLI11_PARSE(app, argc, argv);
  if (options.smoke) {
    options.widths = {32, 48};
    options.repeats = 1;
    options.measure_ms = 1.0;
  }
  std::puts(sweep(options).dump(2).c_str());
  return 0;
}
