#include "storage/mysql_store.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "storage/key_codec.h"
#include "storage/mysql/catalog.h"
#include "storage/mysql/cursor.h"
#include "storage/mysql/names.h"
#include "storage/mysql/row_changes.h"
#include "storage/sql/names.h"
#include "storage/sql/pooled_database.h"

namespace pollux::mysql {
namespace {

/// Of a statement beside its values.
constexpr size_t kPacketReserveBytes = size_t{256} << 10;
constexpr size_t kPacketBytesMax = size_t{4} << 20;

/// Why a column's value can never be stored; null: it can.
const char* refusal_of_value(const Column& column, uint32_t row) {
  if (column.is_null(row)) return nullptr;
  const char* const kNoNumber = "is no finite number, and MySQL has no others";
  switch (column.type()) {
    case AttributeType::kString:
      return sql::is_utf8(column.data<StringRef>()[row].view()) ? nullptr
                                                                : "holds a text that is no UTF-8";
    case AttributeType::kFloat:
      return std::isfinite(column.data<float>()[row]) ? nullptr : kNoNumber;
    case AttributeType::kDouble:
      return std::isfinite(column.data<double>()[row]) ? nullptr : kNoNumber;
    default:
      return nullptr;
  }
}

class MysqlDatabase : public sql::PooledDatabase<Conversation, Catalog> {
 public:
  static constexpr char kKind[] = "mysql";
  static constexpr char kNamesAreUtf8[] = "SET NAMES utf8mb4";

  MysqlDatabase(const std::string& store, const DatabaseOptions& options,
                std::shared_ptr<Pool> pool)
      : PooledDatabase(kKind, store, options, std::move(pool)) {}

  absl::StatusOr<Epoch> raise_fence(Epoch epoch) override;
  absl::StatusOr<Progress> progress(const std::string& table,
                                    const std::vector<std::string>& sources) override;
  std::string refusal_of(const sql::Relation& relation, const sql::RowPlace& row) const override;
  bool can_have_key(const sql::Relation& relation, const sql::RowPlace& row) const override;
  absl::Status commit(const sql::Relation& relation, const sql::Transaction& transaction) override;
  absl::StatusOr<uint64_t> drop_old(const sql::Relation& relation, int64_t horizon_ms) override;
  absl::StatusOr<std::unique_ptr<RecordCursor>> scan(sql::RelationPtr relation,
                                                     RecordTimeRange range) override {
    return make_cursor(pool(), timeout_ms(), std::move(relation), range);
  }
  absl::StatusOr<EventBatchPtr> find(const sql::Relation& relation, const EventBatch& key) override;
  sql::RelationPtr relation_of(const TableDefinition& definition) const override {
    return std::make_shared<sql::Relation>(
        definition, sql::stored_table_name(store(), definition.name), quoted);
  }
  absl::StatusOr<EventBatchPtr> look_up(const sql::Relation& relation, const EventBatch& keys,
                                        std::optional<int64_t> own_horizon_ms) override;

