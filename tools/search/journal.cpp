#include "tools/search/journal.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

namespace millrace {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kForm = 1;
constexpr std::array<std::string_view, 20> kNeverDecide{
    "--checkpoint-dir", "--checkpoint-every", "--chunk-batches", "--config",
    "--data",           "--download",         "--force",         "--keep",
    "--metrics",        "--quarantine",       "--quiet",         "--repeat",
    "--report",         "--resume",           "--seed",          "--slots",
    "--tensorboard",    "--threads",          "--trace",         "--workers"};

bool is_entry(const Json& line) {
  const auto form = line.find("search");
  return form != line.end() && *form == kForm;
}

LineKind kind() {
  return {"journal", R"({"search":1,"data":"…","options":{…},"run":{…}})", is_entry};
}

// None where it is no entry.
std::optional<std::pair<RunKey, TrialRun>> read(const Json& line) {
  if (!is_entry(line)) return std::nullopt;
  const auto data = line.find("data");
  const auto options = line.find("options");
  const auto run = line.find("run");
  if (data == line.end() || !data->is_string() || options == line.end() || !options->is_object() ||
      run == line.end()) {
    return std::nullopt;
  }
  RunKey key;
  key.data = data->get<std::string>();
  for (const auto& [name, value] : options->items()) {
    if (!value.is_string()) return std::nullopt;
    key.options[name] = value.get<std::string>();
  }
  if (const auto until = line.find("until"); until != line.end()) {
    if (!until->is_number_unsigned()) return std::nullopt;
    key.until = until->get<std::uint64_t>();
  }
  auto read = trial_run_in(*run);
  if (!read) return std::nullopt;
  return std::pair(std::move(key), std::move(*read));
}

}  // namespace

std::map<std::string, std::string> deciding(const std::map<std::string, std::string>& given) {
  std::map<std::string, std::string> options;
  for (const auto& [name, value] : given) {
    // What is streamed comes in another order than what is not.
    const bool decides = name == "--residency"
                             ? value == "stream"
                             : std::ranges::find(kNeverDecide, name) == kNeverDecide.end();
    if (decides) options.emplace(name, one_spelling(value));
  }
  return options;
}

Journal::Journal(const std::filesystem::path& path) : file_(path, kind()) {
  file_.go_on([this](const Json& line) {
    if (auto entry = read(line)) {
      runs_.insert_or_assign(place(entry->first, entry->second), std::move(entry->second));
    }
    return false;  // it stays, whatever it is
  });
}

std::optional<TrialRun> Journal::find(const RunKey& key, const TrialRun& named) const {
  const auto found = runs_.find(place(key, named));
  return found == runs_.end() ? std::nullopt : std::optional(found->second);
}

void Journal::add(const RunKey& key, const TrialRun& run) {
  Json line{{"search", kForm}, {"data", key.data}, {"options", Json(key.options)}};
  if (key.until != 0) line["until"] = key.until;
  line["run"] = to_json(run);
  file_.write(line);
  runs_.insert_or_assign(place(key, run), run);
}

}  // namespace millrace
