#include "server/daemon/daemon.h"

#include <unistd.h>

#include <chrono>
#include <string>

#include "server/daemon/composition.h"
#include "server/daemon/signals.h"

namespace pollux {

namespace {

/// How late the log may tell what it suppressed.
constexpr std::chrono::seconds kHousekeepingInterval{10};

void apply_log_settings(const Settings::LogSettings& wanted, Logger& log) {
  log.set_level(wanted.level);
  log.set_format(wanted.format);
  if (absl::Status status = log.reopen(wanted.file); !status.ok()) {
    log.error("the log stays where it was", {{"error", status.message()}});
  }
}

void reload(Settings& settings, const SettingsSource& source, Logger& log) {
  const LoadedSettings fresh = load_settings(source);
  if (!fresh.errors.empty()) {
    for (const SettingError& error : fresh.errors) {
      log.error("settings are wrong", {{"error", to_text(error)}});
    }
    log.error("nothing was reloaded", {{"errors", fresh.errors.size()}});
    return;
  }
  const SettingChanges changes = reload_differences(settings, fresh.settings);
  adopt_reloadable(settings, fresh.settings);
  apply_log_settings(settings.log, log);
  for (const SettingChange& change : changes.reloadable) {
    log.info("setting changed",
             {{"key", change.key}, {"before", change.before}, {"after", change.after}});
  }
  for (const SettingChange& change : changes.restart) {
    log.warning("setting changes with the next start only",
                {{"key", change.key}, {"before", change.before}, {"after", change.after}});
  }
  log.info("settings reloaded",
           {{"changed", changes.reloadable.size()}, {"need_restart", changes.restart.size()}});
}

}  // namespace

ExitCode run_daemon(Settings settings, const SettingsSource& source, Logger& log,
                    StartOrders orders) {
  Signals signals;
  auto parts = Composition::start(settings, POLLUX_VERSION, log, orders, Signals::wake);
  if (!parts.ok()) {
    log.error("polluxd cannot start", {{"error", parts.status().message()}});
    return ExitCode::kFailed;
  }
  log.info("polluxd started", {{"pid", ::getpid()}, {"settings", source.file}});
  for (;;) {
    switch (signals.wait(kHousekeepingInterval)) {
      case Signal::kStop:
        log.info("polluxd stops; a second signal ends it at once",
                 {{"drain_timeout_ms", settings.shutdown.drain_timeout.count()}});
        signals.let_stop_kill();
        (*parts)->stop(settings.shutdown.drain_timeout);
        log.info("polluxd stopped", {{"pid", ::getpid()}});
        return ExitCode::kOk;
      case Signal::kReload:
        reload(settings, source, log);
        break;
      case Signal::kWake:
        if (!(*parts)->must_end()) break;
        (*parts)->stop(settings.shutdown.drain_timeout);
        if ((*parts)->starts_again()) return ExitCode::kStartAgain;
        log.error("polluxd ends", {{"pid", ::getpid()}});
        return ExitCode::kFailed;
      case Signal::kNone:
        log.tell_suppressed();
        break;
    }
  }
}

}  // namespace pollux
