// A reader and a truncation, one of them in the middle of the other.
#include <functional>
#include <utility>

#include "tests/persistence/journal/journal_testing.h"

namespace pollux {
namespace {

/// Lets something happen before each of its operations.
class InterruptedFileSystem : public FileSystem {
 public:
  explicit InterruptedFileSystem(FileSystem& files) : files_(files) {}

  /// Told whether it is one that takes away names.
  std::function<void(bool names)> before;

  absl::StatusOr<std::unique_ptr<AppendFile>> open_append(const std::string& path) override {
    interrupt();
    return files_.open_append(path);
  }
  absl::StatusOr<std::unique_ptr<ReadFile>> open_read(const std::string& path) override {
    interrupt();
    auto file = files_.open_read(path);
    if (!file.ok()) return file;
    return std::make_unique<InterruptedReadFile>(*this, *std::move(file));
  }
  absl::Status truncate(const std::string& path, uint64_t bytes) override {
    interrupt();
    return files_.truncate(path, bytes);
  }
  absl::Status rename(const std::string& from, const std::string& to) override {
    interrupt(true);
    return files_.rename(from, to);
  }
  absl::Status remove(const std::string& path) override {
    interrupt();
    return files_.remove(path);
  }
  absl::Status remove_large(const std::string& path) override {
    interrupt(true);
    return files_.remove_large(path);
  }
  absl::Status make_directories(const std::string& path) override {
    return files_.make_directories(path);
  }
  absl::Status sync_directory(const std::string& path) override {
    interrupt(true);
    return files_.sync_directory(path);
  }
  absl::StatusOr<std::vector<DirectoryEntry>> list(const std::string& path) override {
    return files_.list(path);
  }
  absl::StatusOr<std::unique_ptr<FileLock>> lock(const std::string& path) override {
    return files_.lock(path);
  }
  absl::StatusOr<uint64_t> free_bytes(const std::string& path) override {
    return files_.free_bytes(path);
  }

 private:
  class InterruptedReadFile : public ReadFile {
   public:
    InterruptedReadFile(InterruptedFileSystem& files, std::unique_ptr<ReadFile> file)
        : files_(files), file_(std::move(file)) {}
    absl::StatusOr<std::string> read(uint64_t offset, size_t bytes) const override {
      files_.interrupt();
      auto got = file_->read(offset, bytes);
      files_.interrupt();
      return got;
    }
    absl::StatusOr<uint64_t> size() const override { return file_->size(); }

   private:
    InterruptedFileSystem& files_;
    std::unique_ptr<ReadFile> file_;
  };

  void interrupt(bool names = false) {
    auto called = before;  // which may take itself away
    if (called) called(names);
  }

  FileSystem& files_;
};

class JournalInterleavingTest : public JournalTest {
 protected:
  /// A new machine, with entries on both sides of where the cut will be, also at the begin of a
  /// segment.
  void begin(uint64_t segment_bytes) {
    journal_ = nullptr;
    disk_ = SimulatedFileSystem(1);
    options_.segment_bytes = segment_bytes;
    auto journal = Journal::open(interrupted_, options_);
    ASSERT_TRUE(journal.ok()) << journal.status();
    journal_ = *std::move(journal);
    write_until(40);
  }
  /// Of a schema that stands nowhere before them.
  static Entry other_entry(uint64_t at) {
    static const SchemaPtr kSchema = std::make_shared<const Schema>(
        "Others", std::vector<Attribute>{{"n", AttributeType::kLong}});
    auto batch = std::make_shared<EventBatch>(kSchema);
    batch->append_value(0, static_cast<int64_t>(at));
    batch->end_row(0);
    return {{{2}, {at}}, {static_cast<int64_t>(at)}, EventsPayload{batch}};
  }
  void append_others(uint64_t cut) {
    for (uint64_t at = cut + 1; at <= 50; ++at) {
      ASSERT_EQ(journal_->append(other_entry(at)), absl::OkStatus());
      ASSERT_EQ(journal_->commit(), absl::OkStatus());
    }
  }
  /// The next entry is that one, as it was written last.
  static void expect_entry(JournalReader& reader, uint64_t at, uint64_t cut) {
    auto entry = reader.next();
    ASSERT_TRUE(entry.ok() && *entry) << at << ' ' << entry.status();
    ASSERT_EQ(bytes_of(**entry), bytes_of(at <= cut ? some_entry(at) : other_entry(at))) << at;
  }
  bool reader_is_interrupted(uint64_t segment_bytes, uint64_t from, uint64_t cut,
                             uint64_t operation);
  bool truncation_is_interrupted(uint64_t segment_bytes, uint64_t from, uint64_t cut,
                                 uint64_t operation);

