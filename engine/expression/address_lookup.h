// Where an IP address is: what the embedder knows of it, for geo: and isAnalytics: functions.
//
// The engine reads no files, so whoever makes the engine reads the database and hands this in.
// Nodes that run the same plans must have the same one.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/expression/function_registry.h"

namespace pollux {

class AddressLookup {
 public:
  virtual ~AddressLookup() = default;
  /// English names; empty for what is no address or is not known. Equal for equal addresses as long
  /// as the process lives. Thread: any.
  virtual std::optional<std::string> country(std::string_view address) const = 0;
  virtual std::optional<std::string> city(std::string_view address) const = 0;
};

/// The functions over addresses. Without a lookup a call of them is an error of the plan.
std::vector<FunctionEntry> address_functions(std::shared_ptr<const AddressLookup> lookup);

}  // namespace pollux
