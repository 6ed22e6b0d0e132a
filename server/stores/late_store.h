// A store in a database that need not answer when the node starts: opened by the first call that
// reaches it, and until then every call is told why there is none.
//
// Thread: any.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>

#include "storage/record_store.h"

namespace pollux {

class LateStore final : public RecordStore {
 public:
  using Open = std::function<absl::StatusOr<std::unique_ptr<RecordStore>>()>;

  explicit LateStore(Open open) : open_(std::move(open)) {}

  absl::Status open_table(const TableDefinition& definition) override;
  absl::Status drop_table(std::string_view name) override;
  absl::StatusOr<std::vector<StoredTable>> tables() const override;
  absl::Status raise_fence(Epoch epoch) override;
  absl::StatusOr<Written> write(std::string_view table, std::span<const Rows> rows,
                                Epoch epoch) override;
  absl::StatusOr<std::optional<RowId>> progress(std::string_view table,
                                                std::string_view source) const override;
  absl::Status sync() override;
  absl::Status copy_to(const std::string& directory) override;
  absl::StatusOr<std::unique_ptr<RecordCursor>> scan(std::string_view table, RecordTimeRange range,
                                                     Timestamp now) const override;
  absl::StatusOr<EventBatchPtr> find(std::string_view table, std::span<const Value> key,
                                     Timestamp now) const override;
  absl::StatusOr<EventBatchPtr> look_up(const TableDefinition& wanted, const EventBatch& keys,
                                        Timestamp now) const override;
  absl::StatusOr<Expired> expire(Timestamp now) override;

 private:
  using Clock = std::chrono::steady_clock;
  /// A failure is the answer to whoever asks within this time: they need not all wait for it.
  static constexpr std::chrono::seconds kFailureAge{1};

  absl::StatusOr<RecordStore*> store() const;

  const Open open_;
  mutable std::mutex mutex_;
  mutable std::unique_ptr<RecordStore> store_;
  mutable absl::Status failure_;
  mutable Clock::time_point failed_;
};

}  // namespace pollux
