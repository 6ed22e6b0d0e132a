#include "tests/bench/store/plain_writers.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <stdexcept>

#include "absl/strings/str_cat.h"
#include "storage/key_codec.h"
#include "storage/postgres/copy_rows.h"
#include "storage/remote/mysql_session.h"
#include "storage/remote/postgres_session.h"
#include "storage/rocks/database.h"
#include "storage/rocks/row_codec.h"
#include "tests/bench/store/plain_rows.h"

namespace pollux::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int64_t kTimeoutMs = 60'000;
constexpr uint32_t kPlainTable = 1;

double since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

[[noreturn]] void fail(const absl::Status& status) {
  throw std::runtime_error(std::string(status.message()));
}

void add_values(const EventBatch& rows, uint32_t row, std::vector<MysqlParameter>& to) {
  for (size_t c = 0; c < rows.schema().size(); ++c) {
    const Column& column = rows.column(c);
    switch (column.type()) {
      case AttributeType::kString:
        to.emplace_back(column.data<StringRef>()[row].view());
        break;
      case AttributeType::kBool:
        to.emplace_back(column.data<uint8_t>()[row] != 0);
        break;
      case AttributeType::kInt:
        to.emplace_back(column.data<int32_t>()[row]);
        break;
      case AttributeType::kDouble:
        to.emplace_back(column.data<double>()[row]);
        break;
      default:
        to.emplace_back(column.data<int64_t>()[row]);
    }
  }
  to.emplace_back(rows.timestamps()[row]);
}

/// Calls `write` for each transaction.
template <class Write>
PlainWrites time_writes(uint64_t rows, uint32_t batch, Write&& write) {
  PlainWrites done;
  const Clock::time_point begin = Clock::now();
  for (uint64_t written = 0; written < rows; written += batch) {
    const Clock::time_point began = Clock::now();
    write();
    done.commits_ms.push_back(since(began) * 1000);
  }
  done.seconds = since(begin);
  return done;
}

}  // namespace

PlainWrites copy_rows(uint16_t port, const std::string& table, uint64_t rows, uint32_t batch) {
  PostgresSessionOptions options;
  options.address.port = port;
  options.application = "bench_store";
  auto session = PostgresSession::connect(options, {"127.0.0.1"}, Deadline(kTimeoutMs));
  if (!session.ok()) fail(session.status());
  const auto data = plain_rows(batch);
  std::string columns;
  for (const Attribute& column : data->schema().attributes()) columns += column.name + ", ";
  const std::string sql =
      absl::StrCat("COPY ", table, " (", columns, "pollux_time) FROM STDIN (FORMAT binary)");
  return time_writes(rows, batch, [&] {
    postgres::CopyRows bytes;
    for (uint32_t row = 0; row < batch; ++row) bytes.add(*data, row, data->timestamps()[row]);
    auto copied = (*session)->copy_in(sql.c_str(), bytes.finish(), Deadline(kTimeoutMs));
    if (!copied.ok()) fail(copied.status());
    move_on(*data, batch);
  });
}

PlainWrites insert_rows(uint16_t port, const std::string& table, uint64_t rows, uint32_t batch) {
  constexpr uint32_t kRowsOfInsert = 1024;
  DatabaseAddress address;
  address.port = port;
  address.password = std::getenv("MYSQL_PWD");
  const Deadline connecting(kTimeoutMs);
  auto session = MysqlSession::connect(address, "127.0.0.1", connecting);
  if (!session.ok()) fail(session.status());
  auto ask = [&](const std::string& sql) {
    auto answer = (*session)->query(sql, Deadline(kTimeoutMs));
    if (!answer.ok()) fail(answer.status());
  };
  const auto data = plain_rows(batch);
  std::string columns, row = "(";
  for (const Attribute& column : data->schema().attributes()) {
    columns += "`" + column.name + "`, ";
    row += "?, ";
  }
  row += "?)";
  auto statement = [&](uint32_t count) {
    std::string sql = absl::StrCat("INSERT INTO ", table, " (", columns, "pollux_time) VALUES ");
    for (uint32_t i = 0; i < count; ++i) absl::StrAppend(&sql, i == 0 ? "" : ", ", row);
    return sql;
  };
  const std::string full = statement(kRowsOfInsert);
  std::vector<MysqlParameter> values;
  return time_writes(rows, batch, [&] {
    ask("START TRANSACTION");
    for (uint32_t begin = 0; begin < batch; begin += kRowsOfInsert) {
      const uint32_t end = std::min(begin + kRowsOfInsert, batch);
      values.clear();
      for (uint32_t at = begin; at < end; ++at) add_values(*data, at, values);
      auto put = (*session)->execute(end - begin == kRowsOfInsert ? full : statement(end - begin),
                                     values, Deadline(kTimeoutMs));
      if (!put.ok()) fail(put.status());
    }
    ask("COMMIT");
    move_on(*data, batch);
  });
}

PlainWrites write_batches(const std::string& directory, uint64_t rows, uint32_t batch) {
  RocksStoreOptions options;
  options.name = "bench";
  options.directory = directory;
  auto database = rocks::Database::open(options);
  if (!database.ok()) fail(database.status());
  const auto data = plain_rows(batch);
  uint64_t arrival = 0;
  std::string key, value;
  return time_writes(rows, batch, [&] {
    rocks::Transaction transaction = (*database)->begin();
    for (uint32_t row = 0; row < batch; ++row) {
      key = rocks::key_of(rocks::Kind::kRow, kPlainTable);
      append_ordered(key, data->timestamps()[row]);
      append_ordered(key, arrival++);
      value.clear();
      rocks::append_row_bytes(value, *data, row, data->timestamps()[row]);
      transaction.put(key, value);
    }
    absl::Status written =
        (*database)->commit(transaction, rocks::Database::Sync::kAsConfigured, "write");
    if (!written.ok()) fail(written);
    move_on(*data, batch);
  });
}

}  // namespace pollux::bench
