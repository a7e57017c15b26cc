// How many MNIST-sized images a core distorts in a second.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <span>
#include <vector>

#include "formats/synthetic_digits.h"
#include "loader/augment.h"

namespace {

using Clock = std::chrono::steady_clock;

double samples_per_second(const millrace::AugmentSpec& spec, double seconds) {
  constexpr std::size_t kBatch = 160;  // what a worker takes at once
  const millrace::SyntheticDigits digits{1};
  std::vector<std::uint8_t> originals(kBatch * millrace::SyntheticDigits::kPixels);
  for (std::size_t i = 0; i < kBatch; ++i) {
    digits.draw(i, std::span(originals).subspan(i * millrace::SyntheticDigits::kPixels,
                                                millrace::SyntheticDigits::kPixels));
  }
  const millrace::Augmenter augmenter(
      spec, {{millrace::SyntheticDigits::kSide, millrace::SyntheticDigits::kSide}},
      millrace::DType::kUInt8, 1);
  std::vector<std::uint64_t> ids(kBatch);
  std::vector<std::uint8_t> samples(originals.size());
  std::uint64_t done = 0;
  const auto begin = Clock::now();
  std::chrono::duration<double> passed{};
  do {
    for (std::uint64_t& id : ids) id = done++;
    std::ranges::copy(originals, samples.begin());
    augmenter.apply(0, ids, std::as_writable_bytes(std::span(samples)));
    passed = Clock::now() - begin;
  } while (passed.count() < seconds);
  return static_cast<double>(done) / passed.count();
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Random distortion of 28x28 images on one core, affine and affine with elastic");
  int rounds = 5;
  double seconds = 1.0;
  bool smoke = false;
  app.add_option("--rounds", rounds, "how often, for the median");
  app.add_option("--seconds", seconds, "of each round");
  app.add_flag("--smoke", smoke, "only see that it runs");
  CLI11_PARSE(app, argc, argv);
  if (smoke) {
    rounds = 1;
    seconds = 0.01;
  }
  const millrace::AugmentSpec affine{10.0F, 2.5F, 0.12F, 10.0F};
  millrace::AugmentSpec elastic = affine;
  elastic.elastic = 34.0F;
  std::vector<double> affine_speeds;
  std::vector<double> elastic_speeds;
  for (int round = 0; round < std::max(1, rounds); ++round) {
    affine_speeds.push_back(samples_per_second(affine, seconds));
    elastic_speeds.push_back(samples_per_second(elastic, seconds));
  }
  const auto record = [](std::vector<double> speeds) {
    std::ranges::sort(speeds);
    return nlohmann::json{{"samples_per_s_median", speeds[speeds.size() / 2]},
                          {"samples_per_s_least", speeds.front()},
                          {"samples_per_s_most", speeds.back()}};
  };
  const nlohmann::json result{{"benchmark", "augment"},
                              {"affine", record(affine_speeds)},
                              {"affine_and_elastic", record(elastic_speeds)}};
  std::printf("%s\n", result.dump().c_str());
  return 0;
}
