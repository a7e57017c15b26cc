#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <utility>

#include "tools/cli/bench.h"
#include "tools/console/progress_bar.h"

namespace millrace {
namespace {

using Kind = BenchStage::Kind;

struct Cost {
  std::string_view what;
  double seconds = 0.0;  ///< of a worker, for a sample
};

// What a worker does for a sample each time that it is delivered.
std::vector<Cost> costs_of(const BenchResult& result) {
  constexpr std::array<std::pair<Kind, std::string_view>, 4> kWork{
      {{Kind::kGather, "gathering samples"},
       {Kind::kDecode, "decoding samples"},
       {Kind::kDecodeBlocks, "decompressing frames"},
       {Kind::kAugment, "distorting samples"}}};
  const bool streamed = !result.in_memory && result.stage(Kind::kDecodeBlocks) != nullptr;
  std::vector<Cost> costs;
  for (const auto& [kind, what] : kWork) {
    if (kind == Kind::kDecodeBlocks && !streamed) continue;
    if (const BenchStage* stage = result.stage(kind)) {
      costs.push_back({what, 1.0 / stage->rates.front().samples_per_s});
    }
  }
  if (!streamed) return costs;
  double known = 0.0;
  for (const Cost& cost : costs) known += cost.seconds;
  const double all = 1.0 / result.stage(Kind::kStream)->rates.front().samples_per_s;
  costs.push_back({"gathering samples", std::max(0.0, all - known)});
  return costs;
}

// The stage that training's loader is.
const BenchStage* delivery(const BenchResult& result) {
  for (const Kind kind : {Kind::kDeliver, Kind::kGather, Kind::kDecode, Kind::kStream}) {
    if (const BenchStage* stage = result.stage(kind)) return stage;
  }
  return nullptr;
}

std::string per_second(double samples) { return render_count(samples) + " samples/s"; }

std::string megabytes(double bytes) {
  const double megabytes = bytes / 1e6;
  return fmt::format("{:.{}f} MB/s", megabytes, megabytes < 9.95 ? 1 : 0);
}

std::string workers_text(std::uint32_t workers) {
  return fmt::format("{} {}", workers, workers == 1 ? "worker" : "workers");
}

}  // namespace

std::string_view name_of(BenchStage::Kind kind) noexcept {
  switch (kind) {
    case Kind::kReadUncached:
      return "read, not cached";
    case Kind::kReadCached:
      return "read, cached";
    case Kind::kOpen:
      return "open";
    case Kind::kGather:
      return "gather";
    case Kind::kDecode:
      return "decode";
    case Kind::kDecodeBlocks:
      return "decode frames";
    case Kind::kAugment:
      return "augment";
    case Kind::kDeliver:
      return "gather and augment";
    case Kind::kStream:
      return "stream";
  }
  return "";
}

std::string bench_verdict(const BenchResult& result) {
  const BenchStage* delivered = delivery(result);
  const std::vector<Cost> costs = costs_of(result);
  if (delivered == nullptr || costs.empty()) return "nothing was measured";
  const BenchRate& best = delivered->rates.back();
  const std::string rate =
      fmt::format("{} deliver {} ({}B/s)", workers_text(best.workers),
                  per_second(best.samples_per_s), render_count(best.bytes_per_s));
  const BenchStage* disk = result.stage(Kind::kReadUncached);
  if (!result.in_memory && disk != nullptr &&
      disk->rates.back().samples_per_s < best.samples_per_s) {
    return fmt::format("storage-bound until the files are cached: it reads {}, {}",
                       per_second(disk->rates.back().samples_per_s), rate);
  }
  double all = 0.0;
  for (const Cost& cost : costs) all += cost.seconds;
  const Cost& most = *std::ranges::max_element(costs, {}, &Cost::seconds);
  if (costs.size() == 1 && result.in_memory) {
    return fmt::format(
        "bound by memory alone: {}, and training that keeps the data set with the model needs "
        "none of it",
        rate);
  }
  return fmt::format("bound by {}, {:.0f} % of a worker's time: {}", most.what,
                     100.0 * most.seconds / all, rate);
}

nlohmann::ordered_json bench_json(const BenchResult& result) {
  nlohmann::ordered_json json{
      {"data", result.description},          {"samples", result.samples},
      {"sample_bytes", result.sample_bytes}, {"file_bytes", result.file_bytes},
      {"workers", result.workers},           {"in_memory", result.in_memory}};
  json["stages"] = nlohmann::ordered_json::array();
  for (const auto& stage : result.stages) {
    nlohmann::ordered_json entry{{"stage", name_of(stage.kind)}};
    for (const auto& rate : stage.rates) {
      entry["rates"].push_back({{"workers", rate.workers},
                                {"samples_per_s", rate.samples_per_s},
                                {"bytes_per_s", rate.bytes_per_s}});
    }
    json["stages"].push_back(std::move(entry));
  }
  json["verdict"] = bench_verdict(result);
  return json;
}

std::string render_bench(const BenchResult& result) {
  std::string text = fmt::format("Data: {}\n{:<19}", result.description, "Stage");
  for (const auto& rate :
       result.stages.empty() ? std::vector<BenchRate>() : result.stages.front().rates)
    text += fmt::format("{:>29}", workers_text(rate.workers));
  text += '\n';
  for (const auto& stage : result.stages) {
    text += fmt::format("{:<19}", name_of(stage.kind));
    for (const auto& rate : stage.rates) {
      text +=
          fmt::format("{:>18}{:>11}", per_second(rate.samples_per_s), megabytes(rate.bytes_per_s));
    }
    text += '\n';
  }
  if (result.stage(Kind::kReadUncached) == nullptr) {
    text += "The files could not be dropped from the page cache: from disk is not measured.\n";
  }
  return text + "Verdict: " + bench_verdict(result) + '\n';
}

}  // namespace millrace
