// Reads the lines that entry_json.h writes; nothing in a line is guessed or passed over.
// Thread: one at a time.
#pragma once

#include <simdjson.h>

#include <map>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "engine/runtime/entry.h"

namespace pollux::tool {

class EntryJsonReader {
 public:
  /// kInvalidArgument, with what is wrong where: the line is no entry.
  absl::StatusOr<Entry> read(std::string_view line);

 private:
  simdjson::dom::parser parser_;
  std::map<std::string, SchemaPtr, std::less<>>
      schemas_;  ///< the last of each stream, to be shared
};

}  // namespace pollux::tool
