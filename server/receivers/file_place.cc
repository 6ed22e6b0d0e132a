#include "server/receivers/file_place.h"

#include <fcntl.h>
#include <unistd.h>
#include <zlib.h>

#include <cerrno>
#include <cstdio>
#include <fstream>
#include <system_error>

#include "absl/strings/str_cat.h"

namespace pollux {
namespace {

constexpr const char* kMagic = "pollux-file-place 1";

std::string text_of(const FilePlace& place) {
  return absl::StrCat(kMagic, " ", place.device, " ", place.inode, " ", place.begin, " ", place.end,
                      " ", place.series, " ", place.number);
}

uint64_t crc_of(const std::string& text) {
  return ::crc32(0, reinterpret_cast<const Bytef*>(text.data()), static_cast<uInt>(text.size()));
}

}  // namespace

std::optional<FilePlace> read_place(const std::string& path) {
  std::ifstream file(path);
  std::string magic;
  std::string version;
  FilePlace place;
  uint64_t crc = 0;
  file >> magic >> version >> place.device >> place.inode >> place.begin >> place.end >>
      place.series >> place.number >> crc;
  if (!file || magic + " " + version != kMagic || crc != crc_of(text_of(place))) {
    return std::nullopt;
  }
  return place;
}

absl::Status write_place(const std::string& path, const FilePlace& place) {
  std::string text = text_of(place);
  absl::StrAppend(&text, " ", crc_of(text), "\n");
  std::string fresh = path + ".new";
  int fd = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
  bool written =
      fd >= 0 && ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  int error = errno;
  if (fd >= 0) ::close(fd);
  if (written) {
    written = ::rename(fresh.c_str(), path.c_str()) == 0;
    error = errno;
  }
  if (written) return absl::OkStatus();
  return absl::UnavailableError(
      absl::StrCat("cannot write '", path, "': ", std::system_category().message(error)));
}

}  // namespace pollux
