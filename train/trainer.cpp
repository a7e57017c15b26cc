#include "train/trainer.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <optional>
#include <span>
#include <utility>

#include "compute/stage.h"
#include "loader/resident.h"
#include "loader/standardized.h"
#include "train/bad_ledger.h"
#include "train/data_watch.h"
#include "train/diverged.h"
#include "train/epoch_loop.h"
#include "train/evaluator.h"
#include "train/finite_samples.h"
#include "train/free_memory.h"
#include "train/label_scores.h"
#include "train/loader_memory.h"
#include "train/model_memory.h"
#include "train/placement.h"
#include "train/run_checkpoints.h"
#include "train/run_info.h"
#include "train/run_loaders.h"
#include "train/run_setup.h"
#include "train/stopwatch.h"
#include "train/streaming.h"
#include "train/target_scales.h"
#include "train/verdict.h"
#include "train/weights_hash.h"

namespace millrace {
namespace {

using Clock = std::chrono::steady_clock;

double seconds(Clock::duration d) { return std::chrono::duration<double>(d).count(); }

}  // namespace

class Trainer::Impl {
 public:
  Impl(RunSpec spec, std::shared_ptr<const Dataset> train, std::shared_ptr<const Dataset> test,
       std::vector<TrainObserver*> observers, const EngineMaker& make)
      : spec_(std::move(spec)),
        train_(std::move(train)),
        test_(std::move(test)),
        observers_(std::move(observers)),
        bad_(ledger_of(*train_)),
        setup_(set_up(spec_, train_, test_.get(), notice_, make)),
        seen_(seen(train_)),
        lags_(setup_.engine->info().runs_ahead),
        state_(setup_.state),
        first_(state_),
        watch_(*train_, state_.dataset_hash, notice_) {}

  RunResult fit(const std::atomic<bool>& stop);
  Engine& engine() { return *setup_.engine; }
  Checkpoint checkpoint() { return {engine().parameters(), engine().optimizer_state(), state_}; }
  void check_data() const {
    check_finite_samples(*train_);
    if (test_) check_finite_samples(*test_);
    if (spec_.validation) check_finite_samples(*spec_.validation);
  }

 private:
  template <typename... Args>
  void tell(void (TrainObserver::*event)(const Args&...), const Args&... args) const {
    for (TrainObserver* observer : observers_) (observer->*event)(args...);
  }

  BadLedger ledger_of(const Dataset& data) const {
    return {data.name(), data.size(), spec_.bad_budget,
            [this, name = data.name()](const auto& bad) {
              tell(&TrainObserver::on_bad_sample, name, bad);
            }};
  }
  std::uint64_t last_epoch() const noexcept {
    return spec_.pause_after == 0 ? spec_.epochs : std::min(spec_.pause_after, spec_.epochs);
  }
  bool ended() const;
  std::shared_ptr<const Dataset> seen(const std::shared_ptr<const Dataset>& data) const {
    return standardized(data, setup_.standardizer);
  }
  Placement place_whole(const std::shared_ptr<const Dataset>& data);
  void check_memory_of_loaders() const;
  void make_validation();
  void validate_on(const std::shared_ptr<const Dataset>& data, const Subset& subset,
                   const Placement& placement, BadLedger& ledger);
  void make_checkpoints();
  void make_loop();
  bool run_epoch(const std::atomic<bool>& stop);
  void begin_validation(const std::atomic<bool>& stop);
  void settle(EpochSums& sums);
  bool may_run_ahead() const;
  void end_epoch();
  // Of a regression's targets, without `bad` samples, once an R² is asked for.
  struct Spread {
    std::uint64_t bad = 0;
    double value = 0.0;  // see target_spread()
  };
  // Of Metrics or EpochSums: of the samples' classes, or of all labels that they have or have not.
  template <typename Sums>
  double accuracy_of(const Sums& sums) const {
    const MlpSpec& model = setup_.plan.model;
    const auto samples = static_cast<double>(sums.samples);
    return model.multilabel() ? share_right(sums.squared_error_sum, samples * model.classes)
                              : share_right(samples - static_cast<double>(sums.correct), samples);
  }
  double r2_of(double mean_squared_error, const Dataset& data, const Subset& subset,
               const BadLedger& ledger, std::optional<Spread>& spread) const;
  std::optional<double> rmse_of(double mean_squared_error) const;
  void check(const Metrics& evaluated, std::uint64_t steps) const;
  void test(const std::atomic<bool>& stop);
  std::string final_hash();
  void finish();

