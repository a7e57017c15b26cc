#pragma once

#include <functional>
#include <string>

#include "formats/folder.h"
#include "tools/trainer/options.h"

namespace millrace {

/// Opens the data that a run with these options is for. Throws what open_folder() does; where the
/// default folder is not there, DataError that says how to get one.
DataFolder open_data(const Options& options);

/// How it opens them.
OpenOptions open_options(const Options& options);

/// The run, of whose options only `data` say what it is validated on: a fold, a set of their own,
/// as many samples as were asked for, or default_validation_size(), of which `notice` hears where
/// it is less than usual.
RunSpec with_validation(const Options& options, const DataFolder& data,
                        const std::function<void(const std::string&)>& notice);

}  // namespace millrace
