#pragma once

#include <pybind11/numpy.h>

#include <cstdint>
#include <memory>
#include <string>

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

/// [count, …shape], uninitialised.
pybind11::array make_samples(std::uint64_t count, const SampleShape& shape, DType type);

/// Samples and labels of a packed chunk where they lie, as ([count, …shape], [count]). Each of both
/// arrays keeps `owner`, whose memory that is.
pybind11::tuple view_of(const Chunk& chunk, const SampleShape& shape, DType type,
                        const std::shared_ptr<const void>& owner);

}  // namespace millrace::python
