#include "server/formats/utf8.h"

#include <simdjson.h>

namespace pollux {

bool is_utf8(std::string_view text) { return simdjson::validate_utf8(text.data(), text.size()); }

}  // namespace pollux
