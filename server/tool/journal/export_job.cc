#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "persistence/files/posix_file_system.h"
#include "persistence/journal/journal_reader.h"
#include "persistence/journal/journal_survey.h"
#include "server/tool/journal/entry_json.h"
#include "server/tool/journal/journal_folder.h"
#include "server/tool/journal/journal_jobs.h"
#include "server/tool/read_only_files.h"
#include "server/tool/text_format.h"

namespace pollux::tool {
namespace {

/// The file that is written, closed with its destruction.
class Output {
 public:
  explicit Output(const std::string& path) {
    if (path == "-") return;
    fd_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd_ < 0) error_ = path + ": cannot write: " + std::generic_category().message(errno);
  }
  ~Output() {
    if (fd_ != STDOUT_FILENO && fd_ >= 0) ::close(fd_);
  }
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;

  int fd() const { return fd_; }
  const std::string& error() const { return error_; }

 private:
  int fd_ = STDOUT_FILENO;
  std::string error_;
};

/// What is wrong when the entry stands at that place and is of another epoch.
std::string epoch_error(const std::optional<EntryPlace>& place, EntryId id) {
  if (!place || !place->epoch || place->position != id.position || *place->epoch == id.epoch) {
    return {};
  }
  return "the entry at position " + std::to_string(id.position.value) + " is " + to_text(id);
}

class ExportJob {
 public:
  ExportJob(const ExportOptions& options, int fd) : options_(options), out_(fd) {}

  ExitCode run() {
    const std::string folder = journal_folder(files_, options_.directory);
    Position from = options_.from ? options_.from->position : Position{};
    auto index = index_journal(files_, folder, from);
    if (!index.ok()) return fail(index.status());
    if (!options_.from) from = {(*index)->places().front().first};
    ExitCode code = write_entries(JournalReader(files_, *index, from));
    std::string name = options_.output == "-" ? "standard output" : options_.output;
    return finish_output(out_, console_, name, code);
  }

 private:
  ExitCode write_entries(JournalReader reader) {
    std::string line;
    while (out_.status() == OutputBuffer::Status::kOk) {
      auto entry = reader.next();
      if (!entry.ok()) return fail(entry.status());
      if (!*entry) break;
      const EntryId id = (*entry)->id;
      for (const auto& place : {options_.from, options_.to}) {
        std::string wrong = epoch_error(place, id);
        if (!wrong.empty()) return fail(absl::InvalidArgumentError(wrong), ExitCode::kUsage);
      }
      if (options_.to && id.position > options_.to->position) break;
      line.clear();
      append_entry_json(line, **entry);
      line += '\n';
      out_.append(line);
    }
    return ExitCode::kOk;
  }

  ExitCode fail(const absl::Status& status) { return fail(status, exit_code_of_files(status)); }
  ExitCode fail(const absl::Status& status, ExitCode code) {
    out_.flush();
    console_.message(message_of(status));
    return code;
  }

  const ExportOptions& options_;
  PosixFileSystem files_;
  Console console_;
  OutputBuffer out_;
};

}  // namespace

ExitCode export_journal(const ExportOptions& options) {
  Output output(options.output);
  if (!output.error().empty()) {
    Console().message(output.error());
    return ExitCode::kFailed;
  }
  return ExportJob(options, output.fd()).run();
}

}  // namespace pollux::tool
