// Places of IP addresses by a MaxMind database. Thread: any, once it is open.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "engine/expression/address_lookup.h"

namespace pollux {

/// Opens a database of countries or cities. The error says what is wrong with the file.
absl::StatusOr<std::shared_ptr<const AddressLookup>> open_mmdb(const std::string& path);

}  // namespace pollux
