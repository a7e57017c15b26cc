#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <variant>
#include <vector>

#include "tests/compute/cuda/fake_runtime.h"

namespace millrace::cuda::test {
namespace {

constexpr float kUnknown = std::numeric_limits<float>::quiet_NaN();

/// The group of the host: itself.
struct OneThread {
  static std::uint32_t lane() { return 0; }
  static std::uint32_t size() { return 1; }
  static float max(float value) { return value; }
  static float sum(float value) { return value; }
  static bool any(bool value) { return value; }
  static void sync() {}
};

template <class Part>
Part tree_sum(std::vector<Part> parts) {
  for (auto half = static_cast<std::uint32_t>(parts.size() / 2); half > 0; half /= 2) {
    for (std::uint32_t i = 0; i < half; ++i) tree_add(parts.data(), i, half);
  }
  return parts[0];
}

template <class Rows>
void run_rows(const Rows& kernel) {
  for (std::uint32_t row = 0; row < kernel.all_rows(); ++row) kernel(OneThread{}, row);
}
void run(const SoftmaxLoss& kernel) { run_rows(kernel); }
void run(const TargetLoss& kernel) { run_rows(kernel); }

void run(const ActivationGradient& kernel) {
  for (std::uint32_t part = 0; part < ActivationGradient::kParts; ++part) {
    for (std::uint32_t column = 0; column < kernel.width; column += Elements::kGroup) {
      float sums[Elements::kGroup] = {};
      for (std::uint32_t lane = 0; lane < ActivationGradient::kLanes; ++lane) {
        kernel.sum(part, column, lane, sums);
      }
      std::copy_n(sums, Elements::kGroup, kernel.parts + std::size_t{part} * kernel.width + column);
    }
  }
}

// The sum over the lanes of f(lane).
template <class F>
float lane_sum(std::uint32_t lanes, const F& f) {
  std::vector<float> parts;
  for (std::uint32_t lane = 0; lane < lanes; ++lane) parts.push_back(f(lane));
  return tree_sum(parts);
}

void run(const NormStatistics& kernel) {
  constexpr std::uint32_t kLanes = NormStatistics::kLanes;
  for (std::uint32_t column = 0; column < kernel.width; ++column) {
    const float mean = kernel.mean_of(
        lane_sum(kLanes, [&](std::uint32_t lane) { return kernel.sum_part(column, lane); }));
    const float squares = lane_sum(
        kLanes, [&](std::uint32_t lane) { return kernel.squares_part(column, lane, mean); });
    kernel.finish(column, mean, squares);
  }
}

void run(const NormGradientSums& kernel) {
  constexpr std::uint32_t kLanes = NormGradientSums::kLanes;
  for (std::uint32_t column = 0; column < kernel.width; ++column) {
    NormGradientSums::Part sum;
    sum.factor =
        lane_sum(kLanes, [&](std::uint32_t lane) { return kernel.part(column, lane).factor; });
    sum.shift =
        lane_sum(kLanes, [&](std::uint32_t lane) { return kernel.part(column, lane).shift; });
    kernel.finish(column, sum);
  }
}

void run(const SquareSums& kernel) {
  for (std::uint32_t block = 0; block < SquareSums::kBlocks; ++block) {
    std::vector<double> parts;
    for (std::uint32_t lane = 0; lane < SquareSums::kLanes; ++lane) {
      parts.push_back(kernel.part(block, lane));
    }
    kernel.sums[block] = tree_sum(parts);
  }
}

void run(const ClipFactor& kernel) {
  std::vector<double> parts;
  for (std::uint32_t lane = 0; lane < ClipFactor::kLanes; ++lane) {
    parts.push_back(kernel.part(lane));
  }
  kernel.finish(tree_sum(parts));
}

void run(const MetricsSums& kernel) {
  std::vector<MetricsSums::Part> parts;
  for (std::uint32_t lane = 0; lane < MetricsSums::kLanes; ++lane) {
    parts.push_back(kernel.part(lane));
  }
  kernel.finish(tree_sum(parts));
}

// One thread is all of a block's, and blocks take turns in each phase; in a different order each
// time, for none may depend on another within one.
struct OneByOne {
  template <class F>
  void each(std::uint32_t count, const F& f) const {
    for (std::uint32_t i = 0; i < count; ++i) f(i);
  }
  template <class F>
  void each_group(std::uint32_t count, const F& f) const {
    for (std::uint32_t i = 0; i < count; ++i) f(OneThread{}, i);
  }
  template <class Load, class Store>
  void fetch(std::uint32_t count, const Load& load, const Store& store) const {
    for (std::uint32_t i = 0; i < count; ++i) store(i, load(i));
  }
  template <class Place, class Load, class Store>
  void meanwhile(std::uint32_t count, const Place& place, const Load& load,
                 const Store& store) const {
    for (std::uint32_t i = 0; i < count; ++i) store(i, load(i, place(i)));
  }
  void sync() const {}
};

void run(const SmallTraining& kernel) {
  const std::uint32_t blocks = kernel.blocks();
  // What new hands out is aligned to 16 bytes.
  std::vector<std::vector<float>> memory(blocks, std::vector<float>(kernel.memory(), kUnknown));
  const OneByOne block;
  bool backwards = false;
  const auto all_blocks = [&](const auto& phase) {
    for (std::uint32_t i = 0; i < blocks; ++i) {
      const std::uint32_t b = backwards ? blocks - 1 - i : i;
      phase(b, memory[b].data());
    }
    backwards = !backwards;
  };
  const std::uint32_t steps = kernel.steps();
  all_blocks([&](std::uint32_t b, float* own) {
    kernel.begin(block, b, own);
    kernel.stage(block, b, 0, own);
  });
  for (std::uint32_t step = 0; step < steps; ++step) {
    all_blocks([&](std::uint32_t b, float* own) {
      kernel.forward(block, b, step, own);
      if (step + 1 < steps) kernel.stage(block, b, step + 1, own);
    });
    all_blocks([&](std::uint32_t b, float* own) { kernel.output(block, b, step, own); });
    all_blocks([&](std::uint32_t b, float* own) { kernel.update(block, b, step, own); });
  }
}

template <class Elementwise>
void run(const Elementwise& kernel) {
  for (std::size_t i = 0; i < kernel.count(); ++i) kernel(i);
}

bool bit(const void* mask, std::int64_t at) {
  return ((static_cast<const std::uint8_t*>(mask)[at / 8] >> static_cast<unsigned>(at % 8)) & 1U) !=
         0;
}
void set_bit(void* mask, std::int64_t at, bool value) {
  auto& byte = static_cast<std::uint8_t*>(mask)[at / 8];
  const auto one = static_cast<std::uint8_t>(1U << static_cast<unsigned>(at % 8));
  byte = static_cast<std::uint8_t>(value ? byte | one : byte & ~one);
}

// Cut off, as tensor cores that are handed float32 do: the worse of what a library may choose.
float to_tf32(float value) {
  if (!std::isfinite(value)) return value;
  std::uint32_t bits = 0;
  std::memcpy(&bits, &value, sizeof bits);
  bits &= ~0x1FFFU;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

}  // namespace

void run_on_host(const Kernel& kernel) {
  std::visit([](const auto& k) { run(k); }, kernel);
}

void run_on_host(const Matmul& p) {
  // Of a TF32 product's inputs ten bits of the fraction are kept.
  const auto input = [&](const Elements& from, std::int64_t i) {
    const float value = from.load(static_cast<std::size_t>(i));
    return double{p.tf32 ? to_tf32(value) : value};
  };
  const Elements a{const_cast<void*>(p.a), p.input};
  const Elements b{const_cast<void*>(p.b), p.input};
  const Elements d{p.d, p.output};
  const Elements bias{p.bias, p.output};
  const auto op_a = [&](std::int64_t i, std::int64_t l) {
    return input(a, p.transpose_a ? i * p.lda + l : l * p.lda + i);
  };
  const auto op_b = [&](std::int64_t l, std::int64_t j) {
    return input(b, p.transpose_b ? l * p.ldb + j : j * p.ldb + l);
  };
  std::vector<double> row_sums(static_cast<std::size_t>(p.m));
  for (std::int64_t j = 0; j < p.n; ++j) {
    for (std::int64_t i = 0; i < p.m; ++i) {
      double sum = 0.0;
      for (std::int64_t l = 0; l < p.k; ++l) sum += op_a(i, l) * op_b(l, j);
      const std::int64_t at = j * p.mask_ld + i;
      switch (p.epilogue) {
        case Epilogue::kNone:
        case Epilogue::kBiasGradientOfB:
          break;
        case Epilogue::kBias:
          sum += double{bias.load(i)};
          break;
        case Epilogue::kBiasRelu:
        case Epilogue::kBiasReluMask:
          sum += double{bias.load(i)};
          if (p.epilogue == Epilogue::kBiasReluMask) set_bit(p.mask, at, sum > 0.0);
          if (sum < 0.0) sum = 0.0;
          break;
        case Epilogue::kReluGradient:
        case Epilogue::kReluGradientBiasGradient:
          if (!bit(p.mask, at)) sum = 0.0;
          row_sums[static_cast<std::size_t>(i)] += sum;
          break;
      }
      d.store(static_cast<std::size_t>(j * p.ldd + i), static_cast<float>(sum));
    }
    if (p.epilogue == Epilogue::kBiasGradientOfB) {
      double sum = 0.0;
      for (std::int64_t l = 0; l < p.k; ++l) sum += op_b(l, j);
      bias.store(static_cast<std::size_t>(j), static_cast<float>(sum));
    }
  }
  if (p.epilogue == Epilogue::kReluGradientBiasGradient) {
    for (std::int64_t i = 0; i < p.m; ++i) {
      bias.store(static_cast<std::size_t>(i), static_cast<float>(row_sums[i]));
    }
  }
}

}  // namespace millrace::cuda::test
