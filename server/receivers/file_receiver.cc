#include "server/receivers/file_receiver.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "server/formats/csv_reader.h"
#include "server/formats/json_lines_reader.h"
#include "server/node/wall_clock.h"

namespace pollux {
namespace {

/// Lines that are there already; borrowed.
class TextSource final : public ByteSource {
 public:
  explicit TextSource(std::string_view text) : text_(text) {}
  ReadResult read(char* to, size_t bytes_max) override {
    size_t bytes = std::min(bytes_max, text_.size());
    if (bytes != 0) std::memcpy(to, text_.data(), bytes);
    text_.remove_prefix(bytes);
    return {bytes, {}};
  }
  bool ready() override { return true; }

 private:
  std::string_view text_;
};

RowLayout layout_of(const SchemaPtr& schema, const std::string& time_attribute) {
  RowLayout layout(schema);
  layout.timestamp_named = !time_attribute.empty();
  layout.timestamp_attribute =
      layout.timestamp_named ? schema->find(time_attribute) : usual_timestamp_attribute(*schema);
  return layout;
}

}  // namespace

std::string_view name_of(ReceiverState state) {
  switch (state) {
    case ReceiverState::kRunning:
      return "running";
    case ReceiverState::kWaiting:
      return "waiting";
    case ReceiverState::kFinished:
      return "finished";
    case ReceiverState::kStopped:
      return "stopped";
  }
  return "";
}

FileReceiver::FileReceiver(FileReceiverOptions options, Intake& intake, Warn warn)
    : options_(std::move(options)),
      intake_(intake),
      warn_(std::move(warn)),
      follower_(options_.path, options_.tailing) {
  thread_ = std::thread([this] { run(); });
}

FileReceiver::~FileReceiver() { stop(); }

ReceiverCounts FileReceiver::counts() const {
  std::lock_guard lock(mutex_);
  return counts_;
}

void FileReceiver::stop() {
  std::shared_ptr<Answer> answer;
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    answer = answer_;
    if (counts_.state != ReceiverState::kFinished) counts_.state = ReceiverState::kStopped;
  }
  changed_.notify_all();
  if (answer != nullptr) {
    std::lock_guard lock(answer->mutex);
    answer->given_up = true;
    answer->changed.notify_all();
  }
  if (thread_.joinable()) thread_.join();
}

/// False: the receiver stops.
bool FileReceiver::wait(std::chrono::milliseconds time) {
  std::unique_lock lock(mutex_);
  return !changed_.wait_for(lock, time, [this] { return stopping_; });
}

void FileReceiver::note_waiting(std::string error) {
  bool fresh = false;
  {
    std::lock_guard lock(mutex_);
    if (!stopping_) counts_.state = ReceiverState::kWaiting;
    fresh = counts_.last_error != error;
    counts_.last_error = error;
  }
  if (fresh) warn_(absl::StrCat("receiver '", options_.name, "' waits: ", error));
}

void FileReceiver::note_place() {
  absl::Status written = write_place(options_.place_path, place_);
  if (written.ok()) return;
  // Goes on: a start from an older place is told apart by numbers while the node lives.
  warn_(absl::StrCat("receiver '", options_.name, "': ", std::string(written.message())));
}

void FileReceiver::run() {
  if (std::optional<FilePlace> place = read_place(options_.place_path)) {
    place_ = *place;
    has_place_ = true;
  } else {
    place_.series = static_cast<uint64_t>(wall_clock_ms());
  }
  while (step()) {
  }
}

/// False: the end.
bool FileReceiver::step() {
  if (absl::Status looked = follower_.look(); !looked.ok()) {
    note_waiting(std::string(looked.message()));
    return wait(options_.poll);
  }
  bool other_file = follower_.device() != place_.device || follower_.inode() != place_.inode;
  if (other_file || follower_.offset() != place_.end || place_.begin != place_.end) {
    if (!find_place()) return false;
  }
  absl::StatusOr<FileFollower::Lines> lines = follower_.peek(kBatchBytes);
  if (!lines.ok()) {
    note_waiting(std::string(lines.status().message()));
    return wait(options_.poll);
  }
  if (!lines->text.empty()) return take(*lines);
  if (!options_.tailing) {
    std::lock_guard lock(mutex_);
    counts_.state = ReceiverState::kFinished;
    return false;
  }
  {
    std::lock_guard lock(mutex_);
    if (!stopping_) counts_.state = ReceiverState::kRunning;
  }
  return wait(options_.poll);
}

/// Where to read on in the file that is open now. False: the receiver stops.
bool FileReceiver::find_place() {
  bool same = follower_.device() == place_.device && follower_.inode() == place_.inode;
  uint64_t size = follower_.size().value_or(0);
  bool fits = has_place_ && same && place_.end <= size;
  bool first_time = !has_place_;
  if (fits && place_.begin != place_.end) {
    follower_.seek(place_.begin);
    absl::StatusOr<std::string> text = follower_.read(place_.begin, place_.end);
    if (text.ok() && !hand_over(*text, place_.begin)) return false;
    place_.begin = place_.end;
  }
  if (!fits) {
    uint64_t begin = first_time && options_.from_end ? size : 0;
    place_ = {follower_.device(), follower_.inode(), begin, begin, place_.series, place_.number};
    discarding_ = false;
  }
  has_place_ = true;
  follower_.seek(place_.end);
  note_place();
  return true;
}

