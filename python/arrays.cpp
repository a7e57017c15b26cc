#include "python/arrays.h"

#include <string>
#include <vector>

namespace millrace::python {
namespace py = pybind11;
namespace {

std::vector<py::ssize_t> dims_of(std::uint64_t count, const SampleShape& shape) {
  std::vector<py::ssize_t> dims{static_cast<py::ssize_t>(count)};
  for (const auto dim : shape.dims) dims.push_back(static_cast<py::ssize_t>(dim));
  return dims;
}

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

}  // namespace

py::dtype dtype_of(DType type) {
  if (type == DType::kBFloat16) {
    throw py::type_error("NumPy has no bfloat16; a Loader delivers such samples as float32");
  }
  return py::dtype(std::string(name_of(type)));
}

py::array make_samples(std::uint64_t count, const SampleShape& shape, DType type) {
  return {dtype_of(type), dims_of(count, shape)};
}

py::tuple view_of(const Chunk& chunk, const SampleShape& shape, DType type,
                  const std::shared_ptr<const void>& owner) {
  const py::capsule keeper = keeper_of(owner);
  return py::make_tuple(
      py::array(dtype_of(type), dims_of(chunk.count, shape), chunk.samples.data(), keeper),
      py::array(py::dtype::of<std::int32_t>(), {static_cast<py::ssize_t>(chunk.count)},
                chunk.labels.data(), keeper));
}

}  // namespace millrace::python
