#include "ha/arbiter/remote/mysql_arbiter.h"

#include <charconv>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "ha/arbiter/remote/table_arbiter.h"
#include "storage/remote/host_lookup.h"
#include "storage/remote/mysql_session.h"

namespace pollux {

namespace {

constexpr char kLookAtTable[] =
    "SELECT engine FROM information_schema.tables"
    " WHERE table_schema = DATABASE() AND table_name = 'pollux_arbiter'";

// Other names in newer versions of MySQL; a server has some of them.
constexpr char kLookAtServer[] =
    "SHOW GLOBAL VARIABLES WHERE variable_name IN ('wsrep_on', 'innodb_flush_method',"
    " 'rpl_semi_sync_master_enabled', 'rpl_semi_sync_master_wait_point',"
    " 'rpl_semi_sync_source_enabled', 'rpl_semi_sync_source_wait_point')";

// read_only is a number or a word, by version.
constexpr char kLookAtSettings[] =
    "SELECT CONCAT(@@global.read_only) IN ('0', 'OFF'),"
    " @@global.innodb_flush_log_at_trx_commit, @@global.log_bin, @@global.sync_binlog";

absl::StatusOr<uint64_t> number_of(const std::string& text) {
  uint64_t number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) {
    return absl::DataLossError("the row has version " + text);
  }
  return number;
}

absl::Status refused(const std::string& why) { return absl::FailedPreconditionError(why); }

class MysqlTable : public RecordTable {
 public:
  MysqlTable(MysqlOptions options, const std::string& domain_name, int64_t timeout_ms)
      : options_(std::move(options)),
        domain_(mysql_literal(domain_name)),
        timeout_ms_(timeout_ms),
        lookup_(options_.host) {}

  absl::Status connect(const Deadline& deadline) override {
    absl::Status connected = open_session(deadline);
    if (!connected.ok()) return connected;
    if (!checked_) {
      absl::StatusOr<bool> has_table = look_at_server(deadline);
      if (!has_table.ok()) return has_table.status();
      if (!*has_table) {
        return refused(
            absl::StrCat("the table pollux_arbiter is missing; run: ", kCreateTableCommand));
      }
      checked_ = true;
    }
    // These can change while a session lasts. Not in the statements that write: where those are
    // logged as text, a standby would find itself read-only and leave them out.
    return look_at_settings(deadline);
  }

  void disconnect() override {
    session_.reset();
    checked_ = false;
  }

  absl::StatusOr<std::optional<RecordRow>> find(const Deadline& deadline) override {
    auto answer = session_->query(
        "SELECT version, record FROM pollux_arbiter WHERE domain = " + domain_, deadline);
    if (!answer.ok()) return answer.status();
    if (answer->rows.empty()) return std::nullopt;
    const auto& row = answer->rows[0];
    absl::StatusOr<uint64_t> version = number_of(row.at(0).value_or(""));
    if (!version.ok()) return version.status();
    return RecordRow{*version, row.at(1).value_or("")};
  }

  absl::StatusOr<bool> insert(const RecordRow& row, const Deadline& deadline) override {
    absl::StatusOr<bool> inserted =
        write(absl::StrCat("INSERT INTO pollux_arbiter (domain, version, record) VALUES (", domain_,
                           ", ", row.version, ", ", mysql_literal(row.record), ")"),
              deadline);
    if (absl::IsAlreadyExists(inserted.status())) return false;
    return inserted;
  }
  absl::StatusOr<bool> update(const RecordRow& row, const Deadline& deadline) override {
    return write(absl::StrCat("UPDATE pollux_arbiter SET version = ", row.version,
                              ", record = ", mysql_literal(row.record), " WHERE domain = ", domain_,
                              " AND version = ", row.version - 1),
                 deadline);
  }
  absl::StatusOr<bool> confirm(uint64_t version, const Deadline& deadline) override {
    return write(
        absl::StrCat("UPDATE pollux_arbiter SET confirmations = confirmations + 1 WHERE domain = ",
                     domain_, " AND version = ", version),
        deadline);
  }
  bool has_standbys() const override { return has_standbys_; }

  std::string describe() const override {
    return absl::StrCat("mysql ", options_.host, ":", options_.port, "/", options_.database);
  }

  absl::Status create(const Deadline& deadline) {
    absl::Status connected = open_session(deadline);
    if (!connected.ok()) return connected;
    absl::StatusOr<bool> has_table = look_at_server(deadline);
    if (!has_table.ok() || *has_table) return has_table.status();
    return session_->query(kMysqlCreateTable, deadline).status();
  }

