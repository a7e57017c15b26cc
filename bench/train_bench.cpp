// How near training comes to the processor's peak: the epoch time of a resident data set, and the
// peak rate of fused multiply-adds on the same threads, measured in turn in one run.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <numeric>
#include <span>
#include <vector>

#include "bench/median.h"
#include "bench/peak.h"
#include "compute/cpu_info.h"
#include "compute/engine.h"
#include "formats/bytes.h"

namespace {

using Clock = std::chrono::steady_clock;

struct Options {
  std::vector<std::uint32_t> hidden{32};
  std::uint32_t features = 784;
  std::uint32_t classes = 10;
  std::uint32_t batch = 128;
  std::uint32_t samples = 50'000;
  std::uint32_t threads = 2;
  std::uint32_t repeats = 9;
  std::string precision = "fp32";
  bool smoke = false;
};

nlohmann::json measure(const Options& options) {
  millrace::MlpSpec model;
  model.features = options.features;
  model.hidden = options.hidden;
  model.classes = options.classes;
  millrace::TrainSpec train;
  train.batch = options.batch;
  train.optimizer.learning_rate = 0.01F;
  train.precision =
      options.precision == "bf16" ? millrace::Precision::kBFloat16 : millrace::Precision::kFloat32;
  millrace::Device device;
  device.kind = millrace::Device::Kind::kCpu;
  device.threads = options.threads;
  const auto engine = millrace::make_engine(model, train, device);

  // The memory that a decoded data set lies in.
  auto memory = millrace::Bytes::allocate(std::size_t{options.samples} * options.features);
  const std::span<std::byte> samples = memory.writable();
  std::vector<std::int32_t> labels(options.samples);
  std::uint32_t state = 1;
  for (auto& byte : samples) {
    state = state * 1664525U + 1013904223U;
    byte = static_cast<std::byte>((state >> 24U) > 200U ? state >> 16U & 255U : 0U);
  }
  for (std::size_t i = 0; i < labels.size(); ++i)
    labels[i] = static_cast<std::int32_t>(i * 7919U % options.classes);
  const auto source = engine->add_resident({samples, labels, nullptr});
  std::vector<std::uint32_t> order(options.samples);
  std::iota(order.begin(), order.end(), 0U);
  for (std::size_t i = order.size(); i > 1; --i) {
    state = state * 1664525U + 1013904223U;
    std::swap(order[i - 1], order[state % i]);
  }
  millrace::Chunk chunk;
  chunk.batch = options.batch;
  chunk.count = options.samples;
  chunk.source = source;
  chunk.indices = order;

  const std::uint32_t all = engine->info().threads;
  std::vector<double> epochs;
  std::vector<double> peaks;
  engine->train(chunk);
  for (std::uint32_t r = 0; r < options.repeats; ++r) {
    peaks.push_back(millrace::bench::peak_gflops(train.precision, all));
    const auto begin = Clock::now();
    engine->train(chunk);
    epochs.push_back(std::chrono::duration<double>(Clock::now() - begin).count());
  }
  const double epoch_s = median(epochs);
  const double flops = static_cast<double>(model.train_flops_per_sample()) * options.samples;
  const double peak = median(peaks);
  return {
      {"bench", "train"},
      {"hidden", options.hidden},
      {"batch", options.batch},
      {"threads", all},
      {"chosen", engine->stats().chosen},
      {"precision", engine->info().precision == millrace::Precision::kBFloat16 ? "bf16" : "fp32"},
      {"engine", engine->info().description},
      {"epoch_s", epoch_s},
      {"epoch_s_min", *std::min_element(epochs.begin(), epochs.end())},
      {"epoch_s_max", *std::max_element(epochs.begin(), epochs.end())},
      {"step_us", epoch_s * 1e6 / chunk.batches()},
      {"gflops", flops / epoch_s / 1e9},
      {"peak_gflops", peak},
      {"peak_tile_gflops", train.precision == millrace::Precision::kBFloat16
                               ? millrace::bench::peak_tile_gflops(all)
                               : 0.0},
      {"waiting_share", engine->stats().waiting / engine->stats().busy},
      {"ratio", flops / epoch_s / 1e9 / peak}};
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app{"Epoch time of the CPU engine against the processor's peak"};
  app.add_option("--hidden", options.hidden, "Widths of the hidden layers")->delimiter(',');
  app.add_option("--features", options.features);
  app.add_option("--classes", options.classes);
  app.add_option("--batch", options.batch);
  app.add_option("--samples", options.samples);
  app.add_option("--threads", options.threads, "0: as many as the engine finds best");
  app.add_option("--repeats", options.repeats);
  app.add_option("--precision", options.precision)->check(CLI::IsMember({"fp32", "bf16"}));
  app.add_flag("--smoke", options.smoke, "A tiny run that only shows that it works");
  CLI11_PARSE(app, argc, argv);
  if (options.smoke) {
    options.samples = 1000;
    options.repeats = 1;
  }
  std::puts(measure(options).dump(2).c_str());
  return 0;
}
