// Answers in JSON, as the handlers build them. For .cc files of this folder.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "engine/batch/event_batch.h"
#include "engine/language/diagnostics.h"
#include "server/http/http_message.h"

namespace pollux {

using Json = nlohmann::ordered_json;  // fields in the order in which they were put in

/// Text of any bytes comes out as JSON: what is not UTF-8 is replaced.
HttpResponse json_answer(int status, const Json& body);
/// {"error": {"code", "message", ...more}}.
HttpResponse json_error(int status, std::string_view code, std::string_view message,
                        Json more = Json::object());

Json json_of(const Diagnostics& diagnostics);
Json json_of(const Schema& schema);
/// NaN and the infinities, which JSON lacks, are strings.
Json json_of(const EventBatch& batch, uint32_t row, size_t column);
/// "2026-11-22T08:30:00.000Z"
std::string rfc3339(int64_t ms);

/// "true", "1" or nothing behind the name.
bool flag_of(const HttpRequest& request, std::string_view name);

}  // namespace pollux