 private:
  absl::Status open_session(const Deadline& deadline) {
    if (session_ && session_->is_open()) return absl::OkStatus();
    disconnect();
    std::vector<std::string> addresses = {""};
    if (!options_.host.starts_with('/')) {
      auto found = lookup_.find(deadline);
      if (!found.ok()) return found.status();
      addresses = *std::move(found);
    }
    absl::Status failed;
    for (const std::string& address : addresses) {
      auto session = MysqlSession::connect(options_, address, deadline);
      failed = session.status();
      if (!failed.ok()) continue;
      session_ = *std::move(session);
      return prepare_session(deadline);
    }
    return failed;
  }

  absl::Status prepare_session(const Deadline& deadline) {
    // What nobody waits for any more should not wait much longer for a lock.
    return session_
        ->query(absl::StrFormat("SET SESSION autocommit = 1, innodb_lock_wait_timeout = %d, "
                                "sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION'",
                                timeout_ms_ / 1000 + 1),
                deadline)
        .status();
  }

  /// Whether it has the table; an error: it is no server for an arbiter.
  absl::StatusOr<bool> look_at_server(const Deadline& deadline) {
    auto variables = session_->query(kLookAtServer, deadline);
    if (!variables.ok()) return variables.status();
    std::map<std::string, std::string> has;
    for (const auto& row : variables->rows) has[row.at(0).value_or("")] = row.at(1).value_or("");
    if (has["wsrep_on"] == "ON") {
      return refused(
          "the server is a node of a Galera cluster, whose reads may be stale: use a "
          "server of its own, etcd or a file");
    }
    if ((has["innodb_flush_method"] == "nosync" || has["innodb_flush_method"] == "littlesync") &&
        !options_.accept_forgetful) {
      return refused(
          absl::StrCat("the server has innodb_flush_method = ", has["innodb_flush_method"],
                       " and would forget who leads with its power: set fsync"));
    }
    has_standbys_ = false;
    for (std::string side : {"rpl_semi_sync_master_", "rpl_semi_sync_source_"}) {
      if (has[side + "enabled"] != "ON") continue;
      has_standbys_ = true;
      if (has[side + "wait_point"] != "AFTER_SYNC") {
        return refused(absl::StrCat("the server has ", side,
                                    "wait_point = ", has[side + "wait_point"],
                                    " and shows what a failover would lose: set AFTER_SYNC"));
      }
    }
    auto tables = session_->query(kLookAtTable, deadline);
    if (!tables.ok()) return tables.status();
    if (tables->rows.empty()) return false;
    std::string engine = tables->rows[0].at(0).value_or("");
    if (engine != "InnoDB") {
      return refused(absl::StrCat("the table pollux_arbiter is of engine ", engine,
                                  ": ALTER TABLE pollux_arbiter ENGINE=InnoDB"));
    }
    return true;
  }

  absl::Status look_at_settings(const Deadline& deadline) {
    auto answer = session_->query(kLookAtSettings, deadline);
    if (!answer.ok()) return answer.status();
    const auto& row = answer->rows.at(0);
    bool is_writable = row.at(0) == "1";
    std::string flush = row.at(1).value_or("");
    bool has_log = row.at(2) != "0";
    std::string sync_binlog = row.at(3).value_or("");
    if (!is_writable) {
      return refused(
          "the server is read_only, and an arbiter must be the primary: set the "
          "primary's host, or an address that follows it");
    }
    if (options_.accept_forgetful) return absl::OkStatus();
    if (flush != "1") {
      return refused(absl::StrCat("the server has innodb_flush_log_at_trx_commit = ", flush,
                                  " and would forget who leads with its power: set it to 1"));
    }
    if (has_log && sync_binlog != "1") {
      return refused(absl::StrCat("the server has a binary log and sync_binlog = ", sync_binlog,
                                  ", so it could forget who leads with its power: set it to 1"));
    }
    return absl::OkStatus();
  }

  absl::StatusOr<bool> write(const std::string& sql, const Deadline& deadline) {
    auto answer = session_->query(sql, deadline);
    if (!answer.ok()) return answer.status();
    return answer->changed != 0;
  }

  MysqlOptions options_;
  std::string domain_;  // as a literal
  int64_t timeout_ms_;
  HostLookup lookup_;
  std::unique_ptr<MysqlSession> session_;
  bool checked_ = false;  // of this session
  bool has_standbys_ = false;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Arbiter>> make_mysql_arbiter(const ArbiterOptions& options,
                                                            const MysqlOptions& mysql) {
  absl::Status checked = check_arbiter_options(options);
  if (!checked.ok()) return checked;
  return std::make_unique<TableArbiter>(
      options, std::make_unique<MysqlTable>(mysql, options.domain_name, options.timeout_ms));
}

absl::Status create_mysql_arbiter_table(const MysqlOptions& mysql, int64_t timeout_ms) {
  MysqlTable table(mysql, "", timeout_ms);
  absl::Status created = table.create(Deadline(timeout_ms));
  if (created.ok()) return created;
  return absl::Status(created.code(), absl::StrCat(table.describe(), ": ", created.message()));
}

}  // namespace pollux
