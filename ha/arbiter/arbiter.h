// Keeps one record a domain and changes it by compare-and-set: what decides who leads.
//
// An arbiter is linearizable and never forgets a success. The answer to both requests is the record
// as it is afterwards. An error means that nothing is known: the request may have landed, or land
// even later; who asked reads again and judges by content. So nothing here says "it worked", and no
// backend repeats a compare-and-set by itself. Errors say where, why and what to do:
//   kDeadlineExceeded    the store did not answer in time
//   kUnavailable         the store cannot be reached, or broke off
//   kFailedPrecondition  the store could forget a success, or is not set up; nothing is asked of it
//   kDataLoss            what is stored is no record of this domain, or was changed by someone else
//   kUnimplemented       the record is of a newer version of this program
//   kInvalidArgument     the new record is none that anybody may write; nothing was asked
// others as the store gives them. Thread: one at a time; calls may block, at most
// `ArbiterOptions::timeout_ms`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "ha/arbiter/arbiter_record.h"

namespace pollux {

inline constexpr size_t kDomainNameMax = 100;
inline constexpr int64_t kArbiterTimeoutMaxMs = 60'000;

struct ArbiterOptions {
  /// Of the settings: several pairs may share one store. Letters, digits, '.', '_' and '-', at most
  /// kDomainNameMax, the first a letter or a digit: good for a folder, a row and a key alike.
  std::string domain_name;
  int64_t timeout_ms = 2000;  ///< of one call, connecting included; at most kArbiterTimeoutMaxMs
};

/// kInvalidArgument says what is wrong and what would be right.
absl::Status check_arbiter_options(const ArbiterOptions& options);

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
