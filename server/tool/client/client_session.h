// A subcommand's dealings with a server: asks, tells what goes wrong, and knows how to end.
//
// Standard output gets answers, standard error everything else. With JSON asked for, an error of
// the server's goes to both: as it came, and for people. Thread: the main thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "server/formats/output_buffer.h"
#include "server/tool/client/api_client.h"
#include "server/tool/client/connection.h"
#include "server/tool/commands.h"
#include "server/tool/console.h"

namespace pollux::tool {

class ClientSession {
 public:
  ClientSession(const ConnectionOptions& connection, bool json);

  /// The answer when it is 2xx; else nothing, and the reason is told. `file` is what diagnostics
  /// name as the place.
  std::optional<ApiAnswer> ask(const ApiRequest& request, const std::string& file = {});

  /// Tells, and remembers how to end; the first of several counts.
  void fail(ExitCode code, std::string_view message);
  /// The same, with the exit code that goes with a status.
  void fail(const absl::Status& status);

  ApiClient& client() { return client_; }
  OutputBuffer& out() { return out_; }
  Console& console() { return console_; }
  bool json() const { return json_; }

  /// Writes out what is left. A reader of standard output that went away is no failure.
  ExitCode finish();

 private:
  const bool json_;
  ApiClient client_;
  Console console_;
  OutputBuffer out_;
  ExitCode exit_code_ = ExitCode::kOk;
};

ExitCode exit_code_of(const absl::Status& status);

}  // namespace pollux::tool
