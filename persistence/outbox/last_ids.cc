#include "persistence/outbox/last_ids.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "persistence/codec/bytes.h"
#include "persistence/codec/crc32c.h"
#include "persistence/files/whole_file.h"

namespace pollux {
namespace {

constexpr std::string_view kMagic = "PLXI";
constexpr uint32_t kVersion = 1;
constexpr char kName[] = "last_ids";
constexpr size_t kBytesMax = size_t{256} << 20;

}  // namespace

void raise_last_id(LastIds& ids, std::string_view plan, const PlanRow& id) {
  auto known = ids.find(plan);
  if (known == ids.end()) {
    ids.emplace(plan, id);
  } else {
    known->second = std::max(known->second, id);
  }
}

std::string encode_last_ids(const LastIds& ids) {
  std::string out(kMagic);
  put_scalar(out, kVersion);
  put_scalar(out, static_cast<uint32_t>(ids.size()));
  for (const auto& [plan, last] : ids) {
    put_sized_text(out, plan);
    put_scalar(out, last.cause.epoch.value);
    put_scalar(out, last.cause.position.value);
    put_scalar(out, last.ordinal);
  }
  put_scalar(out, crc32c(out));
  return out;
}

absl::StatusOr<LastIds> decode_last_ids(std::string_view bytes) {
  absl::Status broken = absl::DataLossError("no list of last ids, or a rotten one");
  if (bytes.size() < sizeof(uint32_t)) return broken;
  std::string_view summed = bytes.substr(0, bytes.size() - sizeof(uint32_t));
  PayloadReader sum(bytes.substr(summed.size()));
  if (sum.number<uint32_t>() != crc32c(summed)) return broken;
  PayloadReader reader(summed);
  if (reader.bytes(kMagic.size()) != kMagic) return broken;
  auto version = reader.number<uint32_t>();
  if (version > kVersion) {
    return absl::FailedPreconditionError(
        absl::StrCat("it has version ", version, " of its format, newer than ", kVersion));
  }
  LastIds ids;
  for (auto left = reader.number<uint32_t>(); left > 0 && !reader.failed(); --left) {
    std::string plan(reader.text());
    PlanRow& last = ids[std::move(plan)];
    last.cause.epoch.value = reader.number<uint64_t>();
    last.cause.position.value = reader.number<uint64_t>();
    last.ordinal = reader.number<uint32_t>();
  }
  if (reader.failed() || reader.left() > 0 || version == 0) return broken;
  return ids;
}

absl::Status write_last_ids(FileSystem& files, const std::string& directory, const LastIds& ids) {
  return put_whole_file(files, directory, kName, encode_last_ids(ids));
}

absl::StatusOr<LastIds> read_last_ids(FileSystem& files, const std::string& directory) {
  std::string path = directory + "/" + kName;
  auto bytes = read_whole_file(files, path, kBytesMax);
  if (absl::IsNotFound(bytes.status())) return LastIds();
  if (!bytes.ok()) return bytes.status();
  auto ids = decode_last_ids(*bytes);
  if (ids.ok()) return ids;
  return absl::Status(ids.status().code(), absl::StrCat(path, ": ", ids.status().message()));
}

}  // namespace pollux
