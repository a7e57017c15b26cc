#include "tools/trainer/run.h"

#include <fmt/format.h>

#include <chrono>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>

#include "compute/cuda_engine.h"
#include "compute/stage.h"
#include "formats/class_sizes.h"
#include "formats/folder.h"
#include "tools/console/made_folder.h"
#include "tools/console/process_usage.h"
#include "tools/console/program.h"
#include "tools/console/quote.h"
#include "tools/console/stop_signals.h"
#include "tools/trainer/checkpoint_guard.h"
#include "tools/trainer/console_observer.h"
#include "tools/trainer/download.h"
#include "tools/trainer/metrics_observer.h"
#include "tools/trainer/nothing_learnt.h"
#include "tools/trainer/quarantine_observer.h"
#include "tools/trainer/repeat.h"
#include "tools/trainer/report_observer.h"
#include "tools/trainer/run_data.h"
#include "tools/trainer/tensorboard_observer.h"
#include "tools/trainer/trace_writer.h"
#include "train/checkpoint_dir.h"
#include "train/trainer.h"

namespace millrace {
namespace {

using Clock = std::chrono::steady_clock;

std::filesystem::path quarantine_path(const Options& options, const RunSpec& run) {
  if (!options.quarantine.empty()) return options.quarantine;
  if (run.on_bad == OnBad::kFail || run.checkpoint_dir.empty()) return {};
  return run.checkpoint_dir / "quarantine.jsonl";
}

void tell_stopped(const RunResult& result, const RunSpec& spec, const std::string& stopped,
                  const std::vector<std::string>& arguments, Console& console) {
  if (spec.checkpoint_dir.empty()) {
    console.error(stopped + "; nothing was saved, for there is no --checkpoint-dir");
    return;
  }
  if (result.checkpoint.empty()) {
    // What it was resumed from is still the place to go on from.
    console.error(stopped + "; nothing was trained since it was resumed");
    console.error("to go on: " + shell_command(arguments));
    return;
  }
  console.error(stopped + "; saved " + result.checkpoint.string());
  console.error("to go on: " + resume_command(arguments));
}

// A run that fails leaves a trace too, which may show why.
RunResult fit(Trainer& trainer, const std::atomic<bool>& stop, TraceWriter* trace) {
  const std::string device = trainer.engine().info().device;
  try {
    RunResult result = trainer.fit(stop);
    if (trace != nullptr) trace->write(device);
    return result;
  } catch (...) {
    if (trace != nullptr) trace->write(device);
    throw;
  }
}

void refuse_to_replace(const Options& options) {
  if (options.force || options.run.checkpoint_dir.empty()) return;
  if (options.repeat == 1) return refuse_to_replace_checkpoints(options.run);
  for (std::uint64_t i = 0; i < options.repeat; ++i) {
    refuse_to_replace_checkpoints(spec_of_run(options.run, i));
  }
}

// One command's runs, whose data are opened once.
class Runs {
 public:
  Runs(const Options& options, const std::vector<std::string>& arguments, Console& console)
      : options_(options), arguments_(arguments), console_(console), printer_(console) {
    if (StageListener* profiler = cuda_profiler()) profiling_.emplace(*profiler);
    if (!options.trace.empty()) trace_.emplace(options.trace, arguments, console);
    if (!options.metrics.empty()) metrics_.emplace(options.metrics, options.run.resume, console);
    if (!options.report.empty()) report_.emplace(options.report);
  }

  int run() {
    download(options_, console_);
    const auto before = Clock::now();
    data_ = open_data(options_);
    load_s_ = std::chrono::duration<double>(Clock::now() - before).count();
    set_times(0.0, load_s_);
    return run_on_data();
  }

  int run_in(const RunContext& context) {
    data_ = context.data;
    context_ = &context;
    set_times(seconds_since_start(), 0.0);
    return run_on_data();
  }

 private:
  int run_on_data() {
    class_sizes_ = class_sizes(*data_.train);
    if (const auto empty = empty_classes_text(class_sizes_); !empty.empty()) {
      console_.warning(data_.train->name() + ": " + empty);
    }
    if (data_.train->task() == Task::kClassification && data_.train->classes() == 1) {
      console_.warning(data_.train->name() +
                       ": all samples are of one class: nothing can be learnt");
    }
    const RunSpec spec =
        with_validation(options_, data_, [this](const auto& line) { console_.notice(line); });
    printer_.set_data(data_.description);
    const int status = options_.repeat == 1 ? run_one(spec, options_.tensorboard) : repeat(spec);
    if (status != 0) return status;
    const bool lost = console_.output_error() != 0 || (metrics_ && metrics_->failed()) ||
                      output_lost_ || (trace_ && trace_->failed());
    return lost ? kFailed : kDone;
  }

  void set_times(double began_s, double load_s) {
    printer_.set_times(began_s, load_s);
    if (metrics_) metrics_->set_times(began_s, load_s);
  }

