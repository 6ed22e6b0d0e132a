// Results as lines at the end of a file.
//
// A call's lines stand in the file whole or not at all: what a failed write left is cut off, and a
// last line that a crash left half written is cut when it is one of ours and ended otherwise, so
// that what follows begins a line. One sink at a time writes a file (flock). A file that was moved
// away or removed is made anew. Every failure may pass: a full disk, a missing folder.
// Thread: the sink's.
#pragma once

#include <cstdint>
#include <string>

#include "server/publishers/publisher.h"
#include "server/publishers/row_payload.h"

namespace pollux {

struct FilePublisherOptions {
  std::string path;
  bool sync = false;  ///< fdatasync() before rows count as delivered
};

class FilePublisher final : public Publisher {
 public:
  FilePublisher(FilePublisherOptions options, RowPayload payload);
  ~FilePublisher() override;
  FilePublisher(const FilePublisher&) = delete;
  FilePublisher& operator=(const FilePublisher&) = delete;

  size_t rows_max() const override { return 1024; }
  Published publish(std::span<const PublishedRow> rows, const std::atomic<bool>& stopping) override;

 private:
  absl::Status open();
  absl::Status mend_end();
  absl::Status cut_to(uint64_t bytes);
  absl::Status write_all(std::string_view text);
  absl::Status failed(const char* what) const;
  void close();
  bool was_moved() const;

  const FilePublisherOptions options_;
  const RowPayload payload_;
  int fd_ = -1;
  bool regular_ = false;
};

}  // namespace pollux
