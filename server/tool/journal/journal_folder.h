// Where the journal stands of which somebody named a folder. Thread: any.
#pragma once

#include <string>

#include "persistence/files/file_system.h"

namespace pollux::tool {

/// `directory` itself, or the folder "journal" in it where that is one: then it is the server's
/// data_dir.
std::string journal_folder(FileSystem& files, const std::string& directory);

}  // namespace pollux::tool