  // Leaves its result in result_. The status where it was stopped, else 0.
  int run_one(const RunSpec& spec, const std::filesystem::path& tensorboard_folder) {
    printer_.set_run(spec, options_.window_given);
    std::vector<TrainObserver*> observers{&printer_};
    if (metrics_) observers.push_back(&*metrics_);
    std::optional<QuarantineObserver> quarantine;
    if (const auto path = quarantine_path(options_, spec); !path.empty()) {
      quarantine.emplace(path, console_);
      if (!options_.quarantine.empty()) quarantine->open();
      observers.push_back(&*quarantine);
      printer_.set_quarantine(path);
    }
    if (report_) observers.push_back(&*report_);
    std::optional<TensorboardObserver> tensorboard;
    if (!tensorboard_folder.empty()) {
      tensorboard.emplace(tensorboard_folder, spec.resume, console_);
      observers.push_back(&*tensorboard);
    }
    Trainer trainer(spec, data_.train, data_.test, observers);
    // Only now nobody else's run can leave any.
    if (!options_.force) {
      refuse_to_replace_checkpoints(spec);
    } else if (done_.empty()) {
      clear_runs_to_come();
    }
    if (tensorboard) tensorboard->begin(trainer.engine(), *data_.train);
    signals_.set(StopSignals::First::kSetsFlag);
    try {
      result_ = fit(trainer, signals_.flag(), trace_ ? &*trace_ : nullptr);
    } catch (const DivergedError&) {
      if (const auto large = large_values_text(spec, *data_.train); !large.empty()) {
        console_.warning("what may help, too: " + large);
      }
      throw;
    }
    output_lost_ = output_lost_ || (tensorboard && tensorboard->failed()) ||
                   (quarantine && quarantine->failed());
    if (result_.stopped) {
      tell_means();
      tell_stopped(result_, spec, signals_.text(), arguments_, console_);
      return signals_.status();
    }
    if (const auto text = nothing_learnt_text(spec, result_, *data_.train, class_sizes_);
        !text.empty()) {
      console_.warning(text);
    }
    if (context_ != nullptr) context_->ended(spec, result_);
    if (report_) {
      const std::string search = context_ != nullptr ? context_->search : "";
      report_->write({arguments_, spec, data_, load_s_, search}, trainer.engine(), result_);
      console_.line("Report: " + one_line(options_.report.string()));
    }
    return 0;
  }

  // Who is stopped before one of them is resumed with it, which must not go on from another run.
  void clear_runs_to_come() const {
    for (std::uint64_t i = 1; i < options_.repeat; ++i) {
      const RunSpec of = spec_of_run(options_.run, i);
      if (checkpoint_names(of.checkpoint_dir).empty()) continue;
      CheckpointDir(of.checkpoint_dir, of.keep).clear();
    }
  }

  int repeat(const RunSpec& spec) {
    for (std::uint64_t i = 0; i < options_.repeat; ++i) {
      const RunSpec of = spec_of_run(spec, i);
      if (i > 0) set_times(seconds_since_start(), 0.0);  // the first run has opened the data
      const auto [what, number] = run_name(of);
      console_.line(of.fold.count != 0
                        ? fmt::format("Fold {} of {}", number, options_.repeat)
                        : fmt::format("Seed {}, run {} of {}", number, i + 1, options_.repeat));
      if (metrics_) metrics_->set_run(what, number);
      std::filesystem::path tensorboard = options_.tensorboard;
      if (!tensorboard.empty()) tensorboard /= run_folder(of);
      int status = 0;
      try {
        status = run_one(of, tensorboard);
      } catch (...) {
        // Of hours of training at least this much.
        tell_means();
        throw;
      }
      if (status != 0) return status;
      done_.push_back(repeat_result(of, options_.task, result_));
    }
    tell_means();
    if (metrics_) metrics_->write_last(repeat_record(done_));
    return 0;
  }

  void tell_means() {
    if (done_.empty()) return;
    for (const RepeatResult& result : done_) console_.line(repeat_line(result));
    console_.line(mean_line(done_, options_.repeat));
  }

  const Options& options_;
  const std::vector<std::string>& arguments_;
  Console& console_;
  // Until training begins there is nothing to save.
  StopSignals signals_{StopSignals::First::kEndsAtOnce, "trainer"};
  std::optional<StageListening> profiling_;
  std::optional<TraceWriter> trace_;
  ConsoleObserver printer_;
  std::optional<MetricsObserver> metrics_;
  std::optional<ReportObserver> report_;
  DataFolder data_;
  const RunContext* context_ = nullptr;     // of run_in()
  std::vector<std::uint64_t> class_sizes_;  // of the training set
  double load_s_ = 0.0;
  bool output_lost_ = false;  ///< of files that each run has for itself
  RunResult result_;
  std::vector<RepeatResult> done_;
};

}  // namespace

int run(const Options& options, const std::vector<std::string>& arguments, Console& console) {
  refuse_to_replace(options);
  for (const std::string& note : options.notes) console.notice(note);
  return Runs(options, arguments, console).run();
}

void check_run(const Options& options, Console& console) {
  refuse_to_replace(options);
  const std::vector<std::string> arguments;
  const Runs opens_its_files(options, arguments, console);
  if (!options.tensorboard.empty()) const MadeFolder probe(options.tensorboard);
  if (!options.run.checkpoint_dir.empty()) {
    const CheckpointDir probe(options.run.checkpoint_dir, options.run.keep);
  }
}

int run_in(const RunContext& context, const Options& options,
           const std::vector<std::string>& arguments, Console& console) {
  refuse_to_replace(options);
  return Runs(options, arguments, console).run_in(context);
}

}  // namespace millrace
