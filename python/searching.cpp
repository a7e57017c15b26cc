#include "python/searching.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "python/arrays.h"
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
  py::object name;
  std::map<std::string, py::object> values;
};

// What the options of the program are for that a search has no use of.
void refuse_of_one_run(const py::dict& keywords) {
  for (const char* name :
       {"checkpoint_dir", "checkpoint_every", "keep", "force", "report", "trace", "refit"}) {
    if (keywords.contains(name) && !keywords[name].is_none()) {
      throw py::value_error(std::string(name) +
                            ": it is of one run, as train() makes it with the best options; a "
                            "search writes its journal alone");
    }
  }
}

// A dict, or what dict() makes one of.
py::dict mapping_of(const py::object& over) {
  if (py::isinstance<py::dict>(over)) return over;
  if (py::hasattr(over, "keys")) return py::dict(over);
  throw py::type_error("over: expected a dict of options and what to try for them, found " +
                       type_name(over));
}

std::string option_of(const py::handle& key) {
  if (!py::isinstance<py::str>(key)) {
    throw py::type_error("over: expected names of options, found " + type_name(key));
  }
  std::string name = bytes_of(key);
  if (name.empty() || name.front() == '-' || name.find('=') != std::string::npos) {
    throw py::value_error("over: expected names of options, found '" + name + "'");
  }
  std::ranges::replace(name, '_', '-');
  return name;
}

// "lr=0.1/0.3" of a list, or of text as it is on a command line.
std::string axis_of(const py::handle& key, const py::handle& values, Tried& tried) {
  std::string text = option_of(key) + '=';
  const std::string name = bytes_of(key);
  if (py::isinstance<py::str>(values)) return text + bytes_of(values);
  const bool bytes = py::isinstance<py::bytes>(values) || py::isinstance<py::bytearray>(values);
  if (bytes || !py::isinstance<py::sequence>(values)) {
    throw py::type_error(name + ": expected a list of values, or text as \"0.01..1:log\", found " +
                         type_name(values));
  }
  bool first = true;
  for (const py::handle value : values) {
    const std::string one = argument_text(name, value);
    if (one.find('/') != std::string::npos || one.find("..") != std::string::npos) {
      std::string message = name + ": expected values in the list, found '";
      message += one;
      throw py::value_error(message + "', which is text for what to try");
    }
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

void warn_of(Listener& listener) {
  for (const std::string& text : listener.take()) warn(text);
}

// Other threads run beside it. An exception of Python's ends it: of a signal's handler, or of a
// warning.
TrialRuns run(const SearchOptions& search, const DataFolder& data, Listener& listener) {
  std::optional<OthersRun> others_run(std::in_place);
  bool raised = false;
  const auto stopped = [&] {
    others_run.reset();
    try {
      if (!raised && PyErr_CheckSignals() != 0) throw py::error_already_set();
      if (!raised) warn_of(listener);
    } catch (py::error_already_set& error) {
      error.restore();
      raised = true;
    }
    others_run.emplace();
    return raised;
  };
  try {
    TrialRuns runs = run_trials(search, data, listener, stopped);
    others_run.reset();
    if (raised) throw py::error_already_set();
    return runs;
  } catch (...) {
    others_run.reset();
    if (raised && PyErr_Occurred() != nullptr) throw py::error_already_set();
    throw;
  }
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

Search search(const py::object& data, const py::object& over, const py::object& validation,
              const py::kwargs& keywords) {
  refuse_of_one_run(keywords);
  std::vector<Tried> tried;
  std::vector<std::string> arguments;
  for (const auto& [key, values] : mapping_of(over)) {
    tried.push_back({py::reinterpret_borrow<py::object>(key), {}});
    arguments.push_back(axis_of(key, values, tried.back()));
  }
  std::ranges::move(arguments_of(keywords, data), std::back_inserter(arguments));
  arguments.emplace_back("--refit=off");
  SearchOptions search = [&] {
    const OthersRun others_run;
    return parse_search(arguments);
  }();
  if (!search.help.empty() || search.options[0].action != Options::Action::kTrain) {
    throw py::type_error("search() searches only");
  }
  if (!validation.is_none() && search.options[0].run.fold.count != 0) {
    throw py::value_error("folds and validation: expected one of them, found both");
  }
  Options& any = search.options.front();
  check_options(any, data, "search()");
  for (const std::string& note : search.notes) warn(note);
  const OpenData all = all_data(data, py::none(), validation, any);
  for (Options& options : search.options) stream_if_opened_so(options, all);
  Listener listener;
  const TrialRuns runs = run(search, all.folder, listener);
  warn_of(listener);
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
