#include "formats/foreign_names.h"

#include <fmt/format.h>

#include <array>

#include "formats/split_names.h"

namespace millrace {
namespace {

constexpr std::string_view kArrays = "write its arrays as .npz (x_train, y_train, x_test, y_test)";
constexpr std::string_view kTable =
    "write it as .parquet or .csv, or pictures as a folder for each class";

struct Foreign {
  std::string_view ending;
  std::string_view what;
  std::string_view advice;
};

constexpr std::array<Foreign, 17> kForeign{{
    {".arrow", "Arrow", kTable},
    {".feather", "Feather", kTable},
    {".xlsx", "an Excel workbook", "save its sheet as \"CSV UTF-8\""},
    {".xls", "an Excel workbook", "save its sheet as \"CSV UTF-8\""},
    {".tsv", "a table of another name", "it is where its name ends in .csv"},
    {".jsonl", "JSON lines", kTable},
    {".pt", "a file of PyTorch", kArrays},
    {".pth", "a file of PyTorch", kArrays},
    {".pkl", "a Python pickle", kArrays},
    {".pickle", "a Python pickle", kArrays},
    {".h5", "HDF5", kArrays},
    {".hdf5", "HDF5", kArrays},
    {".mat", "a file of MATLAB", kArrays},
    {".tfrecord", "TFRecord", kArrays},
    {".zip", "a zip archive", "unpack it"},
    {".tgz", "a compressed archive", "name it .tar.gz if it is a WebDataset, else unpack it"},
    {"batches.meta", "CIFAR's version for Python", "the binary version is read"},
}};

}  // namespace

std::optional<std::string> foreign_text(std::string_view name) {
  const auto plain = plain_file_name(name);
  for (const auto& foreign : kForeign) {
    if (!plain.ends_with(foreign.ending)) continue;
    return fmt::format("{}, which is not read: {}", foreign.what, foreign.advice);
  }
  return std::nullopt;
}

}  // namespace millrace
