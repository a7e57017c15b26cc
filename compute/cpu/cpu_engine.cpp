#include "compute/cpu/cpu_engine.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <deque>
#include <utility>

#include "compute/chunk_checks.h"
#include "compute/cores.h"
#include "compute/cpu/aligned_array.h"
#include "compute/cpu/chunk_units.h"
#include "compute/cpu/cpu_net.h"
#include "compute/cpu/cpu_snapshot.h"
#include "compute/cpu/team_size.h"
#include "compute/cpu/thread_team.h"
#include "compute/cpu_info.h"
#include "compute/stage.h"
#include "compute/tensors.h"

namespace millrace {
namespace {

using Clock = std::chrono::steady_clock;

// Every n-th step's waiting is measured: reading the clock each time would cost a small net a
// percent.
constexpr std::uint64_t kWaitSampling = 16;

// A few times as many threads as cores cost nothing that is worth a word.
constexpr std::uint32_t kManyThreads = 5;

// Multiplications that one thread is done with, in 100 to 300 microseconds, before it would have
// woken another one and met it again.
constexpr std::uint64_t kAlone = 12'000'000;
// Fewer rows than these take about as long: they are not worth another pass over the weights.
constexpr std::uint32_t kFewestRows = 16;

double seconds(Clock::duration d) { return std::chrono::duration<double>(d).count(); }

// Rounds to a multiple of 2^-24, so that sums of such numbers are exact, and the same in any
// grouping, up to 2^29.
double quantize(double value) {
  constexpr double kMagic =
      1.5 * 268435456.0;                    // 2^28: the last bit of a double of this size is 2^-24
  constexpr double kLargest = 134217728.0;  // a float32 beyond is such a multiple already
  return value < kLargest ? (value + kMagic) - kMagic : value;
}

// What quantize() leaves of a number, at most 2^-25, as a multiple of 2^-54.
double rest_of(double value) {
  constexpr double kMagic = 0.375;  // a double of this size ends at 2^-54
  const double rest = value - quantize(value);
  return (rest + kMagic) - kMagic;
}

// Eight chains, so that it is not one addition's latency for each sample.
template <double (*kRounded)(double)>
double sum_of(const float* values, std::uint32_t count) {
  double chains[8] = {};
  for (std::uint32_t i = 0; i < count; ++i)
    chains[i % 8] += kRounded(static_cast<double>(values[i]));
  return ((chains[0] + chains[1]) + (chains[2] + chains[3])) +
         ((chains[4] + chains[5]) + (chains[6] + chains[7]));
}

std::uint64_t count_correct(const std::uint8_t* correct, std::uint32_t count) {
  std::uint64_t sum = 0;
  for (std::uint32_t i = 0; i < count; ++i) sum += correct[i];
  return sum;
}

class CpuEngine final : public Engine {
 public:
  CpuEngine(MlpSpec model, const TrainSpec& train, Precision precision,
            std::unique_ptr<cpu::CpuNet> net, std::uint32_t threads, bool choose,
            std::string notice)
      : model_(std::move(model)),
        batch_limit_(train.batch),
        rows_at_once_(train.rows_at_once()),
        optimizer_(train.optimizer),
        precision_(precision),
        notice_(std::move(notice)),
        net_(std::move(net)),
        share_(threads),
        size_(threads, choose),
        losses_(std::max(train.batch, kEvaluateRows)),
        correct_(model_.has_targets() ? 0 : losses_.size()),
        squared_errors_(model_.has_targets() ? losses_.size() : 0),
        waiting_(threads),
        team_(threads) {}

  std::uint32_t add_resident(ResidentSet set) override {
    check_resident(model_, set);
    resident_.push_back(std::move(set));
    return static_cast<std::uint32_t>(resident_.size() - 1);
  }

