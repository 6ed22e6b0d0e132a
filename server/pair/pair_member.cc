#include "server/pair/pair_member.h"

#include <filesystem>
#include <fstream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "ha/driver/random_ids.h"
#include "ha/pair/pair_start.h"
#include "server/node/wall_clock.h"
#include "server/pair/fingerprint.h"
#include "server/pair/pair_arbiter.h"
#include "server/pair/protocol_version.h"

namespace pollux {
namespace {

using Clock = std::chrono::steady_clock;

std::string text_of(EntryId id) { return absl::StrCat(id.epoch.value, ".", id.position.value); }

std::string first_line_of(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

int64_t steady_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now().time_since_epoch())
      .count();
}

/// Two journals are in common where the record names them both.
bool is_synced(const PairStatus& status) {
  return status.role == Role::kActivePaired || status.role == Role::kPassive;
}

}  // namespace

PairMember::PairMember(FileSystem& files, const Settings& settings, Logger& log)
    : files_(files), settings_(settings), log_(log), file_(files, settings.data_dir) {}

PairMember::~PairMember() { stop(); }

absl::StatusOr<std::unique_ptr<PairMember>> PairMember::open(FileSystem& files,
                                                             const Settings& settings, Logger& log,
                                                             Durability& durability) {
  std::unique_ptr<PairMember> member(new PairMember(files, settings, log));
  if (absl::Status prepared = member->prepare(durability); !prepared.ok()) return prepared;
  return member;
}

absl::Status PairMember::prepare(Durability& durability) {
  const auto& pair = settings_.pair;
  const uint16_t membership = moved_port(pair.membership_port, settings_);
  std::vector<std::string> texts = absl::StrSplit(pair.members, ',', absl::SkipWhitespace());
  for (std::string& text : texts) text = std::string(absl::StripAsciiWhitespace(text));
  auto members = parse_members(texts, membership);
  if (!members.ok()) return members.status();
  if (members->empty()) {
    return absl::InvalidArgumentError("pair.members is empty: name both nodes, HOST:PORT each");
  }
  absl::Status reached = check_advertised(pair.advertised_host, *members);
  if (!reached.ok()) return reached;
  auto arbiter = make_arbiter(settings_, *members);
  if (!arbiter.ok()) return arbiter.status();
  arbiter_ = *std::move(arbiter);

  link_options_.domain = pair.domain;
  link_options_.node = settings_.node.name;
  link_options_.fingerprint = node_fingerprint();
  link_options_.protocol_version_max = newest_protocol_version();
  link_options_.bind_address = pair.bind_address;
  link_options_.membership_port = membership;
  link_options_.event_sync_port = moved_port(pair.event_sync_port, settings_);
  link_options_.advertised_host = pair.advertised_host;
  link_options_.members = *std::move(members);

  marks_ = &durability.marks();
  auto last = durability.last_timestamp();
  if (!last.ok()) return last.status();
  // Since the machine was started anew, what was not synced before may be gone.
  const std::string boot = first_line_of("/proc/sys/kernel/random/boot_id");
  const bool power_lost = boot.empty() || first_line_of(boot_path()) != boot;
  auto own = begin_pair_state(file_, durability.journal(), power_lost, durability.known_committed(),
                              [] { return random_id<JournalId>(); });
  if (!own.ok()) return own.status();
  if (absl::Status noted = note_boot(boot); !noted.ok()) return noted;
  journal_ = durability.give_journal(pair_log_);

  ReplicaOptions& replica = driver_options_.replica;
  replica.node = settings_.node.name;
  replica.heartbeat_ms = pair.heartbeat.count();
  replica.suspect_after_ms = pair.suspect_after.count();
  replica.sync_stall_ms = pair.sync_stall.count();
  replica.sync_every_commit = settings_.persistence.sync == SyncMode::kEveryCommit;
  replica.bootstrap = pair.bootstrap;
  driver_options_.start = {durability.applied_at_start(), durability.known_committed(), *last};
  driver_options_.own = *own;
  driver_options_.journal_bytes_max = settings_.persistence.journal_bytes_max;
  driver_options_.wall_clock_ms = wall_clock_ms;
  driver_options_.to_peer = [this](PeerMessage message) { send_to_peer(std::move(message)); };
  auto streams = DuplicatedStreams::parse(pair.duplicated_streams);
  if (!streams.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("pair.duplicated_streams: ", std::string(streams.status().message())));
  }
  if (!streams->empty()) {
    identities_ = std::make_unique<IdentityTable>(*std::move(streams));
    shipping_ = std::make_unique<OrderShipping>(identities_->streams());
  }
  return absl::OkStatus();
}

