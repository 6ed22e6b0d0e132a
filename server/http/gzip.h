// Inflates gzip bodies (RFC 1952), bounded.
//
// Thread: any.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace pollux {

enum class GunzipResult : uint8_t { kOk, kTooLarge, kBroken };

/// Replaces `out` by what is inflated; it has HttpRequest::kBodyPaddingBytes behind its end. Never
/// holds more than `bytes_max` and one step. kBroken: not gzip, cut off, or its checksum differs.
GunzipResult gunzip(std::string_view in, size_t bytes_max, std::string& out);

}  // namespace pollux
