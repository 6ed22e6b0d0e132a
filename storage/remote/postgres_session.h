// One session with PostgreSQL whose every call ends by a deadline.
//
// It stands on libpq itself: libpqxx waits for an answer without an end, and a server whose machine
// hangs, or that waits for its standby, gives none. Nothing is ever cancelled: a cancel would end
// the server's wait for its standby and leave a commit that others see and that does not last.
// Thread: one at a time. Errors: kDeadlineExceeded, kUnavailable, kPermissionDenied,
// kResourceExhausted (of the server), kInvalidArgument (a value that the database never takes),
// kFailedPrecondition (what is asked for cannot be done there); after any, the session is over.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "storage/remote/database_address.h"
#include "storage/remote/deadline.h"

struct pg_conn;

namespace pollux {

struct PostgresSessionOptions {
  DatabaseAddress address;
  std::string application;  ///< as the server's lists of sessions call it
  /// How long the server works on a statement that nobody waits for any more.
  int64_t statement_timeout_ms = 30'000;
};

class PostgresSession {
 public:
  using Row = std::vector<std::optional<std::string>>;

  /// `addresses`: of the host; none where that is a unix socket.
  static absl::StatusOr<std::unique_ptr<PostgresSession>> connect(
      const PostgresSessionOptions& options, const std::vector<std::string>& addresses,
      const Deadline& deadline);

  /// Whether the server has not ended it; asks nobody.
  bool is_open();
  /// One statement, that is over when this returns, in a transaction of its own unless one was
  /// begun. `values` stand for $1 and so on.
  absl::StatusOr<std::vector<Row>> query(const char* sql, const std::vector<std::string>& values,
                                         const Deadline& deadline);
  /// A COPY ... FROM STDIN of these bytes; returns how many rows it took.
  absl::StatusOr<uint64_t> copy_in(const char* sql, std::string_view bytes,
                                   const Deadline& deadline);
  /// 150004 for 15.4.
  int server_version() const;

 private:
  struct Finish {
    void operator()(pg_conn* connection) const;
  };

  explicit PostgresSession(pg_conn* connection) : connection_(connection) {}
  absl::Status finish_connecting(const Deadline& deadline);
  absl::Status flush(const Deadline& deadline);
  absl::Status await_copy(const Deadline& deadline);
  absl::Status await_result(const Deadline& deadline);
  absl::StatusOr<std::vector<Row>> take_results(const Deadline& deadline);
  absl::Status broken() const;

  std::unique_ptr<pg_conn, Finish> connection_;
  /// The server gave up to wait for a standby: what it said since it was asked last does not hold.
  bool wait_was_broken_off_ = false;
};

}  // namespace pollux
