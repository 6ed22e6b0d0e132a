// The record stores of a node: EVENT_STORE, EVENT_STORE_WO and PROCESSED_DATA_STORE, embedded, each
// in a folder of its own.
//
// Thread: any. A thread of its own drops rows past their retention once a minute.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/types/ids.h"
#include "storage/record_store.h"

namespace pollux {

struct StoreSetOptions {
  std::string directory;  ///< each store has a folder in it
  size_t block_cache_bytes = size_t{128} << 20;
  /// Told of what the housekeeping could not do.
  std::function<void(std::string_view store, const absl::Status& status)> on_error;
};

class StoreSet {
 public:
  /// Opens all stores and raises their fences to this epoch.
  static absl::StatusOr<std::unique_ptr<StoreSet>> open(StoreSetOptions options, Epoch epoch);
  ~StoreSet();

  Epoch epoch() const { return epoch_; }
  /// Null when there is no store of that name.
  RecordStore* find(std::string_view name) const;
  std::vector<std::string> names() const;

  struct FoundTable {
    std::string store;
    RecordStore* records;
    StoredTable table;
  };
  /// The tables of that name, in whichever stores.
  absl::StatusOr<std::vector<FoundTable>> find_tables(std::string_view table) const;
  /// All that was written survives a loss of power when it returns.
  absl::Status sync() const;
  /// All stores as they are now, each with a folder in `directory`, which is made.
  absl::Status copy_to(const std::string& directory) const;

 private:
  explicit StoreSet(StoreSetOptions options, Epoch epoch)
      : options_(std::move(options)), epoch_(epoch) {}
  void expire_now_and_then();
  void expire_all();

  const StoreSetOptions options_;
  const Epoch epoch_;
  std::map<std::string, std::unique_ptr<RecordStore>, std::less<>> stores_;

  std::mutex mutex_;
  std::condition_variable stop_wanted_;
  bool stopping_ = false;
  std::thread housekeeper_;
};

}  // namespace pollux
