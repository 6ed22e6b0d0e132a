#include "ha/arbiter/file_arbiter.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "ha/arbiter/record_folder.h"

namespace pollux {
namespace {

constexpr uint64_t kRecordsKept = 1000;
// A record that was listed is gone only when a thousand newer ones came in between.
constexpr int kListingsMax = 10;

class FileArbiter : public Arbiter {
 public:
  FileArbiter(const std::string& folder, const std::string& domain_name)
      : folder_(folder + "/" + domain_name) {}

  absl::StatusOr<ArbiterRecord> read() override {
    absl::Status last;
    for (int listing = 0; listing < kListingsMax; ++listing) {
      absl::StatusOr<std::vector<uint64_t>> versions = folder_.versions();
      if (!versions.ok()) return versions.status();
      if (versions->empty()) return ArbiterRecord();
      absl::StatusOr<ArbiterRecord> record = load(versions->back());
      if (!absl::IsNotFound(record.status())) return record;
      last = record.status();
    }
    return absl::UnavailableError(
        absl::StrCat(last.message(), "; it was listed and is gone, again and again"));
  }

  absl::StatusOr<ArbiterRecord> compare_and_set(const ArbiterRecord& next) override {
    absl::Status sound = check_arbiter_record(next);
    if (!sound.ok()) return sound;
    absl::StatusOr<ArbiterRecord> before = read();
    if (!before.ok() || before->version + 1 != next.version) return before;
    if (!before->exists()) {
      absl::Status made = folder_.make();
      if (!made.ok()) return made;
    }
    absl::StatusOr<bool> added = folder_.add(next.version, to_json(next) + "\n");
    if (!added.ok()) return added.status();
    // Whoever was paused before the link may have made a version that was over long ago; and a
    // version that "somebody else" made may be one's own, whose reply was lost.
    absl::StatusOr<ArbiterRecord> after = read();
    if (!after.ok()) return after;
    if (after->version < next.version) {
      return absl::DataLossError(absl::StrCat(folder_.path_of(next.version),
                                              ": was there and is gone; who removes records?"));
    }
    if (*added) {
      folder_.prune(after->version - std::min(after->version, kRecordsKept) + 1, after->version);
    }
    return after;
  }

  std::string describe() const override { return absl::StrCat("file ", folder_.path()); }

 private:
  /// kNotFound: it is gone by now.
  absl::StatusOr<ArbiterRecord> load(uint64_t version) {
    absl::StatusOr<std::string> bytes = folder_.read(version);
    if (!bytes.ok()) return bytes.status();
    absl::StatusOr<ArbiterRecord> record = arbiter_record_of(*bytes);
    if (!record.ok()) {
      return absl::Status(record.status().code(),
                          absl::StrCat(folder_.path_of(version), ": ", record.status().message()));
    }
    if (record->version != version) {
      return absl::DataLossError(absl::StrCat(folder_.path_of(version),
                                              ": holds the record of "
                                              "version ",
                                              record->version));
    }
    // Its maker may have died before this; nobody may act on what a loss of power could undo.
    if (version > synced_version_) {
      absl::Status synced = folder_.sync();
      if (!synced.ok()) return synced;
      synced_version_ = version;
    }
    return record;
  }

  RecordFolder folder_;
  uint64_t synced_version_ = 0;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Arbiter>> make_file_arbiter(const ArbiterOptions& options,
                                                           const std::string& folder) {
  absl::Status checked = check_arbiter_options(options);
  if (!checked.ok()) return checked;
  if (folder.empty()) {
    return absl::InvalidArgumentError("the file arbiter needs the path of its folder");
  }
  return std::make_unique<FileArbiter>(folder, options.domain_name);
}

}  // namespace pollux