/// False: the receiver stops.
bool FileReceiver::take(const FileFollower::Lines& lines) {
  std::string text = lines.text;
  if (discarding_ || lines.too_long) {
    size_t end = discarding_ ? text.find('\n') : std::string::npos;
    if (!discarding_) {
      warn_(absl::StrCat("receiver '", options_.name, "': a line of '", options_.path,
                         "' behind byte ", lines.begin, " is too long"));
      std::lock_guard lock(mutex_);
      ++counts_.bad_rows;
    }
    discarding_ = end == std::string::npos;
    text.erase(0, discarding_ ? std::string::npos : end + 1);
  }
  uint64_t begin = lines.end - text.size();
  place_.begin = begin;
  place_.end = lines.end;
  if (!text.empty()) {
    ++place_.number;
    note_place();
    if (!hand_over(text, begin)) return false;
  }
  place_.begin = place_.end;
  note_place();
  follower_.seek(lines.end);
  std::lock_guard lock(mutex_);
  counts_.bytes += lines.end - lines.begin;
  return true;
}

/// Submits lines under place_.number until they are taken. False: the receiver stops.
bool FileReceiver::hand_over(const std::string& text, uint64_t begin) {
  std::shared_ptr<EventBatch> batch;
  while (true) {
    SchemaPtr schema = intake_.schema_of(options_.stream);
    if (schema == nullptr) {
      note_waiting(absl::StrCat("no plan takes stream '", options_.stream, "'"));
      if (!wait(options_.poll)) return false;
      continue;
    }
    if (batch == nullptr || batch->schema_ptr() != schema) batch = decode(schema, text, begin);
    if (batch->rows() == 0) {
      --place_.number;
      return true;
    }
    std::optional<Submitted> submitted = submit(batch);
    if (!submitted) return false;
    switch (judge(*submitted)) {
      case Handed::kTaken:
        return true;
      case Handed::kStop:
        return false;
      case Handed::kAgain:
        break;
    }
  }
}

FileReceiver::Handed FileReceiver::judge(const Submitted& submitted) {
  if (submitted.status.ok()) {
    std::lock_guard lock(mutex_);
    if (!stopping_) counts_.state = ReceiverState::kRunning;
    counts_.events += submitted.accepted;
    ++counts_.batches;
    if (submitted.duplicate) ++counts_.repeated;
    counts_.last_error.clear();
    return Handed::kTaken;
  }
  if (absl::IsFailedPrecondition(submitted.status) && submitted.expected_number != place_.number) {
    place_.number = submitted.expected_number;  // another node than the one that counted so far
    note_place();
    return Handed::kAgain;
  }
  note_waiting(std::string(submitted.status.message()));
  return wait(std::max(options_.poll, submitted.retry_after)) ? Handed::kAgain : Handed::kStop;
}

/// Nothing: the receiver stops.
std::optional<Submitted> FileReceiver::submit(EventBatchPtr batch) {
  auto answer = std::make_shared<Answer>();
  {
    std::lock_guard lock(mutex_);
    if (stopping_) return std::nullopt;
    answer_ = answer;
  }
  Submission submission;
  submission.batch = std::move(batch);
  submission.producer = absl::StrCat("file/", options_.name, "/", place_.series);
  submission.number = place_.number;
  submission.receiver = "file";
  submission.wait = true;
  intake_.submit(std::move(submission), [answer](Submitted submitted) {
    std::lock_guard lock(answer->mutex);
    answer->submitted = std::move(submitted);
    answer->changed.notify_all();
  });
  std::unique_lock lock(answer->mutex);
  answer->changed.wait(lock, [&] { return answer->submitted || answer->given_up; });
  return answer->submitted;
}

/// The first line of the file.
std::string FileReceiver::header_line() const {
  uint64_t size = follower_.size().value_or(0);
  absl::StatusOr<std::string> text =
      follower_.read(0, std::min<uint64_t>(size, FileFollower::kLinesBytesMax));
  if (!text.ok()) return {};
  return text->substr(0, text->find('\n') + 1);
}

std::shared_ptr<EventBatch> FileReceiver::decode(const SchemaPtr& schema, const std::string& text,
                                                 uint64_t begin) {
  auto batch = std::make_shared<EventBatch>(schema);
  bool csv = options_.format == FileReceiverOptions::Format::kCsv;
  std::string header = csv && options_.header && begin > 0 ? header_line() : "";
  std::string with_header = header + text;
  auto input = std::make_unique<InputBuffer>(std::make_unique<TextSource>(with_header));
  RowLayout layout = layout_of(schema, options_.time_attribute);
  std::unique_ptr<RowReader> reader;
  if (csv) {
    CsvHeader mode = options_.header ? CsvHeader::kYes : CsvHeader::kNo;
    reader = std::make_unique<CsvReader>(std::move(input), layout, RowReaderOptions{}, mode);
  } else {
    reader = std::make_unique<JsonLinesReader>(std::move(input), layout, RowReaderOptions{});
  }
  uint64_t bad = 0;
  std::string first_bad;
  int64_t now = wall_clock_ms();
  while (true) {
    ReadStatus status = reader->next(Wait::kYes);
    if (status == ReadStatus::kEnd) break;
    if (status == ReadStatus::kRow) {
      reader->append_to(*batch);
      if (reader->timestamp_is_row_number()) batch->mutable_timestamps().back() = now;
      continue;
    }
    RowError error = reader->error();
    if (!header.empty() && error.line > 1) --error.line;
    if (bad++ == 0) first_bad = to_text(error, options_.path);
    if (status == ReadStatus::kFailed) break;
  }
  if (bad != 0) {
    warn_(absl::StrCat("receiver '", options_.name, "': ", bad,
                       " bad rows; the first, counted from byte ", begin, ": ", first_bad));
    std::lock_guard lock(mutex_);
    counts_.bad_rows += bad;
  }
  return batch;
}

}  // namespace pollux
