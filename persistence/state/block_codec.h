// The blocks that a revision's body consists of: u32 packed bytes, u32 plain bytes, a zstd frame.
//
// Each stands on its own, so that what packs and unpacks needs the memory of a block only, and
// several can be unpacked at once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace pollux {

/// Of plain bytes in a block, at most and in all but the last.
constexpr size_t kBlockBytes = size_t{1} << 20;
constexpr size_t kBlockHeaderBytes = 8;

/// Thread: one at a time.
class BlockPacker {
 public:
  BlockPacker();
  ~BlockPacker();
  /// A whole block; valid until the next call. At most kBlockBytes, and not none.
  absl::StatusOr<std::string_view> pack(std::string_view plain);

 private:
  struct Context;
  std::unique_ptr<Context> context_;
  std::string packed_;
};

struct BlockHeader {
  uint32_t packed_bytes = 0;
  uint32_t plain_bytes = 0;
};

/// kDataLoss: no block begins so.
absl::StatusOr<BlockHeader> decode_block_header(std::string_view bytes);

/// Unpacks the frame of a block to `plain`, where header.plain_bytes have room. kDataLoss: it is
/// not what pack() made. Thread: any.
absl::Status unpack_block(std::string_view frame, const BlockHeader& header, char* plain);

}  // namespace pollux
