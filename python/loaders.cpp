#include "python/loaders.h"

#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "loader/loader.h"
#include "loader/window_stage.h"
#include "python/arrays.h"
#include "python/batch_reader.h"
#include "python/datasets.h"
#include "python/gil.h"
#include "python/text.h"
#include "train/bad_ledger.h"

namespace millrace::python {
namespace py = pybind11;
namespace {

constexpr std::uint64_t kMostMb = std::numeric_limits<std::uint64_t>::max() >> 20U;

using State = std::pair<std::uint64_t, std::uint64_t>;

struct PyLoader {
  std::shared_ptr<const Dataset> data;
  std::unique_ptr<BatchReader> reader;
};

// One epoch's, or what is left of it.
struct Epoch {
  std::shared_ptr<PyLoader> loader;
  bool chunks = false;
  bool ended = false;
};

OnBad on_bad_of(std::string_view name) {
  if (const auto called = on_bad_called(name)) return *called;
  throw std::invalid_argument("on_bad: expected 'fail', 'skip' or 'substitute', found '" +
                              std::string(name) + "'");
}

float* limit_of(AugmentSpec& spec, std::string_view name) {
  if (name == "rotate") return &spec.rotate;
  if (name == "shift") return &spec.shift;
  if (name == "scale") return &spec.scale;
  if (name == "shear") return &spec.shear;
  if (name == "elastic") return &spec.elastic;
  if (name == "elastic_sigma") return &spec.elastic_sigma;
  return nullptr;
}

AugmentSpec augment_of(const std::map<std::string, float>& limits) {
  AugmentSpec spec;
  for (const auto& [name, limit] : limits) {
    float* const where = limit_of(spec, name);
    if (where == nullptr) {
      throw std::invalid_argument(
          "augment: expected rotate, shift, scale, shear, elastic or elastic_sigma, found '" +
          name + "'");
    }
    *where = limit;
  }
  return spec;
}

std::uint64_t window_blocks(const OpenDataset& set, std::uint64_t window_mb) {
  if (!set.streams) return 0;
  const auto* blocks = dynamic_cast<const BlockDataset*>(set.data.get());
  return blocks == nullptr ? 0 : blocks_of_window(*blocks, std::min(window_mb, kMostMb) << 20U);
}

std::shared_ptr<PyLoader> make(
    const OpenDataset& set, std::uint32_t batch, const std::optional<Subset>& subset, bool shuffle,
    std::uint64_t seed, const std::optional<std::uint64_t>& epochs, const State& start,
    std::uint32_t rank, std::uint32_t ranks, std::uint32_t chunk_batches, std::uint32_t slots,
    std::uint32_t workers, std::uint64_t window_mb, const std::map<std::string, float>& augment,
    const std::string& on_bad, const std::optional<std::uint64_t>& bad_budget) {
  LoaderSpec spec;
  spec.data = set.data;
  spec.subset = subset.value_or(Subset::all(set.data->size()));
  spec.kind = ChunkKind::kPacked;
  // All of them are as many as there may be: more would not fit the numbers that count batches.
  spec.batch = static_cast<std::uint32_t>(
      std::min<std::uint64_t>(batch, std::max<std::uint64_t>(spec.subset.size(), ranks)));
  spec.rank = {rank, ranks};
  spec.chunk_batches = chunk_batches;
  spec.slots = slots;
  spec.workers = workers;
  spec.shuffle = shuffle;
  spec.seed = seed;
  spec.window_blocks = window_blocks(set, window_mb);
  spec.augment = augment_of(augment);
  spec.on_bad = on_bad_of(on_bad);
  if (bad_budget) spec.bad_budget = *bad_budget;
  spec.epochs = epochs.value_or(std::numeric_limits<std::uint64_t>::max());
  const OthersRun others_run;
  return std::make_shared<PyLoader>(PyLoader{
      set.data, std::make_unique<BatchReader>(spec, LoaderState{start.first, start.second})});
}

std::optional<BatchReader::Batch> next_of(BatchReader& reader, bool chunks) {
  while (true) {
    {
      const OthersRun others_run;
      if (reader.wait_for(kLook)) return reader.next(chunks);
    }
    if (PyErr_CheckSignals() != 0) throw py::error_already_set();
  }
}

py::tuple next(Epoch& epoch) {
  if (epoch.ended) throw py::stop_iteration();
  const auto batch = next_of(*epoch.loader->reader, epoch.chunks);
  epoch.ended = !batch || batch->last_in_epoch;
  if (!batch) throw py::stop_iteration();
  const Dataset& data = *epoch.loader->data;
  const DType type =
      input_type_for(data.dtype()) == InputType::kUInt8 ? DType::kUInt8 : DType::kFloat32;
  return view_of(batch->chunk, data, type, batch->slot);
}

py::dict stats_of(const PyLoader& loader) {
  const LoaderStats stats = loader.reader->stats();
  const auto times = [](const StageTimes& stage) {
    py::dict dict;
    dict["busy"] = stage.busy;
    dict["starved"] = stage.starved;
    dict["blocked"] = stage.blocked;
    return dict;
  };
  py::dict dict;
  dict["fill"] = times(stats.fill);
  dict["consumer"] = times(stats.consumer);
  dict["chunks"] = stats.chunks;
  dict["samples"] = stats.samples;
  dict["bytes"] = stats.bytes;
  dict["workers"] = stats.workers;
  dict["slots"] = stats.slots;
  return dict;
}

constexpr const char* kLoaderDoc =
    R"(Brings a data set's samples in batches, packed ahead by threads of its own.

