// What the matrix products of a training step take on a GPU by themselves: cuBLASLt's plain ones,
// of the engine's own shapes and addresses, many times over in one graph. The engine's step is held
// against that: as it is, with epilogues in its backward pass and without, and all on one stream.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "bench/median.h"
#include "compute/cuda/capability.h"
#include "compute/cuda/cuda_runtime.h"
#include "compute/cuda/device_engine.h"
#include "compute/cuda/network.h"
#include "compute/cuda/owned.h"
#include "compute/cuda/products.h"
#include "compute/engine.h"

namespace {

namespace cuda = millrace::cuda;

struct Options {
  std::vector<std::uint32_t> hidden{1024, 1024, 1024};
  std::uint32_t features = 784;
  std::uint32_t classes = 10;
  std::uint32_t batch = 1024;
  std::uint32_t steps = 50;
  std::uint32_t repeats = 9;
  std::string precision = "bf16";
  int device = 0;
};

// Numbers as a network has them: products of zeros take less power, and so less time.
void fill(cuda::Runtime& runtime, const cuda::DeviceBuffer& buffer, cuda::ElementType type,
          cuda::StreamHandle stream) {
  if (buffer.bytes() == 0) return;  // no rounded parameters in float32
  std::vector<std::byte> host(buffer.bytes());
  const cuda::Elements elements{host.data(), type};
  std::uint32_t state = 1;
  for (std::size_t i = 0; i < host.size() / size_of(type); ++i) {
    state = state * 1664525U + 1013904223U;
    elements.store(i, static_cast<float>(state >> 8U) / 8388608.0F - 1.0F);
  }
  runtime.copy_to_device(buffer.data(), host.data(), host.size(), stream);
  runtime.synchronize(stream);
}

double seconds_of_a_step(cuda::Runtime& runtime, cuda::StreamHandle stream,
                         const std::vector<cuda::MatmulPlan>& plans, const Options& options) {
  runtime.begin_capture(stream);
  for (std::uint32_t s = 0; s < options.steps; ++s) {
    for (const auto& plan : plans) runtime.run(plan.get(), stream);
  }
  const cuda::Graph graph(runtime, runtime.end_capture(stream));
  const cuda::Event begin(runtime, runtime.create_timing_event());
  const cuda::Event end(runtime, runtime.create_timing_event());
  std::vector<double> seconds;
  for (std::uint32_t r = 0; r <= options.repeats; ++r) {
    runtime.record(begin.get(), stream);
    runtime.launch(graph.get(), stream);
    runtime.record(end.get(), stream);
    runtime.synchronize(stream);
    if (r != 0) seconds.push_back(runtime.seconds_between(begin.get(), end.get()));  // else warm
  }
  return median(std::move(seconds)) / options.steps;
}

// Of the engine that has the samples, by graphs.
double seconds_of_an_engine_step(const millrace::MlpSpec& model, const millrace::TrainSpec& train,
                                 const cuda::Arithmetic& arithmetic, const Options& options) {
  const auto engine = cuda::make_device_engine(cuda::make_cuda_runtime(options.device), model,
                                               train, arithmetic, options.device);
  const std::size_t count = std::size_t{options.batch} * options.steps;
  std::vector<std::byte> samples(count * model.features);
  std::vector<std::int32_t> labels(count);
  std::vector<std::uint32_t> order(count);
  std::uint32_t state = 1;
  const auto draw = [&state] { return (state = state * 1664525U + 1013904223U) >> 8U; };
  for (std::byte& sample : samples) sample = static_cast<std::byte>(draw() & 255U);
  for (std::int32_t& label : labels) label = static_cast<std::int32_t>(draw() % model.classes);
  for (std::uint32_t& sample : order) sample = draw() % static_cast<std::uint32_t>(count);
  millrace::Chunk chunk;
  chunk.batch = options.batch;
  chunk.count = static_cast<std::uint32_t>(count);
  chunk.source = engine->add_resident({samples, labels, nullptr});
  chunk.indices = order;
  std::vector<double> seconds;
  constexpr std::uint32_t kWarm = 4;  // until each slot has its graph
  for (std::uint32_t r = 0; r < options.repeats + kWarm; ++r) {
    const auto begin = std::chrono::steady_clock::now();
    engine->train(chunk);
    static_cast<void>(engine->metrics());
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    if (r >= kWarm) seconds.push_back(took.count());
  }
  return median(std::move(seconds)) / options.steps;
}

nlohmann::json measure(const Options& options) {
  millrace::MlpSpec model;
  model.features = options.features;
  model.hidden = options.hidden;
  model.classes = options.classes;
  millrace::TrainSpec train;
  train.batch = options.batch;
  cuda::Arithmetic arithmetic;
  if (options.precision == "bf16") arithmetic.storage = cuda::ElementType::kBFloat16;
  arithmetic.tf32 = options.precision == "tf32";

  const std::string obstacle = cuda::device_obstacle(options.device);
  if (!obstacle.empty()) throw millrace::DeviceError(obstacle);
  const auto runtime = cuda::make_cuda_runtime(options.device);
  const cuda::Stream stream(*runtime, runtime->create_stream("products"));
  const cuda::Network network(*runtime, model, train, arithmetic, options.batch);
  network.clear(*runtime, stream.get());
  for (const auto* buffer : {&network.masters, &network.rounded, &network.x}) {
    fill(*runtime, *buffer,
         buffer == &network.masters ? cuda::ElementType::kFloat32 : arithmetic.storage,
         stream.get());
  }
  for (const auto* buffers : {&network.y, &network.dy}) {
    for (const auto& buffer : *buffers) fill(*runtime, buffer, arithmetic.storage, stream.get());
  }

  // Each reads what was filled above: outputs go to memory that no product reads.
  using enum cuda::Epilogue;
  std::vector<cuda::Matmul> plain;
  std::vector<cuda::Matmul> fused;  // as the engine wants them, of a network of ReLUs
  for (std::size_t l = 0; l < network.layers(); ++l) {
    const bool top = l + 1 == network.layers();
    plain.push_back(cuda::forward_product(network, l, true, kNone));
    fused.push_back(cuda::forward_product(network, l, true, top ? kBias : kBiasReluMask));
    plain.push_back(cuda::weight_gradient_product(network, l, kNone));
    fused.push_back(cuda::weight_gradient_product(network, l, kBiasGradientOfB));
    if (l == 0) continue;
    plain.push_back(cuda::data_gradient_product(network, l, kNone));
    fused.push_back(cuda::data_gradient_product(network, l, kReluGradient));
  }
  std::size_t most = 1;
  for (const auto& p : plain) {
    most = std::max(most, size_of(p.output) * static_cast<std::size_t>(p.ldd * p.n));
  }
  const cuda::DeviceBuffer out = cuda::device_buffer(*runtime, most, "the outputs");
  double flops = 0.0;
  std::vector<cuda::MatmulPlan> plain_plans;
  std::vector<cuda::MatmulPlan> fused_plans;
  std::vector<std::size_t> unfused;
  for (std::size_t i = 0; i < plain.size(); ++i) {
    cuda::Matmul& p = plain[i];
    p.d = fused[i].d = out.data();
    flops += 2.0 * static_cast<double>(p.m) * static_cast<double>(p.n) * static_cast<double>(p.k);
    plain_plans.emplace_back(*runtime, runtime->plan(p, stream.get()));
    if (!plain_plans.back()) throw millrace::DeviceError("cuBLASLt has no algorithm for a product");
    fused_plans.emplace_back(*runtime, runtime->plan(fused[i], stream.get()));
    if (!fused_plans.back()) {
      unfused.push_back(i);
      fused_plans.back() = cuda::MatmulPlan(*runtime, runtime->plan(p, stream.get()));
    }
  }
  const double step_s = seconds_of_a_step(*runtime, stream.get(), plain_plans, options);
  const double fused_s = seconds_of_a_step(*runtime, stream.get(), fused_plans, options);
  // The library may have its fastest products without the epilogues of the backward pass alone.
  const auto engine_s = [&](bool fused_backward, bool side_stream) {
    cuda::Arithmetic how = arithmetic;
    how.fused_backward = fused_backward;
    how.side_stream = side_stream;
    return seconds_of_an_engine_step(model, train, how, options);
  };
  const bool fuses = cuda::fuses_backward(runtime->capability());
  const double fused_engine_s = engine_s(true, true);
  const double unfused_engine_s = engine_s(false, true);
  const double one_stream_s = engine_s(fuses, false);
  return {{"bench", "products"},
          {"device", runtime->device_name()},
          {"hidden", options.hidden},
          {"batch", options.batch},
          {"precision", options.precision},
          {"products", plain.size()},
          {"step_us", step_s * 1e6},
          {"tflops", flops / step_s / 1e12},
          {"with_epilogues_us", fused_s * 1e6},
          {"without_epilogue", unfused},
          {"engine_us", (fuses ? fused_engine_s : unfused_engine_s) * 1e6},
          {"engine_fused_backward_us", fused_engine_s * 1e6},
          {"engine_unfused_backward_us", unfused_engine_s * 1e6},
          {"engine_on_one_stream_us", one_stream_s * 1e6}};
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app{"The plain matrix products of a training step, on a GPU by themselves"};
  app.add_option("--hidden", options.hidden, "Widths of the hidden layers")->delimiter(',');
  app.add_option("--features", options.features);
  app.add_option("--classes", options.classes);
  app.add_option("--batch", options.batch);
  app.add_option("--steps", options.steps, "In one graph")->check(CLI::PositiveNumber);
  app.add_option("--repeats", options.repeats)->check(CLI::PositiveNumber);
  app.add_option("--precision", options.precision)->check(CLI::IsMember({"fp32", "tf32", "bf16"}));
  app.add_option("--device", options.device, "Number of the GPU");
  CLI11_PARSE(app, argc, argv);
  try {
    std::puts(measure(options).dump().c_str());
  } catch (const std::exception& error) {
    std::fprintf(stderr, "products_bench: %s\n", error.what());
    return 1;
  }
  return 0;
}
