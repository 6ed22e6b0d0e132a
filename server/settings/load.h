// Settings from a file and the environment, with everything that is wrong at once; and what changes
// when they are read again.
//
// Thread: any. Reads the settings file and secrets' files, nothing else.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "server/settings/setting_table.h"
#include "server/settings/settings.h"

namespace pollux {

struct SettingsSource {
  std::string file;                      ///< empty: defaults and the environment only
  std::vector<std::string> environment;  ///< "NAME=value"; POLLUX__* count
};

/// The variables that this process was started with.
std::vector<std::string> process_environment();

struct SettingError {
  SettingPlace place;
  std::string key;  ///< empty: the file as a whole
  std::string message;
};
/// "conf/pollux.yaml:12: http.port: '9763x' is no whole number"
std::string to_text(const SettingError& error);

struct LoadedSettings {
  /// With errors: what could be understood, and defaults; not to be run with.
  Settings settings;
  std::vector<SettingPlace> places;  ///< one for each row of the table: where its value comes from
  std::vector<SettingError> errors;  ///< in the order of the file, then the environment
};

/// The environment wins over the file, the file over the defaults.
LoadedSettings load_settings(const SettingsSource& source, SettingTable table = setting_table());

struct SettingChange {
  std::string key;
  std::string before;  ///< as one would write it; *** for secrets
  std::string after;
};

struct SettingChanges {
  std::vector<SettingChange> reloadable;
  std::vector<SettingChange> restart;  ///< take effect with the next start only
};

SettingChanges reload_differences(const Settings& before, const Settings& after,
                                  SettingTable table = setting_table());
/// Takes the reloadable values over.
void adopt_reloadable(Settings& settings, const Settings& fresh);

}  // namespace pollux
