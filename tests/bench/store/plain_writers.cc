#include "tests/bench/store/plain_writers.h"

#include <chrono>
#include <memory>
#include <stdexcept>

#include "absl/strings/str_cat.h"
#include "storage/key_codec.h"
#include "storage/postgres/copy_rows.h"
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