void PairMember::equip(NodeOptions& options) {
  options.identities = identities_.get();
  options.results_hashed = [this](const PlanHash& hash) {
    if (PairDriver* driver = at_work_) driver->note_hash(hash);
  };
}

/// The driver's thread.
void PairMember::send_to_peer(PeerMessage message) {
  PeerLink* link = open_link_;
  if (link == nullptr) return;
  if (desk_ != nullptr) {
    auto* hello = std::get_if<Hello>(&message.body);
    const bool known = link->version() >= kCopiesVersion;
    if (hello != nullptr) desk_->prepare(*hello, known ? identities_->streams().hash() : 0);
    message = shipping_->prepare(std::move(message));
  }
  link->send(std::move(message));
}

SnapshotFolder PairMember::snapshot_folder(FileSystem& files, const Settings& settings) {
  return {files, settings.data_dir, states_location(settings)};
}

/// Makes, serves and gets snapshots.
absl::Status PairMember::open_snapshots(const Around& around) {
  SnapshotSource::Options source;
  source.data_dir = settings_.data_dir;
  source.states = states_location(settings_);
  source.keep_behind = [this](Position position) {
    if (PairDriver* driver = at_work_) driver->keep_behind(position, kKeepForSnapshot);
  };
  snapshots_ = std::make_unique<SnapshotSource>(files_, around.node, around.persister,
                                                around.stores, std::move(source));
  SnapshotServerOptions server;
  server.domain = settings_.pair.domain;
  server.address = settings_.pair.bind_address;
  server.port = moved_port(settings_.pair.snapshot_port, settings_);
  server.bytes_a_second = settings_.pair.snapshot_bytes_per_second;
  auto started = SnapshotServer::start(server, *snapshots_);
  if (!started.ok()) return started.status();
  snapshot_server_ = *std::move(started);
  link_options_.advertised_snapshots =
      to_text(HostPort{settings_.pair.advertised_host, snapshot_server_->port()});
  log_.info(absl::StrCat("CEP HA Snapshot Server started on ", link_options_.advertised_snapshots));
  return absl::OkStatus();
}

/// Only behind begin_pair_state(), which must hear of it even if this start ends in the middle.
absl::Status PairMember::note_boot(const std::string& boot) {
  const std::string fresh = boot_path() + ".new";
  std::error_code ignored;
  std::filesystem::remove(fresh, ignored);
  auto file = files_.open_append(fresh);
  if (!file.ok()) return file.status();
  absl::Status written = (*file)->append(boot + "\n");
  if (written.ok()) written = (*file)->sync();
  if (written.ok()) written = files_.rename(fresh, boot_path());
  return written.ok() ? files_.sync_directory(settings_.data_dir) : written;
}

absl::Status PairMember::start(const Around& around, std::function<void()> ended) {
  node_ = &around.node;
  sinks_ = &around.sinks;
  stores_ = &around.stores;
  intake_ = &around.intake;
  persister_ = &around.persister;
  ended_ = std::move(ended);
  if (absl::Status opened = open_snapshots(around); !opened.ok()) return opened;
  log_.info("one of a pair",
            {{"domain", settings_.pair.domain}, {"arbiter", arbiter_->describe()}});
  if (HeldCopies* copies = intake_->copies()) {
    desk_ = std::make_unique<OrderDesk>(OrderDeskOptions{}, *copies, [this](PeerMessage message) {
      if (PairDriver* driver = at_work_) driver->on_message(std::move(message));
    });
    open_desk_ = desk_.get();
  }
  thread_ = std::thread([this] { run(); });
  PairDriverListener& listener = *this;
  driver_ = std::make_unique<PairDriver>(files_, std::move(journal_), file_, std::move(arbiter_),
                                         driver_options_, listener);
  at_work_ = driver_.get();
  pair_log_.attach(*driver_);
  persister_->set_told([this](const PersistReport& report) { tell_states(report); });
  auto link = PeerLink::open(link_options_, *this);
  if (!link.ok()) return link.status();
  link_ = *std::move(link);
  {
    std::lock_guard lock(mutex_);
    if (deaths_due_) tell_deaths(*link_);
    open_link_ = link_.get();
  }
  marks_->set_on_poisoned([this](const ApplyMarks::Deaths& judged) {
    if (PeerLink* open = open_link_) {
      open->send({0, ApplyDeaths{{{judged.plan, judged.entry, judged.deaths}}}});
    }
  });
  intake_->set_link(link_.get());
  log_.info("listening for the other node", {{"address", settings_.pair.bind_address},
                                             {"membership", link_->membership_port()},
                                             {"event_sync", link_->event_sync_port()}});
  return absl::OkStatus();
}

