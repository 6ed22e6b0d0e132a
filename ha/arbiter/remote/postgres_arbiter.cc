#include "ha/arbiter/remote/postgres_arbiter.h"

#include <charconv>
#include <utility>

#include "absl/strings/str_cat.h"
#include "ha/arbiter/remote/table_arbiter.h"
#include "storage/remote/host_lookup.h"
#include "storage/remote/postgres_session.h"

namespace pollux {

namespace {

constexpr char kLookAtServer[] =
    "SELECT pg_is_in_recovery(), current_setting('fsync'), "
    "(SELECT relpersistence FROM pg_class WHERE oid = to_regclass('pollux_arbiter'))";

constexpr char kFind[] =
    "SELECT pg_is_in_recovery(), current_setting('synchronous_standby_names') <> '', "
    "a.version, a.record FROM (VALUES (1)) AS one LEFT JOIN pollux_arbiter a ON a.domain = $1";

// Holds for the transaction that the statement is, commit included. remote_apply is more than on.
#define POLLUX_LASTING                                                                     \
  " RETURNING set_config('synchronous_commit', CASE current_setting('synchronous_commit')" \
  " WHEN 'remote_apply' THEN 'remote_apply' ELSE 'on' END, true)"

constexpr char kInsert[] =
    "INSERT INTO pollux_arbiter (domain, version, record) VALUES ($1, $2, $3)"
    " ON CONFLICT (domain) DO NOTHING" POLLUX_LASTING;

constexpr char kUpdate[] =
    "UPDATE pollux_arbiter SET version = $2, record = $3"
    " WHERE domain = $1 AND version = $2::bigint - 1" POLLUX_LASTING;

constexpr char kConfirm[] =
    "UPDATE pollux_arbiter SET confirmations = confirmations + 1"
    " WHERE domain = $1 AND version = $2" POLLUX_LASTING;

#undef POLLUX_LASTING

bool is_true(const std::optional<std::string>& value) { return value == "t"; }

absl::Status standby() {
  return absl::FailedPreconditionError(
      "the server is a standby, and an arbiter must be the primary: set the primary's host, or an "
      "address that follows it");
}

class PostgresTable : public RecordTable {
 public:
  PostgresTable(PostgresOptions options, std::string domain_name, int64_t timeout_ms)
      : options_(std::move(options)),
        domain_name_(std::move(domain_name)),
        timeout_ms_(timeout_ms),
        lookup_(options_.host) {}

  absl::Status connect(const Deadline& deadline) override {
    absl::Status connected = open_session(deadline);
    if (!connected.ok() || checked_) return connected;
    absl::StatusOr<bool> has_table = look_at_server(deadline);
    if (!has_table.ok()) return has_table.status();
    if (!*has_table) {
      return absl::FailedPreconditionError(
          absl::StrCat("the table pollux_arbiter is missing; run: ", kCreateTableCommand));
    }
    checked_ = true;
    return absl::OkStatus();
  }

  void disconnect() override {
    session_.reset();
    checked_ = false;
  }

  absl::StatusOr<std::optional<RecordRow>> find(const Deadline& deadline) override {
    auto rows = session_->query(kFind, {domain_name_}, deadline);
    if (!rows.ok()) return rows.status();
    const PostgresSession::Row& row = rows->at(0);
    if (is_true(row.at(0))) return standby();
    has_standbys_ = is_true(row.at(1));
    if (!row.at(2)) return std::nullopt;
    RecordRow found;
    found.record = row.at(3).value_or("");
    const std::string& version = *row.at(2);
    auto [end, error] =
        std::from_chars(version.data(), version.data() + version.size(), found.version);
    if (error != std::errc() || *end != '\0') {
      return absl::DataLossError("the row has version " + version);
    }
    return found;
  }

  absl::StatusOr<bool> insert(const RecordRow& row, const Deadline& deadline) override {
    return write(kInsert, {domain_name_, absl::StrCat(row.version), row.record}, deadline);
  }
  absl::StatusOr<bool> update(const RecordRow& row, const Deadline& deadline) override {
    return write(kUpdate, {domain_name_, absl::StrCat(row.version), row.record}, deadline);
  }
  absl::StatusOr<bool> confirm(uint64_t version, const Deadline& deadline) override {
    return write(kConfirm, {domain_name_, absl::StrCat(version)}, deadline);
  }
  bool has_standbys() const override { return has_standbys_; }