 private:
  std::atomic<size_t> row_bytes_max_ = 0;  ///< as the server had it when progress was last asked
};

absl::StatusOr<Epoch> MysqlDatabase::raise_fence(Epoch epoch) {
  auto talk = begin();
  if (!talk.ok()) return talk.status();
  const std::string quoted_store = literal(store());
  absl::Status raised =
      talk->tell(absl::StrCat("INSERT INTO pollux_stores VALUES (", quoted_store, ", ", epoch.value,
                              ") ON DUPLICATE KEY UPDATE epoch = GREATEST(epoch, VALUES(epoch))"));
  if (!raised.ok()) return raised;
  auto rows =
      talk->ask(absl::StrCat("SELECT epoch FROM pollux_stores WHERE store = ", quoted_store));
  if (!rows.ok()) return rows.status();
  if (rows->empty()) return absl::UnavailableError("the store's fence is gone");
  auto now = sql::number_of<uint64_t>(rows->at(0).at(0));
  if (!now.ok()) return now.status();
  return Epoch{*now};
}

absl::StatusOr<sql::Database::Progress> MysqlDatabase::progress(
    const std::string& table, const std::vector<std::string>& sources) {
  auto talk = begin();
  if (!talk.ok()) return talk.status();
  auto packet = talk->ask("SELECT @@max_allowed_packet");
  if (!packet.ok()) return packet.status();
  auto bytes = sql::number_of<size_t>(packet->at(0).at(0));
  if (!bytes.ok()) return bytes.status();
  row_bytes_max_ = *bytes > 2 * kPacketReserveBytes ? *bytes - kPacketReserveBytes : *bytes / 2;
  return read_progress(*talk, store(), table, sources, "");
}

std::string MysqlDatabase::refusal_of(const sql::Relation& relation,
                                      const sql::RowPlace& row) const {
  const Schema& schema = row.batch->schema();
  size_t bytes = 0;
  for (size_t c = 0; c < schema.size(); ++c) {
    const char* refusal = refusal_of_value(row.batch->column(c), row.row);
    if (refusal != nullptr) return absl::StrCat("column '", schema[c].name, "' ", refusal);
    bytes += text_bytes(*row.batch, row.row, {&c, 1});
  }
  if (bytes > row_bytes_max_) {
    return absl::StrCat("the row has ", bytes, " bytes of text, and the server's ",
                        "max_allowed_packet lets through ", row_bytes_max_.load());
  }
  if (text_bytes(*row.batch, row.row, relation.key_columns) > kKeyBytesMax / 4) {
    const size_t key_bytes = key_of(relation, row).size();
    if (key_bytes > kKeyBytesMax) {
      return absl::StrCat("the primary key has ", key_bytes, " bytes, at most ", kKeyBytesMax,
                          " can be stored");
    }
  }
  return "";
}

bool MysqlDatabase::can_have_key(const sql::Relation& relation, const sql::RowPlace& row) const {
  for (size_t c : relation.key_columns) {
    if (refusal_of_value(row.batch->column(c), row.row) != nullptr) return false;
  }
  return key_of(relation, row).size() <= kKeyBytesMax;
}

absl::Status MysqlDatabase::commit(const sql::Relation& relation,
                                   const sql::Transaction& transaction) {
  auto talk = begin();
  if (!talk.ok()) return talk.status();
  return mysql::commit(*talk, store(), relation, transaction,
                       std::min<size_t>(row_bytes_max_, kPacketBytesMax));
}

absl::StatusOr<uint64_t> MysqlDatabase::drop_old(const sql::Relation& relation,
                                                 int64_t horizon_ms) {
  auto talk = begin();
  if (!talk.ok()) return talk.status();
  return mysql::drop_old(*talk, store(), relation, horizon_ms, kPacketReserveBytes);
}

absl::StatusOr<EventBatchPtr> MysqlDatabase::find(const sql::Relation& relation,
                                                  const EventBatch& key) {
  std::string bytes;
  for (size_t c = 0; c < key.schema().size(); ++c) append_ordered(bytes, key.column(c), 0);
  auto talk = begin();
  if (!talk.ok()) return talk.status();
  auto rows = talk->ask(absl::StrCat("SELECT ", read_columns(relation), " FROM ", relation.name,
                                     " WHERE pollux_key = ", literal(bytes)));
  if (!rows.ok()) return rows.status();
  if (rows->empty()) return EventBatchPtr();
  auto batch = std::make_shared<EventBatch>(relation.definition.schema);
  if (absl::Status added = sql::append_sql_row(rows->at(0), *batch); !added.ok()) return added;
  return batch;
}

namespace {

/// In the character set and by the collation of the column that it is compared with.
struct KeyLiteral {
  std::string operator()(std::monostate) const { return "NULL"; }
  std::string operator()(const std::string& text) const {
    return absl::StrCat("CONVERT(", literal(text), " USING utf8mb4)");
  }
  std::string operator()(bool yes) const { return yes ? "1" : "0"; }
  std::string operator()(int32_t number) const { return absl::StrCat(number); }
  std::string operator()(int64_t number) const { return absl::StrCat(number); }
  std::string operator()(float /*number*/) const { return "NULL"; }  // no key of lookups is one
  std::string operator()(double /*number*/) const { return "NULL"; }
  std::string operator()(const ObjectValue& /*object*/) const { return "NULL"; }
};

/// Own tables have their keys as bytes too, and an index on those.
std::string key_of(const EventBatch& keys, uint32_t row, bool own) {
  if (own) {
    std::string bytes;
    for (size_t c = 0; c < keys.schema().size(); ++c) append_ordered(bytes, keys.column(c), row);
    return literal(bytes);
  }
  std::vector<std::string> parts;
  for (size_t c = 0; c < keys.schema().size(); ++c) {
    parts.push_back(std::visit(KeyLiteral{}, keys.value(row, c)));
  }
  return absl::StrCat("(", absl::StrJoin(parts, ", "), ")");
}

}  // namespace

absl::StatusOr<EventBatchPtr> MysqlDatabase::look_up(const sql::Relation& relation,
                                                     const EventBatch& keys,
                                                     std::optional<int64_t> own_horizon_ms) {
  const bool own = own_horizon_ms.has_value();
  std::vector<std::string> wanted;
  for (uint32_t row = 0; row < keys.rows(); ++row) wanted.push_back(key_of(keys, row, own));
  const std::string key =
      own ? "pollux_key" : absl::StrCat("(", absl::StrJoin(relation.key_names(), ", "), ")");
  std::string sql = absl::StrCat("SELECT ", read_columns(relation, own ? "pollux_time" : "0"),
                                 " FROM ", relation.name, " WHERE ");
  if (wanted.empty()) {
    absl::StrAppend(&sql, "FALSE");
  } else {
    absl::StrAppend(&sql, key, " IN (", absl::StrJoin(wanted, ", "), ")");
  }
  if (own && *own_horizon_ms != std::numeric_limits<int64_t>::min()) {
    absl::StrAppend(&sql, " AND pollux_time >= ", *own_horizon_ms);
  }
  auto talk = begin();
  if (!talk.ok()) return talk.status();
  auto rows = talk->ask(sql);
  if (!rows.ok()) return rows.status();
  return sql::batch_of(*rows, relation.definition.schema);
}

}  // namespace
}  // namespace pollux::mysql

namespace pollux {

std::unique_ptr<StoreDatabase> make_mysql_database(const DatabaseOptions& options) {
  using mysql::MysqlDatabase;
  return std::make_unique<sql::SharedDatabase<MysqlDatabase>>(options, mysql::make_pool(options));
}

}  // namespace pollux
