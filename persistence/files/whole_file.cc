#include "persistence/files/whole_file.h"

#include "absl/strings/str_cat.h"

namespace pollux {
namespace {

absl::Status write(FileSystem& files, const std::string& path, std::string_view bytes) {
  auto file = files.open_append(path);
  if (!file.ok()) return file.status();
  if (absl::Status written = (*file)->append(bytes); !written.ok()) return written;
  return (*file)->sync();
}

}  // namespace

absl::Status put_whole_file(FileSystem& files, const std::string& directory, std::string_view name,
                            std::string_view bytes) {
  std::string path = directory + "/" + std::string(name);
  std::string unfinished = path + std::string(kUnfinished);
  // One that could not be finished may be left of an earlier try.
  absl::Status removed = files.remove(unfinished);
  if (!removed.ok() && !absl::IsNotFound(removed)) return removed;
  if (absl::Status written = write(files, unfinished, bytes); !written.ok()) return written;
  if (absl::Status named = files.rename(unfinished, path); !named.ok()) return named;
  return files.sync_directory(directory);
}

absl::StatusOr<std::string> read_whole_file(FileSystem& files, const std::string& path,
                                            size_t bytes_max) {
  auto file = files.open_read(path);
  if (!file.ok()) return file.status();
  auto bytes = (*file)->read(0, bytes_max + 1);
  if (bytes.ok() && bytes->size() > bytes_max) {
    return absl::DataLossError(absl::StrCat(path, ": more than ", bytes_max, " bytes"));
  }
  return bytes;
}

}  // namespace pollux