  void train(const Chunk& chunk) override {
    check_steps(chunk, batch_limit_);
    if (chunk.count == 0) return;
    const cpu::ChunkUnits units(chunk, source_of(chunk), rows_at_once_);
    const auto begin = start_clock();
    for (std::uint32_t unit = 0; unit < units.count();) {
      const std::uint32_t count = std::min(units.count() - unit, size_.units());
      team_.wake(size_.members());
      const auto start = Clock::now();
      train_units(chunk, units, unit, count);
      size_.ran(count, seconds(Clock::now() - start));
      unit += count;
    }
    steps_ += chunk.batches();
    stop_clock(begin);
  }

  void evaluate(const Chunk& chunk) override { evaluate(chunk, nullptr); }

  void predict(const Chunk& chunk, std::span<float> logits) override {
    check_logits(model_, chunk, logits);
    evaluate(chunk, logits.data());
  }

  void close_metrics() override {
    metrics_.done = Clock::now();
    closed_.push_back(std::exchange(metrics_, Metrics{}));
  }
  Metrics metrics() override {
    if (closed_.empty()) close_metrics();
    const Metrics oldest = closed_.front();
    closed_.pop_front();
    return oldest;
  }
  Parameters parameters() override { return net_->parameters(); }
  void set_parameters(const Parameters& parameters) override { net_->set_parameters(parameters); }
  OptimizerState optimizer_state() override {
    OptimizerState state = net_->optimizer_state();
    if (counts_steps()) state.push_back(step_tensor(optimizer_steps_));
    return state;
  }
  void set_optimizer_state(const OptimizerState& state) override {
    net_->set_optimizer_state(state);
    if (counts_steps()) optimizer_steps_ = steps_in(state);
  }

  std::unique_ptr<Snapshot> make_snapshot() override {
    return std::make_unique<cpu::CpuSnapshot>(*this);
  }

  void set_learning_rate(float learning_rate) override {
    check_learning_rate(learning_rate);
    optimizer_.learning_rate = learning_rate;
  }

  EngineInfo info() const override {
    return {"cpu", cpu_model() + ", " + net_->instruction_set(), precision_, team_.size(), notice_};
  }

  EngineStats stats() const override {
    EngineStats stats = stats_;
    double waited = 0.0;
    for (const Waiting& w : waiting_) waited += w.seconds;
    stats.waiting = waited * static_cast<double>(kWaitSampling);
    if (size_.choosing()) {
      stats.choices = team_.size();
      stats.chosen = size_.chosen();
    }
    return stats;
  }

  HostMemory& host_memory() override { return pageable_memory(); }

 private:
  static constexpr std::uint32_t kEvaluateRows = 4096;
  struct alignas(64) Waiting {
    double seconds = 0.0;
  };

  bool counts_steps() const { return millrace::counts_steps(model_, optimizer_); }

  // `count` of a chunk's units, from `first` on, on as many members as size_ says.
  void train_units(const Chunk& chunk, const cpu::ChunkUnits& units, std::uint32_t first,
                   std::uint32_t count) {
    const std::uint32_t members = size_.members();
    net_->share_among(members);
    share_.share_among(members);
    cpu::StepBatch step;
    const auto begin_unit = [&](std::uint32_t unit) {
      step = units.batch(unit);
      step.judgements = judgements(step.first);
      if (step.first != 0) return;
      OptimizerSpec optimizer = optimizer_;
      if (!chunk.learning_rates.empty()) {
        optimizer.learning_rate = chunk.learning_rates[units.step(unit)];
      }
      net_->begin_step(optimizer, ++optimizer_steps_);
    };

    const std::uint32_t phases = net_->phases();
    const std::uint32_t first_tag = share_.phase().load(std::memory_order_relaxed);
    const std::uint32_t end_tag = first_tag + count * phases;
    // By the member that finished phase `tag`, before anyone is told of the next one.
    const auto advance = [&](std::uint32_t tag) {
      const std::uint32_t done = tag - first_tag + 1;
      net_->end_phase((done - 1) % phases, step);
      if (done % phases == 0) {
        if (step.last) finish_step(step.step_rows);
        if (done / phases < count) begin_unit(first + done / phases);
      }
      if (tag + 1 != end_tag) share_.reset(tag + 1, net_->pieces(done % phases, step));
      team_.publish(share_.phase(), tag + 1);
    };

    begin_unit(first);
    share_.reset(first_tag, net_->pieces(0, step));
    team_.run(members, [&](std::uint32_t member) {
      const StageSpan span(Stage::kCompute);
      for (std::uint32_t tag = first_tag; tag != end_tag;
           tag = share_.phase().load(std::memory_order_acquire)) {
        const std::uint32_t phase = (tag - first_tag) % phases;
        if (share_.take(member, tag,
                        [&](std::uint32_t piece) { net_->run(member, phase, piece, step); })) {
          advance(tag);
        } else {
          const std::uint64_t unit = steps_ + first + (tag - first_tag) / phases + 1;
          wait(member, tag, members, unit % kWaitSampling == 0);
        }
      }
    });
  }

