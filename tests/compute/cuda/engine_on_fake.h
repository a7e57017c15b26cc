#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "compute/cuda/device_engine.h"
#include "tests/compute/cuda/fake_runtime.h"
#include "tests/compute/engine_data.h"

namespace millrace::cuda::test {

/// Nothing is left behind on the device, and no rule of CUDA was broken there.
inline void expect_clean(const FakeDevice& device) {
  EXPECT_EQ(device.live, 0) << "left behind on the device";
  EXPECT_EQ(device.violations, std::vector<std::string>{});
}

/// An engine on a fake device of its own, which it must leave clean.
struct EngineOnFake {
  explicit EngineOnFake(const millrace::test::Data& data, FakeDevice chosen = {},
                        Arithmetic arithmetic = {})
      : device(std::make_shared<FakeDevice>(std::move(chosen))),
        engine(make_device_engine(std::make_unique<FakeRuntime>(device), data.model, data.train,
                                  arithmetic, 0)) {}
  ~EngineOnFake() {
    engine.reset();
    expect_clean(*device);
  }
  EngineOnFake(const EngineOnFake&) = delete;
  EngineOnFake& operator=(const EngineOnFake&) = delete;

  std::shared_ptr<FakeDevice> device;
  std::unique_ptr<Engine> engine;
};

}  // namespace millrace::cuda::test
