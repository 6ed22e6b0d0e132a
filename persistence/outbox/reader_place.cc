#include "persistence/outbox/reader_place.h"

#include "absl/strings/str_cat.h"
#include "persistence/codec/bytes.h"
#include "persistence/codec/crc32c.h"
#include "persistence/files/whole_file.h"

namespace pollux {
namespace {

constexpr std::string_view kMagic = "PLXC";
constexpr uint32_t kVersion = 1;
constexpr size_t kHeaderBytes = 16;
constexpr size_t kRecordBytes = 16;
constexpr size_t kBytesMax = kHeaderBytes + 4096 * kRecordBytes;

std::string header() {
  std::string out(kMagic);
  put_scalar(out, kVersion);
  put_scalar(out, uint32_t{0});
  put_scalar(out, crc32c(out));
  return out;
}

void append_record(std::string& out, uint64_t offset) {
  size_t begin = out.size();
  put_scalar(out, offset);
  put_scalar(out, uint32_t{0});
  put_scalar(out, crc32c(std::string_view(out).substr(begin)));
}

std::optional<uint64_t> read_record(std::string_view bytes) {
  PayloadReader reader(bytes);
  auto offset = reader.number<uint64_t>();
  auto zero = reader.number<uint32_t>();
  auto sum = reader.number<uint32_t>();
  if (reader.failed() || zero != 0 || sum != crc32c(bytes.substr(0, 12))) return std::nullopt;
  return offset;
}

}  // namespace

absl::StatusOr<std::optional<uint64_t>> ReaderPlace::read() const {
  std::string path = absl::StrCat(directory_, "/", name_);
  auto bytes = read_whole_file(*files_, path, kBytesMax);
  if (absl::IsDataLoss(bytes.status())) return std::optional<uint64_t>();
  if (!bytes.ok()) return bytes.status();
  PayloadReader reader(*bytes);
  bool magic = reader.bytes(kMagic.size()) == kMagic;
  auto version = reader.number<uint32_t>();
  reader.number<uint32_t>();
  auto sum = reader.number<uint32_t>();
  if (!magic || reader.failed() || sum != crc32c(std::string_view(*bytes).substr(0, 12))) {
    return std::optional<uint64_t>();
  }
  if (version != kVersion) {
    return absl::FailedPreconditionError(
        absl::StrCat(path, ": it has version ", version, " of its format, this knows ", kVersion));
  }
  std::optional<uint64_t> last;
  while (reader.left() >= kRecordBytes) {
    if (auto offset = read_record(reader.bytes(kRecordBytes))) last = offset;
  }
  return last;
}

absl::Status ReaderPlace::put(uint64_t offset) {
  file_ = nullptr;
  std::string bytes = header();
  append_record(bytes, offset);
  if (absl::Status put = put_whole_file(*files_, directory_, name_, bytes); !put.ok()) return put;
  auto file = files_->open_append(absl::StrCat(directory_, "/", name_));
  if (!file.ok()) return file.status();
  file_ = *std::move(file);
  return absl::OkStatus();
}

absl::Status ReaderPlace::move(uint64_t offset) {
  if (file_ == nullptr || file_->size() + kRecordBytes > kBytesMax) return put(offset);
  std::string record;
  append_record(record, offset);
  absl::Status written = file_->append(record);
  if (!written.ok()) file_ = nullptr;  // there may be a part of it
  return written;
}

absl::Status ReaderPlace::remove() {
  file_ = nullptr;
  absl::Status removed = files_->remove(absl::StrCat(directory_, "/", name_));
  if (absl::IsNotFound(removed)) return absl::OkStatus();
  if (!removed.ok()) return removed;
  return files_->sync_directory(directory_);
}

}  // namespace pollux
