// A database that record stores may be in, as the settings say it. Thread: values.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "server/endpoints/endpoint.h"
#include "storage/store_database.h"

namespace pollux {

struct Datasource {
  enum class Kind : uint8_t { kPostgresql, kMysql };
  std::string name;
  Kind kind = Kind::kPostgresql;
  DatabaseAddress address;
  PoolOptions pool;             ///< of all stores there together
  int64_t timeout_ms = 30'000;  ///< of one statement
};

/// Reads an item of `datasources:`; all that is wrong goes to `mistakes`. Connects to nothing.
Datasource read_datasource(const EndpointDefinition& definition, EndpointMistakes& mistakes);

/// To be opened stores in; asks nobody. All stores of a datasource need the same one, or each has
/// as many sessions as the datasource may have.
std::unique_ptr<StoreDatabase> make_database(const Datasource& datasource);

}  // namespace pollux
