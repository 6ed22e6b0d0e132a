#include "storage/remote/mysql_session.h"

#include <fcntl.h>
#include <mysql.h>
#include <mysqld_error.h>
#include <sys/socket.h>

#include <mutex>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "storage/remote/socket_wait.h"
#include "storage/remote/socket_watch.h"

namespace pollux {
namespace {

// Of a connection that was ended under the library: it tries other addresses and says good-bye.
constexpr int kLastStepsMax = 1000;

// What MariaDB's headers do not name.
constexpr unsigned kWriteFailed = 3;       // of the server's files
constexpr unsigned kCheckViolated = 3819;  // MySQL's; MariaDB's is ER_CONSTRAINT_FAILED

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
    case ER_BAD_DB_ERROR:
    case ER_BAD_FIELD_ERROR:
      return absl::StatusCode::kFailedPrecondition;
    case ER_NO_SUCH_TABLE:
      return absl::StatusCode::kNotFound;
    case kWriteFailed:
    case ER_DISK_FULL:
    case ER_ERROR_ON_WRITE:
    case ER_RECORD_FILE_FULL:
    case ER_OUTOFMEMORY:
    case ER_OUT_OF_RESOURCES:
      return absl::StatusCode::kResourceExhausted;
    case ER_BAD_NULL_ERROR:
    case ER_TOO_LONG_KEY:
    case ER_TOO_BIG_ROWSIZE:
    case ER_NET_PACKET_TOO_LARGE:
    case ER_NO_REFERENCED_ROW:
    case ER_ROW_IS_REFERENCED:
    case ER_NO_REFERENCED_ROW_2:
    case ER_ROW_IS_REFERENCED_2:
    case ER_WARN_DATA_OUT_OF_RANGE:
    case WARN_DATA_TRUNCATED:
    case ER_TRUNCATED_WRONG_VALUE:
    case ER_TRUNCATED_WRONG_VALUE_FOR_FIELD:
    case ER_ILLEGAL_VALUE_FOR_TYPE:
    case ER_INVALID_CHARACTER_STRING:
    case ER_NO_DEFAULT_FOR_FIELD:
    case ER_DATA_TOO_LONG:
    case ER_DATA_OUT_OF_RANGE:
    case ER_SIGNAL_EXCEPTION:
    case ER_CONSTRAINT_FAILED:
    case kCheckViolated:
      return absl::StatusCode::kInvalidArgument;
    default:
      return absl::StatusCode::kUnavailable;
  }
}

absl::Status error_of(unsigned number, const char* message) {
  return absl::Status(code_of(number), absl::StrCat(message, " (", number, ")"));
}

/// The parameters of a call as the library wants them. Borrows the values.
class Bindings {
 public:
  explicit Bindings(std::span<const MysqlParameter> values)
      : binds_(values.size()), lengths_(values.size()) {
    for (size_t i = 0; i < values.size(); ++i) {
      std::visit([this, i](const auto& value) { bind(i, value); }, values[i]);
    }
  }

  MYSQL_BIND* data() { return binds_.data(); }

 private:
  void bind(size_t i, const std::monostate& /*none*/) { binds_[i].buffer_type = MYSQL_TYPE_NULL; }
  void bind(size_t i, const bool& value) { bind_number(i, MYSQL_TYPE_TINY, value); }
  void bind(size_t i, const int32_t& value) { bind_number(i, MYSQL_TYPE_LONG, value); }
  void bind(size_t i, const int64_t& value) { bind_number(i, MYSQL_TYPE_LONGLONG, value); }
  void bind(size_t i, const uint64_t& value) {
    bind_number(i, MYSQL_TYPE_LONGLONG, value);
    binds_[i].is_unsigned = 1;
  }
  void bind(size_t i, const float& value) { bind_number(i, MYSQL_TYPE_FLOAT, value); }
  void bind(size_t i, const double& value) { bind_number(i, MYSQL_TYPE_DOUBLE, value); }
  void bind(size_t i, std::string_view text) { bind_bytes(i, MYSQL_TYPE_STRING, text); }
  void bind(size_t i, const MysqlBytes& value) { bind_bytes(i, MYSQL_TYPE_BLOB, value.bytes); }

  template <class Number>
  void bind_number(size_t i, enum_field_types type, const Number& value) {
    binds_[i].buffer_type = type;
    binds_[i].buffer = const_cast<Number*>(&value);  // only read
  }
  void bind_bytes(size_t i, enum_field_types type, std::string_view bytes) {
    lengths_[i] = bytes.size();
    binds_[i].buffer_type = type;
    binds_[i].buffer = const_cast<char*>(bytes.data());  // only read
    binds_[i].buffer_length = bytes.size();
    binds_[i].length = &lengths_[i];
  }

  std::vector<MYSQL_BIND> binds_;
  std::vector<unsigned long> lengths_;
};

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

void MysqlSession::CloseStatement::operator()(st_mysql_stmt* statement) const {
  ::mysql_stmt_close(statement);
}

absl::Status MysqlSession::error() const {
  return error_of(::mysql_errno(connection_.get()), ::mysql_error(connection_.get()));
}

absl::Status MysqlSession::error(st_mysql_stmt* statement) const {
  return error_of(::mysql_stmt_errno(statement), ::mysql_stmt_error(statement));
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
  ::mysql_optionsv(mysql, MYSQL_SET_CHARSET_NAME, "utf8mb4");
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

/// One that is kept, or a new one in place of that which was used longest ago.
absl::StatusOr<st_mysql_stmt*> MysqlSession::prepare(const std::string& sql,
                                                     const Deadline& deadline) {
  for (auto known = prepared_.begin(); known != prepared_.end(); ++known) {
    if (known->sql != sql) continue;
    prepared_.splice(prepared_.begin(), prepared_, known);
    return known->statement.get();
  }
  // Closing asks for no answer.
  if (prepared_.size() == kStatementsMax) prepared_.pop_back();
  Prepared fresh{sql, nullptr};
  fresh.statement.reset(::mysql_stmt_init(connection_.get()));
  MYSQL_STMT* statement = fresh.statement.get();
  if (statement == nullptr) return absl::ResourceExhaustedError("no memory for a statement");
  int failed = 0;
  int wanted = ::mysql_stmt_prepare_start(&failed, statement, sql.data(), sql.size());
  absl::Status driven = drive(wanted, deadline, [&](int came) {
    return ::mysql_stmt_prepare_cont(&failed, statement, came);
  });
  if (!driven.ok()) return driven;
  if (failed != 0) return error(statement);
  prepared_.push_front(std::move(fresh));
  return statement;
}

absl::StatusOr<uint64_t> MysqlSession::execute(const std::string& sql,
                                               std::span<const MysqlParameter> values,
                                               const Deadline& deadline) {
  auto prepared = prepare(sql, deadline);
  if (!prepared.ok()) return prepared.status();
  MYSQL_STMT* statement = *prepared;
  if (::mysql_stmt_param_count(statement) != values.size()) {
    return absl::InternalError(absl::StrCat("a statement has ", ::mysql_stmt_param_count(statement),
                                            " parameters and not ", values.size()));
  }
  Bindings bindings(values);
  if (::mysql_stmt_bind_param(statement, bindings.data()) != 0) return error(statement);
  int failed = 0;
  int wanted = ::mysql_stmt_execute_start(&failed, statement);
  absl::Status driven = drive(wanted, deadline, [&](int came) {
    return ::mysql_stmt_execute_cont(&failed, statement, came);
  });
  if (!driven.ok()) return driven;
  if (failed != 0) return error(statement);
  return ::mysql_stmt_affected_rows(statement);
}

}  // namespace pollux
