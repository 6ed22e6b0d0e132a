// polluxd from its settings to its end.
//
// Thread: the main thread, before any other is started: signals are blocked here, for all threads.
#pragma once

#include "server/durability/start_orders.h"
#include "server/log/logger.h"
#include "server/settings/load.h"

namespace pollux {

/// What polluxd ends with. Frozen: scripts test these numbers.
enum class ExitCode : int {
  kOk = 0,
  kBadSettings = 1,  ///< wrong options or settings; all errors are on stderr
  kFailed = 2,       ///< the node could not start or go on; the log says why
  kStartAgain = 3,   ///< of run_daemon() only: the program is to be executed anew
};

/// Runs the node until SIGTERM or SIGINT, which stop it cleanly. SIGHUP reads `source` again and
/// takes reloadable settings over; with errors in it everything stays as it was.
ExitCode run_daemon(Settings settings, const SettingsSource& source, Logger& log,
                    StartOrders orders);

}  // namespace pollux
