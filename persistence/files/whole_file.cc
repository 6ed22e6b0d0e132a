#include "persistence/files/whole_file.h"

#include "absl/strings/str_cat.h"

namespace pollux {
namespace {

std::string unfinished_path(const std::string& directory, std::string_view name) {
  return directory + "/" + std::string(name) + std::string(kUnfinished);
}

absl::Status write(AppendFile& file, std::string_view bytes) {
  if (absl::Status written = file.append(bytes); !written.ok()) return written;
  return file.sync();
}

}  // namespace

absl::StatusOr<std::unique_ptr<AppendFile>> begin_whole_file(FileSystem& files,
                                                             const std::string& directory,
                                                             std::string_view name) {
  std::string path = unfinished_path(directory, name);
  absl::Status removed = files.remove(path);
  if (!removed.ok() && !absl::IsNotFound(removed)) return removed;
  return files.open_append(path);
}

absl::Status finish_whole_file(FileSystem& files, const std::string& directory,
                               std::string_view name) {
  std::string path = directory + "/" + std::string(name);
  absl::Status named = files.rename(unfinished_path(directory, name), path);
  return named.ok() ? files.sync_directory(directory) : named;
}

absl::Status put_whole_file(FileSystem& files, const std::string& directory, std::string_view name,
                            std::string_view bytes) {
  auto file = begin_whole_file(files, directory, name);
  if (!file.ok()) return file.status();
  if (absl::Status written = write(**file, bytes); !written.ok()) return written;
  return finish_whole_file(files, directory, name);
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
