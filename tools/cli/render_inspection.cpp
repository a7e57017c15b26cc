#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "tools/cli/inspect.h"
#include "tools/console/progress_bar.h"
#include "tools/console/quote.h"

namespace millrace {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kMostRows = 64;
constexpr std::size_t kMostText = 100;

std::string shape(const Json& dims) {
  std::string text;
  for (const Json& dim : dims) {
    if (!text.empty()) text += 'x';
    text += dim.dump();
  }
  return text.empty() ? "one value" : text;
}

std::string statistics(const Json& found) {
  std::string text = fmt::format("{:.6g} to {:.6g}, mean {:.6g}, standard deviation {:.6g}",
                                 found["min"].get<double>(), found["max"].get<double>(),
                                 found["mean"].get<double>(), found["std"].get<double>());
  if (found.contains("nonfinite"))
    text += fmt::format(", {} not finite", found["nonfinite"].dump());
  return text;
}

// One row a class: an array's by place, an object's by name. `names`: of an array's classes, or
// none.
std::string histogram(const Json& found, const Json& names = Json::array()) {
  std::uint64_t all = 0;
  for (const Json& count : found) all += count.get<std::uint64_t>();
  std::string text;
  std::size_t row = 0;
  for (const auto& [name, count] : found.items()) {
    if (row++ == kMostRows) {
      return text + fmt::format("    and {} more, which --json lists\n", found.size() - kMostRows);
    }
    const auto number = count.get<std::uint64_t>();
    text +=
        fmt::format("    {:>6} {:>10} {:5.1f} %{}\n", name, number,
                    all == 0 ? 0.0 : 100.0 * static_cast<double>(number) / static_cast<double>(all),
                    row > names.size() ? "" : "  " + one_line(names[row - 1].get<std::string>()));
  }
  return text;
}

std::string storage(const Json& found) {
  const auto bytes = [&](const char* name) {
    return render_count(static_cast<double>(found[name].get<std::uint64_t>())) + "B";
  };
  const auto files = found["files"].get<std::uint64_t>();
  std::string text = fmt::format("  stored: {} {}", files, files == 1 ? "file" : "files");
  if (found["shards"] != 0U) text += fmt::format(" in {} shards", found["shards"].dump());
  if (found["frames"] != 0U) text += fmt::format(", {} frames", found["frames"].dump());
  return text + fmt::format(", {} for {}, {:.2f} to 1\n", bytes("bytes"), bytes("content_bytes"),
                            found["ratio"].get<double>());
}

// A row each, as classes have.
std::string targets(const Json& found) {
  std::string text;
  for (std::size_t t = 0; t < found.size(); ++t) {
    if (t == kMostRows) {
      return text + fmt::format("    and {} more, which --json lists\n", found.size() - kMostRows);
    }
    const auto& name = found[t]["name"];
    text += fmt::format("    {}: {}\n",
                        name.is_null() ? std::to_string(t) : one_line(name.get<std::string>()),
                        statistics(found[t]));
  }
  return text;
}

std::string split(const std::string& name, const Json& found) {
  std::string notes;
  for (const Json& note : found["notes"]) {
    notes += fmt::format("  note: {}\n", note.get<std::string>());
  }
  const bool has_targets = found.contains("targets");
  const auto labels = !has_targets ? fmt::format("{} classes", found["classes"].dump())
                                   : fmt::format("{} target{}", found["targets"].size(),
                                                 found["targets"].size() == 1 ? "" : "s");
  return fmt::format("{}: {} samples of {} {}, {}\n", name, found["samples"].dump(),
                     shape(found["shape"]), found["dtype"].get<std::string>(), labels) +
         notes + fmt::format("  values: {}\n", statistics(found["statistics"])) +
         (found["storage"].is_null() ? std::string() : storage(found["storage"])) +
         fmt::format("  hash: {}\n", found["hash"].get<std::string>()) +
         (has_targets ? "  targets:\n" + targets(found["targets"])
                      : "  labels:\n" + histogram(found["histogram"], found["class_names"]));
}

std::string tensors(const Json& found) {
  std::string text;
  for (const Json& tensor : found["tensors"]) {
    text += fmt::format("  {}: {} {}, {}\n", one_line(tensor["name"].get<std::string>()),
                        shape(tensor["shape"]), tensor["dtype"].get<std::string>(),
                        statistics(tensor["statistics"]));
  }
  for (const auto& [key, value] : found["metadata"].items()) {
    const std::string line = one_line(value.get<std::string>());
    text += fmt::format("  {} = {}{}\n", one_line(key), line.substr(0, kMostText),
                        line.size() > kMostText ? "..." : "");
  }
  return text;
}

}  // namespace

std::string render_inspection(const Json& found) {
  const std::string kind = found["kind"];
  const std::string path = one_line(found["path"].get<std::string>());
  if (kind == "data set") {
    std::string text =
        one_line(found["description"].get<std::string>()) + "\n" + split("train", found["train"]);
    for (const char* name : {"validation", "test"}) {
      if (!found[name].is_null()) text += split(name, found[name]);
    }
    return text;
  }
  if (kind == "safetensors") {
    return fmt::format("{}: safetensors, {} tensors{}\n", path, found["tensors"].size(),
                       found["verified"].get<bool>() ? ", hash verified" : "") +
           tensors(found);
  }
  std::string text =
      fmt::format("{}: IDX, {} {}\n  values: {}\n", path, shape(found["shape"]),
                  found["dtype"].get<std::string>(), statistics(found["statistics"]));
  text += storage(found["storage"]);
  if (found.contains("histogram") && !found["histogram"].is_null()) {
    text += "  labels:\n" + histogram(found["histogram"]);
  }
  return text;
}

}  // namespace millrace
