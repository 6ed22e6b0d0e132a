#include "server/tool/function_options.h"

#include <utility>

#include "server/extensions/extension_loader.h"
#include "server/geo/mmdb_lookup.h"

namespace pollux::tool {

void add_function_options(CLI::App& command, FunctionOptions& options) {
  command
      .add_option("--extension", options.extensions,
                  "A shared library with functions that the plan calls")
      ->allow_extra_args(false)
      ->type_name("FILE");
  command
      .add_option("--geo", options.geo_database,
                  "A MaxMind database, for functions that find places of addresses")
      ->type_name("FILE");
}

std::string load_functions(const FunctionOptions& options) {
  for (const std::string& path : options.extensions) {
    absl::StatusOr<size_t> loaded = load_extension(path);
    if (!loaded.ok()) return std::string(loaded.status().message());
  }
  if (options.geo_database.empty()) return {};
  auto lookup = open_mmdb(options.geo_database);
  if (!lookup.ok()) return std::string(lookup.status().message());
  add_functions(address_functions(*std::move(lookup)));
  return {};
}

}  // namespace pollux::tool
