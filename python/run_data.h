#pragma once

#include <pybind11/pybind11.h>

#include <string>
#include <vector>

#include "python/datasets.h"
#include "tools/trainer/options.h"

// What train() and search() have in common: options by keywords, and data of any kind.

namespace millrace::python {

/// The program's arguments for these keywords, and for the task that `data`, where they are open,
/// were opened for. Throws as as_arguments().
std::vector<std::string> arguments_of(const pybind11::dict& keywords, const pybind11::object& data);

/// Throws pybind11::value_error where data that are open were opened for another task.
void check_task(const Options& options, const pybind11::object& data);

/// Throws pybind11::value_error for options of the program, also in a config file, that would do
/// nothing here: files that it writes beside checkpoints, and a download. `caller`: "train()".
void refuse_idle(const Options& options, const std::string& caller);
/// The same for options that say how to open data, where `data` are open.
void refuse_to_open(const Options& options, const pybind11::object& data);

/// What to train on, a path, open data or arrays, with what goes with it; `test` and `validation`
/// may be None. A path is noted in `options`.
OpenData all_data(const pybind11::object& data, const pybind11::object& test,
                  const pybind11::object& validation, Options& options);

}  // namespace millrace::python
