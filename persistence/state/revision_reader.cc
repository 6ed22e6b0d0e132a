#include "persistence/state/revision_reader.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "persistence/codec/crc32c.h"
#include "persistence/state/body_unpacker.h"

namespace pollux {
namespace {

constexpr size_t kPieceBytes = size_t{4} << 20;
constexpr uint64_t kFrameBytes = kRevisionHeaderBytes + kRevisionTrailerBytes;

absl::Status of(const std::string& path, const absl::Status& status) {
  return absl::Status(status.code(), path + ": " + std::string(status.message()));
}

absl::StatusOr<RevisionInfo> read_info(const ReadFile& file) {
  absl::StatusOr<uint64_t> size = file.size();
  if (!size.ok()) return size.status();
  absl::StatusOr<std::string> bytes = file.read(0, kRevisionHeaderBytes);
  if (!bytes.ok()) return bytes.status();
  absl::StatusOr<RevisionHeader> header = decode_header(*bytes);
  if (!header.ok()) return header.status();
  if (*size < kFrameBytes) return absl::DataLossError("it ends early");
  bytes = file.read(*size - kRevisionTrailerBytes, kRevisionTrailerBytes);
  if (!bytes.ok()) return bytes.status();
  absl::StatusOr<RevisionTrailer> trailer = decode_trailer(*bytes);
  if (!trailer.ok()) return trailer.status();
  if (trailer->body_bytes != *size - kFrameBytes) {
    return absl::DataLossError("its length is not what its end says");
  }
  return RevisionInfo{*header, *trailer};
}

/// Hands out the body as it stands in the file, in pieces; an error when its checksum is wrong.
template <class Take>
absl::Status read_body(const ReadFile& file, const RevisionTrailer& trailer, Take&& take) {
  uint32_t crc = 0;
  for (uint64_t at = 0; at < trailer.body_bytes;) {
    size_t wanted = static_cast<size_t>(std::min<uint64_t>(kPieceBytes, trailer.body_bytes - at));
    absl::StatusOr<std::string> piece = file.read(kRevisionHeaderBytes + at, wanted);
    if (!piece.ok()) return piece.status();
    if (piece->size() != wanted) return absl::DataLossError("it ends early");
    crc = crc32c(*piece, crc);
    at += wanted;
    absl::Status taken = take(*piece);
    if (!taken.ok()) return taken;
  }
  if (crc != trailer.body_crc) return absl::DataLossError("the checksum of its body is wrong");
  return absl::OkStatus();
}

/// Opens the file and reads what frames it, and then what `body` reads.
template <class Body>
absl::StatusOr<RevisionInfo> read_file(FileSystem& files, const std::string& path, Body&& body) {
  absl::StatusOr<std::unique_ptr<ReadFile>> file = files.open_read(path);
  if (!file.ok()) return file.status();
  absl::StatusOr<RevisionInfo> info = read_info(**file);
  if (!info.ok()) return of(path, info.status());
  absl::Status read = body(**file, info->trailer);
  if (!read.ok()) return of(path, read);
  return info;
}

}  // namespace

absl::StatusOr<RevisionInfo> read_revision_info(FileSystem& files, const std::string& path) {
  return read_file(files, path,
                   [](const ReadFile&, const RevisionTrailer&) { return absl::OkStatus(); });
}

absl::StatusOr<RevisionInfo> verify_revision(FileSystem& files, const std::string& path) {
  return read_file(files, path, [](const ReadFile& file, const RevisionTrailer& trailer) {
    return read_body(file, trailer, [](const std::string&) { return absl::OkStatus(); });
  });
}

absl::StatusOr<Revision> read_revision(FileSystem& files, const std::string& path, size_t threads) {
  Revision revision;
  auto unpack = [&](const ReadFile& file, const RevisionTrailer& trailer) {
    BodyUnpacker unpacker(trailer, threads, revision.bytes);
    absl::Status read =
        read_body(file, trailer, [&](std::string_view piece) { return unpacker.append(piece); });
    return read.ok() ? unpacker.finish() : read;
  };
  absl::StatusOr<RevisionInfo> info = read_file(files, path, unpack);
  if (!info.ok()) return info.status();
  revision.info = *std::move(info);
  return revision;
}

}  // namespace pollux
