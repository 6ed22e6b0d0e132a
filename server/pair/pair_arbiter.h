// The arbiter that the settings name. Thread: any.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "ha/arbiter/arbiter.h"
#include "ha/net/members.h"
#include "server/settings/settings.h"

namespace pollux {

/// Needs no server yet. kInvalidArgument says what is wrong with the setting, and what would be
/// right; kNotFound, kPermissionDenied: the file of the password.
absl::StatusOr<std::unique_ptr<Arbiter>> make_arbiter(const Settings& settings,
                                                      const std::vector<HostPort>& members);

/// What makes the table that `pair.arbiter` needs in its database; empty: it needs none.
std::string_view arbiter_table_sql(const Settings& settings);

/// What `pair.arbiter` names gets its table, unless it is there. kInvalidArgument: it needs none,
/// or the setting is wrong; else the database's.
absl::Status create_arbiter_table(const Settings& settings);

}  // namespace pollux
