#include "server/durability/plan_record.h"

#include "server/durability/archived.h"
#include "server/durability/catalogue_archive.h"

namespace pollux {
namespace {

constexpr ArchiveKind kRecord{0x50584c50, 1, "a plan's record"};  // "PLXP"

}  // namespace

std::string encode_record(const PlanRecord& record) {
  PlanRecord copy = record;
  return framed_archive(kRecord, [&](StateArchive& archive) {
    archive_plan(archive, copy.plan);
    archive(copy.suspended_because);
  });
}

absl::StatusOr<PlanRevision> decode_plan_revision(std::string_view bytes) {
  PlanRevision revision;
  auto body = take_framed_archive(kRecord, bytes);
  if (!body.ok()) return body.status();
  StateArchive archive(*body);
  archive_plan(archive, revision.record.plan);
  archive(revision.record.suspended_because);
  if (archive.failed() || !archive.at_end()) {
    return absl::DataLossError("the plan's record cannot be read");
  }
  revision.state = bytes;
  return revision;
}

}  // namespace pollux
