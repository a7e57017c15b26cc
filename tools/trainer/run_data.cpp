#include "tools/trainer/run_data.h"

#include <fmt/format.h>

#include <system_error>

#include "compute/stage.h"
#include "formats/error.h"

namespace millrace {

DataFolder open_data(const Options& options) {
  std::error_code ignored;
  if (options.data == Options().data && !std::filesystem::exists(options.data, ignored)) {
    throw DataError(options.data,
                    "there is no such folder; --data names another one, 'tools synth data' draws "
                    "one");
  }
  const StageSpan span(Stage::kLoad);
  return open_folder(options.data, open_options(options));
}

OpenOptions open_options(const Options& options) {
  OpenOptions open;
  open.image = options.images;
  open.task = stored_task(options.task);
  open.label_column = options.label_column;
  open.table = options.table;
  open.known.as_float = options.run.standardize;  // not pixels, whatever numbers they are
  open.own_validation = !options.validation_size && options.run.fold.count == 0;
  open.in_blocks = options.run.residency == Residency::kStream;
  open.tolerant = options.run.on_bad != OnBad::kFail;
  return open;
}

RunSpec with_validation(const Options& options, const DataFolder& data,
                        const std::function<void(const std::string&)>& notice) {
  const std::uint64_t samples = data.train->size();
  RunSpec spec = options.run;
  if (spec.fold.count != 0) return spec;
  if (data.validation) {
    spec.validation = data.validation;
    spec.validation_size = 0;
    return spec;
  }
  if (options.validation_size) {
    spec.validation_size = *options.validation_size;
    return spec;
  }
  const std::uint64_t usual = spec.validation_size;
  spec.validation_size = default_validation_size(samples);
  if (spec.validation_size < usual) {
    notice(fmt::format("validation takes {} of {} samples; --val-size says otherwise",
                       spec.validation_size, samples));
  }
  return spec;
}

}  // namespace millrace
