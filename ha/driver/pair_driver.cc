#include "ha/driver/pair_driver.h"

#include <algorithm>
#include <future>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "ha/driver/random_ids.h"

namespace pollux {
namespace {

using Steady = std::chrono::steady_clock;

absl::Status unknown_outcome(const std::string& why) {
  return absl::UnavailableError(absl::StrCat("the outcome is unknown, send again: ", why));
}

}  // namespace

/// What the replica asks for; called within its steps, on the driver's thread.
class PairDriver::World final : public ReplicaWorld {
 public:
  explicit World(PairDriver& driver) : driver_(driver), random_(std::random_device{}()) {}

  void send(PeerMessage message) override {
    if (driver_.options_.to_peer) driver_.options_.to_peer(std::move(message));
  }
  void read_record() override { driver_.arbiter_->ask(std::nullopt); }
  void set_record(const ArbiterRecord& next) override { driver_.arbiter_->ask(next); }
  void may_apply(Position upto) override { driver_.may_hand_ = std::max(driver_.may_hand_, upto); }
  void lead_began(EntryId tail) override {
    driver_.opening_ = tail;
    driver_.listener_.lead_began();
  }
  void lead_ended(const std::string& why) override {
    driver_.opening_.reset();
    driver_.fail_pending(unknown_outcome(why));
    if (std::exchange(driver_.opened_, false)) driver_.restart_source();
    driver_.listener_.lead_ended(why);
  }
  void role_changed(Role from, Role to, const std::string& why) override {
    driver_.role_why_ = why;
    driver_.role_since_ms_ = driver_.options_.wall_clock_ms();
    driver_.listener_.role_changed(from, to, why);
  }
  void snapshot_needed() override { driver_.listener_.snapshot_needed(); }
  void void_behind(EntryId last) override { driver_.listener_.void_behind(last); }
  void confirmed(const Confirmed& confirmed) override { driver_.listener_.confirmed(confirmed); }
  void diverged(const Divergence& divergence) override { driver_.listener_.diverged(divergence); }
  void alarm(const std::string& what) override { driver_.listener_.alarm(what); }
  JournalId new_journal_id() override { return random_id<JournalId>(); }
  DomainId new_domain_id() override { return random_id<DomainId>(); }
  SessionNonce new_nonce() override { return random_id<SessionNonce>(); }
  int64_t jitter(int64_t bound) override {
    return bound <= 0 ? 0 : std::uniform_int_distribution<int64_t>(0, bound - 1)(random_);
  }
  Timestamp wall_clock() override { return {driver_.options_.wall_clock_ms()}; }

