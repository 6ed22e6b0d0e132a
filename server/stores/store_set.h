// The record stores of a node: EVENT_STORE, EVENT_STORE_WO and PROCESSED_DATA_STORE, each embedded
// in a folder of its own, or shared with the other node of a pair in a database.
//
// What is embedded is the node's own: it writes there whether it leads or not, under the epoch of
// its start. What is shared is written by the node that leads, under the epoch of its lead.
// Thread: any. A thread of its own drops rows past their retention once a minute.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/types/ids.h"
#include "server/stores/late_store.h"
#include "storage/record_store.h"

namespace pollux {

struct StoreSetOptions {
  std::string directory;  ///< each store has a folder in it
  size_t block_cache_bytes = size_t{128} << 20;
  /// By name: opens a store that is shared. Those that do not stand here are embedded.
  std::map<std::string, LateStore::Open, std::less<>> shared;
  /// Told of what the housekeeping could not do.
  std::function<void(std::string_view store, const absl::Status& status)> on_error;
};

class StoreSet {
 public:
  /// Opens the embedded stores and raises their fences to this epoch; shared ones are opened when
  /// they are needed.
  static absl::StatusOr<std::unique_ptr<StoreSet>> open(StoreSetOptions options, Epoch epoch);
  ~StoreSet();

  /// Null when there is no store of that name.
  RecordStore* find(std::string_view name) const;
  bool is_shared(std::string_view name) const;
  /// The epoch under which this node writes to the store.
  Epoch epoch_of(std::string_view name) const;
  /// From now on this node leads, in that epoch; or it leads no more.
  void set_lead(std::optional<Epoch> epoch);
  std::vector<std::string> names() const;

  struct FoundTable {
    std::string store;
    RecordStore* records;
    StoredTable table;
  };
  /// The tables of that name, in whichever stores; an error only where none was found and a store
  /// did not answer.
  absl::StatusOr<std::vector<FoundTable>> find_tables(std::string_view table) const;
  /// All that was written survives a loss of power when it returns.
  absl::Status sync() const;
  /// The embedded stores as they are now, each with a folder in `directory`, which is made.
  absl::Status copy_to(const std::string& directory) const;

 private:
  explicit StoreSet(StoreSetOptions options, Epoch epoch)
      : options_(std::move(options)), epoch_(epoch) {}
  void expire_now_and_then();
  void expire_all();

  struct Store {
    std::unique_ptr<RecordStore> records;
    bool shared = false;
  };

  const StoreSetOptions options_;
  const Epoch epoch_;  ///< of this start
  std::map<std::string, Store, std::less<>> stores_;
  std::atomic<uint64_t> lead_ = 0;  ///< its epoch
  std::atomic<bool> leads_ = false;

  std::mutex mutex_;
  std::condition_variable stop_wanted_;
  bool stopping_ = false;
  std::thread housekeeper_;
};

}  // namespace pollux
