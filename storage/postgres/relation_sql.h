// Parts of SQL texts about a relation. Thread: any.
#pragma once

#include <string>

#include "storage/sql/relation.h"

namespace pollux::postgres {

/// All of the definition and pollux_time, for a list.
std::string columns_of(const sql::Relation& relation);
/// The key's, for a list.
std::string key_of(const sql::Relation& relation);
/// Behind ORDER BY: by time, then as rows came or by their keys.
std::string order_of(const sql::Relation& relation);

}  // namespace pollux::postgres