 private:
  PairDriver& driver_;
  std::minstd_rand random_;
};

PairDriver::PairDriver(FileSystem& files, std::unique_ptr<Journal> journal, PairFile& file,
                       std::unique_ptr<Arbiter> arbiter, PairDriverOptions options,
                       PairDriverListener& listener)
    : options_(std::move(options)),
      listener_(listener),
      journal_(std::move(journal)),
      world_(std::make_unique<World>(*this)),
      replica_(std::make_unique<Replica>(files, *journal_, file, options_.own, rules_,
                                         options_.replica, options_.start, *world_)),
      handed_(options_.start.applied),
      last_timestamp_(options_.start.last_timestamp) {
  restart_source();
  note_status();
  arbiter_ = std::make_unique<ArbiterThread>(std::move(arbiter),
                                             [this](const absl::StatusOr<ArbiterRecord>& record) {
                                               post([this, record] {
                                                 arbiter_answer_ = record.status();
                                                 listener_.arbiter_answered(arbiter_answer_);
                                                 if (record.ok()) {
                                                   replica_->on_record(*record, now_ms());
                                                 } else {
                                                   replica_->on_arbiter_silent(now_ms());
                                                 }
                                               });
                                             });
  thread_ = std::thread([this] { run(); });
}

PairDriver::~PairDriver() { stop(); }

int64_t PairDriver::now_ms() const {
  return std::chrono::duration_cast<std::chrono::milliseconds>(Steady::now().time_since_epoch())
      .count();
}

// ---- any thread ----

/// Once the driver has ended, what comes must not move the replica any more: it might ask to lead,
/// with a journal that cannot be read or written.
void PairDriver::post(Call call) {
  {
    std::lock_guard lock(mutex_);
    if (stopping_) return;
    calls_.push_back([this, call = std::move(call)] {
      if (!ended_) call();
    });
  }
  wanted_.notify_one();
}

void PairDriver::on_connected() {
  post([this] { replica_->on_connected(now_ms()); });
}

void PairDriver::on_disconnected() {
  post([this] { replica_->on_disconnected(now_ms()); });
}

void PairDriver::on_message(PeerMessage message) {
  post([this, message = std::move(message)] { replica_->on_message(message, now_ms()); });
}

void PairDriver::tell_confirmed(Confirmed confirmed) {
  post([this, confirmed = std::move(confirmed)]() mutable {
    world_->send({replica_->view().version, std::move(confirmed)});
  });
}

void PairDriver::note_applied(Position position) {
  post([this, position] { replica_->note_applied(position); });
}

void PairDriver::note_hash(PlanHash hash) {
  post([this, hash = std::move(hash)] { replica_->note_hash(hash, now_ms()); });
}

bool PairDriver::is_full(size_t bytes) const {
  std::lock_guard lock(mutex_);
  return status_.stuck ||
         status_.journal_bytes + queued_bytes_ + bytes > options_.journal_bytes_max;
}

absl::Status PairDriver::room_for(size_t bytes) const {
  std::lock_guard lock(mutex_);
  if (status_.stuck) {
    return absl::ResourceExhaustedError("the disk of the journal is full; try again");
  }
  if (status_.journal_bytes + queued_bytes_ + bytes > options_.journal_bytes_max) {
    return absl::ResourceExhaustedError(
        absl::StrCat("the journal has reached its limit of ", options_.journal_bytes_max,
                     " bytes (persistence.journal_bytes_max); try again"));
  }
  if (queued_bytes_ != 0 && queued_bytes_ + bytes > options_.queue_bytes_max) {
    return absl::ResourceExhaustedError(
        "the disk or the peer is slower than the events come; try again");
  }
  return absl::OkStatus();
}

void PairDriver::append(Entry entry, size_t bytes, Committed committed) {
  {
    std::lock_guard lock(mutex_);
    queue_.push_back({std::move(entry), bytes, std::move(committed), nullptr});
    queued_bytes_ += bytes;
  }
  wanted_.notify_one();
}

void PairDriver::behind(Reached reached) {
  {
    std::lock_guard lock(mutex_);
    queue_.push_back({{}, 0, nullptr, std::move(reached)});
  }
  wanted_.notify_one();
}

void PairDriver::trim(Position below) {
  post([this, below] { trim_below_ = std::max(trim_below_, below); });
}

void PairDriver::keep_behind(Position position, std::chrono::milliseconds time) {
  post([this, position, time] {
    keep_behind_ = position;
    keep_until_ms_ = now_ms() + time.count();
  });
}

bool PairDriver::may_install() {
  return order([this] {
           return replica_->may_install() ? absl::OkStatus() : absl::UnavailableError("not now");
         })
      .ok();
}

/// Waits for the driver's thread, which makes the call between two turns.
absl::Status PairDriver::order(std::function<absl::Status()> work) {
  auto done = std::make_shared<std::promise<absl::Status>>();
  std::future<absl::Status> answer = done->get_future();
  {
    std::lock_guard lock(mutex_);
    if (stopping_) return absl::UnavailableError("the node is stopping");
    calls_.push_back(
        [this, done, work = std::move(work)] { done->set_value(ended_ ? ended_why() : work()); });
  }
  wanted_.notify_one();
  return answer.get();
}

absl::Status PairDriver::switch_over() {
  return order([this] { return replica_->switch_over(now_ms()); });
}

absl::Status PairDriver::force() {
  return order([this] { return replica_->force(now_ms()); });
}

absl::Status PairDriver::install(EntryId at, Position applied, Replace replace) {
  return order([this, at, applied, replace = std::move(replace)] {
    if (absl::Status begun = replica_->begin_install(at, now_ms()); !begun.ok()) return begun;
    // From here on nothing of what was there counts, whatever happens.
    absl::Status replaced = replace();
    if (replaced.ok()) replaced = replica_->end_install(applied, now_ms());
    if (!replaced.ok()) end(replaced);
    handed_ = may_hand_ = applied;
    restart_source();
    return replaced;
  });
}

PairStatus PairDriver::status() const {
  std::lock_guard lock(mutex_);
  PairStatus status = status_;
  status.queued_entries = queue_.size();
  status.queued_bytes = queued_bytes_;
  return status;
}

void PairDriver::stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wanted_.notify_one();
  if (thread_.joinable()) thread_.join();
  arbiter_.reset();
}

