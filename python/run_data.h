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

/// Throws pybind11::value_error where data that are open were opened for another task, for options
/// of the program, also in a config file, that would do nothing here (files that it writes beside
/// checkpoints, a download), and for options that say how to open data that are. `caller`:
/// "train()".
void check_options(const Options& options, const pybind11::object& data, const std::string& caller);

/// What to train on, a path, open data or arrays, with what goes with it; `test` and `validation`
/// may be None. A path is noted in `options`.
OpenData all_data(const pybind11::object& data, const pybind11::object& test,
                  const pybind11::object& validation, Options& options);

/// Options that leave the residency to the run have data that were opened to be streamed streamed.
void stream_if_opened_so(Options& options, const OpenData& data);

}  // namespace millrace::python
