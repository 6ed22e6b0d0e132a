// What a node's settings and its plans need in databases, before anything is made there.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "engine/language/diagnostics.h"
#include "server/daemon/settings_endpoints.h"
#include "server/settings/load.h"
#include "server/tool/commands.h"
#include "server/tool/console.h"
#include "server/tool/plan_file.h"

namespace pollux::tool {

struct StoreNeedsOptions {
  std::string config;
  std::vector<std::string> plans;  ///< files
};

class StoreNeeds {
 public:
  explicit StoreNeeds(Console& console) : console_(console) {}

  /// Connects to nothing. All that is wrong is told on the console; kOk: nothing is.
  ExitCode read(const StoreNeedsOptions& options);

  const Settings& settings() const { return loaded_.settings; }
  /// By their names.
  const std::map<std::string, StoreInDatabase>& stores() const { return stores_; }
  /// Of the store: those of the plans, which come first, and what it keeps itself.
  std::vector<TableDefinition> tables(const std::string& store) const;
  size_t plan_tables(const std::string& store) const;

 private:
  bool read_plan(const PlanFile& file);
  absl::Status add(const std::string& store, const TableDefinition& table);
  /// Always false.
  bool tell(const PlanFile& file, const Diagnostics& diagnostics);

  Console& console_;
  LoadedSettings loaded_;
  std::map<std::string, StoreInDatabase> stores_;
  std::map<std::string, std::vector<TableDefinition>> tables_;  ///< of plans, by store
};

}  // namespace pollux::tool