// ---- the driver's thread ----

void PairDriver::restart_source() {
  refused_.reset();
  source_.emplace(replica_->journal().entries_from({handed_.value + 1}));
}

/// False: the end.
bool PairDriver::wait_for_work(std::vector<Call>& calls) {
  std::unique_lock lock(mutex_);
  wanted_.wait_for(lock, stuck_ ? kTryAgain : kTick, [this] {
    return stopping_ || !calls_.empty() || (!queue_.empty() && !stuck_ && !holds_queue_);
  });
  calls = std::exchange(calls_, {});
  return !stopping_;
}

void PairDriver::run() {
  std::vector<Call> calls;
  bool goes_on = true;
  while (goes_on) {
    goes_on = wait_for_work(calls);
    for (Call& call : calls) call();
    calls.clear();
    if (ended_) {
      fail_queue();
      continue;
    }
    replica_->tick(now_ms());
    append_group();
    flush();
    finish_committed();
    hand_over_entries();
    replica_->note_handed(handed_);
    trim_now();
    note_status();
  }
  fail_pending(unknown_outcome("the node is stopping"));
  fail_queue();
  if (absl::Status closed = journal_->close(); !closed.ok()) end(closed);
}

/// Whatever waited while the last group was written. While this node hands over its lead entries
/// wait, since it may keep it.
void PairDriver::append_group() {
  holds_queue_ = replica_->leads() && !replica_->is_open();
  if (holds_queue_) return;
  Items group;
  {
    std::lock_guard lock(mutex_);
    size_t bytes = 0;
    size_t items = 0;
    while (items < queue_.size() && bytes < kGroupBytesMax) bytes += queue_[items++].bytes;
    auto end = queue_.begin() + static_cast<std::ptrdiff_t>(items);
    group.assign(std::move_iterator(queue_.begin()), std::move_iterator(end));
    queue_.erase(queue_.begin(), end);
  }
  while (!group.empty()) {
    Item& item = group.front();
    if (item.committed) {
      absl::Status appended = replica_->append(item.entry, JournalSpace::kReserve);
      if (absl::IsResourceExhausted(appended)) break;
      if (!appended.ok()) {
        answer(item, absl::IsUnavailable(appended) ? unknown_outcome("this node does not lead")
                                                   : appended);
        group.pop_front();
        continue;
      }
    } else if (!replica_->leads()) {
      answer(item, absl::UnavailableError("this node does not lead"));
      group.pop_front();
      continue;
    } else {
      item.entry.id = replica_->tail();
    }
    pending_.push_back(std::move(item));
    group.pop_front();
  }
  stuck_ = !group.empty();
  std::lock_guard lock(mutex_);
  queue_.insert(queue_.begin(), std::move_iterator(group.begin()), std::move_iterator(group.end()));
}

void PairDriver::flush() {
  Position before = replica_->journal().written();
  const uint64_t bytes_before = journal_->bytes();
  auto begun = Steady::now();
  absl::Status flushed = replica_->flush(now_ms());
  if (absl::IsResourceExhausted(flushed)) {
    stuck_ = true;
  } else if (!flushed.ok()) {
    end(flushed);
  }
  if (replica_->journal().written() <= before) return;
  written_entries_ += replica_->journal().written().value - before.value;
  written_bytes_ += journal_->bytes() - std::min(bytes_before, journal_->bytes());
  auto took = std::chrono::duration_cast<std::chrono::microseconds>(Steady::now() - begun);
  ++groups_;
  commit_us_ += static_cast<uint64_t>(took.count());
}

void PairDriver::answer(Item& item, const absl::Status& status) {
  {
    std::lock_guard lock(mutex_);
    queued_bytes_ -= item.bytes;
  }
  if (item.committed) {
    item.committed(item.entry, status);
  } else {
    item.reached(status);
  }
}

