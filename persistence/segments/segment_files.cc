#include "persistence/segments/segment_files.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "persistence/files/whole_file.h"

namespace pollux {
namespace {

constexpr size_t kDigits = 20;

std::string name_in(const LogPlace& place, uint64_t first) {
  return place.segment_path(first).substr(place.directory.size() + 1);
}

std::string_view ending_of(LogKind kind) {
  return kind == LogKind::kJournal ? ".journal" : ".outbox";
}

absl::StatusOr<SegmentHeader> read_header(FileSystem& files, const std::string& path,
                                          LogKind kind) {
  auto file = files.open_read(path);
  if (!file.ok()) return file.status();
  auto bytes = (*file)->read(0, kSegmentHeaderBytes);
  if (!bytes.ok()) return bytes.status();
  auto header = decode_segment_header(*bytes, kind);
  if (!header.ok()) return at_path(path, header.status());
  return header;
}

}  // namespace

std::string LogPlace::segment_path(uint64_t first) const {
  return absl::StrFormat("%s/%0*d%s", directory, kDigits, first, std::string(ending_of(kind)));
}

std::string LogPlace::lock_path() const { return directory + "/lock"; }

std::optional<uint64_t> LogPlace::segment_first(std::string_view name) const {
  std::string_view ending = ending_of(kind);
  if (name.size() != kDigits + ending.size() || name.substr(kDigits) != ending) return {};
  uint64_t first = 0;
  std::string digits(name.substr(0, kDigits));
  if (digits.find_first_not_of("0123456789") != std::string::npos) return {};
  if (!absl::SimpleAtoi(digits, &first)) return {};
  return first;
}

absl::Status at_path(const std::string& path, const absl::Status& status) {
  return absl::Status(status.code(), absl::StrCat(path, ": ", status.message()));
}

absl::StatusOr<std::vector<SegmentGlance>> glance_at_segments(FileSystem& files,
                                                              const LogPlace& place) {
  auto entries = files.list(place.directory);
  if (!entries.ok()) return entries.status();
  std::vector<SegmentGlance> found;
  std::optional<LogId> id;
  for (const DirectoryEntry& entry : *entries) {
    auto first = place.segment_first(entry.name);
    if (entry.directory || !first) continue;
    std::string path = place.directory + "/" + entry.name;
    auto header = read_header(files, path, place.kind);
    if (absl::IsNotFound(header.status())) continue;  // trimmed meanwhile
    if (header.ok() && header->first != *first) {
      header = absl::DataLossError(absl::StrCat(path, ": the segment begins at ", header->first,
                                                ", which its name does not say"));
    } else if (header.ok() && id && header->id != *id) {
      header =
          absl::DataLossError(absl::StrCat(path, ": a segment of the log ", to_string(header->id),
                                           " among those of ", to_string(*id)));
    }
    if (header.ok()) id = header->id;
    found.push_back({std::move(path), *first, entry.bytes, std::move(header)});
  }
  return found;  // names are sorted, and so are their numbers
}

absl::StatusOr<std::vector<SegmentFile>> list_segments(FileSystem& files, const LogPlace& place) {
  auto glances = glance_at_segments(files, place);
  if (!glances.ok()) return glances.status();
  std::vector<SegmentFile> found;
  for (SegmentGlance& glance : *glances) {
    if (!glance.header.ok()) return glance.header.status();
    found.push_back({std::move(glance.path), glance.bytes, *glance.header});
  }
  return found;
}

absl::Status remove_unfinished_segments(FileSystem& files, const LogPlace& place) {
  auto entries = files.list(place.directory);
  if (!entries.ok()) return entries.status();
  for (const DirectoryEntry& entry : *entries) {
    std::string_view name = entry.name;
    if (entry.directory || !name.ends_with(kUnfinished)) continue;
    name.remove_suffix(kUnfinished.size());
    if (!place.segment_first(name)) continue;
    absl::Status removed = files.remove(place.directory + "/" + entry.name);
    if (!removed.ok()) return removed;
  }
  return absl::OkStatus();
}

absl::StatusOr<SegmentFile> create_segment(FileSystem& files, const LogPlace& place,
                                           const SegmentHeader& header) {
  auto file = begin_segment_file(files, place, header);
  if (!file.ok()) return file.status();
  if (absl::Status lasts = (*file)->sync(); !lasts.ok()) return lasts;
  absl::Status named = name_segment_file(files, place, header.first);
  if (!named.ok()) return named;
  return SegmentFile{place.segment_path(header.first), kSegmentHeaderBytes, header};
}

absl::StatusOr<std::unique_ptr<AppendFile>> begin_segment_file(FileSystem& files,
                                                               const LogPlace& place,
                                                               const SegmentHeader& header) {
  auto file = begin_whole_file(files, place.directory, name_in(place, header.first));
  if (!file.ok()) return file.status();
  absl::Status written = (*file)->append(encode_segment_header(header));
  if (!written.ok()) return written;
  return file;
}

void drop_segment_file(FileSystem& files, const LogPlace& place, uint64_t first) {
  files.remove(place.segment_path(first) + std::string(kUnfinished)).IgnoreError();
}

absl::Status name_segment_file(FileSystem& files, const LogPlace& place, uint64_t first) {
  return finish_whole_file(files, place.directory, name_in(place, first));
}

}  // namespace pollux
