#include "python/searching.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "python/gil.h"
#include "python/keywords.h"
#include "python/objects.h"
#include "python/run_data.h"
#include "python/text.h"
#include "tools/search/trial_runs.h"

namespace millrace::python {
namespace py = pybind11;
namespace {

// What a search found.
struct Search {
  py::list trials;
  py::object best;
};

// What is to be tried for one keyword, and the caller's own values by their texts.
struct Tried {
  py::str name;
  std::map<std::string, py::object> values;
};

// "lr=0.1/0.3" of a list, or of text as it is on a command line.
std::string axis_of(const std::string& name, const py::handle& values, Tried& tried) {
  std::string text = name;
  std::ranges::replace(text, '_', '-');
  text += '=';
  if (py::isinstance<py::str>(values)) return text + bytes_of(values);
  if (!py::isinstance<py::sequence>(values)) {
    throw py::type_error(name + ": expected a list of values, or text as \"0.01..1:log\", found " +
                         std::string(Py_TYPE(values.ptr())->tp_name));
  }
  bool first = true;
  for (const py::handle value : values) {
    const std::string one = argument_text(name, value);
    tried.values.emplace(one, py::reinterpret_borrow<py::object>(value));
    text += (first ? "" : "/") + one;
    first = false;
  }
  return text;
}

// Keeps what the user should know until somebody with Python's lock can tell it.
class Listener final : public SearchListener {
 public:
  void warning(const std::string& text) override { notice(text); }
  void notice(const std::string& text) override {
    const std::lock_guard lock(mutex_);
    if (std::ranges::find(told_, text) == told_.end()) told_.push_back(text);
  }
  std::vector<std::string> take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(told_, {});
  }

 private:
  std::mutex mutex_;
  std::vector<std::string> told_;
};

TrialRuns run(const SearchOptions& search, const DataFolder& data, Listener& listener) {
  std::optional<OthersRun> others_run(std::in_place);
  bool raised = false;
  const auto stopped = [&] {
    others_run.reset();
    raised = raised || PyErr_CheckSignals() != 0;
    others_run.emplace();
    return raised;
  };
  TrialRuns runs = run_trials(search, data, listener, stopped);
  others_run.reset();
  if (raised) throw py::error_already_set();
  return runs;
}

// The caller's own value; of a range a number.
py::object value_of(const std::string& text, const Axis& axis, const Tried& tried) {
  const auto own = tried.values.find(text);
  if (own != tried.values.end()) return own->second;
  py::str said(text);
  if (!axis.range) return said;
  return axis.range->whole ? py::object(py::int_(said)) : py::object(py::float_(said));
}

py::dict dict_of(const Trial& trial, const std::vector<Axis>& axes,
                 const std::vector<Tried>& tried) {
  py::dict options;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    options[tried[i].name] = value_of(trial.values[i], axes[i], tried[i]);
  }
  py::list runs;
  for (const TrialRun& run : trial.runs) runs.append(object_of(to_json(run)));
  const bool diverged = trial.diverged();
  py::dict dict;
  dict["trial"] = trial.number;
  dict["options"] = options;
  dict["score"] = diverged ? py::object(py::none()) : py::float_(trial.score());
  dict["loss"] = diverged ? py::object(py::none()) : py::float_(trial.loss());
  dict["epochs"] = trial.epochs();
  dict["runs"] = runs;
  return dict;
}

Search search(const py::object& data, const py::dict& over, const py::object& validation,
              const py::kwargs& keywords) {
  std::vector<std::string> arguments = arguments_of(keywords, data);
  std::vector<Tried> tried;
  for (const auto& [key, values] : over) {
    tried.push_back({py::reinterpret_borrow<py::str>(key), {}});
    arguments.push_back(axis_of(bytes_of(key), values, tried.back()));
  }
  arguments.emplace_back("--refit=off");
  SearchOptions search = parse_search(arguments);
  if (!search.help.empty() || search.options[0].action != Options::Action::kTrain) {
    throw py::type_error("search() searches only");
  }
  Options& any = search.options.front();
  check_task(any, data);
  refuse_idle(any, "search()");
  refuse_to_open(any, data);
  for (const std::string& note : search.notes) warn(note);
  const OpenData all = all_data(data, py::none(), validation, any);
  for (Options& options : search.options) {
    if (all.streams && options.run.residency == Residency::kAuto) {
      options.run.residency = Residency::kStream;
    }
  }
  Listener listener;
  const TrialRuns runs = run(search, all.folder, listener);
  for (const std::string& text : listener.take()) warn(text);
  Search found{py::list(), py::none()};
  for (const Trial& trial : ranked(runs.trials)) {
    found.trials.append(dict_of(trial, search.axes, tried));
    if (found.trials.size() == 1 && !trial.diverged()) found.best = found.trials[0]["options"];
  }
  return found;
}

constexpr const char* kSearchDoc =
    R"(Trains with many combinations of options, as many at once as there are cores, and returns a Search.

    search = millrace.search((x, y), {"lr": "0.01..1:log", "hidden": [[32], [64], [128, 64]]}, trials=50, epochs=5)
    run = millrace.train((x, y), epochs=5, **search.best)

data, validation: as train() takes them.

over: what to try, by the names of train()'s options: a list of values; or text as the program takes it, "0.1/0.3/1",
"0..0.5" (drawn between the two) and "0.01..1:log" (by their logarithm). Of lists alone all combinations are tried, in
order, else trials of them (20) are drawn.

trials: how many are drawn. search_seed=0: of what is drawn. halving: one in so many goes on after a few epochs, to
halving times as many, up to epochs. folds: each trial is validated on each of so many parts of the training samples.
repeat: it has so many seeds. parallel: trials at once. journal: a file that keeps each run that has ended, of which none
is run again.

All other options are train()'s, and hold for all trials, which end in the bits of train() with the same options. Ctrl-C
raises KeyboardInterrupt; with a journal the same call goes on.)";

}  // namespace

void define_searching(py::module_& module) {
  py::class_<Search>(module, "Search", "What a search found.")
      .def_readonly(
          "trials", &Search::trials,
          "A dict a trial, the best first: trial (its number, from 1), options, score (the "
          "validation accuracy or R² of its best epoch, or the mean over its runs), loss, "
          "epochs, and runs, a dict each. Of one that diverged score and loss are None.")
      .def_readonly("best", &Search::best,
                    "The options of the best trial, as keywords for train(); None where all "
                    "diverged.");

  module.def("search", &search, py::arg("data"), py::arg("over"), py::kw_only(),
             py::arg("validation") = py::none(), kSearchDoc);
}

}  // namespace millrace::python