void PairDriver::finish_committed() {
  Position committed = replica_->committed();
  while (!pending_.empty() && pending_.front().entry.id.position <= committed) {
    Item done = std::move(pending_.front());
    pending_.pop_front();
    if (done.committed) {
      handed_ = done.entry.id.position;
      last_timestamp_ = std::max(last_timestamp_, done.entry.timestamp);
    }
    answer(done, absl::OkStatus());
  }
}

void PairDriver::fail_pending(const absl::Status& why) {
  for (Item& item : std::exchange(pending_, {})) answer(item, why);
}

void PairDriver::fail_queue() {
  Items queue;
  {
    std::lock_guard lock(mutex_);
    queue = std::exchange(queue_, {});
  }
  for (Item& item : queue) answer(item, unknown_outcome("this node has stopped"));
}

/// Entries of whoever leads; of its own lead only those that it began with.
void PairDriver::hand_over_entries() {
  if (opened_ || ended_) return;
  Position upto = opening_ ? opening_->position : may_hand_;
  while (handed_ < upto) {
    if (!refused_) {
      auto entry = source_->next(upto);
      if (!entry.ok()) return end(entry.status());
      if (!*entry) return;
      refused_ = *std::move(*entry);
      refused_->record.reset();  // of no use to plans
    }
    if (!listener_.apply(*refused_)) return;
    handed_ = refused_->id.position;
    last_timestamp_ = std::max(last_timestamp_, refused_->timestamp);
    refused_.reset();
  }
  if (!opening_) return;
  opened_ = true;
  EntryId tail = *std::exchange(opening_, std::nullopt);
  listener_.lead_opened(tail, last_timestamp_);
}

/// A follower that is not far behind gets entries rather than a snapshot, while there is room.
void PairDriver::trim_now() {
  if (trim_below_.value == 0) return;
  Position below = trim_below_;
  const auto& lead = replica_->lead();
  std::optional<Position> follower = lead ? lead->follower_at() : std::nullopt;
  if (follower && journal_->bytes() < options_.journal_bytes_max / 2) {
    below = std::min(below, Position{follower->value + 1});
  }
  if (now_ms() < keep_until_ms_) below = std::min(below, Position{keep_behind_.value + 1});
  if (below <= journal_->first()) return;
  if (below == trim_below_) trim_below_ = {};
  Position first = journal_->first();
  if (absl::Status trimmed = journal_->trim(below); !trimmed.ok()) return end(trimmed);
  if (journal_->first() != first) listener_.room_made();
}

void PairDriver::end(const absl::Status& why) {
  if (std::exchange(ended_, true)) return;
  fail_pending(unknown_outcome(std::string(why.message())));
  {
    std::lock_guard lock(mutex_);
    status_.failed = why;
  }
  listener_.failed(why);
}

absl::Status PairDriver::ended_why() const {
  std::lock_guard lock(mutex_);
  return absl::UnavailableError(absl::StrCat("the node has ended: ", status_.failed.message()));
}

void PairDriver::note_status() {
  PairStatus now;
  now.role = replica_->role();
  now.role_since_ms = role_since_ms_;
  now.role_why = role_why_;
  now.epoch = replica_->epoch();
  now.tail = replica_->tail();
  now.committed = replica_->committed();
  now.committed_id = replica_->journal().history().at(std::min(now.committed, now.tail.position));
  now.handed = handed_;
  now.record = replica_->view();
  now.journal = replica_->own().journal;
  if (const auto& lead = replica_->lead()) {
    now.follower_at = lead->follower_at();
    now.lag_ms = lead->lag_ms(now_ms());
    now.barred = lead->follower_standing() == Standing::kBarred;
  }
  now.arbiter = arbiter_answer_;
  now.frozen = replica_->is_frozen();
  now.stuck = stuck_;
  now.journal_bytes = journal_->bytes();
  now.journal_first = journal_->first();
  now.groups = groups_;
  now.written_entries = written_entries_;
  now.written_bytes = written_bytes_;
  now.commit_us = commit_us_;
  now.counts = replica_->counts();
  std::lock_guard lock(mutex_);
  now.failed = status_.failed;
  status_ = std::move(now);
}

}  // namespace pollux
