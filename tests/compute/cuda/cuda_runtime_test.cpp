// The engine on cuda_runtime.cpp and lt_product.cpp, which make NVIDIA's calls, and those on the
// host: the same bits as on the fake runtime itself, no rule of CUDA broken, and every failure
// told.

#include "compute/cuda/cuda_runtime.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <functional>
#include <memory>
#include <ostream>
#include <set>
#include <string>
#include <vector>

#include "compute/cuda/device_engine.h"
#include "compute/cuda_engine.h"
#include "compute/memory.h"
#include "tests/compute/cuda/host_cuda.h"
#include "tests/compute/engine_data.h"

namespace millrace::cuda {
namespace {

using millrace::test::Data;
using millrace::test::Shape;
using test::FakeDevice;
using test::FakeRuntime;
using test::HostCuda;

struct Outcome {
  std::vector<double> losses;
  std::vector<float> logits;
  Parameters parameters;
  OptimizerState optimizer;

  bool operator==(const Outcome&) const = default;
};

// Steps one by one and in graphs, from all kinds of memory, and all that can be asked for.
Outcome use(Engine& engine, const Data& data) {
  Outcome outcome;
  const Chunk packed = data.packed();
  HostBuffer samples(engine.host_memory(), data.bytes.size());
  std::copy(data.bytes.begin(), data.bytes.end(), samples.data());
  Chunk pinned = packed;
  pinned.samples = samples.bytes();
  const Chunk indexed = data.indexed(engine.add_resident(data.resident()));
  for (int epoch = 0; epoch < 3; ++epoch) {
    for (const Chunk& chunk : {packed, pinned, indexed}) engine.train(chunk);
    engine.close_metrics();
    engine.evaluate(indexed);
    outcome.losses.push_back(engine.metrics().loss_sum);
    outcome.losses.push_back(engine.metrics().loss_sum);
  }
  outcome.logits.resize(std::size_t{packed.count} * data.model.classes);
  engine.predict(packed, outcome.logits);
  engine.set_parameters(engine.parameters());
  engine.set_optimizer_state(engine.optimizer_state());
  engine.train(packed);
  outcome.parameters = engine.parameters();
  outcome.optimizer = engine.optimizer_state();
  return outcome;
}

std::unique_ptr<Engine> engine_on(HostCuda& host, const Data& data, int index = 0) {
  host.expected_gpu = index;
  return make_cuda_engine(data.model, data.train, {.kind = Device::Kind::kCuda, .index = index});
}

void expect_clean(const HostCuda& host) {
  EXPECT_EQ(host.device->live, 0) << "left behind";
  EXPECT_EQ(host.violations, std::vector<std::string>{});
  EXPECT_EQ(host.device->violations, std::vector<std::string>{});
}

struct Case {
  std::string name;
  Shape shape;
  Precision precision = Precision::kFloat32;
  std::function<void(Data&)> change = [](Data&) {};
};
void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }

class CudaRuntimeCalls : public testing::TestWithParam<Case> {
 protected:
  CudaRuntimeCalls() : data_(GetParam().shape) {
    data_.train.precision = GetParam().precision;
    GetParam().change(data_);
  }
  // On the host's GPU as it is, of Hopper, or on an older one.
  Outcome expected(const std::set<Epilogue>& refused = {}, bool older = false) const {
    const auto device = std::make_shared<FakeDevice>();
    device->refused = refused;
    Arithmetic arithmetic;
    if (GetParam().precision == Precision::kBFloat16) arithmetic.storage = ElementType::kBFloat16;
    arithmetic.tf32 = GetParam().precision == Precision::kTf32;
    arithmetic.one_kernel = true;
    arithmetic.fused_backward = older;
    return use(*make_device_engine(std::make_unique<FakeRuntime>(device), data_.model, data_.train,
                                   arithmetic, 0),
               data_);
  }
  Data data_;
};

TEST_P(CudaRuntimeCalls, GiveWhatTheFakeRuntimeGives) {
  HostCuda host;
  host.device->schedule = test::Schedule::kRandom;
  EXPECT_TRUE(use(*engine_on(host, data_), data_) == expected());
  expect_clean(host);
}

TEST_P(CudaRuntimeCalls, HaveEpiloguesInTheBackwardPassBeforeHopper) {
  HostCuda host;
  host.device->capability = {.major = 8, .minor = 9};
  EXPECT_TRUE(use(*engine_on(host, data_), data_) == expected({}, true));
  expect_clean(host);
}

TEST_P(CudaRuntimeCalls, AreOfTheGpuThatWasAskedFor) {
  HostCuda host;
  host.gpus = 2;
  EXPECT_TRUE(use(*engine_on(host, data_, 1), data_) == expected());
  expect_clean(host);
}

TEST_P(CudaRuntimeCalls, GoOnWithoutAnEpilogueHoweverItIsRefused) {
  const std::set<Epilogue> all{Epilogue::kBias,
                               Epilogue::kBiasRelu,
                               Epilogue::kBiasReluMask,
                               Epilogue::kReluGradient,
                               Epilogue::kReluGradientBiasGradient,
                               Epilogue::kBiasGradientOfB};
  for (const auto refusal : {HostCuda::Refusal::kRun, HostCuda::Refusal::kSearch,
                             HostCuda::Refusal::kNothingFound, HostCuda::Refusal::kState}) {
    HostCuda host;
    host.refusal = refusal;
    host.device->refused = all;
    host.device->capability = {.major = 8, .minor = 9};  // which are all asked for
    EXPECT_TRUE(use(*engine_on(host, data_), data_) == expected(all, true));
    expect_clean(host);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Networks, CudaRuntimeCalls,
    testing::Values(
        Case{"one_kernel", {30, {20}, 7, 16, InputType::kUInt8}},
        Case{"deep", {30, {20, 9}, 7, 16, InputType::kUInt8}},
        Case{"deep_tf32", {30, {20, 9}, 7, 16, InputType::kFloat32}, Precision::kTf32},
        Case{"deep_bf16", {30, {20, 9}, 40, 16, InputType::kUInt8}, Precision::kBFloat16},
        Case{"one_row", {5, {}, 2, 1, InputType::kFloat32}, Precision::kBFloat16},
        Case{"everything",
             {30, {20, 9}, 7, 16, InputType::kUInt8, Activation::kGelu},
             Precision::kBFloat16,
             [](Data& data) {
               data.model.batch_norm = true;
               data.model.dropout = 0.2F;
               data.train.micro_batch = 7;
               data.train.optimizer = {0.01F, 0.0F, 0.01F, OptimizerSpec::Kind::kAdamW};
               data.train.optimizer.clip_norm = 0.5F;
               data.train.optimizer.ema = 0.9F;
             }}),
    [](const auto& tested) { return tested.param.name; });

TEST(CudaRuntime, SaysWhatStandsAgainstAGpu) {
  HostCuda host;
  EXPECT_EQ(device_obstacle(0), "");
  EXPECT_EQ(device_obstacle(1), "expected an index below 1, the number of GPUs, found 1");
  host.kernels = false;
  EXPECT_EQ(device_obstacle(0),
            "GPU 0 has compute capability 9.0, for which this build has no kernels");
  host.kernels = true;
  host.device->dead = true;
  EXPECT_EQ(device_obstacle(0), "GPU 0 does not start: unspecified launch failure");
  host.device->dead = false;
  host.device->capability = {.major = 7, .minor = 0};
  EXPECT_EQ(device_obstacle(0), "GPU 0 has compute capability 7.0, this build needs 7.5");
  host.driver = 11080;
  EXPECT_EQ(device_obstacle(0).substr(0, 48), "this machine's NVIDIA driver knows CUDA up to 11");
  host.driver = 0;
  EXPECT_EQ(device_obstacle(0), "this machine has no NVIDIA driver");
  host.driver = 99000;
  host.gpus = 0;
  EXPECT_EQ(device_obstacle(0), "this machine has no GPU that CUDA can use");
  EXPECT_EQ(host.last_error, 0) << "a launch would be blamed for it";
}

std::string what_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const DeviceError& error) {
    return error.what();
  }
  return "no DeviceError";
}

