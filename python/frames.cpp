#include "python/frames.h"

#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include "python/text.h"

namespace millrace::python {
namespace py = pybind11;
namespace {

using Kind = MemoryColumn::Kind;
using Doubles = py::array_t<double, py::array::c_style | py::array::forcecast>;

/// None, NaN, pandas.NA and pandas.NaT, none of which is equal to itself, or says whether it is.
bool is_missing(const py::handle& cell) {
  if (cell.is_none()) return true;
  if (py::isinstance<py::float_>(cell)) return std::isnan(cell.cast<double>());
  if (py::isinstance<py::str>(cell)) return false;
  const auto name = py::str(py::type::handle_of(cell).attr("__name__")).cast<std::string>();
  return name == "NAType" || name == "NaTType";
}

bool is_list(const py::handle& cell) {
  return py::isinstance<py::array>(cell) || py::isinstance<py::list>(cell) ||
         py::isinstance<py::tuple>(cell);
}

bool is_number(const py::handle& cell) {
  return PyNumber_Check(cell.ptr()) != 0 && !py::isinstance<py::array>(cell);
}

std::vector<double> numbers_of(const py::array& column) {
  const Doubles values(column);
  if (PyErr_Occurred() != nullptr) throw py::error_already_set();
  return {values.data(), values.data() + values.size()};
}

/// Of objects that are numbers or missing.
std::vector<double> object_numbers(const py::list& cells) {
  std::vector<double> numbers;
  numbers.reserve(cells.size());
  for (const auto& cell : cells) {
    if (is_missing(cell)) {
      numbers.push_back(std::numeric_limits<double>::quiet_NaN());
      continue;
    }
    const double number = PyFloat_AsDouble(cell.ptr());
    if (number == -1.0 && PyErr_Occurred() != nullptr) throw py::error_already_set();
    numbers.push_back(number);
  }
  return numbers;
}

std::vector<std::optional<std::string>> object_texts(const py::list& cells, std::uint64_t most) {
  std::vector<std::optional<std::string>> texts;
  const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(most, cells.size()));
  texts.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    const py::object cell = cells[i];
    if (is_missing(cell)) {
      texts.emplace_back();
    } else {
      texts.emplace_back(bytes_of(py::str(cell)));
    }
  }
  return texts;
}

/// What the cells of a column of objects are.
struct Objects {
  bool texts = false;
  bool lists = false;
  bool bools = true;
  bool whole = true;
  std::optional<std::string> other;  // the type of one that is none of these
};

Objects look_at(const py::list& cells) {
  Objects found;
  bool any = false;
  for (const auto& cell : cells) {
    if (is_missing(cell)) continue;
    any = true;
    const bool is_bool = py::isinstance<py::bool_>(cell);
    found.bools = found.bools && is_bool;
    found.whole = found.whole && (is_bool || PyIndex_Check(cell.ptr()) != 0);
    if (py::isinstance<py::str>(cell)) {
      found.texts = true;
    } else if (is_list(cell)) {
      found.lists = true;
    } else if (!is_number(cell) && !found.other) {
      found.other = py::str(py::type::handle_of(cell).attr("__name__")).cast<std::string>();
    }
  }
  found.bools = found.bools && any;
  found.whole = found.whole && any;
  return found;
}

class FrameReader {
 public:
  explicit FrameReader(MemoryTable& table) : table_(table) {}

  void add(const std::string& name, const py::array& values) {
    if (first_) table_.rows = static_cast<std::uint64_t>(values.shape(0));
    first_ = false;
    if (static_cast<std::uint64_t>(values.shape(0)) != table_.rows) {
      throw py::value_error(table_.name + ": expected columns of " + std::to_string(table_.rows) +
                            " rows, found one of " + std::to_string(values.shape(0)) + ": " + name);
    }
    if (values.ndim() > 1) {
      add_places(name, values);
    } else {
      add_column(name, values);
    }
  }

 private:
  /// [rows, …], each place of a row a column.
  void add_places(const std::string& name, const py::array& values) {
    const py::array flat = values.attr("reshape")(values.shape(0), -1);
    const py::ssize_t width = flat.shape(1);
    if (width == 1) return add_column(name, flat.attr("ravel")().cast<py::array>());
    for (py::ssize_t i = 0; i < width; ++i) {
      const py::array column = flat.attr("__getitem__")(
          py::make_tuple(py::slice(py::none(), py::none(), py::none()), i));
      add_column(name + "[" + std::to_string(i) + "]", column);
    }
  }

  void add_column(const std::string& name, const py::array& values) {
    const char kind = values.dtype().kind();
    MemoryColumn column{.name = name, .kind = Kind::kNumbers};
    if (kind == 'b' || kind == 'i' || kind == 'u' || kind == 'f') {
      column.kind = kind == 'f' ? Kind::kNumbers : kind == 'b' ? Kind::kBools : Kind::kWhole;
      column.numbers = [values] { return numbers_of(values); };
    } else if (kind == 'O' || kind == 'U' || kind == 'T') {
      add_objects(name, values, std::move(column));
      return;
    } else {
      column.kind = Kind::kOther;
      column.other = kind == 'M' || kind == 'm' ? "dates or times"
                                                : py::str(values.dtype()).cast<std::string>();
    }
    table_.columns.push_back(std::move(column));
  }

  void add_objects(const std::string& name, const py::array& values, MemoryColumn column) {
    const py::list cells = values.attr("tolist")();
    const auto found = look_at(cells);
    if (found.lists) {
      // Rows of one length stack to numbers, others to nothing.
      py::object stacked;
      try {
        stacked = py::module_::import("numpy").attr("stack")(cells);
      } catch (py::error_already_set&) {
        column.kind = Kind::kOther;
        column.other = "lists that are not as long in each row";
        table_.columns.push_back(std::move(column));
        return;
      }
      add_places(name, stacked.cast<py::array>());
      return;
    }
    if (found.other) {
      column.kind = Kind::kOther;
      column.other = *found.other + " objects";
    } else if (found.texts) {
      column.kind = Kind::kText;
      column.texts = [cells](std::uint64_t most) { return object_texts(cells, most); };
    } else {
      column.kind = found.bools ? Kind::kBools : found.whole ? Kind::kWhole : Kind::kNumbers;
      column.numbers = [cells] { return object_numbers(cells); };
    }
    table_.columns.push_back(std::move(column));
  }

  MemoryTable& table_;
  bool first_ = true;
};

}  // namespace

bool is_frame(const py::handle& object) {
  if (py::isinstance<py::array>(object)) return false;
  const bool arrow = py::hasattr(object, "column_names") && py::hasattr(object, "column");
  return arrow || (py::hasattr(object, "columns") && py::hasattr(object, "dtypes") &&
                   py::hasattr(object, "__getitem__"));
}

MemoryTable table_of(const py::handle& frame, const std::string& name) {
  MemoryTable table{.name = name};
  FrameReader reader(table);
  const bool arrow = py::hasattr(frame, "column_names");
  const py::list names(frame.attr(arrow ? "column_names" : "columns"));
  const bool by_place = py::hasattr(frame, "iloc");  // pandas', whose names may come twice
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto column_name = bytes_of(py::str(names[i]));
    const py::object column = arrow      ? frame.attr("column")(i)
                              : by_place ? frame.attr("iloc").attr("__getitem__")(py::make_tuple(
                                               py::slice(py::none(), py::none(), py::none()), i))
                                         : frame.attr("__getitem__")(names[i]);
    reader.add(column_name, column.attr("to_numpy")().cast<py::array>());
  }
  return table;
}

}  // namespace millrace::python
