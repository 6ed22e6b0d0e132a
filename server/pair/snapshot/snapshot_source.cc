#include "server/pair/snapshot/snapshot_source.h"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/node/wall_clock.h"

namespace pollux {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::seconds kStatesPatience{60};

absl::Status failed(std::string_view doing, const std::string& path, const std::error_code& why) {
  return absl::UnavailableError(
      absl::StrCat("cannot ", std::string(doing), " ", path, ": ", why.message()));
}

}  // namespace

SnapshotSource::SnapshotSource(FileSystem& files, Node& node, Persister& persister,
                               StoreSet& stores, Options options)
    : files_(files),
      node_(node),
      persister_(persister),
      stores_(stores),
      options_(std::move(options)) {}

SnapshotSource::~SnapshotSource() {
  std::error_code ignored;
  fs::remove_all(folder(), ignored);
}

absl::StatusOr<Snapshot> SnapshotSource::take() {
  std::lock_guard lock(mutex_);
  if (!node_.leads()) {
    return absl::FailedPreconditionError("this node does not lead, and has no snapshot to give");
  }
  current_.reset();
  std::error_code error;
  fs::remove_all(folder(), error);
  if (error) return failed("remove", folder(), error);
  if (absl::Status made = files_.make_directories(folder()); !made.ok()) return made;
  auto report = states();
  if (!report.ok()) return report.status();
  states_given_ = report->at;
  auto snapshot = std::make_unique<Snapshot>();
  snapshot->id = absl::StrCat(wall_clock_ms(), ".", ++taken_);
  snapshot->at = report->at;
  if (absl::Status gathered = gather(*report, *snapshot); !gathered.ok()) return gathered;
  current_ = std::move(snapshot);
  return *current_;
}

/// From here on the journal keeps what stands behind them.
absl::StatusOr<PersistReport> SnapshotSource::states() {
  // A state knows why its plan is suspended; the journal does not.
  const std::vector<PlanInfo> plans = node_.plans();
  const bool suspended = std::any_of(plans.begin(), plans.end(),
                                     [](const PlanInfo& plan) { return plan.counts.suspended; });
  std::optional<PersistReport> last = persister_.fresh();
  if (last && last->at != states_given_ && !suspended) {
    options_.keep_behind(last->at.position);
    return *std::move(last);
  }
  options_.keep_behind(node_.applied());
  auto report = persister_.persist(kStatesPatience);
  if (report.ok()) options_.keep_behind(report->at.position);
  return report;
}

absl::Status SnapshotSource::gather(const PersistReport& report, Snapshot& snapshot) const {
  if (absl::Status linked = link_states(report); !linked.ok()) return linked;
  const std::string outboxes = options_.data_dir + "/outbox";
  std::error_code error;
  for (const auto& outbox : fs::directory_iterator(outboxes, error)) {
    if (!outbox.is_directory(error)) continue;
    const std::string name = outbox.path().filename();
    if (absl::Status linked = link_folder(outbox.path(), "outbox/" + name); !linked.ok()) {
      return linked;
    }
  }
  if (error) return failed("list", outboxes, error);
  if (absl::Status copied = stores_.copy_to(folder() + "/stores"); !copied.ok()) return copied;
  return list_files(snapshot);
}

/// The newest revision of each plan, and of the node: all behind one entry.
absl::Status SnapshotSource::link_states(const PersistReport& report) const {
  std::vector<const PersistedPlan*> all{&report.node};
  for (const PersistedPlan& plan : report.plans) all.push_back(&plan);
  for (const PersistedPlan* each : all) {
    if (!each->status.ok()) {
      return absl::UnavailableError(
          absl::StrCat("the state of plan '", each->plan,
                       "' could not be written: ", std::string(each->status.message())));
    }
    const std::string path = fs::relative(each->path, options_.states).string();
    const std::string to = absl::StrCat(folder(), "/", std::string(kSnapshotStates), "/", path);
    if (absl::Status linked = link_file(each->path, to); !linked.ok()) return linked;
    std::error_code error;
    if (!fs::exists(to, error)) return absl::UnavailableError(each->path + " has just been pruned");
  }
  return absl::OkStatus();
}

absl::Status SnapshotSource::link_folder(const std::string& from, const std::string& name) const {
  std::error_code error;
  for (const auto& file : fs::directory_iterator(from, error)) {
    if (!file.is_regular_file(error) || file.path().filename() == "lock") continue;
    const std::string base = file.path().filename();
    absl::Status linked = link_file(file.path(), absl::StrCat(folder(), "/", name, "/", base));
    if (!linked.ok()) return linked;
  }
  return error ? failed("list", from, error) : absl::OkStatus();
}

/// A file that has just gone was trimmed, and is needed no more.
absl::Status SnapshotSource::link_file(const std::string& from, const std::string& to) const {
  absl::Status made = files_.make_directories(fs::path(to).parent_path());
  if (!made.ok()) return made;
  std::error_code error;
  fs::create_hard_link(from, to, error);
  if (error == std::errc::no_such_file_or_directory) return absl::OkStatus();
  return error ? failed("link", from, error) : absl::OkStatus();
}

absl::Status SnapshotSource::list_files(Snapshot& snapshot) const {
  std::error_code error;
  for (const auto& file : fs::recursive_directory_iterator(folder(), error)) {
    if (!file.is_regular_file(error)) continue;
    snapshot.files.push_back({fs::relative(file.path(), folder()).string(), file.file_size(error)});
    if (error) break;
  }
  return error ? failed("list", folder(), error) : absl::OkStatus();
}

absl::StatusOr<std::string> SnapshotSource::read(const std::string& id, const std::string& path,
                                                 uint64_t offset, size_t bytes) {
  std::lock_guard lock(mutex_);
  if (current_ == nullptr || current_->id != id) {
    return absl::NotFoundError("that snapshot is no more; take another one");
  }
  auto file = std::find_if(current_->files.begin(), current_->files.end(),
                           [&](const SnapshotFile& each) { return each.path == path; });
  if (file == current_->files.end() || offset > file->bytes) {
    return absl::OutOfRangeError("the snapshot has no such file, or it is not so long");
  }
  options_.keep_behind(current_->at.position);
  auto open = files_.open_read(absl::StrCat(folder(), "/", path));
  if (!open.ok()) return open.status();
  // A file that the node still appends to has grown since.
  return (*open)->read(offset, std::min<uint64_t>(bytes, file->bytes - offset));
}

}  // namespace pollux
