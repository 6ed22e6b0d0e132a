#include "server/durability/node_state.h"

#include <utility>

#include "server/durability/archived.h"
#include "server/durability/catalogue_archive.h"

namespace pollux {
namespace {

constexpr ArchiveKind kNode{0x4e584c50, 1, "a node's state"};  // "PLXN"
constexpr ArchiveKind kWithIdentities{kNode.magic, 2, kNode.what};

void archive_identities(StateArchive& archive, std::vector<NumberedIdentity>& identities) {
  archive.list(identities, [&](NumberedIdentity& one) {
    archive(one.identity.high, one.identity.low, one.position.value, one.ms);
  });
}

void archive_cut(StateArchive& archive, NodeCut& cut, bool with_identities) {
  archive(cut.at.epoch.value, cut.at.position.value, cut.timestamp.ms);
  archive.list(cut.plans, [&](CataloguePlan& plan) { archive_plan(archive, plan); });
  cut.senders.producers.archive(archive);
  if (with_identities) archive_identities(archive, cut.senders.identities);
}

}  // namespace

std::string encode_node_state(const NodeCut& cut) {
  NodeCut copy = cut;
  const bool with_identities = !copy.senders.identities.empty();
  return framed_archive(with_identities ? kWithIdentities : kNode, [&](StateArchive& archive) {
    archive_cut(archive, copy, with_identities);
  });
}

absl::StatusOr<NodeCut> decode_node_state(std::string_view bytes, ProducerTable none) {
  auto body = take_framed_archive(kNode, bytes);
  const bool with_identities = absl::IsUnimplemented(body.status());
  if (with_identities) body = take_framed_archive(kWithIdentities, bytes);
  if (!body.ok()) return body.status();
  NodeCut cut(std::move(none));
  StateArchive archive(*body);
  archive_cut(archive, cut, with_identities);
  if (archive.failed() || !archive.at_end() || !bytes.empty()) {
    return absl::DataLossError("the node's state cannot be read");
  }
  return cut;
}

}  // namespace pollux
