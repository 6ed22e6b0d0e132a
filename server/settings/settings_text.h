// What the table of settings says, for people. Thread: any.
#pragma once

#include <string>

namespace pollux {

/// conf/pollux.yaml: every setting with its default, its meaning and its range.
std::string defaults_file();
/// The settings in `polluxd --help`.
std::string settings_help();
/// docs/settings.md.
std::string reference_page();

}  // namespace pollux