TEST(CudaRuntime, NamesTheBytesThatThereAreNot) {
  HostCuda host;
  {
    const auto runtime = make_cuda_runtime(0);
    const std::size_t free = host.device->memory - host.device->used;
    EXPECT_EQ(what_of([&] { runtime->allocate(std::size_t{1} << 40U, "a thing"); }),
              "cuda: out of memory for a thing: asked for 1099511627776 bytes, " +
                  std::to_string(free) + " of " + std::to_string(host.device->memory) +
                  " are free");
    EXPECT_EQ(host.last_error, 0) << "a launch would be blamed for it";
    const Stream stream(*runtime, runtime->create_stream("compute"));
    host.device->memory = 1000;
    EXPECT_NE(what_of([&] {
                runtime->plan({}, stream.get());
              }).find("out of memory for the workspace of matrix products"),
              std::string::npos);
  }
  expect_clean(host);
}

TEST(CudaRuntime, ADeviceThatDiesIsToldWithItsStageAndLeavesNothing) {
  const Data data({30, {20, 9}, 7, 16, InputType::kUInt8});
  HostCuda host;
  {
    const auto engine = engine_on(host, data);
    engine->train(data.packed());
    engine->metrics();
    host.device->dead = true;
    const std::string what = what_of([&] { engine->train(data.packed()); });
    EXPECT_EQ(what.find("cuda: unspecified launch failure (last stage: "), 0U) << what;
    EXPECT_NE(what_of([&] { engine->parameters(); }).find("launch failure"), std::string::npos);
  }
  EXPECT_EQ(host.device->live, 0);
}

}  // namespace
}  // namespace millrace::cuda
