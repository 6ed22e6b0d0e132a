#include "server/node/result_log.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "server/formats/result_writer.h"

namespace pollux {
namespace {

/// What a slice keeps in memory, its share of the batch's strings included.
size_t bytes_of(const ResultSlice& slice) {
  return sizeof(ResultSlice) + slice.batch->bytes_held() + slice.batch->bytes_shared() +
         slice.ordinals.capacity() * sizeof(uint32_t);
}

/// The last part of an id, behind the plan's name.
struct Place {
  uint64_t epoch = 0;
  uint64_t position = 0;
  uint32_t ordinal = 0;
};

template <class T>
bool take_number(std::string_view& text, T& number, char end) {
  auto [at, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return false;
  text.remove_prefix(static_cast<size_t>(at - text.data()));
  if (end == '\0') return text.empty();
  if (text.empty() || text[0] != end) return false;
  text.remove_prefix(1);
  return true;
}

std::optional<std::pair<std::string_view, Place>> parse_id(std::string_view id) {
  std::string tenant = std::to_string(kDefaultTenant) + "/";
  if (!id.starts_with(tenant)) return std::nullopt;
  id.remove_prefix(tenant.size());
  size_t slash = id.rfind('/');
  if (slash == std::string_view::npos) return std::nullopt;
  Place place;
  std::string_view numbers = id.substr(slash + 1);
  if (!take_number(numbers, place.epoch, '.') || !take_number(numbers, place.position, '.') ||
      !take_number(numbers, place.ordinal, '\0')) {
    return std::nullopt;
  }
  return std::pair(id.substr(0, slash), place);
}

}  // namespace

std::string result_id(const ResultSlice& slice, uint32_t row) {
  return std::to_string(kDefaultTenant) + "/" + *slice.plan + "/" +
         std::to_string(slice.cause.epoch.value) + "." +
         std::to_string(slice.cause.position.value) + "." + std::to_string(slice.ordinals[row]);
}

ResultLog::Writer::~Writer() { log_.writer_gone(); }
ResultLog::Listener::~Listener() { log_.unlisten(number_); }
ResultLog::Hold::~Hold() { log_.let_go(number_); }
void ResultLog::Hold::confirm(uint64_t up_to) { log_.confirm(number_, up_to); }

void ResultLog::append(ResultSlice slice) {
  if (slice.batch->rows() == 0) return;
  {
    std::lock_guard lock(mutex_);
    slice.first = end_;
    end_ += slice.batch->rows();
    bytes_ += bytes_of(slice);
    slices_.push_back(std::make_shared<const ResultSlice>(std::move(slice)));
    forget();
  }
  tell_listeners();
}

std::unique_ptr<ResultLog::Writer> ResultLog::write() {
  std::lock_guard lock(mutex_);
  ++writers_;
  return std::unique_ptr<Writer>(new Writer(*this));
}

void ResultLog::writer_gone() {
  {
    std::lock_guard lock(mutex_);
    ended_ = --writers_ == 0;
    if (!ended_) return;
  }
  tell_listeners();
}

void ResultLog::tell_listeners() {
  std::lock_guard lock(listeners_mutex_);
  for (const Hearer& hearer : listeners_) hearer.call();
}

/// Drops slices that nobody holds while there are too many.
void ResultLog::forget() {
  uint64_t held_from = end_;
  for (const Holder& holder : holds_) held_from = std::min(held_from, holder.from);
  while (bytes_ > max_ && slices_.size() > 1 && slices_.front()->end() <= held_from) {
    bytes_ -= bytes_of(*slices_.front());
    slices_.pop_front();
    begin_ = slices_.front()->first;
  }
}

bool ResultLog::is_full() const {
  if (bytes_ <= max_) return false;
  uint64_t held_from = end_;
  for (const Holder& holder : holds_) held_from = std::min(held_from, holder.from);
  return held_from < end_ && slices_.size() > 1;
}

bool ResultLog::full() const {
  std::lock_guard lock(mutex_);
  return is_full();
}

void ResultLog::when_not_full(std::function<void()> room) {
  std::unique_lock lock(mutex_);
  if (is_full()) {
    waiting_.push_back(std::move(room));
    return;
  }
  lock.unlock();
  room();
}

void ResultLog::room_made(std::unique_lock<std::mutex> lock) {
  forget();
  if (is_full() || waiting_.empty()) return;
  auto waiting = std::exchange(waiting_, {});
  lock.unlock();
  for (auto& room : waiting) room();
}

uint64_t ResultLog::end() const {
  std::lock_guard lock(mutex_);
  return end_;
}

uint64_t ResultLog::begin() const {
  std::lock_guard lock(mutex_);
  return begin_;
}

uint64_t ResultLog::bytes() const {
  std::lock_guard lock(mutex_);
  return bytes_;
}

ResultLog::Read ResultLog::read(uint64_t from, size_t rows_max) const {
  std::lock_guard lock(mutex_);
  Read read;
  if (from < begin_) {
    read.forgotten = true;
    read.next = begin_;
    return read;
  }
  read.next = std::min(from, end_);
  auto slice = std::partition_point(slices_.begin(), slices_.end(),
                                    [&](const auto& each) { return each->end() <= from; });
  for (size_t rows = 0; slice != slices_.end() && rows < rows_max; ++slice) {
    rows += (*slice)->batch->rows();
    read.next = (*slice)->end();
    read.slices.push_back(*slice);
  }
  read.ended = ended_ && read.slices.empty();
  return read;
}

std::optional<uint64_t> ResultLog::offset_behind(std::string_view id) const {
  auto parsed = parse_id(id);
  if (!parsed) return std::nullopt;
  const auto& [plan, place] = *parsed;
  EntryId cause{{place.epoch}, {place.position}};
  std::lock_guard lock(mutex_);
  for (auto slice = slices_.rbegin(); slice != slices_.rend(); ++slice) {
    if (*(*slice)->plan != plan || (*slice)->cause != cause) continue;
    const auto& ordinals = (*slice)->ordinals;
    auto at = std::find(ordinals.begin(), ordinals.end(), place.ordinal);
    if (at != ordinals.end()) {
      return (*slice)->first + static_cast<uint64_t>(at - ordinals.begin()) + 1;
    }
  }
  return std::nullopt;
}

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

std::unique_ptr<ResultLog::Hold> ResultLog::hold(uint64_t from) {
  std::lock_guard lock(mutex_);
  uint64_t number = ++last_hold_;
  holds_.push_back({number, std::max(from, begin_)});
  return std::unique_ptr<Hold>(new Hold(*this, number));
}

void ResultLog::confirm(uint64_t number, uint64_t up_to) {
  std::unique_lock lock(mutex_);
  for (Holder& holder : holds_) {
    if (holder.number == number) holder.from = std::max(holder.from, up_to);
  }
  room_made(std::move(lock));
}

void ResultLog::let_go(uint64_t number) {
  std::unique_lock lock(mutex_);
  std::erase_if(holds_, [&](const Holder& holder) { return holder.number == number; });
  room_made(std::move(lock));
}

}  // namespace pollux
