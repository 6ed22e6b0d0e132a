// What the API says of a node as one of a pair. Thread: any.
#pragma once

#include "server/api/api.h"
#include "server/api/api_json.h"

namespace pollux {

Json json_of(EntryId id);
/// Null where the node stands alone.
Json pair_answer(const ApiParts& parts);

}  // namespace pollux
