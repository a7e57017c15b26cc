#include "tools/fetch/http.h"

#include <curl/curl.h>

#include <array>
#include <charconv>
#include <exception>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string_view>

namespace millrace {
namespace {

using Outcome = HttpResult::Outcome;

constexpr long kPartialContent = 206;
constexpr long kRequestTimeout = 408;
constexpr long kRangeNotSatisfiable = 416;
constexpr long kTooManyRequests = 429;
constexpr long kServerErrors = 500;

struct CloseCurl {
  void operator()(CURL* curl) const noexcept { curl_easy_cleanup(curl); }
};

struct Transfer {
  const HttpRequest& request;
  CURL* curl;
  std::optional<std::uint64_t> range_start;  // of the answer at hand
  std::optional<std::uint64_t> position;     // once there is content
  bool ended = false;                        // by `take` or `stopped`
  bool wrong_range = false;
  std::exception_ptr error;  // must not cross the C library
};

// "Content-Range: bytes 42-1233/1234" (RFC 9110, section 14.4)
std::optional<std::uint64_t> parse_range_start(std::string_view line) {
  constexpr std::string_view kName = "content-range:";
  if (line.size() < kName.size()) return {};
  for (std::size_t i = 0; i < kName.size(); ++i) {
    const char c = line[i];
    if ((c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c) != kName[i]) return {};
  }
  line.remove_prefix(kName.size());
  const std::size_t digit = line.find_first_of("0123456789");
  if (line.find("bytes") == std::string_view::npos || digit == std::string_view::npos) return {};
  std::uint64_t start = 0;
  const auto [end, error] = std::from_chars(line.data() + digit, line.data() + line.size(), start);
  if (error != std::errc() || end == line.data() + line.size() || *end != '-') return {};
  return start;
}

std::size_t on_header(char* data, std::size_t size, std::size_t count, void* user) {
  auto& transfer = *static_cast<Transfer*>(user);
  const std::string_view line(data, size * count);
  if (line.starts_with("HTTP/")) transfer.range_start.reset();  // the next answer of a redirection
  if (const auto start = parse_range_start(line)) transfer.range_start = start;
  return line.size();
}

std::size_t on_body(char* data, std::size_t size, std::size_t count, void* user) {
  auto& transfer = *static_cast<Transfer*>(user);
  const std::size_t bytes = size * count;
  try {
    if (!transfer.position) {
      long status = 0;
      curl_easy_getinfo(transfer.curl, CURLINFO_RESPONSE_CODE, &status);
      transfer.position = 0;
      if (status == kPartialContent) {
        transfer.wrong_range = transfer.range_start != transfer.request.from;
        transfer.position = transfer.request.from;
      }
    }
    if (transfer.wrong_range) return 0;
    if (!transfer.request.take(*transfer.position,
                               std::as_bytes(std::span<const char>(data, bytes)))) {
      transfer.ended = true;
      return 0;
    }
    *transfer.position += bytes;
    return bytes;
  } catch (...) {
    transfer.error = std::current_exception();
    return 0;
  }
}

int on_progress(void* user, curl_off_t /*total*/, curl_off_t /*now*/, curl_off_t /*up_total*/,
                curl_off_t /*up_now*/) {
  auto& transfer = *static_cast<Transfer*>(user);
  transfer.ended = transfer.ended || transfer.request.stopped();
  return transfer.ended ? 1 : 0;
}

bool passes(long status) {
  return status == kRequestTimeout || status == kTooManyRequests || status >= kServerErrors;
}

HttpResult judge(CURLcode code, const Transfer& transfer, const char* message) {
  if (transfer.error) std::rethrow_exception(transfer.error);
  if (transfer.ended) return {Outcome::kStopped, "stopped"};
  if (transfer.wrong_range) {
    return {Outcome::kNeverHere, "the answer is not the range that was asked for"};
  }
  long status = 0;
  curl_easy_getinfo(transfer.curl, CURLINFO_RESPONSE_CODE, &status);
  switch (code) {
    case CURLE_OK:
      return {};
    case CURLE_HTTP_RETURNED_ERROR:
      return {passes(status) ? Outcome::kTryAgain : Outcome::kNeverHere,
              status == kRangeNotSatisfiable ? "HTTP status 416: the file there is shorter"
                                             : "HTTP status " + std::to_string(status)};
    case CURLE_TOO_MANY_REDIRECTS:
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_URL_MALFORMAT:
    case CURLE_PEER_FAILED_VERIFICATION:
      return {Outcome::kNeverHere, *message != '\0' ? message : curl_easy_strerror(code)};
    default:
      return {Outcome::kTryAgain, *message != '\0' ? message : curl_easy_strerror(code)};
  }
}

// NOLINTBEGIN(cppcoreguidelines-pro-type-vararg,hicpp-vararg): the library's interface
void set_options(CURL* curl, Transfer& transfer, const HttpLimits& limits, char* message) {
  const HttpRequest& request = transfer.request;
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, message);
  curl_easy_setopt(curl, CURLOPT_URL, request.url.c_str());
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 1L);
  curl_easy_setopt(curl, CURLOPT_MAXREDIRS, limits.redirects);
  curl_easy_setopt(curl, CURLOPT_FAILONERROR, 1L);
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_USERAGENT, "millrace");
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, limits.connect_s);
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, limits.stall_bytes);
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, limits.stall_s);
  // Not CURLOPT_RESUME_FROM, which makes an error of a server that ignores ranges.
  if (request.from != 0) {
    curl_easy_setopt(curl, CURLOPT_RANGE, (std::to_string(request.from) + "-").c_str());
  }
  curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, &on_header);
  curl_easy_setopt(curl, CURLOPT_HEADERDATA, &transfer);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, &on_body);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &transfer);
  curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, &on_progress);
  curl_easy_setopt(curl, CURLOPT_XFERINFODATA, &transfer);
}
// NOLINTEND(cppcoreguidelines-pro-type-vararg,hicpp-vararg)

}  // namespace

HttpResult http_get(const HttpRequest& request, const HttpLimits& limits) {
  static const CURLcode ready = curl_global_init(CURL_GLOBAL_DEFAULT);
  const std::unique_ptr<CURL, CloseCurl> curl(ready == CURLE_OK ? curl_easy_init() : nullptr);
  if (!curl) throw std::runtime_error("libcurl cannot start");
  std::array<char, CURL_ERROR_SIZE> message{};
  Transfer transfer{request, curl.get(), {}, {}, false, false, {}};
  set_options(curl.get(), transfer, limits, message.data());
  return judge(curl_easy_perform(curl.get()), transfer, message.data());
}

}  // namespace millrace
