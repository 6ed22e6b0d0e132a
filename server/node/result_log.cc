// How a log is opened, written and made to last; result_log_readers.cc is what readers see of it.
#include "server/node/result_log.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"

namespace pollux {
namespace {

/// Segments are what is trimmed: several make up what stays for subscribers.
uint64_t segment_bytes_of(const ResultLogOptions& options) {
  return std::clamp<uint64_t>(options.log_bytes_max / 4, 4u << 10, 16u << 20);
}

ResultLogOptions in_memory(size_t bytes_max) {
  ResultLogOptions options;
  options.log_bytes_max = bytes_max;
  return options;
}

}  // namespace

ResultLog::ResultLog(SchemaPtr schema, size_t bytes_max)
    : ResultLog(std::move(schema), in_memory(bytes_max), nullptr) {}

ResultLog::ResultLog(SchemaPtr schema, ResultLogOptions options,
                     std::unique_ptr<ReaderPlaces> places)
    : schema_(std::move(schema)),
      options_(std::move(options)),
      places_(std::move(places)),
      window_(0) {}

absl::StatusOr<std::shared_ptr<ResultLog>> ResultLog::open(FileSystem& files, SchemaPtr schema,
                                                           ResultLogOptions options) {
  if (absl::Status made = files.make_directories(options.directory); !made.ok()) return made;
  auto places = ReaderPlaces::read(files, options.directory);
  if (!places.ok()) return places.status();
  OutboxOptions outbox;
  outbox.directory = options.directory;
  outbox.segment_bytes = segment_bytes_of(options);
  outbox.bytes_max = UINT64_MAX;  // full() keeps the limit
  outbox.confirmed_below = (*places)->confirmed_below();
  outbox.new_id = options.new_id;
  // With less, what waits to be trimmed could fill the log.
  options.outbox_bytes_max =
      std::max(options.outbox_bytes_max, options.log_bytes_max + 2 * outbox.segment_bytes);

  std::shared_ptr<ResultLog> log(
      new ResultLog(std::move(schema), std::move(options), *std::move(places)));
  auto file = ResultFile::open(files, outbox, log->schema_, log->ids_, log->notes_);
  if (!file.ok()) return file.status();
  log->file_ = *std::move(file);
  uint64_t next = log->file_->next();
  absl::Status settled = log->places_->settle(log->file_->begin(), next);
  if (!settled.ok()) return settled;
  for (const std::string& key : log->places_->rotten()) {
    log->notes_.push_back(absl::StrCat(outbox.directory, ": the place of reader ", key,
                                       " has rotted; it gets everything once more"));
  }
  log->window_ = ResultWindow(next);
  log->appended_end_ = next;
  log->written_ids_ = log->ids_.last();
  log->file_bytes_ = log->file_->bytes();
  log->trim_from_ = log->file_->trim_from();
  for (const auto& [key, offset] : log->places_->all()) {
    log->holds_.push_back({++log->last_hold_, offset, key, true, false, false});
  }
  return log;
}

// ---- plans ----

ResultLog::Writer::~Writer() { log_.writer_gone(); }

std::unique_ptr<ResultLog::Writer> ResultLog::write() {
  std::lock_guard lock(mutex_);
  ++writers_;
  ended_ = false;
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

void ResultLog::append(ResultSlice slice) {
  if (slice.batch->rows() == 0) return;
  std::lock_guard lock(mutex_);
  uint32_t known = ids_.known_rows(slice);
  repeated_rows_ += known;
  if (known == slice.batch->rows()) return;
  if (known > 0) slice = part_of(slice, known, slice.batch->rows());
  slice.first = appended_end_;
  appended_end_ += slice.batch->rows();
  ids_.add(slice);
  waiting_bytes_ += bytes_of(slice);
  ++waiting_slices_;
  gathered_.push_back(std::make_shared<const ResultSlice>(std::move(slice)));
}

void ResultLog::flush() {
  bool news = false;
  {
    std::lock_guard writing(write_mutex_);
    note_places();
    do {
      news = write_gathered() || news;
    } while (trim());
  }
  if (news) tell_listeners();
  call_out();
}

/// True: there is more to read.
bool ResultLog::write_gathered() {
  {
    std::lock_guard lock(mutex_);
    if (!status_.ok()) return false;
    std::move(gathered_.begin(), gathered_.end(), std::back_inserter(unwritten_));
    gathered_.clear();
  }
  if (unwritten_.empty()) return false;
  std::vector<ResultSlicePtr> written;
  absl::Status status = write_down(written);
  note(status);
  std::lock_guard lock(mutex_);
  refused_ = !status.ok();
  for (ResultSlicePtr& slice : written) {
    waiting_bytes_ -= bytes_of(*slice);
    --waiting_slices_;
    raise_last_id(written_ids_, *slice->plan, {slice->cause, slice->ordinals.back()});
    window_.push(std::move(slice));
  }
  shrink_window();
  return !written.empty();
}

absl::Status ResultLog::write_down(std::vector<ResultSlicePtr>& written) {
  if (file_ == nullptr) {
    written.assign(unwritten_.begin(), unwritten_.end());
    unwritten_.clear();
    return absl::OkStatus();
  }
  absl::Status status = file_->write(unwritten_, written);
  std::lock_guard lock(mutex_);
  file_bytes_ = file_->bytes();
  trim_from_ = file_->trim_from();
  return status;
}

/// True: there is more room than before.
bool ResultLog::trim() {
  uint64_t needed_from = 0;
  {
    std::lock_guard lock(mutex_);
    if (!may_trim()) return false;
    needed_from = held_from();
  }
  uint64_t below = file_->trimmable(needed_from, options_.log_bytes_max);
  absl::Status trimmed = file_->trim(below, written_ids_);
  note(trimmed);
  std::lock_guard lock(mutex_);
  file_bytes_ = file_->bytes();
  trim_from_ = file_->trim_from();
  ids_.forget_below(file_->begin());
  return trimmed.ok();
}

/// New readers get their places on disk.
void ResultLog::note_places() {
  while (true) {
    Holder unnoted;
    {
      std::lock_guard lock(mutex_);
      if (!status_.ok()) return;
      auto found = std::find_if(holds_.begin(), holds_.end(),
                                [](const Holder& holder) { return !holder.noted; });
      if (found == holds_.end()) return;
      unnoted = *found;
    }
    absl::Status put = places_->put(unnoted.key, unnoted.from);
    note(put);
    if (!put.ok()) return;
    std::lock_guard lock(mutex_);
    if (Holder* holder = find_holder(unnoted.number)) holder->noted = true;
  }
}

// ---- bounds ----

uint64_t ResultLog::held_from() const {
  uint64_t from = appended_end_;
  for (const Holder& holder : holds_) from = std::min(from, holder.from);
  return from;
}

bool ResultLog::is_full() const {
  if (!status_.ok() || refused_) return true;
  if (std::any_of(holds_.begin(), holds_.end(), [](const auto& each) { return !each.noted; })) {
    return true;
  }
  uint64_t max = file_ != nullptr ? options_.outbox_bytes_max : options_.log_bytes_max;
  uint64_t stored = file_ != nullptr ? file_bytes_ : window_.bytes();
  if (stored + waiting_bytes_ <= max) return false;
  bool one = file_ == nullptr && window_.slices() + waiting_slices_ <= 1;
  return held_from() < appended_end_ && !one;
}

/// Drops from memory what is on disk as well, or what nobody holds.
void ResultLog::shrink_window() {
  if (file_ != nullptr) {
    window_.shrink(options_.memory_bytes_max, window_.end());
  } else {
    window_.shrink(options_.log_bytes_max, held_from());
    ids_.forget_below(window_.begin());
  }
}

bool ResultLog::may_trim() const {
  return status_.ok() && trim_from_ && *trim_from_ <= held_from() &&
         file_bytes_ > options_.log_bytes_max;
}

bool ResultLog::full() const {
  std::lock_guard lock(mutex_);
  return is_full();
}

void ResultLog::when_not_full(std::function<void()> room) {
  {
    std::lock_guard lock(mutex_);
    if (is_full()) {
      waiting_.push_back(std::move(room));
      return;
    }
  }
  room();
}

uint64_t ResultLog::bytes() const {
  std::lock_guard lock(mutex_);
  return (file_ != nullptr ? file_bytes_ : window_.bytes()) + waiting_bytes_;
}

uint64_t ResultLog::repeated_rows() const {
  std::lock_guard lock(mutex_);
  return repeated_rows_;
}

// ---- durability ----

/// What can be tried again is no error of the log.
void ResultLog::note(const absl::Status& status) {
  if (status.ok() || absl::IsResourceExhausted(status)) return;
  std::lock_guard lock(mutex_);
  if (status_.ok()) status_ = status;
}

/// Calls, without a lock, whoever waits for what has happened.
void ResultLog::call_out() {
  std::vector<std::function<void()>> waiting;
  absl::Status error;
  {
    std::lock_guard lock(mutex_);
    if (!is_full()) waiting.swap(waiting_);
    if (!std::exchange(error_told_, !status_.ok() || error_told_)) error = status_;
  }
  for (auto& room : waiting) room();
  if (!error.ok() && options_.on_error) options_.on_error(error);
}

absl::Status ResultLog::status() const {
  std::lock_guard lock(mutex_);
  return status_;
}

absl::Status ResultLog::sync() {
  flush();
  if (file_ == nullptr) return absl::OkStatus();
  absl::Status lasts = status();
  {
    std::lock_guard writing(write_mutex_);
    if (lasts.ok() && !unwritten_.empty()) {
      lasts = absl::ResourceExhaustedError(
          absl::StrCat(options_.directory, ": the disk is full, results wait to be written"));
    }
    if (lasts.ok()) {
      lasts = file_->sync();
      note(lasts);
    }
  }
  call_out();
  return lasts;
}

void ResultLog::retry() {
  std::vector<Holder> holds;
  {
    std::lock_guard lock(mutex_);
    holds = holds_;
  }
  for (const Holder& holder : holds) {
    if (!holder.key.empty()) note(places_->confirm(holder.key, holder.from));
  }
  flush();
}

absl::Status ResultLog::close() {
  flush();
  std::vector<std::function<void()>> dropped;
  std::lock_guard writing(write_mutex_);
  absl::Status closed = status();
  if (closed.ok() && file_ != nullptr) closed = file_->close();
  std::lock_guard lock(mutex_);
  if (status_.ok()) status_ = absl::UnavailableError("the log is closed");
  error_told_ = true;
  dropped.swap(waiting_);
  return closed;
}

}  // namespace pollux
