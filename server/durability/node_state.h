// The node's own state as the body of a revision of "_node": which plans there are, and what its
// producers sent last.
//
//     "PLXN" u32 version u32 bytes { epoch, position, ms of the cut, plans, producers,
//                                    from version 2 on: identities of duplicated streams' events }
//
// Version 2 is written only where there are such identities, so that older programs read the rest.
//
// Thread: any.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "server/node/node.h"

namespace pollux {

std::string encode_node_state(const NodeCut& cut);
/// `none`: a table without producers. kDataLoss, kUnimplemented.
absl::StatusOr<NodeCut> decode_node_state(std::string_view bytes, ProducerTable none);

}  // namespace pollux
