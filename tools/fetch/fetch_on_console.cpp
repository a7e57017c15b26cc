#include "tools/fetch/fetch_on_console.h"

#include <chrono>
#include <string>

namespace millrace {

FetchResult fetch_on_console(const FetchSpec& spec, const std::function<bool()>& stopped,
                             Console& console) {
  using Clock = std::chrono::steady_clock;
  constexpr std::chrono::milliseconds kRedraw(50);
  Clock::time_point shown_at;
  FetchHooks hooks;
  hooks.stopped = stopped;
  hooks.notice = [&](const std::string& trouble) { console.notice(trouble); };
  hooks.progress = [&](const SourceFile& file, std::uint64_t bytes) {
    const auto now = Clock::now();
    if (now - shown_at < kRedraw) return;
    shown_at = now;
    console.progress({file.name,
                      static_cast<double>(bytes) / static_cast<double>(file.size),
                      {render_count(static_cast<double>(bytes)) + " of " +
                       render_count(static_cast<double>(file.size)) + " bytes"}});
  };
  FetchResult result = fetch(spec, hooks);
  console.clear_progress();
  return result;
}

}  // namespace millrace
