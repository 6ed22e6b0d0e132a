#include "persistence/state/revision_writer.h"

#include <utility>

#include "persistence/codec/crc32c.h"
#include "persistence/files/large_file.h"

namespace pollux {

RevisionWriter::RevisionWriter(FileSystem& files, Names names)
    : files_(files), names_(std::move(names)) {}

RevisionWriter::~RevisionWriter() {
  if (!temporary_) return;
  file_.reset();
  // What cannot be removed now is removed with the other temporaries at the next start.
  files_.remove(names_.directory + "/" + names_.temporary).IgnoreError();
}

absl::StatusOr<std::unique_ptr<RevisionWriter>> RevisionWriter::create(
    FileSystem& files, Names names, const RevisionHeader& header) {
  std::unique_ptr<RevisionWriter> writer(new RevisionWriter(files, std::move(names)));
  auto file = files.open_append(writer->names_.directory + "/" + writer->names_.temporary);
  if (!file.ok()) return file.status();
  writer->file_ = as_large_file(*std::move(file));
  if (writer->file_->size() != 0) {
    return absl::FailedPreconditionError(writer->names_.temporary + " is being written already");
  }
  writer->temporary_ = true;
  absl::Status written = writer->file_->append(encode_header(header));
  if (!written.ok()) return written;
  return writer;
}

absl::Status RevisionWriter::append(std::string_view bytes) {
  if (!status_.ok()) return status_;
  trailer_.state_bytes += bytes.size();
  hasher_.append(bytes);
  while (status_.ok() && !bytes.empty()) {
    std::string_view part = bytes.substr(0, kBlockBytes - block_.size());
    bytes.remove_prefix(part.size());
    if (part.size() == kBlockBytes) {
      status_ = write_block(part);
      continue;
    }
    block_ += part;
    if (block_.size() < kBlockBytes) break;
    status_ = write_block(block_);
    block_.clear();
  }
  return status_;
}

absl::Status RevisionWriter::write_block(std::string_view plain) {
  absl::StatusOr<std::string_view> block = packer_.pack(plain);
  if (!block.ok()) return block.status();
  trailer_.body_crc = crc32c(*block, trailer_.body_crc);
  trailer_.body_bytes += block->size();
  return file_->append(*block);
}

absl::StatusOr<RevisionTrailer> RevisionWriter::finish() {
  if (status_.ok()) status_ = complete();
  if (!status_.ok()) return status_;
  return trailer_;
}

absl::Status RevisionWriter::complete() {
  absl::Status done = block_.empty() ? absl::OkStatus() : write_block(block_);
  trailer_.state_hash = hasher_.hash();
  if (done.ok()) done = file_->append(encode_trailer(trailer_));
  if (done.ok()) done = file_->sync();
  if (!done.ok()) return done;
  file_.reset();
  done = files_.rename(names_.directory + "/" + names_.temporary,
                       names_.directory + "/" + names_.file);
  if (!done.ok()) return done;
  temporary_ = false;
  return files_.sync_directory(names_.directory);
}

}  // namespace pollux
