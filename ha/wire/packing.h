// Payloads packed with zstd: u32 plain bytes, u32 0, and a zstd frame.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace pollux {

/// Thread: one at a time.
class PayloadPacker {
 public:
  PayloadPacker();
  ~PayloadPacker();
  /// Packs what stands in `out` from `begin` on; false, and nothing is changed, where it does not
  /// become an eighth smaller.
  bool pack(std::string& out, size_t begin);

 private:
  struct Context;
  std::unique_ptr<Context> context_;
  std::string packed_;
};

/// kDataLoss: it is no such payload, or would become longer than it says or `bytes_max`. Memory
/// grows as plain bytes come, not by what is claimed. Thread: any.
absl::StatusOr<std::string> unpack_payload(std::string_view packed, size_t bytes_max);

}  // namespace pollux
