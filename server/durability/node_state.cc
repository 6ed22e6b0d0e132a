#include "server/durability/node_state.h"

#include <utility>

#include "server/durability/archived.h"
#include "server/durability/catalogue_archive.h"

namespace pollux {
namespace {

constexpr ArchiveKind kNode{0x4e584c50, 1, "a node's state"};  // "PLXN"

void archive_cut(StateArchive& archive, NodeCut& cut) {
  archive(cut.at.epoch.value, cut.at.position.value, cut.timestamp.ms);
  archive.list(cut.plans, [&](CataloguePlan& plan) { archive_plan(archive, plan); });
  cut.producers.archive(archive);
}

}  // namespace

std::string encode_node_state(const NodeCut& cut) {
  NodeCut copy = cut;
  return framed_archive(kNode, [&](StateArchive& archive) { archive_cut(archive, copy); });
}

absl::StatusOr<NodeCut> decode_node_state(std::string_view bytes, ProducerTable none) {
  auto body = take_framed_archive(kNode, bytes);
  if (!body.ok()) return body.status();
  NodeCut cut(std::move(none));
  StateArchive archive(*body);
  archive_cut(archive, cut);
  if (archive.failed() || !archive.at_end() || !bytes.empty()) {
    return absl::DataLossError("the node's state cannot be read");
  }
  return cut;
}

}  // namespace pollux