  // logits: [chunk.count, classes], or null.
  void evaluate(const Chunk& chunk, float* logits) {
    if (chunk.count == 0) return;
    const cpu::RowSource source = source_of(chunk);
    const auto begin = start_clock();
    net_->begin_evaluation();
    for (std::uint32_t first = 0; first < chunk.count; first += kEvaluateRows) {
      const std::uint32_t rows = std::min(kEvaluateRows, chunk.count - first);
      const std::uint32_t members = evaluating(rows);
      const std::uint32_t lane_rows =
          std::clamp((rows + members - 1) / members, kFewestRows, net_->evaluate_limit());
      const std::uint32_t tag = share_.phase().fetch_add(1, std::memory_order_relaxed);
      share_.share_among(members);
      share_.reset(tag, (rows + lane_rows - 1) / lane_rows);
      team_.run(members, [&](std::uint32_t member) {
        const StageSpan span(Stage::kCompute);
        share_.take(member, tag, [&](std::uint32_t lane) {
          const std::uint32_t at = lane * lane_rows;
          net_->evaluate(member, source, first + at, std::min(lane_rows, rows - at), judgements(at),
                         logits == nullptr ? nullptr : logits + row_offset(first + at));
        });
      });
      add_metrics(rows);
    }
    stop_clock(begin);
  }

  // How many members evaluate so many rows.
  std::uint32_t evaluating(std::uint32_t rows) const {
    return rows * model_.parameter_count() < kAlone ? 1 : team_.size();
  }

  // From `row` of a step, or of an evaluation, on.
  cpu::Judgements judgements(std::size_t row) {
    const bool classes = !model_.has_targets();
    return {losses_.data() + row, classes ? correct_.data() + row : nullptr,
            classes ? nullptr : squared_errors_.data() + row};
  }

  std::size_t row_offset(std::uint32_t row) const { return std::size_t{row} * model_.classes; }

  cpu::RowSource source_of(const Chunk& chunk) const {
    const bool known = chunk.source < resident_.size();
    checked(model_, chunk, resident_.size(),
            known ? sample_count(model_, resident_[chunk.source]) : 0);
    cpu::RowSource source;
    source.sample_bytes = sample_bytes(model_);
    source.label_words = model_.label_words();
    source.type = model_.input;
    if (chunk.packed()) {
      source.base = chunk.samples.data();
      source.labels = chunk.labels.data();
    } else {
      source.base = resident_[chunk.source].samples.data();
      source.indices = chunk.indices.data();
      source.labels = resident_[chunk.source].labels.data();
    }
    return source;
  }

  void wait(std::uint32_t member, std::uint32_t tag, std::uint32_t members, bool sample) {
    if (!sample) return team_.wait_while(share_.phase(), tag);
    const auto begin = Clock::now();
    team_.wait_while(share_.phase(), tag);
    waiting_[member].seconds += seconds(Clock::now() - begin) / members;
  }

