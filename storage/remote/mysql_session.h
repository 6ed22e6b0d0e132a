// One session with MySQL or MariaDB whose every call ends by a deadline.
//
// It stands on the calls of MariaDB's client library that do not block: those that do, and
// Connector/C++ on them, know timeouts of whole seconds for each read, and a call has many. The
// handshake of TLS blocks nevertheless, under a SocketWatch. Texts are utf8mb4. Thread: one at a
// time. Errors: kDeadlineExceeded, kUnavailable (also of a server that takes no writes),
// kPermissionDenied, kResourceExhausted (of the server), kAlreadyExists (a key), kInvalidArgument
// (a value that the database never takes), kNotFound (a table), kFailedPrecondition (what is asked
// for cannot be done there); after any but kAlreadyExists the session is over.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "storage/remote/database_address.h"
#include "storage/remote/deadline.h"

struct st_mysql;
struct st_mysql_stmt;

namespace pollux {

struct MysqlAnswer {
  std::vector<std::vector<std::optional<std::string>>> rows;
  uint64_t changed = 0;
};

struct MysqlBytes {
  std::string_view bytes;
};

/// A value of a prepared statement; borrows texts and bytes.
using MysqlParameter = std::variant<std::monostate, bool, int32_t, int64_t, uint64_t, float, double,
                                    std::string_view, MysqlBytes>;

class MysqlSession {
 public:
  static constexpr size_t kPlaceholdersMax = 65'535;  ///< of a statement, as the protocol has it
  /// Prepared statements that are kept for the next time.
  static constexpr size_t kStatementsMax = 32;

  /// `address`: of the options' host; empty where that is a unix socket.
  static absl::StatusOr<std::unique_ptr<MysqlSession>> connect(const DatabaseAddress& options,
                                                               const std::string& address,
                                                               const Deadline& deadline);

  /// Whether the server has not ended it; asks nobody.
  bool is_open();
  /// One statement, which commits by itself unless a transaction was begun.
  absl::StatusOr<MysqlAnswer> query(const std::string& sql, const Deadline& deadline);
  /// One statement that answers with no rows, prepared; each `?` is the next of `values`. Returns
  /// how many rows it changed.
  absl::StatusOr<uint64_t> execute(const std::string& sql, std::span<const MysqlParameter> values,
                                   const Deadline& deadline);

 private:
  struct Close {
    void operator()(st_mysql* connection) const;
  };

  explicit MysqlSession(st_mysql* connection) : connection_(connection) {}
  /// Goes on with `go_on(events)` until it has nothing to wait for. When the deadline has passed,
  /// ends the connection, so that the library ends too.
  template <class GoOn>
  absl::Status drive(int wanted, const Deadline& deadline, GoOn&& go_on);
  void set_tls(const TlsOptions& tls);
  absl::Status error() const;

  absl::Status error(st_mysql_stmt* statement) const;
  absl::StatusOr<st_mysql_stmt*> prepare(const std::string& sql, const Deadline& deadline);

  struct CloseStatement {
    void operator()(st_mysql_stmt* statement) const;
  };
  struct Prepared {
    std::string sql;
    std::unique_ptr<st_mysql_stmt, CloseStatement> statement;
  };
  std::list<Prepared> prepared_;  ///< used last first
  /// Closed before those: they ask it for nothing then.
  std::unique_ptr<st_mysql, Close> connection_;
};

/// As a literal of an SQL text, whatever the bytes and the server's mode.
std::string mysql_literal(const std::string& ascii);

}  // namespace pollux