void PairMember::hand_over(std::chrono::milliseconds at_most) {
  if (driver_ == nullptr || driver_->status().role != Role::kActivePaired) return;
  if (absl::Status ordered = driver_->switch_over(); !ordered.ok()) return;
  const auto until = Clock::now() + at_most;
  std::unique_lock lock(mutex_);
  wanted_.wait_until(lock, until, [this] { return !leads(driver_->status().role); });
}

void PairMember::stop() {
  if (std::exchange(stopped_, true)) return;
  if (intake_ != nullptr) intake_->set_link(nullptr);
  if (marks_ != nullptr) marks_->set_on_poisoned(nullptr);
  pair_log_.detach();
  if (persister_ != nullptr) persister_->set_told(nullptr);
  std::unique_ptr<SnapshotFetch> fetch;
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    fetch = std::move(fetch_);
  }
  wanted_.notify_all();
  if (thread_.joinable()) thread_.join();
  fetch.reset();
  snapshot_server_.reset();
  // Each may call the other: the driver ends first, and what the link still brings it is dropped.
  if (driver_ != nullptr) driver_->stop();
  link_.reset();
}

absl::Status PairMember::switch_over() {
  return driver_ == nullptr ? absl::UnavailableError("the node starts") : driver_->switch_over();
}

absl::Status PairMember::force() {
  return driver_ == nullptr ? absl::UnavailableError("the node starts") : driver_->force();
}

PairInfo PairMember::info() const {
  PairInfo info;
  if (driver_ != nullptr) info.status = driver_->status();
  if (node_ != nullptr) info.applied = node_->applied();
  info.synced = is_synced(info.status);
  if (link_ != nullptr) {
    info.connected = link_->connected();
    info.protocol_version = link_->version();
    info.problem = link_->problem();
    info.own_node = link_->card().node;
    info.own_membership = link_->card().membership;
    for (const auto& refused : link_->counters().refused) info.link_refused += refused.load();
  }
  if (snapshot_server_ != nullptr) {
    info.snapshots_given = snapshot_server_->taken();
    info.snapshot_bytes_given = snapshot_server_->bytes_sent();
  }
  if (desk_ != nullptr) {
    info.copies = intake_->copies()->counts();
    info.orders = desk_->counts();
    info.orders_shipped = shipping_->shipped();
    info.identities = identities_->size();
  }
  std::lock_guard lock(mutex_);
  if (fetch_ != nullptr) info.snapshot_bytes_got = fetch_->bytes_got();
  info.peer_node = peer_.node;
  info.peer_membership = peer_.membership;
  info.failovers = failovers_;
  info.last_failover_ms = last_failover_ms_;
  info.last_failover_why = last_failover_why_;
  return info;
}

bool PairMember::peer_takes_found_rows() const {
  return link_ == nullptr || !link_->connected() || link_->version() >= kFoundRowsVersion;
}

const LinkCounters* PairMember::link_counters() const {
  return link_ == nullptr ? nullptr : &link_->counters();
}

// ---- the driver's thread ----

bool PairMember::apply(const Entry& entry) {
  const size_t bytes = RecentEntries::bytes_of(entry);
  std::lock_guard lock(mutex_);
  if (queue_.size() >= kQueueMax || queued_bytes_ >= kQueueBytesMax) return false;
  queue_.emplace_back([this, entry] { apply_now(entry); }, bytes);
  queued_bytes_ += bytes;
  wanted_.notify_all();
  return true;
}

void PairMember::lead_began() { marks_->set_first(true); }

void PairMember::lead_opened(EntryId tail, Timestamp last) {
  post([this, tail, last] {
    leads_ = true;
    node_->lead(tail.epoch, {tail.position, last.ms});
    intake_->take_back();
    stores_->set_lead(tail.epoch);
    sinks_->set_leads(true);
    log_.info("Became CEP HA Active Member", {{"epoch", tail.epoch.value}});
  });
}

void PairMember::lead_ended(const std::string& why) {
  marks_->set_first(false);
  node_->end_lead(absl::UnavailableError(absl::StrCat("this node leads no more: ", why)));
  post([this] {
    leads_ = false;
    sinks_->set_leads(false);
    stores_->set_lead(std::nullopt);
    node_->follow();
  });
}

