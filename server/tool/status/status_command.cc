// pollux status: what a node does, at a glance.

#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "server/tool/client/client_session.h"
#include "server/tool/client/json_fields.h"
#include "server/tool/commands.h"
#include "server/tool/text_format.h"
#include "server/tool/text_table.h"

namespace pollux::tool {

namespace {

using simdjson::dom::element;

struct Overview {
  element node;
  std::vector<element> plans;
  std::vector<element> sinks;
};

std::string node_text(const std::string& url, const element& node) {
  element counts;
  if (node["counts"].get(counts) != simdjson::SUCCESS) counts = node;
  const bool durable = flag_at(node, "durable");
  return url + ": " + printable(text_at(node, "node")) + ", version " +
         printable(text_at(node, "version")) + ", " + printable(text_at(node, "role")) + ", " +
         printable(text_at(node, "state")) + ", up " + duration_text(number_at(node, "uptime_ms")) +
         (durable ? "" : ", not durable") + "\nepoch " + std::to_string(number_at(node, "epoch")) +
         ", position " + with_thousands(number_at(node, "position")) + ": " +
         counted(number_at(counts, "events"), "event") + " in, " +
         counted(number_at(counts, "duplicates"), "duplicate") + ", " +
         with_thousands(number_at(counts, "refused")) + " refused, " +
         with_thousands(number_at(counts, "waiting")) + " waiting; " +
         counted(number_at(node, "producers"), "producer") + "; gRPC on port " +
         std::to_string(number_at(node, "grpc_port")) + "\n";
}

/// Of a node that stands alone: nothing.
std::string pair_text(const element& node) {
  element pair;
  element peer;
  element failover;
  if (node["pair"].get(pair) != simdjson::SUCCESS || pair.is_null() ||
      pair["peer"].get(peer) != simdjson::SUCCESS ||
      pair["last_failover"].get(failover) != simdjson::SUCCESS) {
    return {};
  }
  element follower;
  const bool followed = pair["follower"].get(follower) == simdjson::SUCCESS && !follower.is_null();
  std::string text = "pair: " + printable(text_at(pair, "role")) + " since " +
                     printable(text_at(pair, "since")) +
                     (flag_at(pair, "in_sync") ? ", in sync" : ", not in sync") + "; committed " +
                     with_thousands(number_at(pair, "committed")) + ", applied " +
                     with_thousands(number_at(pair, "applied"));
  if (followed) {
    text += ", the other node holds " + with_thousands(number_at(follower, "matched")) + " (" +
            duration_text(number_at(follower, "lag_ms")) + " behind)";
  }
  const bool connected = flag_at(peer, "connected");
  text += "\nother node: " + (connected ? printable(text_at(peer, "node")) + " at " +
                                              printable(text_at(peer, "membership"))
                                        : "not there; " + printable(text_at(peer, "problem")));
  if (number_at(failover, "count") != 0) {
    text += "\nleads by its last failover at " + printable(text_at(failover, "at")) + ": " +
            printable(text_at(failover, "why"));
  }
  return text + "\n";
}

TextTable plan_table(const std::vector<element>& plans) {
  TextTable table({{"PLAN"},
                   {"STATE"},
                   {"EVENTS", true},
                   {"RESULTS", true},
                   {"QUEUED", true},
                   {"QUEUED BYTES", true},
                   {"STATE BYTES", true},
                   {"REASON"}});
  for (const element& plan : plans) {
    element counts;
    if (plan["counts"].get(counts) != simdjson::SUCCESS) counts = plan;
    table.add(
        {printable(text_at(plan, "name")), printable(text_at(plan, "state")),
         with_thousands(number_at(counts, "events")), with_thousands(number_at(counts, "results")),
         with_thousands(number_at(counts, "queued_entries")),
         with_thousands(number_at(counts, "queued_bytes")),
         with_thousands(number_at(counts, "state_bytes")), printable(text_at(plan, "reason"))});
  }
  return table;
}

TextTable sink_table(const std::vector<element>& sinks) {
  TextTable table({{"SINK"},
                   {"TYPE"},
                   {"STREAM"},
                   {"STATE"},
                   {"PUBLISHED", true},
                   {"FAILED", true},
                   {"DROPPED", true},
                   {"BEHIND", true},
                   {"LAST ERROR"}});
  for (const element& sink : sinks) {
    table.add(
        {printable(text_at(sink, "name")), printable(text_at(sink, "type")),
         printable(text_at(sink, "stream")), printable(text_at(sink, "state")),
         with_thousands(number_at(sink, "published")), with_thousands(number_at(sink, "failed")),
         with_thousands(number_at(sink, "dropped")), with_thousands(number_at(sink, "lag_rows")),
         printable(text_at(sink, "last_error"))});
  }
  return table;
}

void write_text(const std::string& url, const Overview& overview, OutputBuffer& out) {
  out.append(node_text(url, overview.node));
  out.append(pair_text(overview.node));
  const TextTable plans = plan_table(overview.plans);
  out.append(plans.empty() ? "\nno plans\n" : "\n" + plans.text());
  const TextTable sinks = sink_table(overview.sinks);
  if (!sinks.empty()) out.append("\n" + sinks.text());
}

std::string json_list(const std::vector<element>& list) {
  std::string text = "[";
  for (const element& item : list) {
    if (text.size() > 1) text += ',';
    text += std::string(simdjson::minify(item));
  }
  return text + "]";
}

void write_json(const Overview& overview, OutputBuffer& out) {
  out.append("{\"node\":" + std::string(simdjson::minify(overview.node)) + ",\"plans\":" +
             json_list(overview.plans) + ",\"sinks\":" + json_list(overview.sinks) + "}\n");
}

/// A server that has no publishers has no such address, and so no sinks.
std::optional<ApiAnswer> ask_sinks(ClientSession& session) {
  absl::StatusOr<ApiAnswer> answer = session.client().call({.path = "/v1/sinks"});
  if (answer.ok() && answer->status == 404) return ApiAnswer{200, "{\"sinks\":[]}"};
  return session.ask({.path = "/v1/sinks"});
}

ExitCode show_status(const ConnectionOptions& connection, bool json) {
  ClientSession session(connection, json);
  std::optional<ApiAnswer> node = session.ask({.path = "/v1/node"});
  std::optional<ApiAnswer> plans;
  std::optional<ApiAnswer> sinks;
  if (node) plans = session.ask({.path = "/v1/plans"});
  if (plans) sinks = ask_sinks(session);
  if (!sinks) return session.finish();

  simdjson::dom::parser parsers[3];
  Overview overview;
  element plan_answer;
  element sink_answer;
  if (parsers[0].parse(node->body).get(overview.node) != simdjson::SUCCESS ||
      parsers[1].parse(plans->body).get(plan_answer) != simdjson::SUCCESS ||
      parsers[2].parse(sinks->body).get(sink_answer) != simdjson::SUCCESS) {
    session.fail(ExitCode::kRefused, session.client().url() + ": the answer is not JSON");
    return session.finish();
  }
  overview.plans = list_at(plan_answer, "plans");
  overview.sinks = list_at(sink_answer, "sinks");
  if (json) {
    write_json(overview, session.out());
  } else {
    write_text(session.client().url(), overview, session.out());
  }
  return session.finish();
}

}  // namespace

void add_status_command(CLI::App& app, ConnectionOptions& connection, ExitCode& exit_code) {
  CLI::App* command = app.add_subcommand("status", "Show a server's node, plans, sinks and queues");
  auto json = std::make_shared<bool>(false);
  add_server_option(*command, connection);
  command->add_flag("--json", *json, "One JSON object on stdout: node, plans, sinks");
  command->footer(
      "Ends with 0 when the server answers, 5 when it cannot be reached.\n"
      "\n"
      "Examples:\n"
      "  pollux status\n"
      "  pollux status --server http://castor:9763 --json\n");
  command->callback(
      [json, &connection, &exit_code] { exit_code = show_status(connection, *json); });
}

}  // namespace pollux::tool