  InterruptedFileSystem interrupted_{disk_};
};

/// False when the reader has not so many operations.
bool JournalInterleavingTest::reader_is_interrupted(uint64_t segment_bytes, uint64_t from,
                                                    uint64_t cut, uint64_t operation) {
  begin(segment_bytes);
  JournalReader reader(interrupted_, journal_->index(), {from});
  bool interrupted = false;
  interrupted_.before = [&](bool) {
    if (operation-- > 0) return;
    interrupted_.before = nullptr;
    interrupted = true;
    ASSERT_EQ(journal_->truncate({cut}), absl::OkStatus());
    append_others(cut);
  };
  uint64_t at = from;
  for (; !interrupted && at <= cut; ++at) expect_entry(reader, at, cut);
  if (!interrupted) {
    // It may be interrupted at the first entry that is cut, which it has not handed out then.
    auto next = reader.next();
    EXPECT_TRUE(next.ok()) << next.status();
    if (interrupted && next.ok() && *next) {
      EXPECT_EQ(bytes_of(**next), bytes_of(other_entry(at))) << at;
      ++at;
    }
  }
  interrupted_.before = nullptr;
  for (; interrupted && at <= 50; ++at) expect_entry(reader, at, cut);
  return interrupted;
}

TEST_F(JournalInterleavingTest, AReaderIsInterruptedByATruncation) {
  for (uint64_t segment_bytes : {1 << 10, 1 << 20}) {
    for (uint64_t cut = 15; cut <= 22; ++cut) {
      for (uint64_t from : {1, 12, 20, 21, 22, 30, 40}) {
        for (uint64_t operation = 0; reader_is_interrupted(segment_bytes, from, cut, operation);
             ++operation) {
          ASSERT_FALSE(HasFailure()) << segment_bytes << ' ' << from << ' ' << cut;
        }
      }
    }
  }
}

bool JournalInterleavingTest::truncation_is_interrupted(uint64_t segment_bytes, uint64_t from,
                                                        uint64_t cut, uint64_t operation) {
  begin(segment_bytes);
  JournalReader reader(disk_, journal_->index(), {from});
  bool interrupted = false;
  uint64_t at = from;
  interrupted_.before = [&](bool names) {
    if (operation-- > 0) return;
    interrupted_.before = nullptr;
    interrupted = true;
    for (; at <= cut; ++at) expect_entry(reader, at, cut);
    if (!names) return;
    auto hidden = reader.next();
    EXPECT_TRUE(hidden.ok() && !*hidden) << "what is about to go is shown no more";
  };
  EXPECT_EQ(journal_->truncate({cut}), absl::OkStatus());
  interrupted_.before = nullptr;
  append_others(cut);
  for (; at <= 50; ++at) expect_entry(reader, at, cut);
  return interrupted;
}

TEST_F(JournalInterleavingTest, ATruncationIsInterruptedByAReader) {
  for (uint64_t segment_bytes : {1 << 10, 1 << 20}) {
    for (uint64_t cut = 15; cut <= 22; ++cut) {
      for (uint64_t from : {1, 15, 20, 21, 30}) {
        for (uint64_t operation = 0; truncation_is_interrupted(segment_bytes, from, cut, operation);
             ++operation) {
          ASSERT_FALSE(HasFailure()) << segment_bytes << ' ' << from << ' ' << cut;
        }
      }
    }
  }
}

}  // namespace
}  // namespace pollux
