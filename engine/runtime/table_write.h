// On-demand queries that change a table: insert, delete, update, update or insert.
#pragma once

#include <string_view>

#include "engine/language/diagnostics.h"
#include "engine/runtime/plan.h"
#include "engine/types/ids.h"

namespace pollux {

/// Changes the tables of the plan as the text says, at the time `now_ms`. Returns everything that
/// is wrong with the text; then nothing has changed.
Diagnostics write_to_tables(Plan& plan, std::string_view text, EntryId entry, int64_t now_ms);

}  // namespace pollux
