// One session with MySQL or MariaDB whose every call ends by a deadline.
//
// It stands on the calls of MariaDB's client library that do not block: those that do, and
// Connector/C++ on them, know timeouts of whole seconds for each read, and a call has many. The
// handshake of TLS blocks nevertheless, under a SocketWatch. Thread: one at a time. Errors:
// kDeadlineExceeded, kUnavailable, kPermissionDenied, kAlreadyExists (a key), kFailedPrecondition
// (what is asked for cannot be done there); after any but kAlreadyExists the session is over.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "storage/remote/database_address.h"
#include "storage/remote/deadline.h"

struct st_mysql;

namespace pollux {

struct MysqlAnswer {
  std::vector<std::vector<std::optional<std::string>>> rows;
  uint64_t changed = 0;
};

class MysqlSession {
 public:
  /// `address`: of the options' host; empty where that is a unix socket.
  static absl::StatusOr<std::unique_ptr<MysqlSession>> connect(const DatabaseAddress& options,
                                                               const std::string& address,
                                                               const Deadline& deadline);

  /// Whether the server has not ended it; asks nobody.
  bool is_open();
  /// One statement, which commits by itself.
  absl::StatusOr<MysqlAnswer> query(const std::string& sql, const Deadline& deadline);

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

  std::unique_ptr<st_mysql, Close> connection_;
};

/// As a literal of an SQL text, whatever the bytes and the server's mode.
std::string mysql_literal(const std::string& ascii);

}  // namespace pollux
