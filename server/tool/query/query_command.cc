// pollux query: one question to the tables of a server.

#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "server/formats/json_text.h"
#include "server/tool/client/client_session.h"
#include "server/tool/client/json_fields.h"
#include "server/tool/commands.h"
#include "server/tool/text_format.h"
#include "server/tool/text_table.h"

namespace pollux::tool {

namespace {

using simdjson::dom::element;

struct QueryOptions {
  std::string text{};
  std::string plan{};
  bool json = false;
  bool csv = false;
};

std::vector<element> cells_of(const element& row) {
  simdjson::dom::array cells;
  if (row.get(cells) != simdjson::SUCCESS) return {};
  return {cells.begin(), cells.end()};
}

// ---- CSV ----

std::string quoted_field(std::string_view text) {
  std::string field = "\"";
  for (char c : text) field += c == '"' ? "\"\"" : std::string(1, c);
  return field + "\"";
}

/// As our own reader takes it: null is a field with nothing in it, "" the empty string.
std::string csv_field(const element& value) {
  if (value.is_null()) return {};
  std::string_view text;
  if (value.get(text) != simdjson::SUCCESS) return simdjson::minify(value);
  const bool plain = !text.empty() && text.find_first_of(",\"\r\n") == std::string_view::npos;
  return plain ? std::string(text) : quoted_field(text);
}

void write_csv_row(const std::vector<std::string>& fields, OutputBuffer& out) {
  for (size_t i = 0; i < fields.size(); ++i) {
    if (i != 0) out.append(',');
    out.append(fields[i]);
  }
  out.append('\n');
}

void write_csv(const element& answer, OutputBuffer& out) {
  std::vector<std::string> fields;
  for (const element& column : list_at(answer, "columns")) {
    fields.push_back(csv_field(column["name"]));
  }
  write_csv_row(fields, out);
  for (const element& row : list_at(answer, "rows")) {
    fields.clear();
    for (const element& cell : cells_of(row)) fields.push_back(csv_field(cell));
    write_csv_row(fields, out);
  }
}

// ---- for people ----

void write_table(const element& answer, OutputBuffer& out, Console& console) {
  std::vector<TextTable::Column> columns;
  for (const element& column : list_at(answer, "columns")) {
    const std::optional<AttributeType> type = attribute_type_from(text_at(column, "type"));
    columns.push_back({printable(text_at(column, "name")), type && is_numeric(*type)});
  }
  const size_t width = columns.size();
  TextTable table(std::move(columns));
  uint64_t rows = 0;
  for (const element& row : list_at(answer, "rows")) {
    std::vector<std::string> cells;
    for (const element& cell : cells_of(row)) cells.push_back(cell_text(cell));
    cells.resize(width);
    table.add(std::move(cells));
    ++rows;
  }
  out.append(table.text());
  out.flush();
  console.message(counted(rows, "row"));
}

ExitCode ask_query(const ConnectionOptions& connection, const QueryOptions& options) {
  ClientSession session(connection, options.json);
  ApiRequest request{.method = "POST", .path = "/v1/query"};
  request.body = "{\"query\":" + json_string(options.text);
  if (!options.plan.empty()) request.body += ",\"plan\":" + json_string(options.plan);
  request.body += "}";
  std::optional<ApiAnswer> answer = session.ask(request, "query");
  if (!answer) return session.finish();
  simdjson::dom::parser parser;
  element document;
  if (parser.parse(answer->body).get(document) != simdjson::SUCCESS) {
    session.fail(ExitCode::kRefused, session.client().url() + ": the answer is not JSON");
  } else if (options.json) {
    session.out().append(answer->body + "\n");
  } else if (options.csv) {
    write_csv(document, session.out());
  } else {
    write_table(document, session.out(), session.console());
  }
  return session.finish();
}

}  // namespace

void add_query_command(CLI::App& app, ConnectionOptions& connection, ExitCode& exit_code) {
  CLI::App* command = app.add_subcommand("query", "Ask the tables and stores of a server");
  auto options = std::make_shared<QueryOptions>();
  command->add_option("QUERY", options->text, "\"from TABLE select ...\"")->required();
  command
      ->add_option("--plan", options->plan, "Whose table is meant, where several have such a one")
      ->type_name("NAME");
  add_server_option(*command, connection);
  CLI::Option* csv = command->add_flag("--csv", options->csv, "CSV with a header on stdout");
  command->add_flag("--json", options->json, "The server's answer: columns, rows, elapsed_ms")
      ->excludes(csv);
  command->footer(
      "Ends with 0, 1 for an unknown table, 2 for errors in the query, 5 when the server cannot "
      "be\n"
      "reached, 6 when it refuses: the answer would be too large.\n"
      "\n"
      "Examples:\n"
      "  pollux query \"from Offenders on failures > 10 select user, failures\"\n"
      "  pollux query \"from Offenders select user\" --plan Guess --csv\n");
  command->callback(
      [options, &connection, &exit_code] { exit_code = ask_query(connection, *options); });
}

}  // namespace pollux::tool
