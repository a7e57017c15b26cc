#include "train/checkpoint.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "compute/tensors.h"
#include "formats/safetensors.h"
#include "tests/support/files.h"
#include "train/run_options.h"
#include "train/run_state.h"

namespace millrace {
namespace {

Checkpoint sample_checkpoint() {
  Checkpoint c;
  c.parameters = {{"0.weight", {2, 3}, {1, 2, 3, 4, 5, -0.0F}},
                  {"0.bias", {2}, {0.1F, 1e-40F}},
                  {"2.weight", {4, 2}, {1, 2, 3, 4, 5, 6, 7, 8}},
                  {"2.bias", {4}, {9, 8, 7, 6}}};
  c.optimizer = c.parameters;
  for (Tensor& t : c.optimizer) {
    for (float& v : t.values) v *= 3;
  }
  c.state.epoch = 1;
  c.state.batch = 7;
  c.state.step = 24;
  c.state.dataset_hash = "0123456789abcdef0123456789abcdef";
  c.state.options = {{3, 2, 4}, 16, 40, {0.1F, 0.9F, 1e-5F}, Precision::kBFloat16, ~0ULL, false};
  c.state.sums = {0x1.23456789abcdep+9, 100, 112};
  c.state.history = {{0, 0.1, 1.0 / 3.0, 0.7, std::nullopt, 1.5, 0.25, true}};
  return c;
}

// What a file says, changed by `edit` and written anew with a right hash.
template <typename Edit>
std::filesystem::path edited(const test::TempFolder& folder, Edit edit) {
  const auto good = folder / "good.safetensors";
  save_checkpoint(good, sample_checkpoint());
  const SafetensorsFile file(good);
  std::vector<TensorView> tensors(file.tensors().begin(), file.tensors().end());
  TensorMetadata metadata = file.metadata();
  edit(tensors, metadata);
  write_safetensors(folder / "edited.safetensors", tensors, metadata);
  return folder / "edited.safetensors";
}

std::string refusal(const std::filesystem::path& path) {
  try {
    load_checkpoint(path);
  } catch (const DataError& error) {
    return error.what();
  }
  return "accepted";
}

TEST(Checkpoint, ComesBackBitForBit) {
  const test::TempFolder folder;
  const Checkpoint saved = sample_checkpoint();
  save_checkpoint(folder / "a.safetensors", saved);
  const Checkpoint loaded = load_checkpoint(folder / "a.safetensors");
  EXPECT_EQ(loaded.parameters, saved.parameters);
  EXPECT_TRUE(std::signbit(loaded.parameters[0].values[5]));
  EXPECT_EQ(loaded.optimizer, saved.optimizer);
  EXPECT_EQ(loaded.state.sums, saved.state.sums);
  EXPECT_EQ(loaded.state.epoch, 1U);
  EXPECT_EQ(loaded.state.batch, 7U);
  EXPECT_EQ(loaded.state.step, 24U);
  EXPECT_EQ(loaded.state.options.seed, ~0ULL);
  EXPECT_EQ(loaded.state.options.optimizer.weight_decay, 1e-5F);
  EXPECT_EQ(encode_run_state(loaded.state), encode_run_state(saved.state));
  ASSERT_EQ(loaded.state.history.size(), 1U);
  EXPECT_EQ(loaded.state.history[0].train_acc, 1.0 / 3.0);
  EXPECT_FALSE(loaded.state.history[0].val_acc);
}

TEST(Checkpoint, KnowsItsModelAndSamples) {
  const test::TempFolder folder;
  Checkpoint saved = sample_checkpoint();
  saved.state.options.sample = {{1, 3}, InputType::kFloat32, 0.1F, 0.25};
  save_checkpoint(folder / "a.safetensors", saved);
  const RunOptions options = load_checkpoint(folder / "a.safetensors").state.options;
  EXPECT_EQ(options.sample.shape, (std::vector<std::uint64_t>{1, 3}));
  const MlpSpec model = model_of(options);
  EXPECT_EQ(model.widths(), saved.state.options.widths);
  EXPECT_EQ(model.input, InputType::kFloat32);
  EXPECT_EQ(model.input_scale, 0.1F);
  EXPECT_EQ(options.sample.dark_on_light, 0.25);
  EXPECT_FALSE(sample_checkpoint().state.options.sample.dark_on_light);
}

TEST(Checkpoint, KnowsItsFold) {
  const test::TempFolder folder;
  Checkpoint saved = sample_checkpoint();
  saved.state.options.fold = {2, 5};
  save_checkpoint(folder / "a.safetensors", saved);
  EXPECT_EQ(load_checkpoint(folder / "a.safetensors").state.options.fold, (Fold{2, 5}));
  const auto json = encode_run_options(saved.state.options);
  for (const auto& [index, count] : {std::pair{5, 5}, {0, 1}, {-1, 5}}) {
    auto wrong = json;
    wrong["fold"] = {{"index", index}, {"count", count}};
    EXPECT_ANY_THROW(decode_run_options(wrong)) << wrong["fold"];
  }
  EXPECT_FALSE(encode_run_options(sample_checkpoint().state.options).contains("fold"));
}

TEST(Checkpoint, KeepsTheNamesOfClasses) {
  const test::TempFolder folder;
  Checkpoint named = sample_checkpoint();
  named.state.class_names = {"ash", "elm, the \"white\"", "fir", "e\u0301pice\u0301a"};
  save_checkpoint(folder / "c.safetensors", named);
  EXPECT_EQ(load_checkpoint(folder / "c.safetensors").state.class_names, named.state.class_names);
  EXPECT_TRUE(sample_checkpoint().state.class_names.empty());
  for (const std::string wrong : {R"(["ash","elm"])", R"(["a","b","c",4])", "7"}) {
    const auto line = refusal(
        edited(folder, [&](auto&, TensorMetadata& m) { m["millrace.class_names"] = wrong; }));
    EXPECT_NE(line.find("names"), std::string::npos) << wrong << ": " << line;
  }
}

TEST(Checkpoint, KeepsTheNamesOfColumns) {
  const test::TempFolder folder;
  Checkpoint named = sample_checkpoint();
  const auto features = named.state.options.widths.front();
  for (std::uint32_t i = 0; i < features; ++i) {
    named.state.columns.values.push_back("breadth, \"" + std::to_string(i) + '"');
  }
  named.state.columns.label = "esp\u00e8ce";
  save_checkpoint(folder / "c.safetensors", named);
  EXPECT_EQ(load_checkpoint(folder / "c.safetensors").state.columns, named.state.columns);
  named.state.columns.values.clear();  // no header
  save_checkpoint(folder / "c.safetensors", named);
  EXPECT_EQ(load_checkpoint(folder / "c.safetensors").state.columns, named.state.columns);
  // Those that were written before there were names.
  save_checkpoint(folder / "c.safetensors", sample_checkpoint());
  EXPECT_EQ(load_checkpoint(folder / "c.safetensors").state.columns, ColumnNames());
  const auto line = refusal(edited(folder, [&](auto&, TensorMetadata& m) {
    m["millrace.columns"] = R"(["a"])";
    m["millrace.label_column"] = "y";
  }));
  EXPECT_NE(line.find("expected " + std::to_string(features) + " names of columns, found 1"),
            std::string::npos)
      << line;
}

TEST(Checkpoint, KeepsWhatBecomesOfATablesColumns) {
  const test::TempFolder folder;
  Checkpoint made = sample_checkpoint();
  const auto features = made.state.options.widths.front();
  auto& form = made.state.columns.form;
  form = {.columns = {{.name = "kind"}}, .dropped = {"id"}, .fills = true};
  for (std::uint32_t i = 0; i < features; ++i) {
    form.columns[0].categories.emplace_back(1, static_cast<char>('a' + i));
  }
  ASSERT_LE(features, 26U);
  save_checkpoint(folder / "c.safetensors", made);
  EXPECT_EQ(load_checkpoint(folder / "c.safetensors").state.columns, made.state.columns);
  auto line = refusal(edited(folder, [&](auto&, TensorMetadata& m) {
    m["millrace.table"] = R"({"columns": [{"name": "a"}], "dropped": [], "fills": false})";
  }));
  EXPECT_NE(
      line.find("expected " + std::to_string(features) + " values of a table's columns, found 1"),
      std::string::npos)
      << line;
  line = refusal(edited(folder, [&](auto&, TensorMetadata& m) { m["millrace.table"] = "[]"; }));
  EXPECT_NE(line.find("expected what the columns of a table become as millrace.table"),
            std::string::npos)
      << line;
}

TEST(Checkpoint, KeepsWhatTargetsAre) {
  const test::TempFolder folder;
  Checkpoint saved = sample_checkpoint();
  auto& state = saved.state;
  state.class_names.clear();
  state.options.loss = Loss::kHuber;
  const std::size_t targets = state.options.widths.back();
  for (std::size_t t = 0; t < targets; ++t) {
    state.options.target_scales.push_back({static_cast<float>(t), 0.5F});
    state.columns.targets.push_back("t" + std::to_string(t));
  }
  state.sums.squared_error_sum = 3.5;
  state.sums.squared_error_rest = 0x1p-40;
  for (EpochResult& epoch : state.history) {
    epoch.train_r2 = 1.0 / 3.0;
    epoch.val_rmse = 7.25;
  }
  save_checkpoint(folder / "c.safetensors", saved);
  const RunState loaded = load_checkpoint(folder / "c.safetensors").state;
  EXPECT_EQ(loaded.options.loss, Loss::kHuber);
  EXPECT_EQ(loaded.options.target_scales, state.options.target_scales);
  EXPECT_EQ(loaded.columns.targets, state.columns.targets);
  EXPECT_EQ(loaded.sums, state.sums);
  EXPECT_EQ(loaded.history.at(0).train_r2, 1.0 / 3.0);
  EXPECT_EQ(loaded.history.at(0).val_rmse, 7.25);
  EXPECT_FALSE(loaded.history.at(0).val_r2);
  EXPECT_EQ(load_target_scales(folder / "c.safetensors", targets), state.options.target_scales);
}

TEST(Checkpoint, NamesAreOfWhatItsLossIsOf) {
  const test::TempFolder folder;
  EXPECT_NE(refusal(edited(folder,
                           [](auto&, TensorMetadata& m) {
                             m["millrace.target_columns"] = R"(["a","b"])";
                           }))
                .find("expected names of classes, which its loss (cross-entropy) is of, found "
                      "millrace.target_columns"),
            std::string::npos);
}

TEST(Checkpoint, KeepsHowSamplesAreDistorted) {
  const test::TempFolder folder;
  Checkpoint saved = sample_checkpoint();
  saved.state.options.augment = {10.0F, 2.5F, 0.1F, 5.0F, 34.0F, 3.5F};
  save_checkpoint(folder / "a.safetensors", saved);
  EXPECT_EQ(load_checkpoint(folder / "a.safetensors").state.options.augment,
            saved.state.options.augment);
}

TEST(Checkpoint, KeepsNormalisationAndAdamsState) {
  const test::TempFolder folder;
  Checkpoint saved = sample_checkpoint();
  RunOptions& options = saved.state.options;
  options.batch_norm = true;
  options.dropout = 0.25F;
  options.activation = Activation::kGelu;
  options.label_smoothing = 0.1F;
  options.optimizer.kind = OptimizerSpec::Kind::kAdamW;
  options.optimizer.beta2 = 0.99F;
  options.optimizer.ema = 0.999F;
  options.optimizer.clip_norm = 2.0F;
  options.accumulate = 3;
  const MlpSpec model = model_of(options);
  EXPECT_TRUE(model.batch_norm);
  EXPECT_EQ(model.dropout, 0.25F);
  EXPECT_EQ(model.activation, Activation::kGelu);
  saved.parameters = initial_parameters(model, 1);
  saved.optimizer = empty_state(model, options.optimizer);
  saved.optimizer.back().values[0] = 0.5F;
  saved.optimizer.push_back(step_tensor(24));
  save_checkpoint(folder / "a.safetensors", saved);
  const Checkpoint loaded = load_checkpoint(folder / "a.safetensors");
  EXPECT_EQ(loaded.parameters, saved.parameters);
  EXPECT_EQ(loaded.optimizer, saved.optimizer);
  EXPECT_EQ(loaded.state.options.label_smoothing, 0.1F);
  EXPECT_EQ(loaded.state.options.optimizer.kind, OptimizerSpec::Kind::kAdamW);
  EXPECT_EQ(loaded.state.options.optimizer.beta2, 0.99F);
  EXPECT_EQ(loaded.state.options.optimizer.ema, 0.999F);
  EXPECT_EQ(loaded.state.options.optimizer.clip_norm, 2.0F);
  EXPECT_EQ(loaded.state.options.accumulate, 3U);
  EXPECT_EQ(encode_run_state(loaded.state), encode_run_state(saved.state));
}

TEST(Checkpoint, WithoutASampleIsOfBytes) {
  const test::TempFolder folder;
  const auto path = edited(folder, [](auto&, TensorMetadata& m) {
    std::string& options = m.at("millrace.options");
    const auto at = options.find(R"("sample":{)");
    ASSERT_NE(at, std::string::npos);
    options.erase(at, options.find('}', at) + 2 - at);
  });
  const RunOptions options = load_checkpoint(path).state.options;
  EXPECT_TRUE(options.sample.shape.empty());
  EXPECT_EQ(model_of(options).input, InputType::kUInt8);
  EXPECT_EQ(model_of(options).input_scale, 1.0F / 255.0F);
}

TEST(Checkpoint, WrongSamplesAreRefused) {
  for (const char* lie :
       {R"({"shape":[2,2],"type":"uint8","scale":1.0})",
        R"({"shape":[4294967295,4294967295,3],"type":"uint8","scale":1.0})",
        R"({"shape":[3],"type":"int8","scale":1.0})",
        R"({"shape":[3],"type":"uint8","scale":1e99})",
        R"({"shape":[-3],"type":"uint8","scale":1.0})", R"({"shape":[3]})", "3"}) {
    const test::TempFolder folder;
    const auto path = edited(folder, [&](auto&, TensorMetadata& m) {
      std::string& options = m.at("millrace.options");
      const auto at = options.find(R"("sample":{)") + 9;
      options.replace(at, options.find('}', at) + 1 - at, lie);
    });
    EXPECT_NE(refusal(path).find("expected the options of a run"), std::string::npos) << lie;
  }
}

TEST(Checkpoint, NamesTensorsAsPyTorchDoes) {
  const test::TempFolder folder;
  save_checkpoint(folder / "a.safetensors", sample_checkpoint());
  const SafetensorsFile file(folder / "a.safetensors");
  EXPECT_NE(file.find("2.weight"), nullptr);
  EXPECT_NE(file.find("optimizer.2.weight.momentum"), nullptr);
  EXPECT_EQ(file.tensors().size(), 8U);
  EXPECT_TRUE(file.verified());
}

TEST(Checkpoint, EveryTruncationIsRefused) {
  const test::TempFolder folder;
  save_checkpoint(folder / "a.safetensors", sample_checkpoint());
  const auto bytes = test::read_bytes(folder / "a.safetensors");
  for (std::size_t size = 0; size < bytes.size(); size += 13) {
    test::write_bytes(folder / "cut.safetensors", std::span(bytes).first(size));
    const std::string line = refusal(folder / "cut.safetensors");
    EXPECT_NE(line, "accepted") << size;
    EXPECT_NE(line.find("cut.safetensors"), std::string::npos) << line;
  }
}

TEST(Checkpoint, EveryFlippedByteIsRefused) {
  const test::TempFolder folder;
  save_checkpoint(folder / "a.safetensors", sample_checkpoint());
  auto bytes = test::read_bytes(folder / "a.safetensors");
  for (std::size_t at = 0; at < bytes.size(); at += 7) {
    bytes[at] ^= std::byte{0x10};
    test::write_bytes(folder / "bad.safetensors", bytes);
    EXPECT_NE(refusal(folder / "bad.safetensors"), "accepted") << at;
    bytes[at] ^= std::byte{0x10};
  }
}

TEST(Checkpoint, PlainParametersAreNoCheckpoint) {
  const test::TempFolder folder;
  const auto path = edited(folder, [](auto&, TensorMetadata& m) { m.clear(); });
  EXPECT_NE(refusal(path).find("a checkpoint of the trainer"), std::string::npos) << refusal(path);
}

TEST(Checkpoint, AnotherVersionIsRefused) {
  const test::TempFolder folder;
  const auto path =
      edited(folder, [](auto&, TensorMetadata& m) { m["millrace.checkpoint"] = "2"; });
  EXPECT_NE(refusal(path).find("expected version 1"), std::string::npos) << refusal(path);
}

TEST(Checkpoint, WrongEntriesAreNamed) {
  const std::vector<std::pair<std::string, std::string>> lies = {
      {"millrace.epoch", "-1"},
      {"millrace.epoch", "2"},  // with one epoch of history
      {"millrace.batch", "7.5"},
      {"millrace.step", ""},
      {"millrace.step", "99999999999999999999"},
      {"millrace.epoch_loss_sum", "nan"},
      {"millrace.epoch_loss_sum", "1.8p+1x"},
      {"millrace.options", "{}"},
      {"millrace.options", "[3"},
      {"millrace.history", "7"},
      {"millrace.history", R"([{"epoch":0}])"}};
  for (const auto& [key, value] : lies) {
    const test::TempFolder folder;
    const auto path =
        edited(folder, [entry = key, lie = value](auto&, TensorMetadata& m) { m.at(entry) = lie; });
    const std::string line = refusal(path);
    EXPECT_NE(line.find("expected"), std::string::npos) << key << '=' << value << ": " << line;
    EXPECT_NE(line.find("edited.safetensors"), std::string::npos) << line;
  }
}

TEST(Checkpoint, EveryMissingEntryIsNamed) {
  const TensorMetadata all = encode_run_state(sample_checkpoint().state);
  for (const auto& [key, value] : all) {
    const test::TempFolder folder;
    const auto path = edited(folder, [entry = key](auto&, TensorMetadata& m) { m.erase(entry); });
    EXPECT_NE(refusal(path).find(key), std::string::npos) << refusal(path);
  }
}

TEST(Checkpoint, AMissingOrLeftOverTensorIsNamed) {
  const auto without = [](std::string_view name) {
    return [name](std::vector<TensorView>& tensors, TensorMetadata&) {
      std::erase_if(tensors, [&](const TensorView& t) { return t.name == name; });
    };
  };
  for (const char* name : {"2.bias", "optimizer.0.weight.momentum"}) {
    const test::TempFolder folder;
    const std::string line = refusal(edited(folder, without(name)));
    EXPECT_NE(line.find(name), std::string::npos) << line;
  }
  const test::TempFolder folder;
  const std::string line = refusal(edited(folder, [](std::vector<TensorView>& tensors, auto&) {
    tensors.push_back(tensors.front());
    tensors.back().name = "4.weight";
  }));
  EXPECT_NE(line.find("4.weight"), std::string::npos) << line;
}

TEST(Checkpoint, ValuesThatAreNotFiniteAreRefused) {
  const test::TempFolder folder;
  Checkpoint bad = sample_checkpoint();
  bad.parameters[2].values[5] = std::numeric_limits<float>::quiet_NaN();
  save_checkpoint(folder / "a.safetensors", bad);
  const std::string line = refusal(folder / "a.safetensors");
  EXPECT_NE(line.find("2.weight"), std::string::npos) << line;
  EXPECT_NE(line.find("element 5"), std::string::npos) << line;
}

TEST(LoadParameters, TakesThemFromACheckpoint) {
  const test::TempFolder folder;
  save_checkpoint(folder / "a.safetensors", sample_checkpoint());
  MlpSpec model;
  model.features = 3;
  model.hidden = {2};
  model.classes = 4;
  EXPECT_EQ(load_parameters(folder / "a.safetensors", model), sample_checkpoint().parameters);
}

TEST(LoadParameters, PassesOverTheStepCountsOfPyTorch) {
  const test::TempFolder folder;
  MlpSpec model;
  model.features = 3;
  model.hidden = {2};
  model.classes = 4;
  model.batch_norm = true;
  const Parameters parameters = initial_parameters(model, 1);
  std::vector<TensorView> views;
  for (const Tensor& tensor : parameters) {
    views.push_back(
        {tensor.name, DType::kFloat32, tensor.shape, std::as_bytes(std::span(tensor.values))});
  }
  const std::int64_t steps = 7;
  views.push_back(
      {"1.num_batches_tracked", DType::kInt64, {}, std::as_bytes(std::span(&steps, 1))});
  write_safetensors(folder / "a.safetensors", views, {});
  EXPECT_EQ(load_parameters(folder / "a.safetensors", model), parameters);
  // Of a layer that the model does not have, it is a sign of another model.
  views.back().name = "4.num_batches_tracked";
  write_safetensors(folder / "b.safetensors", views, {});
  EXPECT_THROW(load_parameters(folder / "b.safetensors", model), DataError);
}

TEST(LoadParameters, AnotherShapeIsToldWithBoth) {
  const test::TempFolder folder;
  save_checkpoint(folder / "a.safetensors", sample_checkpoint());
  MlpSpec model;
  model.features = 5;
  model.hidden = {2};
  model.classes = 4;
  const auto line = [&] {
    try {
      load_parameters(folder / "a.safetensors", model);
    } catch (const DataError& error) {
      return std::string(error.what());
    }
    return std::string("accepted");
  }();
  EXPECT_NE(line.find("0.weight"), std::string::npos) << line;
  EXPECT_NE(line.find("[2, 5]"), std::string::npos) << line;
  EXPECT_NE(line.find("[2, 3]"), std::string::npos) << line;
}

}  // namespace
}  // namespace millrace
