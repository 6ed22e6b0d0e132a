// What RocksDB has to say of itself, warnings and worse, in the file LOG of its directory.
//
// RocksDB's own aborts the process with the line that follows one it could not write, so on every
// full disk. Here such a line is lost.
#pragma once

#include <memory>
#include <string>

namespace rocksdb {
class Logger;
}  // namespace rocksdb

namespace pollux::rocks {

/// Begins the file anew where it grows beyond a MiB, or once lines were lost. Thread: any.
std::shared_ptr<rocksdb::Logger> make_info_log(const std::string& directory);

}  // namespace pollux::rocks
