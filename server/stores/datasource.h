// A database that record stores may be in, as the settings say it. Thread: values.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "server/endpoints/endpoint.h"
#include "storage/record_store.h"
#include "storage/remote/database_address.h"
#include "storage/remote/pool_options.h"

namespace pollux {

struct Datasource {
  enum class Kind : uint8_t { kPostgresql, kMysql };
  std::string name;
  Kind kind = Kind::kPostgresql;
  DatabaseAddress address;
  PoolOptions pool;
  int64_t timeout_ms = 30'000;  ///< of one statement
};

/// Reads an item of `datasources:`; all that is wrong goes to `mistakes`. Connects to nothing.
Datasource read_datasource(const EndpointDefinition& definition, EndpointMistakes& mistakes);

/// Opens the store of that name there. kUnavailable: the database does not answer.
absl::StatusOr<std::unique_ptr<RecordStore>> open_store_in(const Datasource& datasource,
                                                           std::string_view store);

}  // namespace pollux
