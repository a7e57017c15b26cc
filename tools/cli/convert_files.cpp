#include "tools/cli/convert_files.h"

#include <fmt/format.h>

#include <iterator>
#include <memory>
#include <stdexcept>
#include <utility>

#include "formats/atomic_file.h"
#include "formats/error.h"
#include "formats/idx_names.h"
#include "tools/cli/atomic_folder.h"
#include "tools/cli/conversion_marker.h"
#include "tools/cli/part_sink.h"
#include "tools/cli/piece_reader.h"
#include "tools/cli/shard_files.h"
#include "tools/console/made_folder.h"

namespace millrace {
namespace {

std::unique_ptr<PartSink> make_sink(const ConvertSpec& spec, const ConvertPart& part) {
  switch (spec.to) {
    case StoredAs::kNpy:
      return make_npy_sink(spec, part);
    case StoredAs::kCsv:
      return make_csv_sink(spec, part);
    case StoredAs::kTar:
    case StoredAs::kTarZst:
      return make_tar_sink(spec, part);
    case StoredAs::kImages:
      return make_images_sink(spec, part);
    case StoredAs::kPlain:
    case StoredAs::kGzip:
    case StoredAs::kSeekable:
      break;
  }
  throw std::logic_error("convert_to_files: IDX has a way of its own");
}

}  // namespace

std::vector<ConvertedFile> convert_to_files(
    const ConvertSpec& spec, const std::vector<ConvertPart>& parts,
    const std::function<bool(std::uint64_t, std::uint64_t)>& progress) {
  const MadeFolder folder(spec.out);
  if (!find_idx_files(spec.out).empty() || is_sharded(spec.out)) {
    throw DataError(spec.out,
                    "has IDX files, which would hide the new ones; choose another folder");
  }
  remove_stale_temporaries(spec.out);
  remove_stale_folders(spec.out);

  std::uint64_t all = 0;
  std::vector<std::unique_ptr<PartSink>> sinks;
  for (const auto& part : parts) {
    all += part.data->size() * part.data->sample_bytes();
    sinks.push_back(make_sink(spec, part));
  }
  std::uint64_t done = 0;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const auto& data = parts[i].data;
    const bool whole =
        PieceReader(data, spec.jobs).read(0, data->size(), [&](auto samples, auto labels) {
          sinks[i]->append(samples, labels);
          return progress(done += samples.size(), all);
        });
    if (!whole) return {};
    sinks[i]->finish();
  }
  std::vector<ConvertedFile> files;
  std::vector<std::filesystem::path> targets;
  for (const auto& sink : sinks) std::ranges::move(sink->targets(), std::back_inserter(targets));
  const ConversionMarker marker(spec.in, spec.out);
  marker.put(targets);
  for (auto& sink : sinks) std::ranges::move(sink->commit(), std::back_inserter(files));
  marker.remove();
  return files;
}

}  // namespace millrace
