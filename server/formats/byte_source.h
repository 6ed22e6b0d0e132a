// Where input bytes come from: the seam between readers and files, pipes or tests.
//
// Thread: one at a time. Failure: a read that fails says why once; nothing is read after it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace pollux {

class ByteSource {
 public:
  struct ReadResult {
    size_t bytes = 0;   ///< 0 with no error: the end
    std::string error;  ///< not empty: the read failed
  };

  virtual ~ByteSource() = default;

  /// Reads at least one byte and at most `bytes_max` into `to`; waits for it.
  virtual ReadResult read(char* to, size_t bytes_max) = 0;

  /// True when a read would not wait (data, the end or an error is there).
  virtual bool ready() = 0;

  /// Bytes in all, when that is known beforehand; else 0.
  virtual uint64_t bytes_total() const { return 0; }
};

/// A file or, for "-", standard input.
class FileSource final : public ByteSource {
 public:
  /// Null when it cannot be opened; `error` then says why.
  static std::unique_ptr<FileSource> open(const std::string& path, std::string& error);
  /// Borrows an open descriptor.
  explicit FileSource(int fd);
  ~FileSource() override;
  FileSource(const FileSource&) = delete;
  FileSource& operator=(const FileSource&) = delete;

  ReadResult read(char* to, size_t bytes_max) override;
  bool ready() override;
  uint64_t bytes_total() const override { return bytes_total_; }

 private:
  int fd_;
  bool owned_ = false;
  bool regular_ = false;
  uint64_t bytes_total_ = 0;
};

}  // namespace pollux
