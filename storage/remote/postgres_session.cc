#include "storage/remote/postgres_session.h"

#include <libpq-fe.h>

#include <cstring>
#include <string_view>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "storage/remote/socket_wait.h"

namespace pollux {
namespace {

using Parameters = std::vector<std::pair<const char*, std::string>>;

/// libpq's messages end in a newline and have some inside.
std::string one_line(const char* message) {
  return absl::StrReplaceAll(absl::StripAsciiWhitespace(message), {{"\n", "; "}});
}

void add_tls(const TlsOptions& tls, Parameters& parameters) {
  switch (tls.mode) {
    case TlsMode::kOff:
      parameters.emplace_back("sslmode", "disable");
      return;
    case TlsMode::kVerify:
      parameters.emplace_back("sslmode", "verify-full");
      break;
    case TlsMode::kTrust:
      parameters.emplace_back("sslmode", "require");
      break;
  }
  if (!tls.ca_file.empty()) parameters.emplace_back("sslrootcert", tls.ca_file);
  if (!tls.certificate_file.empty()) {
    parameters.emplace_back("sslcert", tls.certificate_file);
    parameters.emplace_back("sslkey", tls.key_file);
  }
}

Parameters parameters_of(const PostgresSessionOptions& options,
                         const std::vector<std::string>& addresses) {
  Parameters parameters;
  const DatabaseAddress& address = options.address;
  // As many hosts as addresses: libpq tries one after the other, and looks up none.
  std::vector<std::string> hosts(std::max<size_t>(addresses.size(), 1), address.host);
  parameters.emplace_back("host", absl::StrJoin(hosts, ","));
  if (!addresses.empty()) parameters.emplace_back("hostaddr", absl::StrJoin(addresses, ","));
  parameters.emplace_back("port", absl::StrCat(address.port));
  parameters.emplace_back("dbname", address.database);
  parameters.emplace_back("user", address.user);
  if (!address.password.empty()) parameters.emplace_back("password", address.password);
  add_tls(address.tls, parameters);
  parameters.emplace_back("gssencmode", "disable");  // its handshake blocks
  parameters.emplace_back("application_name", options.application);
  parameters.emplace_back("client_encoding", "UTF8");
  parameters.emplace_back("keepalives_idle", "10");
  parameters.emplace_back("keepalives_interval", "5");
  parameters.emplace_back("keepalives_count", "3");
  parameters.emplace_back("tcp_user_timeout", absl::StrCat(options.statement_timeout_ms));
  parameters.emplace_back("options",
                          absl::StrCat("-c statement_timeout=", options.statement_timeout_ms,
                                       " -c lock_timeout=", options.statement_timeout_ms,
                                       " -c default_transaction_isolation=read\\ committed"));
  return parameters;
}

absl::StatusCode code_of_state(std::string_view state) {
  if (state == "57014" || state == "55P03") return absl::StatusCode::kDeadlineExceeded;
  if (state == "42501" || state.starts_with("28")) return absl::StatusCode::kPermissionDenied;
  // A read-only server, tables and columns that are not as they should be.
  if (state.starts_with("25") || state.starts_with("42") || state.starts_with("3D")) {
    return absl::StatusCode::kFailedPrecondition;
  }
  if (state.starts_with("22") || state.starts_with("23") || state.starts_with("54")) {
    return absl::StatusCode::kInvalidArgument;
  }
  if (state.starts_with("53")) return absl::StatusCode::kResourceExhausted;
  return absl::StatusCode::kUnavailable;
}

absl::Status error_of(const PGresult* result) {
  const char* state = ::PQresultErrorField(result, PG_DIAG_SQLSTATE);
  if (state == nullptr) state = "";
  return absl::Status(code_of_state(state), one_line(::PQresultErrorMessage(result)));
}

void append_rows(const PGresult* result, std::vector<PostgresSession::Row>& rows) {
  for (int i = 0; i < ::PQntuples(result); ++i) {
    PostgresSession::Row& row = rows.emplace_back();
    for (int column = 0; column < ::PQnfields(result); ++column) {
      if (::PQgetisnull(result, i, column) != 0) {
        row.emplace_back();
      } else {
        row.emplace_back(std::string(::PQgetvalue(result, i, column),
                                     static_cast<size_t>(::PQgetlength(result, i, column))));
      }
    }
  }
}

/// A commit that gives up on its standby says so in a warning, in the server's language, and then
/// reports success. The place in its source is the same in every language.
void on_notice(void* wait_was_broken_off, const PGresult* notice) {
  const char* function = ::PQresultErrorField(notice, PG_DIAG_SOURCE_FUNCTION);
  if (function != nullptr && std::strcmp(function, "SyncRepWaitForLSN") == 0) {
    *static_cast<bool*>(wait_was_broken_off) = true;
  }
}

}  // namespace

void PostgresSession::Finish::operator()(pg_conn* connection) const { ::PQfinish(connection); }

absl::StatusOr<std::unique_ptr<PostgresSession>> PostgresSession::connect(
    const PostgresSessionOptions& options, const std::vector<std::string>& addresses,
    const Deadline& deadline) {
  Parameters parameters = parameters_of(options, addresses);
  std::vector<const char*> keys;
  std::vector<const char*> values;
  for (const auto& [key, value] : parameters) {
    keys.push_back(key);
    values.push_back(value.c_str());
  }
  keys.push_back(nullptr);
  values.push_back(nullptr);
  pg_conn* connection = ::PQconnectStartParams(keys.data(), values.data(), /*expand_dbname=*/0);
  if (connection == nullptr) return absl::ResourceExhaustedError("no memory to connect");
  std::unique_ptr<PostgresSession> session(new PostgresSession(connection));
  absl::Status connected = session->finish_connecting(deadline);
  if (!connected.ok()) return connected;
  ::PQsetNoticeReceiver(connection, on_notice, &session->wait_was_broken_off_);
  if (::PQsetnonblocking(connection, 1) != 0) return session->broken();
  return session;
}

absl::Status PostgresSession::finish_connecting(const Deadline& deadline) {
  pg_conn* connection = connection_.get();
  if (::PQstatus(connection) == CONNECTION_BAD) return broken();
  ::PQsetNoticeReceiver(connection, on_notice, &wait_was_broken_off_);
  PostgresPollingStatusType step = PGRES_POLLING_WRITING;
  while (step != PGRES_POLLING_OK) {
    SocketEvents wanted;
    wanted.readable = step == PGRES_POLLING_READING;
    wanted.writable = step == PGRES_POLLING_WRITING;
    auto ready = wait_for_socket(::PQsocket(connection), wanted, deadline);
    if (!ready.ok()) return ready.status();
    step = ::PQconnectPoll(connection);
    if (step == PGRES_POLLING_FAILED) return broken();
  }
  return absl::OkStatus();
}

bool PostgresSession::is_open() {
  pg_conn* connection = connection_.get();
  if (is_readable_now(::PQsocket(connection)) && ::PQconsumeInput(connection) == 0) return false;
  return ::PQstatus(connection) == CONNECTION_OK;
}

absl::Status PostgresSession::broken() const {
  // When connecting, the server's reasons come without a code.
  std::string message = one_line(::PQerrorMessage(connection_.get()));
  bool refused = ::PQconnectionNeedsPassword(connection_.get()) != 0 ||
                 message.find("authentication failed") != std::string::npos;
  return absl::Status(
      refused ? absl::StatusCode::kPermissionDenied : absl::StatusCode::kUnavailable, message);
}

absl::Status PostgresSession::flush(const Deadline& deadline) {
  for (;;) {
    int left = ::PQflush(connection_.get());
    if (left < 0) return broken();
    if (left == 0) return absl::OkStatus();
    SocketEvents wanted;
    wanted.readable = true;
    wanted.writable = true;
    auto ready = wait_for_socket(::PQsocket(connection_.get()), wanted, deadline);
    if (!ready.ok()) return ready.status();
    if (ready->readable && ::PQconsumeInput(connection_.get()) == 0) return broken();
  }
}

absl::Status PostgresSession::await_result(const Deadline& deadline) {
  while (::PQisBusy(connection_.get()) != 0) {
    SocketEvents wanted;
    wanted.readable = true;
    auto ready = wait_for_socket(::PQsocket(connection_.get()), wanted, deadline);
    if (!ready.ok()) return ready.status();
    if (::PQconsumeInput(connection_.get()) == 0) return broken();
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<PostgresSession::Row>> PostgresSession::take_results(
    const Deadline& deadline) {
  std::vector<Row> rows;
  absl::Status failed;
  for (;;) {
    absl::Status ready = await_result(deadline);
    if (!ready.ok()) return ready;
    std::unique_ptr<PGresult, void (*)(PGresult*)> result(::PQgetResult(connection_.get()),
                                                          ::PQclear);
    if (!result) break;
    switch (::PQresultStatus(result.get())) {
      case PGRES_TUPLES_OK:
      case PGRES_COMMAND_OK:
        append_rows(result.get(), rows);
        break;
      default:
        failed = error_of(result.get());
    }
  }
  if (!failed.ok()) return failed;
  if (wait_was_broken_off_) {
    return absl::UnavailableError(
        "the server gave up waiting for its standby: what it committed may be lost");
  }
  return rows;
}

absl::StatusOr<std::vector<PostgresSession::Row>> PostgresSession::query(
    const char* sql, const std::vector<std::string>& values, const Deadline& deadline) {
  std::vector<const char*> texts;
  texts.reserve(values.size());
  for (const std::string& value : values) texts.push_back(value.c_str());
  wait_was_broken_off_ = false;
  if (::PQsendQueryParams(connection_.get(), sql, static_cast<int>(texts.size()), nullptr,
                          texts.data(), nullptr, nullptr, 0) == 0) {
    return broken();
  }
  absl::Status sent = flush(deadline);
  if (!sent.ok()) return sent;
  return take_results(deadline);
}

int PostgresSession::server_version() const { return ::PQserverVersion(connection_.get()); }

/// Until the server takes the rows, or says why not.
absl::Status PostgresSession::await_copy(const Deadline& deadline) {
  if (absl::Status ready = await_result(deadline); !ready.ok()) return ready;
  std::unique_ptr<PGresult, void (*)(PGresult*)> begun(::PQgetResult(connection_.get()), ::PQclear);
  if (::PQresultStatus(begun.get()) == PGRES_COPY_IN) return absl::OkStatus();
  return begun ? error_of(begun.get()) : broken();
}

absl::StatusOr<uint64_t> PostgresSession::copy_in(const char* sql, std::string_view bytes,
                                                  const Deadline& deadline) {
  constexpr size_t kPieceBytes = size_t{256} << 10;
  wait_was_broken_off_ = false;
  if (::PQsendQueryParams(connection_.get(), sql, 0, nullptr, nullptr, nullptr, nullptr, 0) == 0) {
    return broken();
  }
  if (absl::Status sent = flush(deadline); !sent.ok()) return sent;
  if (absl::Status begun = await_copy(deadline); !begun.ok()) return begun;
  while (!bytes.empty()) {
    std::string_view piece = bytes.substr(0, kPieceBytes);
    int queued = ::PQputCopyData(connection_.get(), piece.data(), static_cast<int>(piece.size()));
    if (queued < 0) return broken();
    if (queued > 0) bytes.remove_prefix(piece.size());
    if (absl::Status sent = flush(deadline); !sent.ok()) return sent;
  }
  for (int queued = 0; queued == 0;) {
    queued = ::PQputCopyEnd(connection_.get(), nullptr);
    if (queued < 0) return broken();
    if (absl::Status sent = flush(deadline); !sent.ok()) return sent;
  }
  if (absl::Status ready = await_result(deadline); !ready.ok()) return ready;
  std::unique_ptr<PGresult, void (*)(PGresult*)> done(::PQgetResult(connection_.get()), ::PQclear);
  if (!done) return broken();
  if (::PQresultStatus(done.get()) != PGRES_COMMAND_OK) return error_of(done.get());
  uint64_t rows = 0;
  if (!absl::SimpleAtoi(::PQcmdTuples(done.get()), &rows)) {
    return absl::UnavailableError("the server does not say how many rows it took");
  }
  if (auto rest = take_results(deadline); !rest.ok()) return rest.status();
  return rows;
}

}  // namespace pollux
