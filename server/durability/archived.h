// A part of the node's own state as bytes: a magic number, a version, a length, and an archive.
//
//     u32 magic, u32 version, u32 bytes of the archive, the archive
//
// Little endian. Thread: any.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "engine/state/state_archive.h"

namespace pollux {

struct ArchiveKind {
  uint32_t magic;
  uint32_t version;
  const char* what;  ///< for errors: "a plan's record"
};

/// `save` has the archive save what it consists of.
template <class Save>
std::string framed_archive(const ArchiveKind& kind, Save&& save) {
  std::string body;
  StateArchive archive([&](std::string_view piece) { body += piece; });
  save(archive);
  archive.flush();
  uint32_t numbers[3] = {kind.magic, kind.version, static_cast<uint32_t>(body.size())};
  return std::string(reinterpret_cast<const char*>(numbers), sizeof(numbers)) + body;
}

/// The archive's bytes at the begin of `bytes`, of which they are taken. kDataLoss: they are none;
/// kUnimplemented: of a newer version.
inline absl::StatusOr<std::string_view> take_framed_archive(const ArchiveKind& kind,
                                                            std::string_view& bytes) {
  uint32_t numbers[3];
  if (bytes.size() < sizeof(numbers)) return absl::DataLossError("it ends early");
  std::memcpy(numbers, bytes.data(), sizeof(numbers));
  if (numbers[0] != kind.magic) return absl::DataLossError(absl::StrCat("it is not ", kind.what));
  if (numbers[1] != kind.version) {
    return absl::UnimplementedError(absl::StrCat("it is ", kind.what, " of version ", numbers[1],
                                                 "; this is an older program"));
  }
  bytes.remove_prefix(sizeof(numbers));
  if (bytes.size() < numbers[2]) return absl::DataLossError("it ends early");
  std::string_view body = bytes.substr(0, numbers[2]);
  bytes.remove_prefix(numbers[2]);
  return body;
}

}  // namespace pollux
