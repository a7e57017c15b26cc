#include "bench/peak.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>
#include <thread>
#include <vector>

#if defined(__x86_64__)
#include <immintrin.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace millrace::bench {
namespace {

using Clock = std::chrono::steady_clock;

// Twelve independent chains hide the latency of two pipes; the empty asm keeps the loop from being
// folded. Each returns the floating-point operations it did.
#if defined(__x86_64__)
#define MILLRACE_KEEP(x) asm volatile("" : "+v"(x))

__attribute__((target("avx512f"))) double fma_avx512(std::uint64_t rounds) {
  __m512 sum[12];
  for (auto& s : sum) s = _mm512_set1_ps(1.0F);
  __m512 a = _mm512_set1_ps(0.999F);
  const __m512 b = _mm512_set1_ps(0.5F);
  for (std::uint64_t r = 0; r < rounds; ++r) {
#pragma GCC unroll 12
    for (auto& s : sum) s = _mm512_fmadd_ps(s, a, b);
    MILLRACE_KEEP(a);
  }
  for (auto& s : sum) MILLRACE_KEEP(s);
  return static_cast<double>(rounds) * 12 * 32;
}

__attribute__((target("avx2,fma"))) double fma_avx2(std::uint64_t rounds) {
  __m256 sum[12];
  for (auto& s : sum) s = _mm256_set1_ps(1.0F);
  __m256 a = _mm256_set1_ps(0.999F);
  const __m256 b = _mm256_set1_ps(0.5F);
  for (std::uint64_t r = 0; r < rounds; ++r) {
#pragma GCC unroll 12
    for (auto& s : sum) s = _mm256_fmadd_ps(s, a, b);
    MILLRACE_KEEP(a);
  }
  for (auto& s : sum) MILLRACE_KEEP(s);
  return static_cast<double>(rounds) * 12 * 16;
}

__attribute__((target("avx512f,avx512bf16"))) double dot_bf16(std::uint64_t rounds) {
  __m512 sum[12];
  for (auto& s : sum) s = _mm512_set1_ps(1.0F);
  __m512 a = _mm512_set1_ps(1.0F);
  const auto b = (__m512bh)_mm512_set1_ps(0.5F);
  for (std::uint64_t r = 0; r < rounds; ++r) {
#pragma GCC unroll 12
    for (auto& s : sum) s = _mm512_dpbf16_ps(s, (__m512bh)a, b);
    MILLRACE_KEEP(a);
  }
  for (auto& s : sum) MILLRACE_KEEP(s);
  return static_cast<double>(rounds) * 12 * 64;
}

struct alignas(64) TileConfig {
  std::uint8_t palette = 1;
  std::uint8_t start_row = 0;
  std::uint8_t reserved[14] = {};
  std::uint16_t column_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
  std::uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
};

__attribute__((target("amx-tile,amx-bf16"))) double tiles_bf16(std::uint64_t rounds) {
  static constexpr TileConfig kConfig;
  alignas(64) static const std::uint8_t zeros[1024] = {};
  _tile_loadconfig(&kConfig);
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
  _tile_loadd(4, zeros, 64);
  _tile_loadd(5, zeros, 64);
  _tile_loadd(6, zeros, 64);
  _tile_loadd(7, zeros, 64);
  for (std::uint64_t r = 0; r < rounds; ++r) {
    _tile_dpbf16ps(0, 4, 6);
    _tile_dpbf16ps(1, 4, 7);
    _tile_dpbf16ps(2, 5, 6);
    _tile_dpbf16ps(3, 5, 7);
  }
  _tile_release();
  return static_cast<double>(rounds) * 4 * 2 * 16 * 16 * 32;
}

bool tiles_allowed() {
  constexpr long kRequestPermission = 0x1023;
  constexpr long kTileData = 18;
  __builtin_cpu_init();
  return syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
}
#endif

double fma_scalar(std::uint64_t rounds) {
  float sum[12];
  for (auto& s : sum) s = 1.0F;
  for (std::uint64_t r = 0; r < rounds; ++r) {
    for (auto& s : sum) s = s * 0.999F + 0.5F;
    std::atomic_signal_fence(std::memory_order_seq_cst);
  }
  volatile float keep = sum[0];
  (void)keep;
  return static_cast<double>(rounds) * 12 * 2;
}

// All threads start together and run for a few milliseconds, as an epoch does.
double rate(double (*kernel)(std::uint64_t), std::uint32_t threads) {
  constexpr std::uint64_t kRounds = 400'000;
  std::atomic<std::uint32_t> ready{0};
  std::vector<double> rates(threads);
  const auto work = [&](std::uint32_t t) {
    kernel(kRounds / 8);
    ready.fetch_add(1);
    while (ready.load() < threads) {
    }
    const auto begin = Clock::now();
    const double flops = kernel(kRounds);
    rates[t] = flops / std::chrono::duration<double>(Clock::now() - begin).count() / 1e9;
  };
  std::vector<std::thread> others;
  for (std::uint32_t t = 1; t < threads; ++t) others.emplace_back(work, t);
  work(0);
  for (auto& other : others) other.join();
  double sum = 0.0;
  for (const double r : rates) sum += r;
  return sum;
}

}  // namespace

double peak_gflops(Precision precision, std::uint32_t threads) {
#if defined(__x86_64__)
  if (precision == Precision::kBFloat16) {
    return __builtin_cpu_supports("avx512bf16") ? rate(dot_bf16, threads) : 0.0;
  }
  if (__builtin_cpu_supports("avx512f")) return rate(fma_avx512, threads);
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
    return rate(fma_avx2, threads);
#endif
  if (precision == Precision::kBFloat16) return 0.0;
  return rate(fma_scalar, threads);
}

double peak_tile_gflops(std::uint32_t threads) {
#if defined(__x86_64__)
  if (tiles_allowed()) return rate(tiles_bf16, threads);
#endif
  (void)threads;
  return 0.0;
}

}  // namespace millrace::bench