  void add_metrics(std::uint32_t rows) {
    metrics_.loss_sum += sum_of<quantize>(losses_.data(), rows);
    if (model_.has_targets()) {
      metrics_.squared_error_sum += sum_of<quantize>(squared_errors_.data(), rows);
      metrics_.squared_error_rest += sum_of<rest_of>(squared_errors_.data(), rows);
    } else {
      metrics_.correct += count_correct(correct_.data(), rows);
    }
    metrics_.samples += rows;
  }

  void finish_step(std::uint32_t rows) {
    const double before = metrics_.loss_sum;
    add_metrics(rows);
    if (!std::isfinite(metrics_.loss_sum) && std::isfinite(before))
      metrics_.first_nonfinite_step = metrics_.steps;
    ++metrics_.steps;
  }

  Clock::time_point start_clock() {
    const auto now = Clock::now();
    if (last_end_ != Clock::time_point{}) stats_.idle += seconds(now - last_end_);
    return now;
  }
  void stop_clock(Clock::time_point begin) {
    last_end_ = Clock::now();
    stats_.busy += seconds(last_end_ - begin);
  }

  MlpSpec model_;
  std::uint32_t batch_limit_;
  std::uint32_t rows_at_once_;
  OptimizerSpec optimizer_;
  Precision precision_;
  std::string notice_;
  std::unique_ptr<cpu::CpuNet> net_;
  std::vector<ResidentSet> resident_;
  cpu::WorkShare share_;  // its phase() is the tag of the one under way
  cpu::TeamSize size_;
  cpu::AlignedArray<float> losses_;
  cpu::AlignedArray<std::uint8_t> correct_;  // of classes
  cpu::AlignedArray<float> squared_errors_;  // of a loss of numbers
  Metrics metrics_;
  std::deque<Metrics> closed_;  // not yet asked for
  EngineStats stats_;
  Clock::time_point last_end_;
  std::vector<Waiting> waiting_;
  std::uint64_t optimizer_steps_ = 0;  // of the run, also those before a resumption
  std::uint64_t steps_ = 0;  // of all chunks before, so that chunks of any size are sampled evenly
  cpu::ThreadTeam team_;     // last: its threads stop before what they use goes
};

}  // namespace

std::unique_ptr<Engine> make_cpu_engine(const MlpSpec& model, const TrainSpec& train,
                                        const Device& device, std::string notice) {
  const std::uint32_t cores = available_cores();
  const bool choose = device.threads == 0;
  const std::uint32_t most =
      device.most_threads == 0 ? cores : std::min(device.most_threads, cores);
  const std::uint32_t threads = choose ? most : device.threads;
  if (threads / cores >= kManyThreads) {
    if (!notice.empty()) notice += "; ";
    notice += std::to_string(threads) + " threads compute on " + std::to_string(cores) +
              (cores == 1 ? " core" : " cores") + ": more than one a core wait for each other";
  }
  if (train.precision == Precision::kBFloat16) {
    if (auto net = cpu::make_bf16_net(model, train, threads)) {
      return std::make_unique<CpuEngine>(model, train, Precision::kBFloat16, std::move(net),
                                         threads, choose, std::move(notice));
    }
    if (!notice.empty()) notice += "; ";
    notice += "this processor has no bfloat16 arithmetic (AVX512-BF16 or AMX): training in float32";
  }
  if (train.precision == Precision::kTf32) {
    if (!notice.empty()) notice += "; ";
    notice += "TF32 is the arithmetic of GPUs: training in float32 on this processor";
  }
  return std::make_unique<CpuEngine>(model, train, Precision::kFloat32,
                                     cpu::make_f32_net(model, train, threads), threads, choose,
                                     std::move(notice));
}

}  // namespace millrace
