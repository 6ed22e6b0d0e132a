#include "server/stores/store_set.h"

#include <chrono>
#include <filesystem>
#include <system_error>

#include "server/node/wall_clock.h"
#include "storage/rocks_store.h"

namespace pollux {
namespace {

constexpr std::chrono::minutes kExpireInterval{1};

}  // namespace

absl::StatusOr<std::unique_ptr<StoreSet>> StoreSet::open(StoreSetOptions options, Epoch epoch) {
  std::unique_ptr<StoreSet> set(new StoreSet(std::move(options), epoch));
  for (std::string_view name : {kEventStore, kEventStoreWriteOptimised, kProcessedDataStore}) {
    RocksStoreOptions rocks;
    rocks.name = name;
    rocks.directory = set->options_.directory + "/" + std::string(name);
    rocks.block_cache_bytes = set->options_.block_cache_bytes / 3;
    auto store = open_rocks_store(rocks);
    if (!store.ok()) return store.status();
    if (absl::Status fenced = (*store)->raise_fence(epoch); !fenced.ok()) return fenced;
    set->stores_.emplace(name, *std::move(store));
  }
  set->housekeeper_ = std::thread([raw = set.get()] { raw->expire_now_and_then(); });
  return set;
}

StoreSet::~StoreSet() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  stop_wanted_.notify_one();
  if (housekeeper_.joinable()) housekeeper_.join();
}

RecordStore* StoreSet::find(std::string_view name) const {
  auto store = stores_.find(name);
  return store == stores_.end() ? nullptr : store->second.get();
}

std::vector<std::string> StoreSet::names() const {
  std::vector<std::string> names;
  for (const auto& [name, store] : stores_) names.push_back(name);
  return names;
}

absl::StatusOr<std::vector<StoreSet::FoundTable>> StoreSet::find_tables(
    std::string_view table) const {
  std::vector<FoundTable> found;
  for (const auto& [name, store] : stores_) {
    auto tables = store->tables();
    if (!tables.ok()) return tables.status();
    for (StoredTable& each : *tables) {
      if (each.definition.name == table) found.push_back({name, store.get(), std::move(each)});
    }
  }
  return found;
}

absl::Status StoreSet::sync() const {
  for (const auto& [name, store] : stores_) {
    if (absl::Status synced = store->sync(); !synced.ok()) return synced;
  }
  return absl::OkStatus();
}

absl::Status StoreSet::copy_to(const std::string& directory) const {
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (error) {
    return absl::UnavailableError("cannot make " + directory + ": " + error.message());
  }
  for (const auto& [name, store] : stores_) {
    absl::Status copied = store->copy_to(directory + "/" + name);
    if (!copied.ok()) return copied;
  }
  return absl::OkStatus();
}

void StoreSet::expire_now_and_then() {
  std::unique_lock lock(mutex_);
  while (!stop_wanted_.wait_for(lock, kExpireInterval, [this] { return stopping_; })) {
    lock.unlock();
    expire_all();
    lock.lock();
  }
}

void StoreSet::expire_all() {
  for (const auto& [name, store] : stores_) {
    while (true) {
      auto expired = store->expire({wall_clock_ms()});
      if (!expired.ok() && options_.on_error) options_.on_error(name, expired.status());
      std::lock_guard lock(mutex_);
      if (!expired.ok() || !expired->more || stopping_) break;
    }
  }
}

}  // namespace pollux
