#pragma once

namespace millrace {

/// Wall time since this process was started, in seconds, to about a millisecond.
double seconds_since_start();

/// The most memory that was resident at once so far, in MB of 2^20 bytes.
double peak_rss_mb();

}  // namespace millrace