    for x, y in loader: ...            # one epoch: x uint8 or float32 [n, …shape], y int32 [n]
                                       # of regression y float32 [n], of several targets [n, targets]
    for x, y in loader.chunks(): ...   # the same in pieces of chunk_batches batches

Each loop goes through one epoch, or what is left of it; the next epoch is packed meanwhile. Samples
stored as uint8 stay so, all else becomes float32. Arrays are views of the loader's slots, which are
filled again when no array of theirs is left; copy what is to be kept.

data, subset: what to deliver; a Subset of split(), or all.
batch: samples of one step; an epoch's last batch may be smaller.
shuffle, seed: a new order each epoch, a pure function of (seed, epoch).
epochs: ends after so many, counted from 0; None: never.
start: the position (epoch, batch) to begin at.
rank, ranks: which of how many processes this is; it gets its share of each batch.
chunk_batches, slots: what is packed ahead: so many chunks of so many batches.
workers: threads that pack; 0: the cores that this process may use.
window_mb: of a stream: memory of the blocks that are mixed at a time; there are two such windows.
augment: random distortion of uint8 images: a dict of rotate, shift, scale, shear, elastic,
    elastic_sigma.
on_bad: what becomes of samples that cannot be read: "fail", "skip", "substitute"; bad lists them.
bad_budget: so many in a row are too many; None: any number.

Order and content depend on data, subset, batch, shuffle, seed, window_mb, augment and on_bad alone.
Raises ValueError for what cannot be, DataError for samples that cannot be read.)";

}  // namespace

void define_loaders(py::module_& module) {
  py::class_<Epoch>(module, "Epoch", "One epoch's batches, or what is left of them.")
      .def("__iter__", [](py::object self) { return self; })
      .def("__next__", &next);

  py::class_<PyLoader, std::shared_ptr<PyLoader>>(module, "Loader", kLoaderDoc)
      .def(py::init(&make), py::arg("data"), py::arg("batch") = 128, py::kw_only(),
           py::arg("subset") = py::none(), py::arg("shuffle") = true, py::arg("seed") = 0,
           py::arg("epochs") = py::none(), py::arg("start") = State{0, 0}, py::arg("rank") = 0,
           py::arg("ranks") = 1, py::arg("chunk_batches") = 32, py::arg("slots") = 3,
           py::arg("workers") = 0, py::arg("window_mb") = 32,
           py::arg("augment") = std::map<std::string, float>{}, py::arg("on_bad") = "fail",
           py::arg("bad_budget") = py::none())
      .def("__iter__", [](const std::shared_ptr<PyLoader>& loader) { return Epoch{loader}; })
      .def(
          "chunks",
          [](const std::shared_ptr<PyLoader>& loader) {
            return Epoch{loader, true};
          },
          "The batches of one epoch in pieces of chunk_batches batches.")
      .def(
          "__len__", [](const PyLoader& loader) { return loader.reader->batches_per_epoch(); },
          "Batches of an epoch.")
      .def_property_readonly(
          "position",
          [](const PyLoader& loader) {
            const OthersRun others_run;
            const LoaderState state = loader.reader->position();
            return State{state.epoch, state.batch};
          },
          "(epoch, batch) behind the last batch delivered: what `start` goes on from.")
      .def_property_readonly(
          "bad",
          [](const PyLoader& loader) {
            const auto bad = [&] {
              const OthersRun others_run;
              return loader.reader->bad();
            }();
            py::dict reasons;
            for (const auto& [sample, reason] : bad) reasons[py::int_(sample)] = str_of(reason);
            return reasons;
          },
          "Samples met that cannot be read, by their numbers, with the reason.")
      .def("stats", &stats_of,
           "Seconds that threads which fill slots, and who takes batches, were busy, starved "
           "(waiting "
           "for the stage before) and blocked (waiting for the one after); and what was delivered.")
      .def(
          "stop", [](const PyLoader& loader) { loader.reader->stop(); },
          "Ends it: every loop over it ends. From any thread.");
}

}  // namespace millrace::python
