#include "server/tool/journal/journal_folder.h"

#include "server/tool/read_only_files.h"

namespace pollux::tool {

std::string journal_folder(FileSystem& files, const std::string& directory) {
  std::string below = directory + (directory.ends_with('/') ? "journal" : "/journal");
  return is_directory(files, below) ? below : directory;
}

}  // namespace pollux::tool
