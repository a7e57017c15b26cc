#include <fmt/format.h>
#include <tbb/parallel_for.h>

#include <cmath>
#include <cstring>
#include <iterator>
#include <optional>
#include <set>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "formats/atomic_file.h"
#include "formats/convert.h"
#include "formats/csv_cells.h"
#include "formats/error.h"
#include "formats/idx_pair.h"
#include "formats/in_quotes.h"
#include "formats/table_labels.h"
#include "tools/cli/part_sink.h"
#include "tools/cli/target.h"

namespace millrace {
namespace {

constexpr std::size_t kLines = 64;  // that one thread renders at a time

template <typename Value>
void put_values(std::string& text, std::span<const std::byte> sample, const std::string& name,
                std::uint64_t number) {
  for (std::size_t at = 0; at < sample.size(); at += sizeof(Value)) {
    Value value;
    std::memcpy(&value, &sample[at], sizeof(Value));
    text += ',';
    if constexpr (std::is_floating_point_v<Value>) {
      if (!std::isfinite(value)) {
        throw DataError(name, fmt::format("sample {}: expected finite values, which csv can hold, "
                                          "found {}",
                                          number, value));
      }
    }
    if constexpr (sizeof(Value) == 1) {
      const fmt::format_int digits(static_cast<int>(value));
      text.append(digits.data(), digits.size());
    } else {
      fmt::format_to(std::back_inserter(text), "{}", value);
    }
  }
}

/// A name as a cell; nullopt where it would not be read as that name.
std::optional<std::string> cell_of(const std::string& name) {
  auto cell = csv_cell(name);
  const auto read = CsvCells(cell, ',').next();
  if (name.find_first_of("\r\n") != std::string::npos || class_name_of(*read) != name ||
      !LabelReader::of_names(1).read(*read)) {
    return std::nullopt;
  }
  return cell;
}

/// What stands for each class: its name, where it has one and they do not just count from 0.
/// Classes that are called by numbers have those as labels.
std::vector<std::string> cells_of_classes(const ConvertPart& part) {
  const auto& names = part.class_names;
  std::vector<std::string> cells;
  std::set<std::int32_t> numbers;
  for (const auto& name : names) {
    if (const auto number = csv_label(name, kMostIdxClasses)) numbers.insert(*number);
  }
  if (!names.empty() && numbers.size() != names.size()) {
    for (const auto& name : names) {
      auto cell = cell_of(name);
      if (!cell) {
        throw DataError(part.data->name(), std::nullopt,
                        "classes named as csv can hold them, all by numbers or all by words "
                        "without line breaks and blanks around them",
                        in_quotes(name));
      }
      cells.push_back(std::move(*cell));
    }
    return cells;
  }
  for (std::uint32_t c = 0; c < part.data->classes(); ++c) {
    cells.push_back(std::to_string(names.empty() ? static_cast<std::int32_t>(c)
                                                 : *csv_label(names[c], kMostIdxClasses)));
  }
  return cells;
}

/// Names of the columns of labels.
std::vector<std::string> label_names(const Dataset& data) {
  const auto& names = data.column_names();
  // A table without a header has numbers in their place.
  if (!names.values.empty()) {
    return names.targets.empty() ? std::vector{names.label} : names.targets;
  }
  if (data.targets() == 0) return {"label"};
  if (data.targets() == 1) return {"target"};
  std::vector<std::string> made;
  for (std::uint32_t t = 0; t < data.targets(); ++t) made.push_back(fmt::format("target{}", t));
  return made;
}

class CsvSink final : public PartSink {
 public:
  CsvSink(const ConvertSpec& spec, const ConvertPart& part)
      : part_(part),
        labels_(cells_of_classes(part)),
        file_(free_target(spec, split_name(part) + ".csv")),
        elements_(static_cast<std::size_t>(part.data->shape().elements())) {
    file_.write(header() + '\n');
  }

  void append(std::span<const std::byte> samples, std::span<const std::int32_t> labels) override {
    const std::size_t words = part_.data->label_words();
    const auto count = labels.size() / words;
    std::vector<std::string> pieces((count + kLines - 1) / kLines);
    const auto bytes = static_cast<std::size_t>(part_.data->sample_bytes());
    tbb::parallel_for(std::size_t{0}, pieces.size(), [&](std::size_t piece) {
      auto& text = pieces[piece];
      const auto end = std::min(count, (piece + 1) * kLines);
      for (auto i = piece * kLines; i < end; ++i) {
        put_label(text, labels.subspan(i * words, words));
        put(text, samples.subspan(i * bytes, bytes), done_ + i);
        text += '\n';
      }
    });
    for (const auto& piece : pieces) file_.write(piece);
    done_ += count;
  }

  void finish() override { file_.sync(); }

  std::vector<std::filesystem::path> targets() const override { return {file_.path()}; }

  std::vector<ConvertedFile> commit() override {
    const auto size = file_.size();
    file_.commit();
    return {{.from = part_.data->name(), .to = file_.path(), .content = size, .stored = size}};
  }

 private:
  std::string header() const {
    const auto& names = part_.data->column_names();
    std::string line;
    for (const auto& name : label_names(*part_.data)) {
      line += (line.empty() ? "" : ",") + csv_cell(name);
    }
    for (std::size_t i = 0; i < elements_; ++i) {
      line += ',';
      line += names.values.empty() ? fmt::format("pixel{}", i) : csv_cell(names.values[i]);
    }
    return line;
  }

  void put_label(std::string& text, std::span<const std::int32_t> words) const {
    if (part_.data->task() == Task::kClassification) {
      text += labels_[static_cast<std::size_t>(words[0])];
      return;
    }
    for (std::size_t t = 0; t < words.size(); ++t) {
      // As few digits as tell it from all other float32.
      fmt::format_to(std::back_inserter(text), "{}{}", t == 0 ? "" : ",", target_of(words[t]));
    }
  }

  void put(std::string& text, std::span<const std::byte> sample, std::uint64_t number) const {
    const auto values = [&]<typename Value>(Value) {
      put_values<Value>(text, sample, part_.data->name(), number);
    };
    switch (part_.data->dtype()) {
      case DType::kUInt8:
      case DType::kBool:
        return values(std::uint8_t{});
      case DType::kInt8:
        return values(std::int8_t{});
      case DType::kInt16:
        return values(std::int16_t{});
      case DType::kUInt16:
        return values(std::uint16_t{});
      case DType::kInt32:
        return values(std::int32_t{});
      case DType::kUInt32:
        return values(std::uint32_t{});
      case DType::kInt64:
        return values(std::int64_t{});
      case DType::kUInt64:
        return values(std::uint64_t{});
      case DType::kFloat32:
        return values(float{});
      case DType::kFloat64:
        return values(double{});
      case DType::kFloat16:
      case DType::kBFloat16:
        break;
    }
    std::vector<float> wide(elements_);
    to_float32(part_.data->dtype(), sample, wide);
    put_values<float>(text, std::as_bytes(std::span(wide)), part_.data->name(), number);
  }

  const ConvertPart& part_;
  std::vector<std::string> labels_;  // as they are written, by class
  AtomicFile file_;
  std::size_t elements_;
  std::uint64_t done_ = 0;
};

}  // namespace

std::unique_ptr<PartSink> make_csv_sink(const ConvertSpec& spec, const ConvertPart& part) {
  return std::make_unique<CsvSink>(spec, part);
}

}  // namespace millrace
