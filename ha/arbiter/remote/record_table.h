// A table of records in an SQL database, as the arbiter on it needs it.
//
//   pollux_arbiter(domain primary key, version, record, confirmations)
//
// An error leaves the session in an unknown state: disconnect() is next. Nothing here asks twice.
// Thread: one at a time.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "storage/remote/deadline.h"

namespace pollux {

struct RecordRow {
  uint64_t version = 0;
  std::string record;
};

class RecordTable {
 public:
  virtual ~RecordTable() = default;

  /// Sees to it that there is a session, with a server that may be asked: the primary, which
  /// forgets nothing. kFailedPrecondition: it is not, or the table is missing.
  virtual absl::Status connect(const Deadline& deadline) = 0;
  virtual void disconnect() = 0;

  virtual absl::StatusOr<std::optional<RecordRow>> find(const Deadline& deadline) = 0;
  /// Whether the row was put in: there was none.
  virtual absl::StatusOr<bool> insert(const RecordRow& row, const Deadline& deadline) = 0;
  /// Whether the row took the place of the one of the version before.
  virtual absl::StatusOr<bool> update(const RecordRow& row, const Deadline& deadline) = 0;
  /// Writes to the row of this version, but nothing that is read: when that is committed and lasts,
  /// what find() saw before does too. False: the row has another version now.
  virtual absl::StatusOr<bool> confirm(uint64_t version, const Deadline& deadline) = 0;
  /// Whether to confirm what was read again and again: another server may have taken over since.
  virtual bool has_standbys() const = 0;

  virtual std::string describe() const = 0;
};

}  // namespace pollux
