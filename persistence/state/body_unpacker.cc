#include "persistence/state/body_unpacker.h"

#include <algorithm>
#include <thread>

namespace pollux {

BodyUnpacker::BodyUnpacker(const RevisionTrailer& trailer, size_t threads, StateBytes& state)
    : state_bytes_(trailer.state_bytes), threads_(std::max<size_t>(threads, 1)), state_(state) {
  // A body may unpack to much more than it is; beyond this memory comes as it is used.
  constexpr uint64_t kRatioBelieved = 16;
  state_.reserve(std::min(trailer.state_bytes, trailer.body_bytes * kRatioBelieved));
}

absl::Status BodyUnpacker::append(std::string_view piece) {
  left_ += piece;
  std::string_view rest = left_;
  std::vector<Block> blocks;
  size_t end = state_.size();
  while (rest.size() >= kBlockHeaderBytes) {
    absl::StatusOr<BlockHeader> header = decode_block_header(rest.substr(0, kBlockHeaderBytes));
    if (!header.ok()) return header.status();
    if (rest.size() - kBlockHeaderBytes < header->packed_bytes) break;
    blocks.push_back({*header, rest.substr(kBlockHeaderBytes, header->packed_bytes), end});
    end += header->plain_bytes;
    rest.remove_prefix(kBlockHeaderBytes + header->packed_bytes);
  }
  if (end > state_bytes_) return absl::DataLossError("its state is too long");
  state_.resize(end);
  absl::Status unpacked = unpack(blocks);
  left_.erase(0, left_.size() - rest.size());
  return unpacked;
}

absl::Status BodyUnpacker::unpack(const std::vector<Block>& blocks) {
  size_t shares = std::min(threads_, blocks.size());
  std::vector<absl::Status> outcomes(shares);
  auto unpack_share = [&](size_t share) {
    for (size_t i = share; i < blocks.size() && outcomes[share].ok(); i += shares) {
      const Block& block = blocks[i];
      outcomes[share] = unpack_block(block.frame, block.header, state_.data() + block.offset);
    }
  };
  {
    std::vector<std::jthread> others;
    for (size_t share = 1; share < shares; ++share) others.emplace_back(unpack_share, share);
    if (shares > 0) unpack_share(0);
  }
  for (const absl::Status& outcome : outcomes) {
    if (!outcome.ok()) return outcome;
  }
  return absl::OkStatus();
}

absl::Status BodyUnpacker::finish() const {
  if (!left_.empty() || state_.size() != state_bytes_) {
    return absl::DataLossError("its state is not all there");
  }
  return absl::OkStatus();
}

}  // namespace pollux