void PairMember::role_changed(Role from, Role to, const std::string& why) {
  log_.info("role", {{"from", name_of(from)}, {"to", name_of(to)}, {"why", why}});
  if (to == Role::kPassive) {
    log_.info("Became CEP HA Passive Member");
    log_.info("CEP HA State successfully synced.");
  }
  std::lock_guard lock(mutex_);
  if (leads(to) && !leads(from)) {
    ++failovers_;
    last_failover_ms_ = wall_clock_ms();
    last_failover_why_ = why;
  }
  wanted_.notify_all();
}

void PairMember::confirmed(const Confirmed& confirmed) {
  post([this, confirmed] { sinks_->note_known(confirmed.sinks); });
}

void PairMember::snapshot_needed() {
  post([this] { begin_fetch(); });
}

/// What is there is set aside, and everything comes from the other node.
void PairMember::void_behind(EntryId last) {
  post([this, last] {
    const SnapshotFolder folder = snapshot_folder(files_, settings_);
    absl::Status made = folder.clear();
    if (made.ok()) made = folder.complete({});
    if (!made.ok()) return end(std::string(made.message()));
    begin_with(
        absl::StrCat("the other node was made to lead by force without what this one has behind ",
                     text_of(last), "; that is set aside"));
  });
}

void PairMember::room_made() { node_->room_made(); }

/// Told when that begins, and when it ends.
void PairMember::arbiter_answered(const absl::Status& status) {
  const bool was_well = std::exchange(arbiter_well_, status.ok());
  if (status.ok() && !was_well) log_.info("the arbiter answers again");
  if (!status.ok() && was_well) {
    log_.error("the arbiter does not answer; roles stay as they are until it does",
               {{"error", status.message()}});
  }
}

void PairMember::diverged(const Divergence& divergence) {
  const PlanHash& ours = divergence.ours;
  log_.error("a plan of the other node differs from this one's, which counts",
             {{"plan", ours.plan},
              {"what", name_of(ours.kind)},
              {"position", ours.at.value},
              {"here", absl::StrCat(absl::Hex(ours.hash, absl::kZeroPad16))},
              {"there", absl::StrCat(absl::Hex(divergence.theirs, absl::kZeroPad16))},
              {"times", divergence.times}});
}

void PairMember::alarm(const std::string& what) { log_.error("the pair", {{"alarm", what}}); }

void PairMember::failed(const absl::Status& why) {
  node_->refuse_all(
      absl::UnavailableError(absl::StrCat("the journal has failed: ", std::string(why.message()))));
  end(absl::StrCat("the journal has failed: ", std::string(why.message())));
}

void PairMember::post(Work work, size_t bytes) {
  std::lock_guard lock(mutex_);
  queue_.emplace_back(std::move(work), bytes);
  wanted_.notify_all();
}

// ---- snapshots ----

void PairMember::begin_fetch() {
  std::lock_guard lock(mutex_);
  if (fetch_ != nullptr || stopping_) return;
  log_.warning(
      "this node gets a copy of everything: it is too far behind for the other's journal, or its "
      "plans differ from the other's, whose log says so");
  SnapshotFetch::Options options;
  options.domain = settings_.pair.domain;
  options.node = settings_.node.name;
  options.where = [this] {
    std::lock_guard inner(mutex_);
    return peer_.snapshots;
  };
  options.trouble = [this](const absl::Status& why) {
    log_.warning("a copy of the other node's data is not there yet", {{"error", why.message()}});
  };
  options.done = [this](EntryId at, uint64_t bytes) {
    begin_with(absl::StrCat("a copy of the other node's data has come: ", bytes,
                            " bytes, as of entry ", text_of(at)));
  };
  fetch_ = std::make_unique<SnapshotFetch>(files_, snapshot_folder(files_, settings_),
                                           std::move(options));
}

/// Ends, to start again with what waits in the folder of snapshots. R8: only while the record does
/// not name this journal.
void PairMember::begin_with(const std::string& why) {
  while (!driver_->may_install()) {
    std::unique_lock lock(mutex_);
    if (wanted_.wait_for(lock, kInstallRetry, [this] { return stopping_; })) return;
  }
  log_.info("this node starts again", {{"why", why}});
  starts_again_ = true;
  if (!end_told_.exchange(true)) ended_();
}

void PairMember::end(std::string_view why) {
  if (end_told_.exchange(true)) return;
  log_.error("this node must end", {{"why", why}});
  ended_();
}

// ---- the io thread ----

