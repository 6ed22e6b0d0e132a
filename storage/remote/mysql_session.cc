#include "storage/remote/mysql_session.h"

#include <fcntl.h>
#include <mysql.h>
#include <mysqld_error.h>
#include <sys/socket.h>

#include <mutex>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "storage/remote/socket_wait.h"
#include "storage/remote/socket_watch.h"

namespace pollux {
namespace {

// Of a connection that was ended under the library: it tries other addresses and says good-bye.
constexpr int kLastStepsMax = 1000;

absl::StatusCode code_of(unsigned number) {
  switch (number) {
    case ER_DUP_ENTRY:
      return absl::StatusCode::kAlreadyExists;
    case ER_LOCK_WAIT_TIMEOUT:
      return absl::StatusCode::kDeadlineExceeded;
    case ER_DBACCESS_DENIED_ERROR:
    case ER_ACCESS_DENIED_ERROR:
    case ER_TABLEACCESS_DENIED_ERROR:
    case ER_SPECIFIC_ACCESS_DENIED_ERROR:
    case ER_ACCESS_DENIED_NO_PASSWORD_ERROR:
      return absl::StatusCode::kPermissionDenied;
    case ER_OPTION_PREVENTS_STATEMENT:
    case ER_BAD_DB_ERROR:
    case ER_NO_SUCH_TABLE:
    case ER_BAD_FIELD_ERROR:
      return absl::StatusCode::kFailedPrecondition;
    default:
      return absl::StatusCode::kUnavailable;
  }
}

/// The library says what it waits for in bits, and is told in bits what came.
SocketEvents events_of(int wanted) {
  SocketEvents events;
  events.readable = (wanted & MYSQL_WAIT_READ) != 0;
  events.writable = (wanted & MYSQL_WAIT_WRITE) != 0;
  events.urgent = (wanted & MYSQL_WAIT_EXCEPT) != 0;
  return events;
}

int bits_of(const SocketEvents& events) {
  return (events.readable ? MYSQL_WAIT_READ : 0) | (events.writable ? MYSQL_WAIT_WRITE : 0) |
         (events.urgent ? MYSQL_WAIT_EXCEPT : 0);
}

/// For what comes behind the handshake of TLS, for which the library makes the socket block.
absl::Status make_unblocking(int socket) {
  int flags = ::fcntl(socket, F_GETFL);
  if (flags >= 0 && ::fcntl(socket, F_SETFL, flags | O_NONBLOCK) == 0) return absl::OkStatus();
  return absl::InternalError("cannot set the socket of a connection to not block");
}

void init_library_once() {
  static std::once_flag once;
  std::call_once(once, [] { ::mysql_server_init(0, nullptr, nullptr); });
}

}  // namespace

std::string mysql_literal(const std::string& ascii) {
  return absl::StrCat("_ascii X'", absl::BytesToHexString(ascii), "'");
}

void MysqlSession::Close::operator()(st_mysql* connection) const { ::mysql_close(connection); }

absl::Status MysqlSession::error() const {
  unsigned number = ::mysql_errno(connection_.get());
  return absl::Status(code_of(number),
                      absl::StrCat(::mysql_error(connection_.get()), " (", number, ")"));
}

template <class GoOn>
absl::Status MysqlSession::drive(int wanted, const Deadline& deadline, GoOn&& go_on) {
  absl::Status late;
  for (int last_steps = 0; wanted != 0 && last_steps < kLastStepsMax;) {
    int socket = ::mysql_get_socket(connection_.get());
    auto came = late.ok() ? wait_for_socket(socket, events_of(wanted), deadline) : late;
    if (!came.ok() && late.ok()) {
      late = came.status();
      ::shutdown(socket, SHUT_RDWR);
    }
    if (!late.ok()) ++last_steps;
    wanted =
        go_on(late.ok() ? bits_of(*came) : MYSQL_WAIT_TIMEOUT | (wanted & ~MYSQL_WAIT_TIMEOUT));
  }
  return late;
}

void MysqlSession::set_tls(const TlsOptions& tls) {
  if (tls.mode == TlsMode::kOff) return;
  MYSQL* mysql = connection_.get();
  my_bool yes = 1;
  my_bool verify = tls.mode == TlsMode::kVerify ? 1 : 0;
  ::mysql_optionsv(mysql, MYSQL_OPT_SSL_ENFORCE, &yes);
  ::mysql_optionsv(mysql, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &verify);
  if (!tls.ca_file.empty()) ::mysql_optionsv(mysql, MYSQL_OPT_SSL_CA, tls.ca_file.c_str());
  if (!tls.certificate_file.empty()) {
    ::mysql_optionsv(mysql, MYSQL_OPT_SSL_CERT, tls.certificate_file.c_str());
    ::mysql_optionsv(mysql, MYSQL_OPT_SSL_KEY, tls.key_file.c_str());
  }
}

absl::StatusOr<std::unique_ptr<MysqlSession>> MysqlSession::connect(const DatabaseAddress& options,
                                                                    const std::string& address,
                                                                    const Deadline& deadline) {
  init_library_once();
  MYSQL* mysql = ::mysql_init(nullptr);
  if (mysql == nullptr) return absl::ResourceExhaustedError("no memory to connect");
  std::unique_ptr<MysqlSession> session(new MysqlSession(mysql));
  ::mysql_optionsv(mysql, MYSQL_OPT_NONBLOCK, nullptr);
  unsigned off = 0;
  ::mysql_optionsv(mysql, MYSQL_OPT_LOCAL_INFILE, &off);  // no server may ask for our files
  // Later than the deadline, which others see to.
  unsigned seconds = static_cast<unsigned>(deadline.remaining_ms() / 1000 + 2);
  ::mysql_optionsv(mysql, MYSQL_OPT_CONNECT_TIMEOUT, &seconds);
  bool is_unix = address.empty();
  unsigned protocol = is_unix ? MYSQL_PROTOCOL_SOCKET : MYSQL_PROTOCOL_TCP;
  ::mysql_optionsv(mysql, MYSQL_OPT_PROTOCOL, &protocol);
  session->set_tls(options.tls);

  MYSQL* connected = nullptr;
  // A host that is to be verified must go by its name, which was looked up a moment ago.
  const std::string& host = options.tls.mode == TlsMode::kVerify ? options.host : address;
  int wanted = ::mysql_real_connect_start(
      &connected, mysql, is_unix ? nullptr : host.c_str(), options.user.c_str(),
      options.password.c_str(), options.database.c_str(), options.port,
      is_unix ? options.host.c_str() : nullptr, /*clientflag=*/0);
  std::optional<SocketWatch> watch;
  if (wanted != 0 && options.tls.mode != TlsMode::kOff) {
    watch.emplace(::mysql_get_socket(mysql), deadline);
  }
  absl::Status driven = session->drive(wanted, deadline, [&](int came) {
    return ::mysql_real_connect_cont(&connected, mysql, came);
  });
  watch.reset();
  if (!driven.ok()) return driven;
  if (deadline.has_passed()) return absl::DeadlineExceededError("no answer in time");
  if (connected == nullptr) return session->error();
  absl::Status unblocked = make_unblocking(::mysql_get_socket(mysql));
  if (!unblocked.ok()) return unblocked;
  return session;
}

bool MysqlSession::is_open() {
  // Nothing was asked, so what can be read is the end.
  return !is_readable_now(::mysql_get_socket(connection_.get()));
}

absl::StatusOr<MysqlAnswer> MysqlSession::query(const std::string& sql, const Deadline& deadline) {
  MYSQL* mysql = connection_.get();
  int failed = 0;
  int wanted = ::mysql_real_query_start(&failed, mysql, sql.data(), sql.size());
  absl::Status driven = drive(
      wanted, deadline, [&](int came) { return ::mysql_real_query_cont(&failed, mysql, came); });
  if (!driven.ok()) return driven;
  if (failed != 0) return error();
  MysqlAnswer answer;
  if (::mysql_field_count(mysql) == 0) {
    answer.changed = ::mysql_affected_rows(mysql);
    return answer;
  }
  MYSQL_RES* stored = nullptr;
  wanted = ::mysql_store_result_start(&stored, mysql);
  driven = drive(wanted, deadline,
                 [&](int came) { return ::mysql_store_result_cont(&stored, mysql, came); });
  std::unique_ptr<MYSQL_RES, void (*)(MYSQL_RES*)> result(stored, ::mysql_free_result);
  if (!driven.ok()) return driven;
  if (!result) return error();
  unsigned columns = ::mysql_num_fields(result.get());
  while (MYSQL_ROW values = ::mysql_fetch_row(result.get())) {
    const unsigned long* lengths = ::mysql_fetch_lengths(result.get());
    auto& row = answer.rows.emplace_back(columns);
    for (unsigned i = 0; i < columns; ++i) {
      if (values[i] != nullptr) row[i] = std::string(values[i], lengths[i]);
    }
  }
  return answer;
}

}  // namespace pollux