  const RunSpec spec_;
  const std::shared_ptr<const Dataset> train_;
  const std::shared_ptr<const Dataset> test_;
  const std::vector<TrainObserver*> observers_;
  const std::function<void(const std::string&)> notice_ = [this](const std::string& line) {
    tell(&TrainObserver::on_notice, line);
  };
  BadLedger bad_;                            // of the training set
  std::optional<BadLedger> bad_test_;        // once the test set is looked at
  std::optional<BadLedger> bad_validation_;  // of a set of its own
  // An epoch whose steps and validation are handed over; what remains is to look at the result.
  struct UnjudgedEpoch {
    std::uint64_t epoch = 0;
    std::uint64_t steps = 0;  // of the run, up to its end
    EpochSums sums;
  };

  RunSetup setup_;
  const std::shared_ptr<const Dataset> seen_;  // training samples as the engine sees them
  const bool lags_;                            // the engine, behind its caller
  RunState& state_;
  const RunState first_;  // where this process began
  const DataWatch watch_;
  Placement placement_;
  std::optional<RunCheckpoints> checkpoints_;  // none without a folder or a step left to train
  std::optional<EpochLoop> loop_;              // none where no step is left to train
  std::optional<Evaluator> validation_;        // none without validation samples or epochs left
  std::optional<UnjudgedEpoch> unjudged_;
  std::optional<Spread> train_spread_;
  std::optional<Spread> validation_spread_;
  Clock::time_point epoch_began_;  // of the epoch that is settled next
  Clock::time_point trained_;      // when the last settled steps were done
  double epoch_train_s_ = 0.0;     // of those steps
  RunResult result_;
  double train_s_ = 0.0;
};

bool Trainer::Impl::ended() const {
  // In mid-epoch the history was judged before that epoch began.
  return state_.epoch >= last_epoch() ||
         (state_.batch == 0 && reason_to_stop(spec_.stopping, state_.history));
}

// Of a set that is read in its stored order.
Placement Trainer::Impl::place_whole(const std::shared_ptr<const Dataset>& data) {
  return in_stored_order(
      place(engine(), spec_.residency, data, setup_.plan.model.input, spec_.on_bad, notice_),
      *data);
}

void Trainer::Impl::check_memory_of_loaders() const {
  const RunPlan& plan = setup_.plan;
  const std::uint64_t bytes = memory_at_hand();
  check_loader_memory(training_loader(spec_, plan, seen_, placement_, bad_.budget()), bytes);
  if (plan.window_blocks != 0) check_gathered_memory(*seen_, plan.split.validation.size(), bytes);
}

// What each epoch is judged by: a set of its own, or samples kept apart from training.
void Trainer::Impl::make_validation() {
  if (spec_.validation && spec_.validation->size() > 0) {
    const auto own = seen(spec_.validation);
    const auto placement = place_whole(own);
    bad_validation_.emplace(ledger_of(*own));
    bad_validation_->report(placement.bad);
    validate_on(own, Subset::all(own->size()), placement, *bad_validation_);
  } else if (const Subset& kept = setup_.plan.split.validation; kept.size() > 0) {
    if (setup_.plan.window_blocks == 0) return validate_on(seen_, kept, placement_, bad_);
    // They lie all over the file: read once, not in each epoch.
    Placement gathered{ChunkKind::kIndices};
    const auto set = resident_samples(seen_, kept, setup_.plan.model.input,
                                      spec_.on_bad == OnBad::kFail ? nullptr : &gathered.bad);
    bad_.report(gathered.bad);
    gathered.source = engine().add_resident(set);
    validate_on(seen_, Subset::all(kept.size()), gathered, bad_);
  }
}

void Trainer::Impl::validate_on(const std::shared_ptr<const Dataset>& data, const Subset& subset,
                                const Placement& placement, BadLedger& ledger) {
  LoaderSpec spec = evaluation_loader(spec_, setup_.plan, data, placement, ledger.budget());
  spec.subset = subset;
  spec.epochs = spec_.epochs - state_.epoch;
  validation_.emplace(engine(), std::move(spec), [&ledger](auto bad) { ledger.report(bad); });
}

void Trainer::Impl::make_checkpoints() {
  if (!setup_.checkpoints) return;
  checkpoints_.emplace(
      *setup_.checkpoints, engine(),
      RunCheckpointsSpec{spec_.checkpoint_every, setup_.plan.steps_per_epoch, spec_.optimizer,
                         state_bytes(setup_.plan.model, spec_.optimizer),
                         [this](const auto& file) { tell(&TrainObserver::on_checkpoint, file); },
                         [this] { watch_.check(); }});
}

// From where the state stands. After make_checkpoints().
void Trainer::Impl::make_loop() {
  const RunPlan& plan = setup_.plan;
  LoaderState start{state_.epoch, state_.batch};
  if (start.batch == plan.steps_per_epoch) start = {start.epoch + 1, 0};
  EpochLoopSpec loop;
  loop.steps_per_epoch = plan.steps_per_epoch;
  loop.checkpoints = checkpoints_ ? &*checkpoints_ : nullptr;
  loop.optimizer = spec_.optimizer;
  if (!setup_.schedule->constant()) loop.schedule = setup_.schedule;
  loop.on_progress = [this](const Progress& p) {
    if (checkpoints_) checkpoints_->look();
    tell(&TrainObserver::on_progress, p);
  };
  loop.on_bad = [this](std::span<const BadPlace> bad) { bad_.report(bad); };
  loop_.emplace(std::move(loop), engine(),
                training_loader(spec_, plan, seen_, placement_, bad_.budget()), start);
}

RunResult Trainer::Impl::fit(const std::atomic<bool>& stop) {
  if (loop_ || !result_.weights_hash.empty()) throw std::logic_error("Trainer::fit: called twice");
  Stopwatch clock;
  // Distorted samples are new ones each epoch: workers make them, chunk by chunk.
  const Residency residency = spec_.augment.enabled() ? Residency::kHost : spec_.residency;
  if (setup_.plan.window_blocks != 0) {
    placement_ = {ChunkKind::kPacked, 0, setup_.plan.window_blocks};
  } else {
    placement_ = place(engine(), residency, seen_, setup_.plan.model.input, spec_.on_bad, notice_);
    bad_.report(placement_.bad);
  }
  if (!ended()) check_memory_of_loaders();
  tell(&TrainObserver::on_start,
       run_info(spec_, setup_, *train_, test_.get(), placement_, bad_.budget()));
  if (!ended()) {
    make_validation();
    make_checkpoints();
    make_loop();
  }
  try {
    while (!ended() && !result_.stopped) result_.stopped = !run_epoch(stop);
    if (!result_.stopped && test_ && test_->size() > 0) test(stop);
  } catch (...) {
    if (checkpoints_) checkpoints_->finish();  // what went wrong there went wrong before
    throw;
  }
  if (checkpoints_) checkpoints_->finish();
  finish();
  clock.stop();
  result_.fit_s = clock.total();
  tell(&TrainObserver::on_finish, result_);
  return result_;
}

// False if stopped: the state then stands in this epoch.
bool Trainer::Impl::run_epoch(const std::atomic<bool>& stop) {
  // Else it begins when the one that has ended is done: see end_epoch().
  if (!unjudged_) epoch_began_ = Clock::now();
  const bool trained = [&] {
    const StageSpan span(Stage::kEpoch, state_.epoch);
    const auto owed = [this] { end_epoch(); };
    return unjudged_ ? loop_->run(state_, stop, owed) : loop_->run(state_, stop);
  }();
  const bool settles_later = lags_ && trained;
  if (!settles_later) settle(state_.sums);
  if (trained && validation_) begin_validation(stop);
  if (!trained || (validation_ && !validation_->whole())) {
    if (settles_later) settle(state_.sums);
    if (trained) validation_->end_pass();
    if (checkpoints_) checkpoints_->save_stopped(state_);
    return false;
  }
  unjudged_ = {state_.epoch, state_.step, state_.sums};
  ++state_.epoch;
  state_.batch = 0;
  state_.sums = {};
  if (!may_run_ahead()) end_epoch();
  return true;
}

void Trainer::Impl::begin_validation(const std::atomic<bool>& stop) {
  const StageSpan span(Stage::kValidate, state_.epoch);
  try {
    validation_->begin_pass(stop);
  } catch (...) {
    if (lags_) settle(state_.sums);  // what went wrong there went wrong before
    throw;
  }
}

void Trainer::Impl::settle(EpochSums& sums) {
  const auto settled = loop_->settle(sums);
  trained_ = settled.done;
  epoch_train_s_ = seconds(trained_ - epoch_began_) - settled.paused_s;
  train_s_ += epoch_train_s_;
}

// Whether the next epoch may begin before the one that has ended is judged.
bool Trainer::Impl::may_run_ahead() const {
  return lags_ && state_.epoch < last_epoch() && !may_stop_next(spec_.stopping, state_.history) &&
         std::ranges::all_of(observers_, &TrainObserver::may_lag);
}

void Trainer::Impl::end_epoch() {
  UnjudgedEpoch ended = *std::exchange(unjudged_, std::nullopt);
  if (lags_) settle(ended.sums);
  watch_.check();
  Clock::time_point done = trained_;
  EpochResult epoch;
  epoch.epoch = ended.epoch;
  epoch.train_loss = ended.sums.loss_sum / static_cast<double>(ended.sums.samples);
  const bool regression = setup_.plan.model.regression();
  if (regression) {
    epoch.train_r2 = r2_of(ended.sums.mean_squared_error(), *train_, setup_.plan.split.train, bad_,
                           train_spread_);
  } else {
    epoch.train_acc = accuracy_of(ended.sums);
  }
  if (validation_) {
    const Metrics validated = *validation_->end_pass();
    check(validated, ended.steps);
    done = validated.done;
    epoch.val_loss = validated.mean_loss();
    if (regression) {
      const bool own = bad_validation_.has_value();
      epoch.val_r2 =
          r2_of(validated.mean_squared_error(), own ? *spec_.validation : *train_,
                own ? Subset::all(spec_.validation->size()) : setup_.plan.split.validation,
                own ? *bad_validation_ : bad_, validation_spread_);
      epoch.val_rmse = rmse_of(validated.mean_squared_error());
    } else {
      epoch.val_acc = accuracy_of(validated);
    }
    epoch.val_s = seconds(done - trained_);
  }
  epoch.learning_rate = double{setup_.schedule->at(ended.steps - 1)};
  epoch.train_s = epoch_train_s_;
  epoch.partial = ended.epoch == first_.epoch && first_.batch > 0;
  state_.history.push_back(epoch);
  epoch_began_ = done;
  tell(&TrainObserver::on_epoch, epoch);

  if (!checkpoints_) return;
  RunState then = state_;  // which may stand in the next epoch already
  then.batch = 0;
  then.step = ended.steps;
  then.sums = {};
  checkpoints_->save_epoch(std::move(then));
}

double Trainer::Impl::r2_of(double mean_squared_error, const Dataset& data, const Subset& subset,
                            const BadLedger& ledger, std::optional<Spread>& spread) const {
  if (!spread || spread->bad != ledger.count()) {
    spread = {ledger.count(),
              target_spread(data, subset, setup_.plan.model.target_scales, ledger.known())};
  }
  return r2(mean_squared_error, spread->value);
}

// In the unit of the target, where there is one.
std::optional<double> Trainer::Impl::rmse_of(double mean_squared_error) const {
  const MlpSpec& model = setup_.plan.model;
  if (model.classes != 1) return std::nullopt;
  const double unit = model.target_scales.empty() ? 1.0 : double{model.target_scales[0].deviation};
  return std::sqrt(mean_squared_error) * unit;
}

// After `steps` of the run.
void Trainer::Impl::check(const Metrics& evaluated, std::uint64_t steps) const {
  const std::uint64_t last = steps == 0 ? 0 : steps - 1;
  check_evaluation(evaluated, last, last / setup_.plan.steps_per_epoch, spec_.optimizer);
}

void Trainer::Impl::test(const std::atomic<bool>& stop) {
  const StageSpan span(Stage::kTest);
  const auto samples = seen(test_);
  const auto placement = place_whole(samples);
  bad_test_.emplace(ledger_of(*test_));
  bad_test_->report(placement.bad);
  LoaderSpec spec = evaluation_loader(spec_, setup_.plan, samples, placement, bad_.budget());
  spec.subset = Subset::all(test_->size());
  Evaluator evaluator(engine(), std::move(spec), [this](auto bad) { bad_test_->report(bad); });
  const auto metrics = evaluator.pass(stop);
  result_.stopped = !metrics;
  if (!metrics) return;
  check(*metrics, state_.step);
  result_.test_loss = metrics->mean_loss();
  if (!setup_.plan.model.regression()) {
    result_.test_acc = accuracy_of(*metrics);
    return;
  }
  std::optional<Spread> spread;
  result_.test_r2 =
      r2_of(metrics->mean_squared_error(), *test_, Subset::all(test_->size()), *bad_test_, spread);
  result_.test_rmse = rmse_of(metrics->mean_squared_error());
}

// Throws DivergedError rather than hand out what nobody can go on from.
std::string Trainer::Impl::final_hash() {
  const Parameters parameters = engine().parameters();
  check_state(parameters, engine().optimizer_state(), state_.step, setup_.plan.steps_per_epoch,
              spec_.optimizer);
  return weights_hash(parameters);
}

void Trainer::Impl::finish() {
  result_.history = state_.history;
  if (checkpoints_) {
    result_.checkpoint = checkpoints_->newest();
    result_.checkpoint_s = checkpoints_->waited_s();
  }
  result_.bad_samples = bad_.count();
  if (bad_test_) result_.bad_test_samples = bad_test_->count();
  if (bad_validation_) result_.bad_samples += bad_validation_->count();
  if (!result_.stopped && state_.epoch < spec_.epochs) {
    result_.ended_early = reason_to_stop(spec_.stopping, state_.history);
  }
  result_.target_s = time_to_target(spec_.stopping, state_.history);
  watch_.check();
  result_.weights_hash = final_hash();
  if (loop_) {
    result_.train_loader = loop_->loader_stats();
    if (train_s_ > 0.0) result_.samples_per_s = static_cast<double>(loop_->samples()) / train_s_;
  }
  result_.engine = engine().stats();
  result_.verdict = verdict(result_.train_loader, result_.engine, train_s_);
}

Trainer::Trainer(RunSpec spec, std::shared_ptr<const Dataset> train,
                 std::shared_ptr<const Dataset> test, std::vector<TrainObserver*> observers,
                 const EngineMaker& make)
    : impl_(std::make_unique<Impl>(std::move(spec), std::move(train), std::move(test),
                                   std::move(observers), make)) {}

Trainer::~Trainer() = default;

RunResult Trainer::fit(const std::atomic<bool>& stop) {
  try {
    return impl_->fit(stop);
  } catch (const DivergedError&) {
    // No learning rate helps where the data are at fault.
    impl_->check_data();
    throw;
  }
}

Engine& Trainer::engine() { return impl_->engine(); }

Checkpoint Trainer::checkpoint() { return impl_->checkpoint(); }

}  // namespace millrace
