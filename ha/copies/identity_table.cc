#include "ha/copies/identity_table.h"

#include <algorithm>
#include <iterator>
#include <unordered_set>
#include <utility>

namespace pollux {
namespace {

/// Whether it is the first of its batch that is named so.
bool is_first(std::unordered_set<RowIdentity, RowIdentityHash>& names, const RowIdentity& row) {
  return !row.is_name() || names.insert(row).second;
}

}  // namespace

void IdentityTable::drop_unused(Map::iterator at) {
  if (at->second.numbered == 0 && at->second.received == 0) counts_.erase(at);
}

std::vector<uint64_t> IdentityTable::receive(std::span<const RowIdentity> rows) {
  std::vector<uint64_t> receipts;
  receipts.reserve(rows.size());
  std::lock_guard lock(mutex_);
  for (const RowIdentity& row : rows) {
    if (row.is_name()) {
      receipts.push_back(1);
      continue;
    }
    Counts& counts = counts_[row];
    receipts.push_back(counts.forgotten + ++counts.received);
  }
  return receipts;
}

void IdentityTable::give_back(std::span<const RowIdentity> rows) {
  std::lock_guard lock(mutex_);
  for (const RowIdentity& row : rows) {
    auto found = counts_.find(row);
    if (row.is_name() || found == counts_.end()) continue;
    if (found->second.received > 0) --found->second.received;
    drop_unused(found);
  }
}

bool IdentityTable::is_numbered(const RowIdentity& identity, uint64_t receipt) const {
  std::lock_guard lock(mutex_);
  auto found = counts_.find(identity);
  if (found == counts_.end()) return false;
  const Counts& counts = found->second;
  return identity.is_name() ? counts.numbered > 0 : receipt <= counts.forgotten + counts.numbered;
}

uint32_t IdentityTable::beyond(const RowIdentity& identity, uint64_t receipt) const {
  std::lock_guard lock(mutex_);
  auto found = counts_.find(identity);
  const uint64_t numbered =
      found == counts_.end() ? 0 : found->second.forgotten + found->second.numbered;
  return receipt <= numbered ? 1 : static_cast<uint32_t>(receipt - numbered);
}

std::vector<uint32_t> IdentityTable::fresh_rows(std::span<const RowIdentity> rows,
                                                std::span<const uint64_t> receipts) const {
  std::vector<uint32_t> fresh;
  std::unordered_set<RowIdentity, RowIdentityHash> names;
  std::lock_guard lock(mutex_);
  for (uint32_t row = 0; row < rows.size(); ++row) {
    auto found = counts_.find(rows[row]);
    const Counts counts = found == counts_.end() ? Counts{} : found->second;
    const bool known = rows[row].is_name() ? counts.numbered > 0
                                           : receipts[row] <= counts.forgotten + counts.numbered;
    if (!known && is_first(names, rows[row])) fresh.push_back(row);
  }
  return fresh;
}

/// Of each row, how many of its values. Few are numbered twice within minutes, and only these are
/// looked for among all.
std::vector<uint32_t> IdentityTable::numbered_behind(std::span<const RowIdentity> rows,
                                                     Position behind) const {
  std::unordered_map<RowIdentity, uint32_t, RowIdentityHash> several;
  std::vector<uint32_t> numbered;
  for (const RowIdentity& row : rows) {
    auto found = counts_.find(row);
    const bool none = found == counts_.end() || found->second.last <= behind;
    numbered.push_back(none ? 0 : found->second.numbered);
    if (!none && found->second.numbered > 1) several.emplace(row, 0);
  }
  if (several.empty()) return numbered;
  for (auto at = numbered_.rbegin(); at != numbered_.rend() && at->position > behind; ++at) {
    if (auto found = several.find(at->identity); found != several.end()) ++found->second;
  }
  for (size_t row = 0; row < rows.size(); ++row) {
    if (auto found = several.find(rows[row]); found != several.end()) numbered[row] = found->second;
  }
  return numbered;
}

std::vector<uint32_t> IdentityTable::fresh_rows(std::span<const RowIdentity> rows,
                                                const CopyCount& count) const {
  std::vector<uint32_t> fresh;
  std::unordered_set<RowIdentity, RowIdentityHash> names;
  std::lock_guard lock(mutex_);
  const std::vector<uint32_t> since = numbered_behind(rows, count.behind);
  for (uint32_t row = 0; row < rows.size(); ++row) {
    auto found = counts_.find(rows[row]);
    const bool named = found != counts_.end() && found->second.numbered > 0;
    const bool known = rows[row].is_name() ? named : count.beyond[row] <= since[row];
    if (!known && is_first(names, rows[row])) fresh.push_back(row);
  }
  return fresh;
}

void IdentityTable::number(std::span<const RowIdentity> rows, Position position, Timestamp time) {
  std::lock_guard lock(mutex_);
  for (const RowIdentity& row : rows) {
    numbered_.push_back({row, position, time.ms});
    Counts& counts = counts_[row];
    ++counts.numbered;
    counts.last = position;
  }
}

void IdentityTable::forget_first() {
  auto found = counts_.find(numbered_.front().identity);
  numbered_.pop_front();
  Counts& counts = found->second;
  ++counts.forgotten;
  --counts.numbered;
  if (counts.received > 0) --counts.received;
  drop_unused(found);
}

void IdentityTable::note_committed(Position position, Timestamp time) {
  std::lock_guard lock(mutex_);
  while (!numbered_.empty() && numbered_.front().position <= position) {
    const bool old = numbered_.front().ms + limits_.keep_ms <= time.ms;
    if (!old && numbered_.size() <= limits_.identities_max) return;
    forget_first();
  }
}

void IdentityTable::roll_back(Position position) {
  std::lock_guard lock(mutex_);
  const size_t before = numbered_.size();
  while (!numbered_.empty() && numbered_.back().position > position) {
    auto found = counts_.find(numbered_.back().identity);
    numbered_.pop_back();
    --found->second.numbered;
    drop_unused(found);
  }
  if (numbered_.size() == before) return;
  for (const NumberedIdentity& one : numbered_) counts_[one.identity].last = one.position;
}

std::vector<NumberedIdentity> IdentityTable::cut(Position position, Timestamp time) const {
  std::lock_guard lock(mutex_);
  std::vector<NumberedIdentity> all;
  for (const NumberedIdentity& one : numbered_) {
    if (one.position <= position && one.ms + limits_.keep_ms > time.ms) all.push_back(one);
  }
  const size_t over = all.size() - std::min(all.size(), limits_.identities_max);
  all.erase(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(over));
  return all;
}

void IdentityTable::restore(std::vector<NumberedIdentity> numbered) {
  std::lock_guard lock(mutex_);
  counts_.clear();
  numbered_.assign(numbered.begin(), numbered.end());
  for (const NumberedIdentity& one : numbered_) {
    Counts& counts = counts_[one.identity];
    ++counts.numbered;
    counts.last = one.position;
  }
}

size_t IdentityTable::size() const {
  std::lock_guard lock(mutex_);
  return numbered_.size();
}

}  // namespace pollux
