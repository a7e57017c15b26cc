#include "tools/trainer/run.h"

#include <fmt/format.h>

#include <chrono>
#include <filesystem>
#include <optional>
#include <system_error>

#include "compute/cuda_engine.h"
#include "compute/stage.h"
#include "formats/error.h"
#include "formats/folder.h"
#include "tools/console/quote.h"
#include "tools/console/stop_signals.h"
#include "tools/fetch/fetch_on_console.h"
#include "tools/trainer/console_observer.h"
#include "tools/trainer/metrics_observer.h"
#include "tools/trainer/quarantine_observer.h"
#include "tools/trainer/report_observer.h"
#include "tools/trainer/tensorboard_observer.h"
#include "tools/trainer/trace_writer.h"
#include "train/trainer.h"

namespace millrace {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kOutputLost = 1;
constexpr int kSignalBase = 128;

RunSpec with_validation(const Options& options, const Dataset& train, Console& console) {
  RunSpec spec = options.run;
  if (options.validation_size) {
    spec.validation_size = *options.validation_size;
    return spec;
  }
  const std::uint64_t usual = spec.validation_size;
  spec.validation_size = default_validation_size(train.size());
  if (spec.validation_size < usual) {
    console.notice(fmt::format("validation takes {} of {} samples; --val-size says otherwise",
                               spec.validation_size, train.size()));
  }
  return spec;
}

// A signal ends the program at once: what has come so far stays, and the next run goes on from it.
void download(const Options& options, Console& console) {
  if (options.download.empty()) return;
  FetchSpec spec;
  spec.source = source_called(options.download, known_sources());
  spec.folder = options.data;
  fetch_on_console(
      spec, [] { return false; }, console);
}

DataFolder open_data(const std::filesystem::path& path, const ImageOptions& images,
                     const RunSpec& run) {
  std::error_code ignored;
  if (path == Options().data && !std::filesystem::exists(path, ignored)) {
    throw DataError(path,
                    "there is no such folder; --data names another one, 'tools synth data' draws "
                    "one");
  }
  const StageSpan span(Stage::kLoad);
  OpenOptions options;
  options.image = images;
  if (run.residency == Residency::kStream) options.most_decoded = 0;
  options.tolerant = run.on_bad != OnBad::kFail;
  return open_folder(path, options);
}

std::filesystem::path quarantine_path(const Options& options) {
  const RunSpec& run = options.run;
  if (!options.quarantine.empty()) return options.quarantine;
  if (run.on_bad == OnBad::kFail || run.checkpoint_dir.empty()) return {};
  return run.checkpoint_dir / "quarantine.jsonl";
}

void tell_stopped(const RunResult& result, const RunSpec& spec, int signal,
                  const std::vector<std::string>& arguments, Console& console) {
  const std::string stopped = fmt::format("stopped by {}", signal_name(signal));
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

}  // namespace

int run(const Options& options, const std::vector<std::string>& arguments, Console& console) {
  // Until training begins there is nothing to save.
  StopSignals signals(StopSignals::First::kEndsAtOnce, "trainer");
  std::optional<StageListening> profiling;
  if (StageListener* profiler = cuda_profiler()) profiling.emplace(*profiler);
  std::optional<TraceWriter> trace;
  if (!options.trace.empty()) trace.emplace(options.trace, arguments, console);
  ConsoleObserver printer(console);
  std::vector<TrainObserver*> observers{&printer};
  std::optional<MetricsObserver> metrics;
  if (!options.metrics.empty()) {
    metrics.emplace(options.metrics, options.run.resume, console);
    observers.push_back(&*metrics);
  }
  std::optional<QuarantineObserver> quarantine;
  if (const auto path = quarantine_path(options); !path.empty()) {
    quarantine.emplace(path, console);
    if (!options.quarantine.empty()) quarantine->open();
    observers.push_back(&*quarantine);
    printer.set_quarantine(path);
  }
  std::optional<ReportObserver> report;
  if (!options.report.empty()) {
    report.emplace(options.report);
    observers.push_back(&*report);
  }
  std::optional<TensorboardObserver> tensorboard;
  if (!options.tensorboard.empty()) {
    tensorboard.emplace(options.tensorboard, console);
    observers.push_back(&*tensorboard);
  }

  download(options, console);
  const auto before = Clock::now();
  const DataFolder data = open_data(options.data, options.images, options.run);
  const double load_s = std::chrono::duration<double>(Clock::now() - before).count();
  const RunSpec spec = with_validation(options, *data.train, console);
  printer.set_data(data.description, load_s);
  printer.set_run(spec);
  if (metrics) metrics->set_load_s(load_s);

  Trainer trainer(spec, data.train, data.test, observers);
  if (tensorboard) tensorboard->begin(trainer.engine(), *data.train);
  signals.set(StopSignals::First::kSetsFlag);
  const RunResult result = fit(trainer, signals.flag(), trace ? &*trace : nullptr);
  if (result.stopped) {
    tell_stopped(result, spec, signals.received(), arguments, console);
    return kSignalBase + signals.received();
  }
  if (report) {
    report->write({arguments, spec, data, load_s}, trainer.engine(), result);
    console.line("Report: " + options.report.string());
  }
  const bool lost = console.output_error() != 0 || (metrics && metrics->failed()) ||
                    (tensorboard && tensorboard->failed()) ||
                    (quarantine && quarantine->failed()) || (trace && trace->failed());
  return lost ? kOutputLost : 0;
}

}  // namespace millrace
