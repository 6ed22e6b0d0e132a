// Errors of HTTP as answers: {"error": {"code": "...", "message": "..."}}.
//
// Thread: any.
#pragma once

#include <string_view>

#include "server/http/http_message.h"

namespace pollux {

/// "Not Found"; "Unknown" for a status that has no entry in the table.
std::string_view http_reason(int status);
/// The word that programs may switch on: "not_found".
std::string_view http_error_code(int status);

/// `message` is for people. It may hold any bytes: when it is not UTF-8, those beyond ASCII become
/// '?', so that the answer is always JSON.
HttpResponse http_error(int status, std::string_view message);
HttpResponse http_error(int status, std::string_view code, std::string_view message);

}  // namespace pollux