void PairMember::on_connected(const NodeCard& peer) {
  log_.info("the other node is there", {{"node", peer.node}, {"membership", peer.membership}});
  {
    std::lock_guard lock(mutex_);
    peer_ = peer;
    // Before whatever follows upon it: entries come over the same connection.
    if (PeerLink* link = open_link_) {
      tell_deaths(*link);
    } else {
      deaths_due_ = true;
    }
  }
  if (PairDriver* driver = at_work_) driver->on_connected();
}

void PairMember::on_disconnected(const std::string& reason) {
  log_.warning("the other node is gone", {{"reason", reason}});
  if (desk_ != nullptr) desk_->on_disconnected();
  if (PairDriver* driver = at_work_) driver->on_disconnected();
}

/// Of entries that plans may come to again.
void PairMember::tell_deaths(PeerLink& link) {
  const Position applied = node_->applied();
  ApplyDeaths told;
  for (const ApplyMarks::Deaths& known : marks_->to_tell()) {
    bool poisoned = known.deaths >= ApplyMarks::kDeathsMax;
    if (!poisoned && known.entry.position <= applied) continue;
    if (told.known.size() == ApplyDeaths::kMax) link.send({0, std::exchange(told, {})});
    told.known.push_back({known.plan, known.entry, known.deaths});
  }
  if (!told.known.empty()) link.send({0, std::move(told)});
}

void PairMember::on_message(PeerMessage message) {
  if (const auto* told = std::get_if<ApplyDeaths>(&message.body)) {
    for (const auto& known : told->known) {
      marks_->note_told({known.plan, known.entry, known.deaths});
    }
    return;
  }
  if (desk_ != nullptr) {
    if (const auto* hello = std::get_if<Hello>(&message.body)) shipping_->on_hello(*hello);
    return desk_->on_message(std::move(message), steady_ms());
  }
  if (PairDriver* driver = at_work_) driver->on_message(std::move(message));
}

void PairMember::on_forward(ForwardedBatch batch, ForwardAnswerer answer) {
  intake_->take_forwarded(std::move(batch), answer);
}

// ---- the thread that applies ----

void PairMember::run() {
  while (true) {
    std::deque<std::pair<Work, size_t>> some;
    {
      std::unique_lock lock(mutex_);
      wanted_.wait_for(lock, kLook, [this] { return stopping_ || !queue_.empty(); });
      if (stopping_) return;
      while (!queue_.empty() && some.size() < kWorkInARow) {
        some.push_back(std::move(queue_.front()));
        queue_.pop_front();
      }
    }
    for (auto& [work, bytes] : some) {
      work();
      std::lock_guard lock(mutex_);
      queued_bytes_ -= bytes;
    }
    tell_applied();
    tell_confirmed();
    look_at_copies();
    intake_->forward_copies();
  }
}

void PairMember::look_at_copies() {
  if (OrderDesk* desk = open_desk_) desk->look_again(steady_ms());
}

void PairMember::apply_now(const Entry& entry) {
  absl::Status applied = node_->replay(entry);
  if (applied.ok()) {
    if (HeldCopies* copies = intake_->copies()) copies->note_committed(entry);
    return;
  }
  end(absl::StrCat("entry ", text_of(entry.id),
                   " cannot be applied here: ", std::string(applied.message())));
}

/// On the persister's thread.
void PairMember::tell_states(const PersistReport& report) {
  for (const PersistedPlan& plan : report.plans) {
    if (!plan.status.ok() || !plan.state_hash) continue;
    driver_->note_hash({plan.plan, HashKind::kState, report.at.position, *plan.state_hash});
  }
}

/// Whoever leads is followed no further than its plans have come.
void PairMember::tell_applied() {
  PairDriver* driver = at_work_;
  if (driver == nullptr) return;
  Position applied = node_->applied();
  if (applied == told_applied_) return;
  told_applied_ = applied;
  driver->note_applied(applied);
}

/// Messages may be lost: what was told is repeated now and then.
void PairMember::tell_confirmed() {
  PairDriver* driver = at_work_;
  const auto now = Clock::now();
  if (!leads_ || driver == nullptr || now < next_confirmed_) return;
  next_confirmed_ = now + kTellConfirmedEvery;
  auto delivered = sinks_->delivered();
  if (delivered.empty() || (delivered == told_confirmed_ && now < repeat_confirmed_)) return;
  repeat_confirmed_ = now + kRepeatConfirmedEvery;
  told_confirmed_ = delivered;
  driver->tell_confirmed({std::move(delivered)});
}

}  // namespace pollux
