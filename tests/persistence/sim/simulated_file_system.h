// A disk in memory that fails as disks do, from a seed.
//
// What a crash takes away is what the seam allows and no less: bytes that were not synced vanish,
// or stay in part, or leave zeros where they were; names that were not synced come or go, in order
// or not. A sync that fails leaves bytes that can be read and that no later sync brings to the
// disk. Files that are open when the machine ends refuse everything behind it. Thread: one.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "persistence/files/file_system.h"

namespace pollux {

/// How a machine ends.
enum class Crash {
  kProcess,  ///< what was written can still be read
  kPower,    ///< what was not synced is lost, or torn
};

class SimulatedFileSystem : public FileSystem {
 public:
  static constexpr uint64_t kNever = std::numeric_limits<uint64_t>::max();

  explicit SimulatedFileSystem(uint64_t seed) : random_(seed) {}

  absl::StatusOr<std::unique_ptr<AppendFile>> open_append(const std::string& path) override;
  absl::StatusOr<std::unique_ptr<ReadFile>> open_read(const std::string& path) override;
  absl::Status truncate(const std::string& path, uint64_t bytes) override;
  absl::Status rename(const std::string& from, const std::string& to) override;
  absl::Status remove(const std::string& path) override;
  absl::Status remove_large(const std::string& path) override { return remove(path); }
  absl::Status make_directories(const std::string& path) override;
  absl::Status sync_directory(const std::string& path) override;
  absl::StatusOr<std::vector<DirectoryEntry>> list(const std::string& path) override;
  absl::StatusOr<std::unique_ptr<FileLock>> lock(const std::string& path) override;
  absl::StatusOr<uint64_t> free_bytes(const std::string& path) override;

  // ---- faults ----

  /// The machine ends in the middle of the operation that changes something after `operations`
  /// more; what it was doing is done in part.
  void crash_after(uint64_t operations) { crash_after_ = operations; }
  bool crashed() const { return crashed_; }
  /// The machine ends now, if it has not yet, and starts again.
  void restart(Crash crash);
  /// The next sync of a file fails, after `syncs` more.
  void fail_sync_after(uint64_t syncs) { fail_sync_after_ = syncs; }
  /// The bytes that all files may have.
  void set_capacity(uint64_t bytes) { capacity_ = bytes; }
  void set_read_only(bool read_only) { read_only_ = read_only; }
  bool read_only() const { return read_only_; }
  /// No fault waits any more.
  void heal() {
    crash_after_ = fail_sync_after_ = capacity_ = kNever;
    read_only_ = false;
  }
  /// Turns a bit over, for good.
  void flip_bit(const std::string& path, uint64_t bit);

  // ---- looking at it ----

  uint64_t bytes_used() const;
  /// All that stands in the file; nothing when it is not there.
  std::optional<std::string> content(const std::string& path) const;
  /// Puts a file there that lasts, as someone else would.
  void put(const std::string& path, std::string bytes);
  uint64_t syncs() const { return syncs_; }

 private:
  friend class SimulatedAppendFile;
  friend class SimulatedReadFile;
  friend class SimulatedLock;

  struct File {
    std::string bytes;    // what is read
    std::string durable;  // what stands on the disk
    /// Ranges of `bytes` that differ from the disk: to be written by the next sync, and those that
    /// a failed sync has lost, which no sync writes.
    std::vector<std::pair<uint64_t, uint64_t>> dirty;
    std::vector<std::pair<uint64_t, uint64_t>> ghosts;
  };
  using FilePtr = std::shared_ptr<File>;
  using Names = std::map<std::string, FilePtr>;  // by path
  /// A change of names that is not synced: null is removed. All of it happens, or nothing.
  struct NameChange {
    std::string directory;
    std::vector<std::pair<std::string, FilePtr>> names;
  };

  absl::Status begin_change(const std::string& path);
  absl::Status not_found(const std::string& path) const;
  absl::Status append(const std::string& path, File& file, std::string_view bytes);
  absl::Status sync(const std::string& path, File& file);
  void change_names(NameChange change);
  void lose_bytes(File& file);
  void lose_names();
  bool chance(uint32_t one_in) { return random_() % one_in == 0; }

  std::mt19937_64 random_;
  Names names_;          // as seen
  Names durable_names_;  // as on the disk
  std::vector<NameChange> unsynced_names_;
  std::set<std::string> directories_ = {"."};
  std::set<std::string> locks_;
  uint64_t start_ = 0;  // counts restarts: what was opened before is dead
  uint64_t crash_after_ = kNever;
  bool crashed_ = false;
  uint64_t fail_sync_after_ = kNever;
  uint64_t capacity_ = kNever;
  bool read_only_ = false;
  uint64_t syncs_ = 0;
};

}  // namespace pollux
