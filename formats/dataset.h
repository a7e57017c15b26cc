#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "formats/dtype.h"
#include "formats/table_form.h"

namespace millrace {

/// Shape of one sample, outermost first: {28, 28} for MNIST, {784} for a vector.
struct SampleShape {
  std::vector<std::uint64_t> dims;

  /// Product of the dimensions; 1 for a scalar sample.
  std::uint64_t elements() const noexcept;
  /// For messages: "28x28", "one value" for a scalar sample.
  std::string text() const;
  bool operator==(const SampleShape&) const = default;
};

/// What is to be learnt of a sample: which class it is of; numbers, its targets; or which of
/// several labels it has, each a target that is 0 or 1.
enum class Task : std::uint8_t { kClassification, kRegression, kMultilabel };

/// For which of the first two data are opened: labels that a sample has are stored as targets.
constexpr Task stored_task(Task task) noexcept {
  return task == Task::kMultilabel ? Task::kRegression : task;
}

/// "classification", "regression", "multilabel".
const char* name_of(Task task) noexcept;
/// The task of that name; nullopt if there is none.
std::optional<Task> task_called(std::string_view name) noexcept;

/// What the columns of a table are called, whose lines are samples.
struct ColumnNames {
  std::vector<std::string> values;        ///< in the order of a sample's values; empty: not known
  std::string label;                      ///< empty where there are targets
  std::vector<std::string> targets = {};  ///< in their order
  /// How the table's lines become samples; trivial: each column is a value.
  TableForm form = {};

  bool operator==(const ColumnNames&) const = default;
};

/// The whole of a data set as it lies in memory. Views; the Dataset owns the bytes.
struct ContiguousView {
  std::span<const std::byte> samples;  ///< [size, elements] in dtype(), host byte order, row-major
  std::span<const std::int32_t> labels;  ///< [size, Dataset::label_words()]
};

/// A target, by its bits, as a word of a label; and back.
constexpr std::int32_t target_word(float target) noexcept {
  return std::bit_cast<std::int32_t>(target);
}
constexpr float target_of(std::int32_t word) noexcept { return std::bit_cast<float>(word); }

/// Random access to labelled samples of one fixed shape and type. All members may be called from
/// any number of threads at once.
///
/// A label is a class, one word; or, of a data set for another task, targets() numbers: finite
/// float32, each a word by its bits (target_of()). Arrays of labels are [n, label_words()],
/// row-major.
class Dataset {
 public:
  virtual ~Dataset() = default;

  virtual std::uint64_t size() const noexcept = 0;
  virtual const SampleShape& shape() const noexcept = 0;
  virtual DType dtype() const noexcept = 0;
  /// Labels lie in [0, classes()); 0 where they are targets.
  virtual std::uint32_t classes() const noexcept = 0;
  /// Numbers that are to be predicted of each sample; 0 where labels are classes.
  virtual std::uint32_t targets() const noexcept { return 0; }
  /// By label; empty: they have none.
  virtual const std::vector<std::string>& class_names() const noexcept;
  /// Of a table with a header; empty: it is another kind of data.
  virtual const ColumnNames& column_names() const noexcept;
  /// Where it came from, for messages: a file or a folder.
  virtual std::string name() const = 0;
  /// 128-bit hash of shape, type, samples and labels as 32 hex digits: equal for equal content,
  /// whatever the file names and the compression were. Computed once, on the first call.
  virtual std::string hash() const = 0;

  std::uint64_t sample_bytes() const noexcept { return shape().elements() * size_of(dtype()); }
  /// See stored_task().
  Task task() const noexcept { return targets() == 0 ? Task::kClassification : Task::kRegression; }
  std::uint32_t label_words() const noexcept { return targets() == 0 ? 1 : targets(); }

  /// Copies samples `ids` to `samples` ([ids.size(), elements], dtype()) and their labels to
  /// `labels` ([ids.size(), label_words()]). Throws DataError if a sample cannot be read,
  /// std::out_of_range if an id is not below size().
  virtual void read(std::span<const std::uint64_t> ids, std::span<std::byte> samples,
                    std::span<std::int32_t> labels) const = 0;

  /// The data in place where it is all in memory (or mapped); empty spans where it is not.
  virtual ContiguousView contiguous() const noexcept { return {}; }
  /// All labels, [size(), label_words()], where they are at hand without reading samples; empty
  /// where they are not.
  virtual std::span<const std::int32_t> labels() const noexcept { return contiguous().labels; }
};

/// What its samples are, for messages: "28x28 uint8".
std::string describe_samples(const Dataset& data);

/// How many classes or targets it has, for messages: "10 classes", "1 target".
std::string describe_labels(const Dataset& data);

/// What every read() begins with, so that an error leaves the caller's memory as it was. Throws
/// std::invalid_argument if there is not room for exactly ids.size() samples and labels,
/// std::out_of_range as read() does.
void check_read(const Dataset& data, std::span<const std::uint64_t> ids,
                std::span<const std::byte> samples, std::span<const std::int32_t> labels);

}  // namespace millrace
