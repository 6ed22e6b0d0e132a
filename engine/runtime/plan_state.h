// A plan's whole state as bytes: its units (the clock, tables, queries, ..), and in each a section
// for every part with state.
//
//     "PLXS" u32 format u32 units
//       { name, u64 hash of text and inputs, u32 sections
//         { u32 version, u64 bytes of the payload, payload } ... } ...
//
// A name is a u32 length and as many bytes; numbers are little endian. Units without state are left
// out. Equal states are equal bytes. Nothing here is checked against rot: who stores the bytes does
// that.
#pragma once

#include <string>
#include <string_view>

#include "engine/runtime/engine.h"
#include "engine/runtime/plan.h"

namespace pollux {

/// Hands on the state piece by piece; it is never in memory as a whole.
void save_state(Plan& plan, const StateArchive::Take& take);
std::string save_state(Plan& plan);

/// Loads what fits into a plan that was just built: units of the same name and hash, and of those
/// that have no name of their own the ones of the same hash, in order. Returns what is wrong with
/// the bytes, empty when nothing is; a plan whose loading failed must not be used.
std::string load_state(Plan& plan, std::string_view bytes, RestoreReport& report);

}  // namespace pollux
