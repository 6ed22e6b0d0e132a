// What the tests of stores in databases need of the kind of database that their executable is for.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "storage/store_database.h"

namespace pollux::testing {

/// A server of its own, in a folder that goes with it.
class DatabaseServer {
 public:
  virtual ~DatabaseServer() = default;
  /// Also after kill(), with what was there. False, with a failure of the test: it does not answer.
  virtual bool start() = 0;
  virtual void kill() = 0;
  virtual void pause() = 0;
  virtual void resume() = 0;
  virtual uint16_t port() const = 0;
  /// As a user who may do everything; of the output columns are parted by '|'.
  virtual std::string run(const std::string& sql, const std::string& database) = 0;
};

struct DatabaseBackend {
  /// `settings`: "name=value" each.
  std::unique_ptr<DatabaseServer> (*make_server)(std::vector<std::string> settings);
  std::unique_ptr<StoreDatabase> (*make_database)(const DatabaseOptions& options);
  std::string user;      ///< may do everything, without a password
  std::string database;  ///< is there from the start
  char quote;            ///< around a name in SQL
  /// SQL that makes the user `eve`, whose password is `right`, anew.
  std::string make_eve;
  /// Where there is one: she may do all in the database that this is run in, with two sessions.
  std::string limit_eve;
  /// Behind ALTER TABLE: userName takes no more than five characters.
  std::string shorten_user_name;
  /// SQL that counts the sessions with the database that it is run in, without its own.
  std::string count_sessions;
};

/// Of this executable.
const DatabaseBackend& database_backend();

}  // namespace pollux::testing
