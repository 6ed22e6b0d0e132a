// pollux send: a file of events to a server. The options; SendJob does the work.

#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "server/tool/commands.h"
#include "server/tool/send/send_job.h"

namespace pollux::tool {

namespace {

constexpr const char* kDetails =
    "Input is CSV or JSON lines, as `pollux run` takes it. An event's time is that of "
    "--timestamp;\n"
    "  else the \"timestamp\" beside the values of a JSON row; else the first attribute named\n"
    "  _timestamp, timestamp or ts that is a long; else the time when its row is read.\n"
    "\n"
    "Batches are numbered. What is refused because queues are full, or lost with a connection, is\n"
    "  sent again under the same numbers, so that each event counts once. With --producer NAME\n"
    "  that holds for a second run over the same input with the same --batch too: what the server\n"
    "  has already is acknowledged as a duplicate. Give each input a name of its own. Batches are\n"
    "  then always full; else, from a pipe, what is there goes out when no more is.\n"
    "\n"
    "--acks prints {\"batch\", \"events\", \"epoch\", \"position\", \"duplicate\"} as each batch "
    "is\n"
    "  acknowledged: its number, and the entry that carries it (of a duplicate: or a later one).\n"
    "\n"
    "Ends with 0 when all that was read is acknowledged, 1 for wrong options or an unknown "
    "stream,\n"
    "3 for errors in the input with --on-error stop, 4 when the file cannot be read, 5 when the\n"
    "server cannot be reached, 6 when it refuses.\n"
    "\n"
    "Examples:\n"
    "  pollux send Logins logins.csv\n"
    "  pollux send Logins day1.jsonl --producer day1 --rate 5000\n"
    "  tail -F logins.jsonl | pollux send Logins - --on-error skip\n";

void add_sending_options(CLI::App& command, SendOptions& to) {
  command.add_option("--batch", to.batch_rows, "Events sent at once")
      ->check(CLI::Range(1u, 65536u))
      ->type_name("N")
      ->capture_default_str();
  command.add_option("--window", to.window, "Batches on the way at a time (gRPC; one with --http)")
      ->check(CLI::Range(1u, 1024u))
      ->type_name("N")
      ->capture_default_str();
  command.add_option("--rate", to.rate, "Events a second (default: as fast as it goes)")
      ->check(CLI::PositiveNumber.description(""))
      ->type_name("N");
  command.add_option("--producer", to.producer, "Name of the sender (default: a random one)")
      ->type_name("NAME");
  command.add_option("--retry-for", to.retry_for, "Give up after so many seconds without an ack")
      ->check(CLI::NonNegativeNumber.description(""))
      ->type_name("S")
      ->capture_default_str();
  command.add_flag("--http", to.http, "JSON over HTTP instead of columns over gRPC");
}

}  // namespace

void add_send_command(CLI::App& app, ConnectionOptions& connection, ExitCode& exit_code) {
  CLI::App* command = app.add_subcommand("send", "Send the events of a file to a server");
  auto options = std::make_shared<SendOptions>();
  SendOptions& to = *options;
  command->add_option("STREAM", to.stream, "The stream")->required();
  command->add_option("FILE", to.path, "CSV or JSON lines; - is standard input")->required();
  command->add_option("--timestamp", to.timestamp, "The attribute that carries the event's time")
      ->type_name("ATTRIBUTE");
  command->add_option("--set", to.constants, "A value for an attribute that the file lacks")
      ->allow_extra_args(false)
      ->type_name("ATTRIBUTE=VALUE");
  add_input_options(*command, to.input);
  add_sending_options(*command, to);
  add_server_option(*command, connection);
  add_grpc_option(*command, connection);
  command->add_flag("--acks", to.acks, "A line of JSON for each batch that is acknowledged");
  command->add_flag("--json", to.json, "The summary as one JSON object");
  command->footer(kDetails);
  command->callback(
      [options, &connection, &exit_code] { exit_code = SendJob(*options, connection).run(); });
}

}  // namespace pollux::tool
