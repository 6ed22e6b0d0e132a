// A plan's whole state as bytes: one section for each of its parts, with a name and a version.
//
//     "PLXS" u32 format u32 sections { name, u32 version, payload } ...
//
// Texts and payloads are a u32 length and as many bytes; numbers are little endian. Equal states
// are equal bytes. Nothing here is checked against rot: who stores the bytes does that.
#pragma once

#include <string>
#include <string_view>

#include "engine/runtime/plan.h"

namespace pollux {

std::string save_state(Plan& plan);

/// Loads the state into a plan that was just built from the same text. Returns what is wrong with
/// the bytes, empty when nothing is; a plan whose loading failed must not be used.
std::string load_state(Plan& plan, std::string_view bytes);

}  // namespace pollux