  std::string describe() const override {
    return absl::StrCat("postgresql ", options_.host, ":", options_.port, "/", options_.database);
  }

  absl::Status create(const Deadline& deadline) {
    absl::Status connected = open_session(deadline);
    if (!connected.ok()) return connected;
    absl::StatusOr<bool> has_table = look_at_server(deadline);
    if (!has_table.ok() || *has_table) return has_table.status();
    absl::Status created = session_->query(kPostgresCreateTable, {}, deadline).status();
    if (created.ok()) return created;
    // IF NOT EXISTS does not see who creates it at the same time.
    disconnect();
    absl::Status again = open_session(deadline);
    if (!again.ok()) return created;
    has_table = look_at_server(deadline);
    return has_table.ok() && *has_table ? absl::OkStatus() : created;
  }

 private:
  absl::Status open_session(const Deadline& deadline) {
    if (session_ && session_->is_open()) return absl::OkStatus();
    disconnect();
    std::vector<std::string> addresses;
    if (!options_.host.starts_with('/')) {
      auto found = lookup_.find(deadline);
      if (!found.ok()) return found.status();
      addresses = *std::move(found);
    }
    auto session =
        PostgresSession::connect({options_, "pollux arbiter", timeout_ms_}, addresses, deadline);
    if (!session.ok()) return session.status();
    session_ = *std::move(session);
    return absl::OkStatus();
  }

  /// Whether it has the table; an error: it is no server for an arbiter.
  absl::StatusOr<bool> look_at_server(const Deadline& deadline) {
    auto rows = session_->query(kLookAtServer, {}, deadline);
    if (!rows.ok()) return rows.status();
    const PostgresSession::Row& row = rows->at(0);
    if (is_true(row.at(0))) return standby();
    if (row.at(1) != "on" && !options_.accept_forgetful) {
      return absl::FailedPreconditionError(
          "the server has fsync = off and would forget who leads with its power: set fsync = on");
    }
    if (row.at(2) && row.at(2) != "p") {
      return absl::FailedPreconditionError(
          "the table pollux_arbiter is unlogged, and a crash empties it: "
          "ALTER TABLE pollux_arbiter SET LOGGED");
    }
    return row.at(2).has_value();
  }

  absl::StatusOr<bool> write(const char* sql, const std::vector<std::string>& values,
                             const Deadline& deadline) {
    auto rows = session_->query(sql, values, deadline);
    if (!rows.ok()) return rows.status();
    if (rows->empty()) return false;
    const std::optional<std::string>& commit = rows->at(0).at(0);
    if (commit != "on" && commit != "remote_apply") {
      return absl::FailedPreconditionError(absl::StrCat(
          "the server keeps synchronous_commit = ", commit.value_or(""), "; an arbiter needs on"));
    }
    return true;
  }

  PostgresOptions options_;
  std::string domain_name_;
  int64_t timeout_ms_;
  HostLookup lookup_;
  std::unique_ptr<PostgresSession> session_;
  bool checked_ = false;  // of this session
  bool has_standbys_ = false;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Arbiter>> make_postgres_arbiter(const ArbiterOptions& options,
                                                               const PostgresOptions& postgres) {
  absl::Status checked = check_arbiter_options(options);
  if (!checked.ok()) return checked;
  return std::make_unique<TableArbiter>(
      options, std::make_unique<PostgresTable>(postgres, options.domain_name, options.timeout_ms));
}

absl::Status create_postgres_arbiter_table(const PostgresOptions& postgres, int64_t timeout_ms) {
  PostgresTable table(postgres, "", timeout_ms);
  absl::Status created = table.create(Deadline(timeout_ms));
  if (created.ok()) return created;
  return absl::Status(created.code(), absl::StrCat(table.describe(), ": ", created.message()));
}

}  // namespace pollux
