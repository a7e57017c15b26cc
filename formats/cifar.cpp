#include "formats/cifar.h"

#include <fmt/format.h>

#include <memory>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "formats/error.h"
#include "formats/mapped_file.h"

namespace millrace {
namespace {

constexpr std::size_t kSide = 32;
constexpr std::size_t kPixels = kSide * kSide;
constexpr std::size_t kChannels = 3;
constexpr std::size_t kSampleBytes = kPixels * kChannels;

std::size_t label_bytes(CifarKind kind) { return kind == CifarKind::kCifar10 ? 1 : 2; }

bool is_file(const std::filesystem::path& path) {
  std::error_code unreadable;
  return std::filesystem::is_regular_file(path, unreadable);
}

std::filesystem::path batch_file(const std::filesystem::path& folder, unsigned number) {
  return folder / fmt::format("data_batch_{}.bin", number);
}

void interleave(const std::byte* planes, std::byte* pixels) {
  for (std::size_t p = 0; p < kPixels; ++p) {
    for (std::size_t c = 0; c < kChannels; ++c) pixels[p * kChannels + c] = planes[c * kPixels + p];
  }
}

void append(CifarKind kind, const std::filesystem::path& file, std::vector<std::byte>& samples,
            Labels& labels) {
  const MappedFile mapped(file);
  mapped.expect_sequential();
  const auto bytes = mapped.bytes();
  const std::size_t head = label_bytes(kind);
  const std::size_t record = head + kSampleBytes;
  if (bytes.empty() || bytes.size() % record != 0) {
    const std::size_t whole = bytes.size() / record;
    throw DataError(file, whole * record, fmt::format("records of {} bytes", record),
                    bytes.empty() ? "an empty file"
                                  : fmt::format("{} bytes after {} records",
                                                bytes.size() - whole * record, whole));
  }
  const std::size_t count = bytes.size() / record;
  const std::size_t before = labels.values.size();
  samples.resize((before + count) * kSampleBytes);
  labels.values.resize(before + count);
  for (std::size_t i = 0; i < count; ++i) {
    const std::byte* at = bytes.data() + i * record;
    // The fine label of CIFAR-100 comes second.
    const auto label = std::to_integer<std::uint32_t>(at[head - 1]);
    if (label >= labels.classes) {
      throw DataError(file, i * record + head - 1, fmt::format("a label below {}", labels.classes),
                      std::to_string(label));
    }
    labels.values[before + i] = static_cast<std::int32_t>(label);
    interleave(at + head, samples.data() + (before + i) * kSampleBytes);
  }
}

std::shared_ptr<const ArrayDataset> read_all(CifarKind kind,
                                             const std::vector<std::filesystem::path>& files) {
  if (files.empty()) throw std::invalid_argument("CifarDataset: expected files, found none");
  auto samples = std::make_shared<std::vector<std::byte>>();
  Labels labels{.values = {}, .classes = kind == CifarKind::kCifar10 ? 10U : 100U};
  for (const auto& file : files) append(kind, file, *samples, labels);
  const auto& name = files.size() == 1 ? files.front() : files.front().parent_path();
  Array array{.name = name.string(),
              .dtype = DType::kUInt8,
              .dims = {labels.values.size(), kSide, kSide, kChannels},
              .owner = samples,
              .data = *samples};
  return std::make_shared<const ArrayDataset>(std::move(array), std::move(labels));
}

}  // namespace

std::optional<CifarFiles> find_cifar_files(const std::filesystem::path& folder) {
  constexpr unsigned kMostBatches = 5;
  CifarFiles ten;
  unsigned last = 0;
  for (unsigned n = 1; n <= kMostBatches; ++n) {
    if (!is_file(batch_file(folder, n))) continue;
    if (n != last + 1) {
      throw DataError(folder, std::nullopt,
                      fmt::format("data_batch_{}.bin before data_batch_{}.bin", last + 1, n),
                      "none");
    }
    last = n;
    ten.train.push_back(batch_file(folder, n));
  }
  CifarFiles hundred{.kind = CifarKind::kCifar100, .train = {}, .test = {}};
  if (is_file(folder / "train.bin")) hundred.train.push_back(folder / "train.bin");
  if (is_file(folder / "test_batch.bin")) ten.test.push_back(folder / "test_batch.bin");
  if (is_file(folder / "test.bin")) hundred.test.push_back(folder / "test.bin");
  if (!ten.train.empty() && !hundred.train.empty()) {
    throw DataError(folder, std::nullopt, "one data set",
                    "CIFAR-10 (data_batch_1.bin) and CIFAR-100 (train.bin)");
  }
  if (!ten.train.empty()) return ten;
  if (!hundred.train.empty()) return hundred;
  return std::nullopt;
}

CifarDataset::CifarDataset(CifarKind kind, const std::vector<std::filesystem::path>& files)
    : ForwardingDataset(read_all(kind, files)) {}

}  // namespace millrace
