#include "tools/fetch/fetch.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <system_error>
#include <thread>
#include <utility>

#include "formats/error.h"
#include "tools/console/made_folder.h"
#include "tools/fetch/partial_file.h"
#include "tools/fetch/present.h"
#include "tools/fetch/sha256.h"

namespace millrace {
namespace {

using Outcome = HttpResult::Outcome;

constexpr unsigned kMostDoublings = 4;

struct Mirror {
  std::string url;  // of the file
  std::string trouble;
  bool told = false;  // the trouble
  bool given_up = false;
};

/// One file from whichever mirror has it.
class Download {
 public:
  Download(const FetchSpec& spec, const FetchHooks& hooks, const SourceFile& file)
      : spec_(spec), hooks_(hooks), file_(file), part_(spec.folder / file.name) {
    for (const auto& mirror : spec.source.mirrors)
      mirrors_.push_back({.url = mirror + file.name, .trouble = {}});
  }

  /// False if it was stopped.
  bool run() {
    if (part_.size() > file_.size) part_.clear();
    if (part_.size() == file_.size && publish_if_good()) return true;
    for (unsigned round = 0;; ++round) {
      for (Mirror& mirror : mirrors_) {
        if (mirror.given_up) continue;
        if (hooks_.stopped()) return false;
        const std::string known = mirror.trouble;
        const Outcome outcome = ask(mirror);
        if (outcome == Outcome::kStopped) return false;
        if (outcome == Outcome::kDone) {
          tell_troubles();
          return true;
        }
        mirror.told = mirror.told && mirror.trouble == known;
        mirror.given_up = outcome == Outcome::kNeverHere;
      }
      const bool hope = std::any_of(mirrors_.begin(), mirrors_.end(),
                                    [](const Mirror& mirror) { return !mirror.given_up; });
      if (!hope || round == spec_.retries) throw failure();
      tell_troubles();
      if (!wait(round)) return false;
    }
  }

 private:
  Outcome ask(Mirror& mirror) {
    const bool resumed = part_.size() != 0;
    const Outcome outcome = ask_once(mirror);
    // Dropped as wrong, though only the piece that was here before may have been: once more, whole.
    const bool dropped = outcome == Outcome::kNeverHere && resumed && part_.size() == 0;
    return dropped ? ask_once(mirror) : outcome;
  }

  Outcome ask_once(Mirror& mirror) {
    bool too_long = false;
    HttpRequest request;
    request.url = mirror.url;
    request.from = part_.size();
    request.stopped = hooks_.stopped;
    request.take = [&](std::uint64_t offset, std::span<const std::byte> bytes) {
      too_long = bytes.size() > file_.size - std::min(offset, file_.size);
      if (too_long) return false;
      part_.write(offset, bytes);
      hooks_.progress(file_, part_.size());
      return true;
    };
    const HttpResult result = http_get(request, spec_.limits);
    mirror.trouble = result.trouble;
    if (too_long) {
      part_.clear();
      mirror.trouble = fmt::format("expected {} bytes, found more", file_.size);
      return Outcome::kNeverHere;
    }
    if (result.outcome != Outcome::kDone) return result.outcome;
    if (part_.size() < file_.size) {
      mirror.trouble = fmt::format("expected {} bytes, found {}", file_.size, part_.size());
      return Outcome::kTryAgain;
    }
    if (publish_if_good()) return Outcome::kDone;
    mirror.trouble = "expected SHA-256 " + file_.sha256 + ", found " + found_sum_;
    return Outcome::kNeverHere;
  }

  bool publish_if_good() {
    found_sum_ = sha256_of_file(part_.temporary());
    if (found_sum_ == file_.sha256) {
      part_.publish();
      return true;
    }
    part_.clear();
    return false;
  }

  /// Waits ever longer; false if it was stopped.
  bool wait(unsigned round) const {
    using Clock = std::chrono::steady_clock;
    constexpr std::chrono::milliseconds kStep(50);
    const auto until = Clock::now() + std::chrono::milliseconds(spec_.first_wait_ms) *
                                          (1U << std::min(round, kMostDoublings));
    while (Clock::now() < until) {
      if (hooks_.stopped()) return false;
      std::this_thread::sleep_for(std::min<Clock::duration>(kStep, until - Clock::now()));
    }
    return !hooks_.stopped();
  }

  // Only where it goes on: what failure() says is not to be read twice.
  void tell_troubles() {
    for (Mirror& mirror : mirrors_) {
      if (mirror.trouble.empty() || std::exchange(mirror.told, true)) continue;
      hooks_.notice(mirror.url + ": " + mirror.trouble);
    }
  }

  DataError failure() const {
    std::string all;
    for (const Mirror& mirror : mirrors_) {
      all += (all.empty() ? "" : "; ") + mirror.url + ": " + mirror.trouble;
    }
    return {part_.path(), "no mirror has it (" + all + ")"};
  }

  const FetchSpec& spec_;
  const FetchHooks& hooks_;
  const SourceFile& file_;
  PartialFile part_;
  std::vector<Mirror> mirrors_;
  std::string found_sum_;
};

// What of an older form stays would be taken before the new file, or twice.
void remove_others(const Present& present, const std::filesystem::path& fetched) {
  for (const auto& path : present.others) {
    std::error_code error;
    if (path == fetched) continue;
    std::filesystem::remove(path, error);
    if (error) throw io_error(path, "remove what was replaced", error.value());
  }
}

}  // namespace

FetchResult fetch(const FetchSpec& spec, const FetchHooks& hooks) {
  const MadeFolder folder(spec.folder);
  // All that is there is looked at first, so that a file in the way is told before a long download.
  std::vector<Present> present;
  for (const auto& file : spec.source.files) {
    present.push_back(find_present(spec.folder, file, spec.force));
    if (!present.back().unchecked.empty()) hooks.notice(present.back().unchecked);
  }
  FetchResult result;
  for (std::size_t i = 0; i < spec.source.files.size(); ++i) {
    const SourceFile& file = spec.source.files[i];
    const auto path = spec.folder / file.name;
    const bool there = !present[i].path.empty();
    if (there) {
      remove_stale_part(path);
    } else if (!Download(spec, hooks, file).run()) {
      result.stopped = true;
      return result;
    }
    remove_others(present[i], there ? present[i].path : path);
    const auto& found = there ? present[i].path : path;
    result.files.push_back({found, std::filesystem::file_size(found), there});
  }
  return result;
}

}  // namespace millrace
