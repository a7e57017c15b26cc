#pragma once

#include <filesystem>

#include "formats/folder.h"
#include "tools/cli/verify.h"

namespace millrace {

/// Reads every sample of what open_folder opens at `path`, training and test, on all cores: an
/// entry for each of the two, named as the data set is, its form by the files' kind ("images",
/// "csv", "tar", "npz", …), with a fault for each sample that cannot be read. Progress is told in
/// samples. Where `progress` returns false the rest is left out. Throws what open_folder throws: of
/// a table or an array, whatever is wrong with it.
Verification verify_samples(const std::filesystem::path& path, OpenOptions options,
                            const FileProgress& progress);

}  // namespace millrace
