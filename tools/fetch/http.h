#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>

namespace millrace {

/// When a transfer is given up.
struct HttpLimits {
  long connect_s = 15;  ///< seconds until there is a connection
  long stall_s = 20;    ///< seconds below `stall_bytes` a second
  long stall_bytes = 1024;
  long redirects = 5;
};

/// One GET. HTTP and HTTPS only, also where it is redirected to; certificates are checked.
struct HttpRequest {
  std::string url;
  std::uint64_t from = 0;  ///< first byte that is wanted (RFC 9110, section 14.2)
  /// Takes the bytes that stand at `offset` of the file; false ends the transfer. A server that
  /// ignores the range starts again with offset 0.
  std::function<bool(std::uint64_t offset, std::span<const std::byte> bytes)> take;
  /// Asked several times a second; true ends the transfer.
  std::function<bool()> stopped;
};

struct HttpResult {
  enum class Outcome {
    kDone,
    kStopped,    ///< `take` or `stopped` ended it
    kTryAgain,   ///< cut off, stalled, no connection, a server's passing trouble
    kNeverHere,  ///< refused for good: not found, redirected in circles, …
  };
  Outcome outcome = Outcome::kDone;
  std::string trouble;  ///< what went wrong, in half a line
};

HttpResult http_get(const HttpRequest& request, const HttpLimits& limits);

}  // namespace millrace
