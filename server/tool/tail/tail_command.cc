// pollux tail: results of a server as they come. The options; TailJob does the work.

#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "server/tool/client/client_session.h"
#include "server/tool/commands.h"
#include "server/tool/tail/tail_job.h"

namespace pollux::tool {

void add_tail_command(CLI::App& app, ConnectionOptions& connection, ExitCode& exit_code) {
  CLI::App* command =
      app.add_subcommand("tail", "Follow the results of a stream; JSON lines on standard output");
  auto options = std::make_shared<TailOptions>();
  command->add_option("STREAM", options->stream, "The stream")->required();
  CLI::Option* from =
      command
          ->add_option_function<std::string>(
              "--from",
              [to = options.get()](const std::string& text) { to->from_oldest = text == "oldest"; },
              "Begin with the oldest result that the server still has, or with what comes from now "
              "on (default: now)")
          ->check(CLI::IsMember({"oldest", "now"}).description(""))
          ->type_name("oldest|now");
  command->add_option("--after", options->after_id, "Begin behind the result of this id")
      ->excludes(from)
      ->type_name("ID");
  command->add_option("--limit", options->limit, "End after so many results")
      ->check(CLI::PositiveNumber.description(""))
      ->type_name("N");
  command->add_option("--seconds", options->seconds, "End after so many seconds")
      ->check(CLI::PositiveNumber.description(""))
      ->type_name("S");
  command
      ->add_option("--retry-for", options->retry_for,
                   "Give up after so many seconds without a connection")
      ->check(CLI::NonNegativeNumber.description(""))
      ->type_name("S")
      ->capture_default_str();
  add_server_option(*command, connection);
  command->add_flag_callback(
      "--json", [] {}, "JSON lines, as always");
  command->footer(
      "A line a result: {\"stream\":...,\"timestamp\":ms,\"id\":...,\"data\":{...}}. A connection "
      "that\n"
      "breaks is made again behind the last result, so that none is missed or repeated. Ends with "
      "0,\n"
      "1 for an unknown stream, 5 when the server cannot be reached, 6 when it no longer has the\n"
      "results that would come next.\n"
      "\n"
      "Examples:\n"
      "  pollux tail Alerts\n"
      "  pollux tail Alerts --from oldest --limit 10\n"
      "  pollux tail Alerts --after -1234/Guess/1.42.0 --seconds 60\n");
  command->callback([options, &connection, &exit_code] {
    ClientSession session(connection, false);
    TailJob(*options, session).run();
    exit_code = session.finish();
  });
}

}  // namespace pollux::tool
