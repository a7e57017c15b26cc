#pragma once

#include <pybind11/numpy.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "compute/chunk.h"
#include "formats/array.h"
#include "formats/dataset.h"

namespace millrace::python {

/// NumPy's type of the same elements. Throws pybind11::type_error for bfloat16, of which it has
/// none.
pybind11::dtype dtype_of(DType type);

/// What is in `object`, as numpy.asarray has it, in one piece and in this machine's byte order;
/// copied only where it is not. `name` for messages. Throws pybind11::type_error for what is not
/// made of numbers of a type that DType has.
Array array_of(const pybind11::handle& object, const std::string& name);

/// The name of an object's type, for messages.
std::string type_name(const pybind11::handle& object);

/// An array of these dimensions, row-major, of memory of its own, uninitialised; or, with `data`,
/// of that memory, which `owner` keeps.
///
/// What makes all arrays: pybind11 below 2.12 takes an element's bytes from where NumPy 2 has
/// something else, so it must not be asked to find out strides.
pybind11::array make_array(DType type, const std::vector<std::uint64_t>& dims,
                           const void* data = nullptr, pybind11::handle owner = {});
/// A copy of `values`, as make_array() has them.
template <typename T>
pybind11::array copy_of(DType type, const std::vector<std::uint64_t>& dims,
                        std::span<const T> values) {
  pybind11::array array = make_array(type, dims);
  std::ranges::copy(values, static_cast<T*>(array.mutable_data()));
  return array;
}

/// The labels of `count` samples of `data`: int32 [count]; of targets float32, [count] or, where a
/// sample has several, [count, targets]. Memory, `words` and `owner` as of make_array().
pybind11::array make_labels(const Dataset& data, std::uint64_t count,
                            const std::int32_t* words = nullptr, pybind11::handle owner = {});
/// Targets as make_labels() has those of as many to a sample.
pybind11::array targets_of(std::span<const float> values, std::uint32_t targets);

/// Samples and labels of a packed chunk where they lie, as ([count, …shape], make_labels()). Each
/// of both arrays keeps `owner`, whose memory that is. `type`: of the samples.
pybind11::tuple view_of(const Chunk& chunk, const Dataset& data, DType type,
                        const std::shared_ptr<const void>& owner);
/// {count, …shape}
std::vector<std::uint64_t> dims_of(std::uint64_t count, const SampleShape& shape);

}  // namespace millrace::python
