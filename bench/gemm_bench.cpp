// The forward product of one lane, by the project's own kernels and by oneDNN, one thread each, in
// turn on the same data in cache. oneDNN's bfloat16 weights are in the layout it asks for, as ours
// are.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <nlohmann/json.hpp>
#include <oneapi/dnnl/dnnl.hpp>
#include <vector>

#include "bench/peak.h"
#include "compute/cpu/aligned_array.h"
#include "compute/cpu/bf16_kernels.h"
#include "compute/cpu/f32_kernels.h"

namespace {

using Clock = std::chrono::steady_clock;
namespace cpu = millrace::cpu;

double seconds_of(const std::function<void()>& work, int calls) {
  const auto begin = Clock::now();
  for (int i = 0; i < calls; ++i) work();
  return std::chrono::duration<double>(Clock::now() - begin).count() / calls;
}

// Medians of both, taken in turn.
std::pair<double, double> compare(const std::function<void()>& ours,
                                  const std::function<void()>& theirs, int rounds, int calls) {
  std::vector<double> a;
  std::vector<double> b;
  for (int r = 0; r < rounds; ++r) {
    a.push_back(seconds_of(ours, calls));
    b.push_back(seconds_of(theirs, calls));
  }
  std::sort(a.begin(), a.end());
  std::sort(b.begin(), b.end());
  return {a[a.size() / 2], b[b.size() / 2]};
}

struct Shape {
  std::size_t rows, in, out;
};

template <class T>
void fill(cpu::AlignedArray<T>& values, T one) {
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = i % 3 == 0 ? one : T{};
}

nlohmann::json row(const Shape& s, const char* precision, std::pair<double, double> t,
                   double peak) {
  const double flops = 2.0 * static_cast<double>(s.rows * s.in * s.out);
  return {{"rows", s.rows},
          {"in", s.in},
          {"out", s.out},
          {"precision", precision},
          {"gflops", flops / t.first / 1e9},
          {"onednn_gflops", flops / t.second / 1e9},
          {"peak_gflops", peak},
          {"speed_against_onednn", t.second / t.first}};
}

nlohmann::json float32(const Shape& s, int rounds, int calls) {
  const cpu::ActLayout x_layout{s.rows, s.in};
  const cpu::ActLayout y_layout{s.rows, s.out};
  const cpu::PanelLayout w_layout{s.in, s.out};
  cpu::AlignedArray<float> x(x_layout.size());
  cpu::AlignedArray<float> w(w_layout.size());
  cpu::AlignedArray<float> bias(cpu::round_up(s.out, 32));
  cpu::AlignedArray<float> y(y_layout.size());
  fill(x, 0.5F);
  fill(w, 0.25F);
  cpu::AlignedArray<float> plain_x(s.rows * s.in);
  cpu::AlignedArray<float> plain_w(s.in * s.out);
  cpu::AlignedArray<float> plain_y(s.rows * s.out);
  fill(plain_x, 0.5F);
  fill(plain_w, 0.25F);
  const auto times = compare(
      [&] {
        cpu::f32::forward({x.data(), x_layout, w.data(), w_layout, bias.data(), false, y.data(),
                           y_layout, s.rows});
      },
      [&] {
        const auto m = static_cast<dnnl_dim_t>(s.rows);
        const auto n = static_cast<dnnl_dim_t>(s.out);
        const auto k = static_cast<dnnl_dim_t>(s.in);
        dnnl_sgemm('N', 'N', m, n, k, 1.0F, plain_x.data(), k, plain_w.data(), n, 0.0F,
                   plain_y.data(), n);
      },
      rounds, calls);
  return row(s, "fp32", times, millrace::bench::peak_gflops(millrace::Precision::kFloat32, 1));
}

nlohmann::json bfloat16(const Shape& s, int rounds, int calls) {
  const auto unit = cpu::bf16::available_unit();
  if (unit == cpu::bf16::Unit::kNone) return nullptr;
  const std::size_t depth = cpu::round_up(s.in, 32);
  const std::size_t outs = cpu::round_up(s.out, 32);
  const cpu::ActLayout c_layout{s.rows, outs};
  cpu::AlignedArray<cpu::bf16::Bits> a(s.rows * depth);
  cpu::AlignedArray<cpu::bf16::Bits> b(depth * outs);
  cpu::AlignedArray<float> c(c_layout.size());
  constexpr cpu::bf16::Bits kHalf = 0x3F00;
  fill(a, kHalf);
  fill(b, kHalf);

  const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  dnnl::stream stream(engine);
  using Desc = dnnl::memory::desc;
  using Type = dnnl::memory::data_type;
  using Tag = dnnl::memory::format_tag;
  const auto dim = [](std::size_t n) { return static_cast<dnnl::memory::dim>(n); };
  const Desc x_desc({dim(s.rows), dim(s.in)}, Type::bf16, Tag::ab);
  const Desc w_desc({dim(s.in), dim(s.out)}, Type::bf16, Tag::any);
  const Desc y_desc({dim(s.rows), dim(s.out)}, Type::f32, Tag::ab);
#if DNNL_VERSION_MAJOR >= 3
  const dnnl::matmul::primitive_desc description(engine, x_desc, w_desc, y_desc);
#else
  const dnnl::matmul::primitive_desc description(dnnl::matmul::desc(x_desc, w_desc, y_desc),
                                                 engine);
#endif
  const dnnl::matmul product(description);
  dnnl::memory x(description.src_desc(), engine);
  dnnl::memory w(description.weights_desc(), engine);
  dnnl::memory y(description.dst_desc(), engine);
  std::fill_n(static_cast<std::uint16_t*>(x.get_data_handle()), s.rows * s.in, kHalf);
  std::fill_n(static_cast<std::uint16_t*>(w.get_data_handle()),
              description.weights_desc().get_size() / 2, kHalf);
  const std::unordered_map<int, dnnl::memory> arguments{
      {DNNL_ARG_SRC, x}, {DNNL_ARG_WEIGHTS, w}, {DNNL_ARG_DST, y}};
  const auto times = compare(
      [&] {
        cpu::bf16::multiply(unit, {a.data(), depth, s.rows / 16, b.data(), depth * 16, outs / 16,
                                   depth, c.data(), c_layout, s.rows, s.out, s.in});
      },
      [&] {
        product.execute(stream, arguments);
        stream.wait();
      },
      rounds, calls);
  const double tiles = millrace::bench::peak_tile_gflops(1);
  return row(s, "bf16", times,
             tiles > 0 ? tiles : millrace::bench::peak_gflops(millrace::Precision::kBFloat16, 1));
}

}  // namespace

int main(int argc, char** argv) {
  bool smoke = false;
  CLI::App app{"One lane's forward product against oneDNN's, one thread"};
  app.add_flag("--smoke", smoke, "A tiny run that only shows that it works");
  CLI11_PARSE(app, argc, argv);
  nlohmann::json rows = nlohmann::json::array();
  for (const Shape& shape : {Shape{64, 784, 32}, Shape{32, 784, 32}, Shape{64, 32, 10},
                             Shape{64, 784, 512}, Shape{64, 512, 512}}) {
    const int calls =
        smoke ? 1 : static_cast<int>(200'000'000 / (shape.rows * shape.in * shape.out) + 1);
    rows.push_back(float32(shape, smoke ? 1 : 21, calls));
    rows.push_back(bfloat16(shape, smoke ? 1 : 21, calls));
  }
  std::puts(nlohmann::json{{"bench", "gemm"}, {"rows", rows}}.dump(2).c_str());
  return 0;
}
