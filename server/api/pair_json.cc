#include "server/api/pair_json.h"

namespace pollux {
namespace {

Json time_or_null(int64_t ms) { return ms == 0 ? Json(nullptr) : Json(rfc3339(ms)); }

Json or_null(uint16_t version) { return version == 0 ? Json(nullptr) : Json(version); }

Json json_of(const ArbiterRecord& record, const std::string& own_journal) {
  if (!record.exists()) return nullptr;
  auto whose = [&own_journal](const std::string& journal) {
    return journal == own_journal ? "this node" : "the other node";
  };
  return {{"version", record.version},
          {"epoch", record.epoch.value},
          {"active", whose(to_text(record.active))},
          {"in_sync", record.in_sync ? Json(whose(to_text(*record.in_sync))) : Json(nullptr)}};
}

Json alarm_of(const PairStatus& status) {
  if (status.frozen) return "the arbiter has forgotten a record; roles stay as they are";
  if (status.barred) {
    return "a plan differs at the other node for the second time, and that node may not take over";
  }
  return nullptr;
}

}  // namespace

Json json_of(EntryId id) { return {{"epoch", id.epoch.value}, {"position", id.position.value}}; }

Json pair_answer(const ApiParts& parts) {
  if (parts.pair == nullptr) return nullptr;
  const PairInfo info = parts.pair->info();
  const PairStatus& status = info.status;
  return {
      {"role", name_of(status.role)},
      {"since", time_or_null(status.role_since_ms)},
      {"why", status.role_why},
      {"in_sync", info.synced},
      {"epoch", status.epoch.value},
      {"tail", json_of(status.tail)},
      {"committed", status.committed.value},
      {"applied", info.applied.value},
      {"record", json_of(status.record, to_text(status.journal))},
      {"arbiter",
       status.arbiter.ok() ? Json("answers") : Json(std::string(status.arbiter.message()))},
      {"alarm", alarm_of(status)},
      {"follower", status.follower_at
                       ? Json({{"matched", status.follower_at->value}, {"lag_ms", status.lag_ms}})
                       : Json(nullptr)},
      {"peer",
       {{"connected", info.connected},
        {"node", info.peer_node},
        {"membership", info.peer_membership},
        {"protocol_version", or_null(info.protocol_version)},
        {"problem", info.problem}}},
      {"snapshots",
       {{"given", info.snapshots_given},
        {"bytes_given", info.snapshot_bytes_given},
        {"bytes_got", info.snapshot_bytes_got ? Json(*info.snapshot_bytes_got) : Json(nullptr)}}},
      {"last_failover",
       {{"count", info.failovers},
        {"at", time_or_null(info.last_failover_ms)},
        {"why", info.last_failover_why}}}};
}

}  // namespace pollux
