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
  for (std::string_view name : kStoreNames) {
    auto shared = set->options_.shared.find(name);
    if (shared != set->options_.shared.end()) {
      set->stores_.emplace(name, Store{std::make_unique<LateStore>(shared->second), true});
      continue;
    }
    RocksStoreOptions rocks;
    rocks.name = name;
    rocks.directory = set->options_.directory + "/" + std::string(name);
    rocks.block_cache_bytes = set->options_.block_cache_bytes / 3;
    auto store = open_rocks_store(rocks);
    if (!store.ok()) return store.status();
    if (absl::Status fenced = (*store)->raise_fence(epoch); !fenced.ok()) return fenced;
    set->stores_.emplace(name, Store{*std::move(store), false});
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
  return store == stores_.end() ? nullptr : store->second.records.get();
}

bool StoreSet::is_shared(std::string_view name) const {
  auto store = stores_.find(name);
  return store != stores_.end() && store->second.shared;
}

Epoch StoreSet::epoch_of(std::string_view name) const {
  return is_shared(name) ? Epoch{lead_.load()} : epoch_;
}

void StoreSet::set_lead(std::optional<Epoch> epoch) {
  if (epoch) lead_ = epoch->value;
  leads_ = epoch.has_value();
}

std::vector<std::string> StoreSet::names() const {
  std::vector<std::string> names;
  for (const auto& [name, store] : stores_) names.push_back(name);
  return names;
}

absl::StatusOr<std::vector<StoreSet::FoundTable>> StoreSet::find_tables(
    std::string_view table) const {
  std::vector<FoundTable> found;
  absl::Status silent;
  for (const auto& [name, store] : stores_) {
    auto tables = store.records->tables();
    if (!tables.ok()) {
      silent = tables.status();
      continue;
    }
    for (StoredTable& each : *tables) {
      if (each.definition.name != table) continue;
      found.push_back({name, store.records.get(), std::move(each)});
    }
  }
  if (found.empty() && !silent.ok()) return silent;
  return found;
}

absl::Status StoreSet::sync() const {
  for (const auto& [name, store] : stores_) {
    if (absl::Status synced = store.records->sync(); !synced.ok()) return synced;
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
    if (store.shared) continue;
    absl::Status copied = store.records->copy_to(directory + "/" + name);
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
    while (!store.shared || leads_) {
      auto expired = store.records->expire({wall_clock_ms()});
      if (!expired.ok() && options_.on_error) options_.on_error(name, expired.status());
      std::lock_guard lock(mutex_);
      if (!expired.ok() || !expired->more || stopping_) break;
    }
  }
}

}  // namespace pollux
