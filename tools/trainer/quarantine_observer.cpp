#include "tools/trainer/quarantine_observer.h"

#include <nlohmann/json.hpp>

#include "formats/error.h"

namespace millrace {
namespace {

using Json = nlohmann::ordered_json;

// Nothing of a line that is no such record.
std::optional<std::pair<std::string, std::uint64_t>> named_in(const Json& json) {
  if (!json.contains("dataset") || !json.contains("sample")) return {};
  if (!json["dataset"].is_string() || !json["sample"].is_number_unsigned()) return {};
  return std::pair{json["dataset"].get<std::string>(), json["sample"].get<std::uint64_t>()};
}

}  // namespace

QuarantineObserver::QuarantineObserver(std::filesystem::path path, Console& console)
    : path_(std::move(path)), console_(console) {}

void QuarantineObserver::open() {
  if (file_) return;
  file_.emplace(path_, LineKind{"quarantine", "{\"dataset\":\"train\",\"sample\":0,…}",
                                [](const Json& line) { return named_in(line).has_value(); }});
  file_->go_on([this](const Json& line) {
    if (auto named = named_in(line)) known_.insert(std::move(*named));
    return false;
  });
}

void QuarantineObserver::on_bad_sample(const std::string& dataset, const BadSample& sample) {
  if (failed_) return;
  try {
    open();
  } catch (const DataError& error) {
    return fail(error.what());
  }
  if (!known_.emplace(dataset, sample.id).second) return;
  file_->write({{"dataset", dataset},
                {"sample", sample.id},
                {"file", sample.file.string()},
                {"offset", sample.offset ? Json(*sample.offset) : Json()},
                {"reason", sample.reason}});
  if (!file_->error().empty()) fail(file_->error());
}

void QuarantineObserver::fail(const std::string& error) {
  failed_ = true;
  console_.warning(error + "; the run goes on without naming bad samples there");
}

}  // namespace millrace
