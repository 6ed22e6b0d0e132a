// Keeps one record a domain and changes it by compare-and-set: what decides who leads.
//
// An arbiter is linearizable and never forgets a success. The answer to both requests is the record
// as it is afterwards. An error means that nothing is known: the request may have landed, or land
// even later; who asked reads again and judges by content. So nothing here says "it worked", and no
// backend repeats a compare-and-set by itself. Thread: one at a time; calls may block, at most
// `ArbiterOptions::timeout_ms`.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "ha/arbiter/arbiter_record.h"

namespace pollux {

struct ArbiterOptions {
  std::string domain_name;    ///< of the settings: several pairs may share one store
  int64_t timeout_ms = 2000;  ///< of one call, connecting included
};

class Arbiter {
 public:
  virtual ~Arbiter() = default;

  /// Version 0: there is none.
  virtual absl::StatusOr<ArbiterRecord> read() = 0;
  /// Puts `next` in the place of the record of version `next.version` - 1, if that is still the
  /// one; `next.version` 1: if there is none.
  virtual absl::StatusOr<ArbiterRecord> compare_and_set(const ArbiterRecord& next) = 0;
  /// For logs and status: "file /var/lib/pollux/arbiter".
  virtual std::string describe() const = 0;
};

}  // namespace pollux
