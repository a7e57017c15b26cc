#include "python/arrays.h"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "formats/npy.h"

namespace millrace::python {
namespace py = pybind11;
namespace {

// What lets go of the owner when Python does.
py::capsule keeper_of(const std::shared_ptr<const void>& owner) {
  auto kept = std::make_unique<std::shared_ptr<const void>>(owner);
  py::capsule keeper(kept.get(), [](void* owned) {
    const std::unique_ptr<std::shared_ptr<const void>> last(
        static_cast<std::shared_ptr<const void>*>(owned));
  });
  static_cast<void>(kept.release());  // the capsule's now
  return keeper;
}

std::vector<std::uint64_t> target_dims(std::uint64_t count, std::uint32_t targets) {
  if (targets == 1) return {count};
  return {count, targets};
}

}  // namespace

py::dtype dtype_of(DType type) {
  if (type == DType::kBFloat16) {
    throw py::type_error("NumPy has no bfloat16; a Loader delivers such samples as float32");
  }
  return py::dtype(std::string(name_of(type)));
}

std::string type_name(const py::handle& object) {
  return py::str(py::type::handle_of(object).attr("__name__"));
}

Array array_of(const py::handle& object, const std::string& name) {
  const py::module_ numpy = py::module_::import("numpy");
  // A plain array has no mask, and to look for one in vain takes long beside one sample's logits.
  const bool plain_array = py::type::handle_of(object).is(numpy.attr("ndarray"));
  if (!plain_array && py::hasattr(object, "mask") && py::hasattr(object, "filled")) {
    throw py::type_error(name + ": expected an array without a mask; filled() makes one");
  }
  // None of these calls runs Python's code, where the interpreter's end would find a daemon thread.
  const py::object as_array = numpy.attr("asarray");
  const auto array = as_array(object).cast<py::array>();
  const py::object stored = array.attr("dtype");
  const auto code = stored.attr("str").cast<std::string>();  // "<f4"
  const auto type = npy_type_called(std::string_view(code).substr(1));
  if (!type) {
    throw py::type_error(name + ": expected an array of numbers, found one of " +
                         py::str(stored).cast<std::string>());
  }
  py::object kept =
      as_array(array, py::arg("dtype") = stored.attr("newbyteorder")("="), py::arg("order") = "C");
  if (!kept.attr("flags").attr("aligned").cast<bool>()) kept = kept.attr("copy")();
  Array made{.name = name, .dtype = *type};
  for (py::ssize_t i = 0; i < array.ndim(); ++i) {
    made.dims.push_back(static_cast<std::uint64_t>(array.shape(i)));
  }
  const auto plain = py::reinterpret_borrow<py::array>(kept);
  const std::size_t bytes = static_cast<std::size_t>(plain.size()) * size_of(*type);
  made.data = {static_cast<const std::byte*>(plain.data()), bytes};
  made.owner = std::shared_ptr<const void>(kept.release().ptr(), [](const void* owned) {
    // Whoever lets go last may be any thread, and may outlive the interpreter.
    if (Py_IsInitialized() == 0) return;
    const py::gil_scoped_acquire held;
    Py_DECREF(static_cast<PyObject*>(const_cast<void*>(owned)));
  });
  return made;
}

py::array make_array(DType type, const std::vector<std::uint64_t>& dims, const void* data,
                     py::handle owner) {
  std::vector<py::ssize_t> strides(dims.size());
  auto stride = static_cast<py::ssize_t>(size_of(type));
  for (std::size_t i = dims.size(); i-- > 0;) {
    strides[i] = stride;
    stride *= static_cast<py::ssize_t>(dims[i]);
  }
  return {dtype_of(type), std::vector<py::ssize_t>(dims.begin(), dims.end()), strides, data, owner};
}

std::vector<std::uint64_t> dims_of(std::uint64_t count, const SampleShape& shape) {
  std::vector<std::uint64_t> dims{count};
  dims.insert(dims.end(), shape.dims.begin(), shape.dims.end());
  return dims;
}

py::array make_labels(const Dataset& data, std::uint64_t count, const std::int32_t* words,
                      py::handle owner) {
  if (data.task() == Task::kClassification) {
    return make_array(DType::kInt32, {count}, words, owner);
  }
  return make_array(DType::kFloat32, target_dims(count, data.targets()), words, owner);
}

py::array targets_of(std::span<const float> values, std::uint32_t targets) {
  return copy_of(DType::kFloat32, target_dims(values.size() / targets, targets), values);
}

py::tuple view_of(const Chunk& chunk, const Dataset& data, DType type,
                  const std::shared_ptr<const void>& owner) {
  const py::capsule keeper = keeper_of(owner);
  return py::make_tuple(
      make_array(type, dims_of(chunk.count, data.shape()), chunk.samples.data(), keeper),
      make_labels(data, chunk.count, chunk.labels.data(), keeper));
}

}  // namespace millrace::python
