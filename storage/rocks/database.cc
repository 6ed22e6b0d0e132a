#include "storage/rocks/database.h"

#include <rocksdb/db.h>
#include <rocksdb/perf_level.h>
#include <rocksdb/utilities/checkpoint.h>
#include <rocksdb/write_batch.h>

#include <filesystem>
#include <system_error>
#include <utility>

#include "storage/rocks/rocksdb_options.h"

namespace pollux::rocks {
namespace {

constexpr uint64_t kRoomToOpen = 1024 * 1024;  // beside what is in its logs

bool is_lock_failure(const rocksdb::Status& status) {
  const std::string text = status.ToString();
  return status.IsIOError() && (text.find("While lock file") != std::string::npos ||
                                text.find("lock hold by current process") != std::string::npos);
}

}  // namespace

Database::Database(const RocksStoreOptions& options) : options_(options) {}

Database::~Database() { close(); }

void Database::close() {
  marks_.reset();
  if (db_ != nullptr) db_->Close().PermitUncheckedError();  // everything is in the log already
  db_.reset();
}

absl::StatusOr<Database::Opened> Database::opened() const {
  std::lock_guard lock(mutex_);
  if (db_ == nullptr) {
    return absl::UnavailableError(place() +
                                  ": could not be opened anew after a failed write, and the next "
                                  "write tries again; free disk space and see that the disk is "
                                  "well");
  }
  return Opened{db_, marks_.get()};
}

absl::StatusOr<std::shared_ptr<rocksdb::DB>> Database::db() const {
  auto opened = this->opened();
  if (!opened.ok()) return opened.status();
  return std::move(opened->db);
}

absl::StatusOr<std::shared_ptr<Database>> Database::open(const RocksStoreOptions& options) {
  std::shared_ptr<Database> database(new Database(options));
  std::error_code failure;
  std::filesystem::create_directories(options.directory, failure);
  if (failure) {
    return absl::UnavailableError(database->place() +
                                  ": cannot make the directory: " + failure.message() +
                                  "; name one that this user may write, or make it");
  }
  if (absl::Status opened = database->open(); !opened.ok()) return opened;
  if (absl::Status format = database->check_format(); !format.ok()) return format;
  return database;
}

absl::Status Database::open() {
  const rocksdb::Options options = options_for_rows(options_);
  std::vector<std::string> names;
  const rocksdb::Status listed =
      rocksdb::DB::ListColumnFamilies(options, options_.directory, &names);
  // There may be no database yet. What else is wrong with it, opening tells better.
  if (!listed.ok()) names = {rocksdb::kDefaultColumnFamilyName};
  std::vector<rocksdb::ColumnFamilyDescriptor> families;
  for (const std::string& name : names) {
    families.emplace_back(name, name == kMarksFamily
                                    ? options_for_marks(options_, options)
                                    : static_cast<const rocksdb::ColumnFamilyOptions&>(options));
  }
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::DB* db = nullptr;
  const rocksdb::Status opened =
      rocksdb::DB::Open(options, options_.directory, families, &handles, &db);
  if (!opened.ok()) {
    const bool not_all = opened.IsInvalidArgument() && !listed.ok();
    return error(not_all ? listed : opened, "open it");
  }
  db_.reset(db);
  for (rocksdb::ColumnFamilyHandle* handle : handles) {
    std::unique_ptr<rocksdb::ColumnFamilyHandle> family(handle);
    if (family->GetName() == kMarksFamily) {
      marks_ = std::move(family);
    } else if (family->GetName() != rocksdb::kDefaultColumnFamilyName) {
      has_other_families_ = true;
    }
  }
  return absl::OkStatus();
}

absl::Status Database::check_format() {
  auto stored = get(key_of(Kind::kFormat), "read its format");
  if (!stored.ok()) return stored.status();
  if (!stored->has_value()) return begin_format();
  std::optional<uint64_t> version = decode_format(**stored);
  if (!version) return damaged("its format");
  if (*version == kFormatVersionOneFamily) return take_over_one_family();
  if (*version != kFormatVersion) {
    return absl::FailedPreconditionError(
        place() + ": it was written in format " + std::to_string(*version) +
        ", and this program knows formats up to " + std::to_string(kFormatVersion) +
        "; use the program that wrote it, or name another directory");
  }
  if (marks_ == nullptr) return damaged("its family of marks");
  marks_family_ = marks_->GetID();
  return absl::OkStatus();
}

absl::Status Database::begin_format() {
  bool has_keys = false;
  for (rocksdb::ColumnFamilyHandle* family : {db_->DefaultColumnFamily(), marks_.get()}) {
    if (family == nullptr) continue;
    const std::unique_ptr<rocksdb::Iterator> any(db_->NewIterator({}, family));
    any->SeekToFirst();
    if (!any->status().ok()) return error(any->status(), "read it");
    has_keys = has_keys || any->Valid();
  }
  if (has_keys || has_other_families_) {
    return absl::FailedPreconditionError(
        place() + ": the directory holds a RocksDB of something else; name another directory");
  }
  if (absl::Status made = make_marks(); !made.ok()) return made;
  Transaction transaction = begin();
  transaction.put(key_of(Kind::kFormat), encode_format());
  return commit(transaction, Sync::kNow, "begin the store");
}

absl::Status Database::take_over_one_family() {
  if (absl::Status made = make_marks(); !made.ok()) return made;
  rocksdb::WriteBatch batch;
  const std::unique_ptr<rocksdb::Iterator> at(db_->NewIterator({}));
  for (Kind kind : kMarks) {
    const std::string begin = key_of(kind);
    for (at->Seek(begin); at->Valid() && at->key().starts_with(begin); at->Next()) {
      batch.Put(marks_.get(), at->key(), at->value());
      batch.Delete(at->key());
    }
    if (!at->status().ok()) return error(at->status(), "read its marks");
  }
  batch.Put(key_of(Kind::kFormat), encode_format());
  rocksdb::WriteOptions options;
  options.sync = true;
  const rocksdb::Status written = db_->Write(options, &batch);
  return written.ok() ? absl::OkStatus() : error(written, "move its marks");
}

absl::Status Database::make_marks() {
  if (marks_ == nullptr) {  // or a process died after it had made them
    rocksdb::ColumnFamilyHandle* made = nullptr;
    const rocksdb::Status status = db_->CreateColumnFamily(
        options_for_marks(options_, db_->GetOptions()), std::string(kMarksFamily), &made);
    if (!status.ok()) return error(status, "make its family of marks");
    marks_.reset(made);
  }
  marks_family_ = marks_->GetID();
  return absl::OkStatus();
}

absl::StatusOr<std::optional<std::string>> Database::get(std::string_view key,
                                                         std::string_view doing) const {
  auto opened = this->opened();
  if (!opened.ok()) return opened.status();
  rocksdb::DB& db = *opened->db;
  std::string value;
  rocksdb::Status got =
      db.Get({}, is_mark(key) ? opened->marks : db.DefaultColumnFamily(), key, &value);
  if (got.IsNotFound()) return std::optional<std::string>();
  if (!got.ok()) return error(got, doing);
  return std::optional(std::move(value));
}

absl::StatusOr<std::vector<std::string>> Database::values_of(Kind mark,
                                                             std::string_view doing) const {
  auto opened = this->opened();
  if (!opened.ok()) return opened.status();
  std::vector<std::string> values;
  const std::string begin = key_of(mark);
  const std::unique_ptr<rocksdb::Iterator> at(opened->db->NewIterator({}, opened->marks));
  for (at->Seek(begin); at->Valid() && at->key().starts_with(begin); at->Next()) {
    values.emplace_back(at->value().ToStringView());
  }
  if (!at->status().ok()) return error(at->status(), doing);
  return values;
}

absl::Status Database::commit(Transaction& transaction, Sync sync, std::string_view doing) {
  if (absl::Status recovered = recover(); !recovered.ok()) return recovered;
  auto db = this->db();
  if (!db.ok()) return db.status();
  // Or it counts each comparison of keys, a part of writing that is to be seen, and nobody asks.
  rocksdb::SetPerfLevel(rocksdb::PerfLevel::kDisable);
  rocksdb::WriteOptions options;
  options.sync = sync == Sync::kNow || options_.sync_every_write;
  rocksdb::Status written = (*db)->Write(options, &transaction.batch());
  if (written.ok()) return absl::OkStatus();
  failed_ = true;
  return error(written, doing);
}

absl::Status Database::sync() {
  if (absl::Status recovered = recover(); !recovered.ok()) return recovered;
  auto db = this->db();
  if (!db.ok()) return db.status();
  rocksdb::Status synced = (*db)->SyncWAL();
  if (synced.ok()) return absl::OkStatus();
  failed_ = true;
  return error(synced, "sync its log");
}

absl::Status Database::copy_to(const std::string& directory) {
  auto db = this->db();
  if (!db.ok()) return db.status();
  rocksdb::Checkpoint* made = nullptr;
  rocksdb::Status copied = rocksdb::Checkpoint::Create(db->get(), &made);
  const std::unique_ptr<rocksdb::Checkpoint> checkpoint(made);
  if (copied.ok()) copied = checkpoint->CreateCheckpoint(directory);
  return copied.ok() ? absl::OkStatus() : error(copied, "copy it to " + directory);
}

absl::Status Database::recover() {
  if (!failed_) return absl::OkStatus();
  std::lock_guard lock(mutex_);
  if (!failed_) return absl::OkStatus();
  if (absl::Status room = check_room(); !room.ok()) return room;
  if (db_ != nullptr) {
    if (db_.use_count() > 1) {
      return absl::UnavailableError(place() +
                                    ": has to be opened anew after a failed write, and is being "
                                    "read; writing goes on when that ends");
    }
    close();
  }
  if (absl::Status opened = open(); !opened.ok()) return opened;
  failed_ = false;
  return absl::OkStatus();
}

absl::Status Database::check_room() const {
  // Opening writes what is in the logs into tables; while it cannot, reading had better go on.
  std::error_code failure;
  const auto space = std::filesystem::space(options_.directory, failure);
  if (failure) {
    return absl::UnavailableError(place() + ": cannot tell its free space: " + failure.message());
  }
  uint64_t needed = kRoomToOpen;
  for (const auto& file : std::filesystem::directory_iterator(options_.directory, failure)) {
    std::error_code gone;
    const uint64_t bytes = file.path().extension() == ".log" ? file.file_size(gone) : 0;
    if (!gone) needed += bytes;
  }
  if (failure) {
    return absl::UnavailableError(place() + ": cannot list its files: " + failure.message());
  }
  if (space.available >= needed) return absl::OkStatus();
  return absl::ResourceExhaustedError(
      place() + ": No space left to go on after a failed write: " +
      std::to_string(space.available) + " bytes are free, " + std::to_string(needed) +
      " are needed; free disk space or shorten the retention, then writing goes on by itself");
}

absl::Status Database::error(const rocksdb::Status& status, std::string_view doing) const {
  std::string text = place() + ": cannot " + std::string(doing) + ": " + status.ToString();
  if (status.IsNoSpace()) {
    return absl::ResourceExhaustedError(
        text + "; free disk space or shorten the retention, then writing goes on by itself");
  }
  if (status.IsCorruption()) {
    return absl::DataLossError(
        text +
        "; stop the node and restore the directory from a copy, or move it away to begin "
        "with an empty store");
  }
  if (is_lock_failure(status)) {
    return absl::FailedPreconditionError(
        text +
        "; another store has the directory open: stop the process that does, or name "
        "another directory");
  }
  if (status.IsIOError()) {
    return absl::UnavailableError(
        text + "; check that the disk is well and that this user may read and write the directory");
  }
  return absl::InternalError(text + "; this is not expected, please report it");
}

absl::Status Database::damaged(std::string_view what) const {
  return error(rocksdb::Status::Corruption(rocksdb::Slice(what), "does not decode"), "read it");
}

std::string Database::place() const {
  return "record store " + options_.name + " (" + options_.directory + ")";
}

}  // namespace pollux::rocks
