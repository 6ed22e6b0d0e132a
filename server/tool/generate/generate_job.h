// `pollux generate` without its command line: makes a run's traffic and writes it and its ledger.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/tool/generate/auth_event.h"
#include "server/tool/generate/ledger.h"
#include "server/tool/generate/options.h"

namespace pollux::traffic {

struct GenerateJob {
  TrafficOptions traffic;
  std::string out = "-";  ///< a file, or "-" for standard output
  std::string ledger;     ///< a file, "-", or empty for none
  RowFormat format = RowFormat::kCsv;
};

/// Milliseconds since 1970 from digits alone or from an instant like 2026-01-05T00:00:00Z (seconds
/// and the Z may be left out; always UTC). InvalidArgument otherwise.
absl::StatusOr<int64_t> parse_start(const std::string& text);

/// Writes all of it. InvalidArgument for options out of their limits, Unavailable when a file
/// cannot be written, Cancelled when the reader of standard output went away.
absl::StatusOr<TrafficSummary> generate(const GenerateJob& job);

}  // namespace pollux::traffic
