// What readers see of a log: its rows, their places in it, and news.
#include <algorithm>
#include <utility>

#include "engine/base/check.h"
#include "server/node/result_log.h"

namespace pollux {

ResultLog::Listener::~Listener() { log_.unlisten(number_); }

std::unique_ptr<ResultLog::Listener> ResultLog::listen(std::function<void()> listener) {
  std::lock_guard lock(listeners_mutex_);
  uint64_t number = ++last_listener_;
  listeners_.push_back({number, std::move(listener)});
  return std::unique_ptr<Listener>(new Listener(*this, number));
}

void ResultLog::unlisten(uint64_t number) {
  std::lock_guard lock(listeners_mutex_);
  std::erase_if(listeners_, [&](const Hearer& hearer) { return hearer.number == number; });
}

void ResultLog::tell_listeners() {
  std::lock_guard lock(listeners_mutex_);
  for (const Hearer& hearer : listeners_) hearer.call();
}

// ---- rows ----

uint64_t ResultLog::end() const {
  std::lock_guard lock(mutex_);
  return window_.end();
}

uint64_t ResultLog::begin() const {
  if (file_ != nullptr) return file_->begin();
  std::lock_guard lock(mutex_);
  return window_.begin();
}

ResultLog::Read ResultLog::read(uint64_t from, size_t rows_max) const {
  Read read;
  read.next = from;
  if (uint64_t begin = this->begin(); from < begin) {
    read.forgotten = true;
    read.next = begin;
    return read;
  }
  {
    std::lock_guard lock(mutex_);
    if (from >= window_.begin()) {
      read.slices = window_.read(from, rows_max);
      read.next = read.slices.empty() ? std::min(from, window_.end()) : read.slices.back()->end();
      read.ended = ended_ && read.slices.empty() && window_.end() == appended_end_;
      return read;
    }
  }
  if (file_ == nullptr) return this->read(from, rows_max);  // forgotten meanwhile
  auto slices = file_->read(from, rows_max);
  if (absl::IsOutOfRange(slices.status())) return this->read(from, rows_max);
  if (!slices.ok()) {
    read.error = slices.status();
    return read;
  }
  read.slices = *std::move(slices);
  if (!read.slices.empty()) read.next = read.slices.back()->end();
  return read;
}

std::optional<uint64_t> ResultLog::offset_behind(std::string_view id) const {
  auto parsed = parse_result_id(id);
  if (!parsed) return std::nullopt;
  std::optional<ResultIds::Range> range;
  {
    std::lock_guard lock(mutex_);
    range = ids_.find(*parsed);
  }
  while (range && range->from < range->to) {
    constexpr size_t kRowsAtOnce = 1024;
    Read read = this->read(range->from, kRowsAtOnce);
    if (read.next == range->from) return std::nullopt;  // not visible yet, or unreadable
    range->from = read.next;
    for (const ResultSlicePtr& slice : read.slices) {
      if (*slice->plan != parsed->plan || slice->cause != parsed->row.cause) continue;
      const auto& ordinals = slice->ordinals;
      auto at = std::find(ordinals.begin(), ordinals.end(), parsed->row.ordinal);
      if (at != ordinals.end()) {
        return slice->first + static_cast<uint64_t>(at - ordinals.begin()) + 1;
      }
    }
  }
  return std::nullopt;
}

// ---- holds ----

ResultLog::Hold::~Hold() {
  if (number_ != 0) log_.let_go(number_, /*for_good=*/false);
}
uint64_t ResultLog::Hold::from() const { return log_.place_of(number_); }
void ResultLog::Hold::confirm(uint64_t up_to) { log_.confirm(number_, up_to); }
void ResultLog::Hold::forget() { log_.let_go(number_.exchange(0), /*for_good=*/true); }

ResultLog::Holder* ResultLog::find_holder(uint64_t number) {
  auto found = std::find_if(holds_.begin(), holds_.end(),
                            [&](const Holder& holder) { return holder.number == number; });
  return found == holds_.end() ? nullptr : &*found;
}

std::unique_ptr<ResultLog::Hold> ResultLog::hold(uint64_t from) {
  uint64_t begin = this->begin();
  std::lock_guard lock(mutex_);
  Holder holder;
  holder.number = ++last_hold_;
  holder.from = std::max(from, begin);
  holds_.push_back(std::move(holder));
  return std::unique_ptr<Hold>(new Hold(*this, last_hold_));
}

std::unique_ptr<ResultLog::Hold> ResultLog::resume(const std::string& reader, uint64_t from) {
  std::unique_ptr<Hold> hold = this->hold(from);
  if (places_ == nullptr) return hold;
  std::string key = ReaderPlaces::key_of(reader);
  {
    std::lock_guard lock(mutex_);
    auto known = std::find_if(holds_.begin(), holds_.end(),
                              [&](const Holder& holder) { return holder.key == key; });
    Holder& mine = *find_holder(hold->number_);
    if (known != holds_.end()) {
      POLLUX_CHECK(!known->live);
      mine.from = known->from;
      mine.noted = known->noted;
      holds_.erase(known);
    } else {
      mine.noted = false;
    }
    find_holder(hold->number_)->key = std::move(key);
  }
  {
    std::lock_guard writing(write_mutex_);
    note_places();
  }
  call_out();
  return hold;
}

uint64_t ResultLog::place_of(uint64_t number) const {
  std::lock_guard lock(mutex_);
  auto found = std::find_if(holds_.begin(), holds_.end(),
                            [&](const Holder& holder) { return holder.number == number; });
  POLLUX_CHECK(found != holds_.end());
  return found->from;
}

void ResultLog::confirm(uint64_t number, uint64_t up_to) {
  std::string key;
  {
    std::lock_guard lock(mutex_);
    Holder* holder = find_holder(number);
    if (holder == nullptr || up_to <= holder->from) return;
    key = holder->key;
  }
  // On disk first; when that is full the file tells an earlier place until retry().
  if (!key.empty()) note(places_->confirm(key, up_to));
  {
    std::lock_guard lock(mutex_);
    if (Holder* holder = find_holder(number)) holder->from = up_to;
  }
  confirmed();
}

void ResultLog::let_go(uint64_t number, bool for_good) {
  std::string key;
  {
    std::lock_guard lock(mutex_);
    Holder* holder = find_holder(number);
    if (holder == nullptr) return;
    if (!for_good && !holder->key.empty()) {
      holder->live = false;
      return;
    }
    key = holder->key;
    std::erase_if(holds_, [&](const Holder& each) { return each.number == number; });
  }
  if (!key.empty()) note(places_->forget(key));
  confirmed();
}

void ResultLog::forget_unclaimed() {
  std::vector<uint64_t> unclaimed;
  {
    std::lock_guard lock(mutex_);
    for (const Holder& holder : holds_) {
      if (!holder.claimed) unclaimed.push_back(holder.number);
    }
  }
  for (uint64_t number : unclaimed) let_go(number, /*for_good=*/true);
}

/// Fewer rows are held than before.
void ResultLog::confirmed() {
  bool writes = false;
  {
    std::lock_guard lock(mutex_);
    if (file_ == nullptr) shrink_window();
    writes = file_ != nullptr && (refused_ || may_trim());
  }
  if (writes) {
    flush();
  } else {
    call_out();
  }
}

}  // namespace pollux
