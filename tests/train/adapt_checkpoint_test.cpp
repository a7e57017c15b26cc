#include "train/adapt_checkpoint.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "compute/tensors.h"

namespace millrace {
namespace {

constexpr const char* kNoMomentum = "no momentum: it starts from zero";
constexpr const char* kAnew = "no such optimizer's state: it starts anew";

RunOptions options_of(const OptimizerSpec& optimizer, float dropout = 0.0F) {
  RunOptions options;
  options.widths = {3, 2, 4};
  options.dropout = dropout;
  options.optimizer = optimizer;
  return options;
}

/// After 24 steps of such a run: every tensor has values of its own.
Checkpoint checkpoint_of(const RunOptions& options) {
  Checkpoint checkpoint;
  checkpoint.state.options = options;
  checkpoint.state.step = 24;
  checkpoint.parameters = initial_parameters(model_of(options), 1);
  checkpoint.optimizer = optimizer_state_shapes(model_of(options), options.optimizer);
  float value = 1.0F;
  for (Tensor& tensor : checkpoint.optimizer) {
    std::size_t count = 1;
    for (const auto dim : tensor.shape) count *= dim;
    tensor.values.assign(count, value++);
    if (tensor.name == kStepTensor) tensor = step_tensor(24);
  }
  return checkpoint;
}

std::string names(const std::vector<Tensor>& tensors) {
  std::string all;
  for (const Tensor& tensor : tensors) all += tensor.name + ' ';
  return all;
}

const Tensor& named(const Checkpoint& checkpoint, const std::string& name) {
  const auto found = std::ranges::find(checkpoint.optimizer, name, &Tensor::name);
  if (found == checkpoint.optimizer.end()) throw std::out_of_range(name);
  return *found;
}

struct Adapted {
  Checkpoint before;
  Checkpoint after;
  std::optional<std::string> told;
};

Adapted adapt(const RunOptions& from, const RunOptions& to) {
  Adapted adapted{checkpoint_of(from), checkpoint_of(from), {}};
  adapted.told = adapt_checkpoint(adapted.after, model_of(to), to.optimizer);
  EXPECT_EQ(names(adapted.after.optimizer),
            names(optimizer_state_shapes(model_of(to), to.optimizer)));
  return adapted;
}

TEST(AdaptCheckpoint, OfTheSameRunChangesNothing) {
  for (const float dropout : {0.0F, 0.5F}) {
    for (const auto kind : {OptimizerSpec::Kind::kSgd, OptimizerSpec::Kind::kAdam}) {
      const auto options = options_of({.momentum = 0.9F, .kind = kind, .ema = 0.5F}, dropout);
      const Adapted same = adapt(options, options);
      EXPECT_EQ(same.after.parameters, same.before.parameters);
      EXPECT_EQ(same.after.optimizer, same.before.optimizer);
      EXPECT_FALSE(same.told);
    }
  }
}

TEST(AdaptCheckpoint, FollowsTheNamesThatDropoutMoves) {
  const OptimizerSpec optimizer{.momentum = 0.9F};
  const Adapted on = adapt(options_of(optimizer), options_of(optimizer, 0.5F));
  EXPECT_EQ(names(on.after.parameters), "0.weight 0.bias 3.weight 3.bias ");
  EXPECT_EQ(named(on.after, "3.bias").values, named(on.before, "2.bias").values);
  EXPECT_EQ(steps_in(on.after.optimizer), 24U) << "of the run, which drops by it";
  EXPECT_FALSE(on.told);
  const Adapted off = adapt(options_of(optimizer, 0.5F), options_of(optimizer));
  EXPECT_EQ(names(off.after.optimizer), "0.weight 0.bias 2.weight 2.bias ");
  EXPECT_EQ(named(off.after, "2.bias").values, named(off.before, "3.bias").values);
  EXPECT_FALSE(off.told);
}

TEST(AdaptCheckpoint, LeavesOutInSilenceWhatIsNotWantedAnyMore) {
  for (const auto kind : {OptimizerSpec::Kind::kSgd, OptimizerSpec::Kind::kAdamW}) {
    const Adapted plain =
        adapt(options_of({.momentum = 0.9F, .kind = kind, .ema = 0.5F}), options_of({.ema = 0.5F}));
    EXPECT_EQ(named(plain.after, "0.bias.raw"), named(plain.before, "0.bias.raw"));
    EXPECT_EQ(steps_in(plain.after.optimizer), 24U);
    EXPECT_FALSE(plain.told);
  }
}

TEST(AdaptCheckpoint, StartsMomentumFromZeroAndKeepsTheCountOfSteps) {
  for (const auto kind : {OptimizerSpec::Kind::kSgd, OptimizerSpec::Kind::kAdam}) {
    const Adapted added =
        adapt(options_of({.kind = kind, .ema = 0.5F}), options_of({.momentum = 0.9F, .ema = 0.5F}));
    EXPECT_EQ(named(added.after, "0.weight"), (Tensor{"0.weight", {2, 3}, std::vector<float>(6)}));
    EXPECT_EQ(named(added.after, "0.bias.raw"), named(added.before, "0.bias.raw"));
    EXPECT_EQ(steps_in(added.after.optimizer), 24U) << "which the average goes by";
    EXPECT_EQ(added.told, kNoMomentum);
  }
}

TEST(AdaptCheckpoint, StartsAdamWithItsCount) {
  const Adapted anew = adapt(options_of({.momentum = 0.9F, .ema = 0.5F}, 0.5F),
                             options_of({.kind = OptimizerSpec::Kind::kAdam, .ema = 0.5F}, 0.5F));
  EXPECT_EQ(named(anew.after, "3.bias.exp_avg_sq").values, std::vector<float>(4));
  EXPECT_EQ(named(anew.after, "0.bias.raw"), named(anew.before, "0.bias.raw"));
  EXPECT_EQ(steps_in(anew.after.optimizer), 0U);
  EXPECT_EQ(anew.told, kAnew);
  const Adapted counted = adapt(options_of({}), options_of({.kind = OptimizerSpec::Kind::kAdamW}));
  EXPECT_EQ(steps_in(counted.after.optimizer), 0U);
  EXPECT_EQ(counted.told, kAnew);
}

}  // namespace
}  // namespace millrace
