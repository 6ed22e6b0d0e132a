// An entry as one line of JSON that loses nothing: the form of docs/journal-tools.md.
// Thread: any.
#pragma once

#include <string>

#include "engine/runtime/entry.h"

namespace pollux::tool {

/// Without a line end.
void append_entry_json(std::string& out, const Entry& entry);

}  // namespace pollux::tool
